"""Which campaigns a decision is about: everything, some brands, or some campaigns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import in_list, list_param
from campaigns.models import Brand


@dataclass(frozen=True)
class Scope:
    """A set of campaigns, by the ids of brands or campaigns, or by a shard; none of them means all campaigns."""

    brands: tuple[int, ...] | None = None
    campaigns: tuple[int, ...] | None = None
    # (number, of): the brands whose id leaves this number as remainder.
    shard: tuple[int, int] | None = None

    @classmethod
    def everything(cls) -> Scope:
        return cls()

    @classmethod
    def of_brands(cls, ids: Iterable[int]) -> Scope:
        return cls(brands=tuple(ids))

    @classmethod
    def of_campaigns(cls, ids: Iterable[int]) -> Scope:
        return cls(campaigns=tuple(ids))

    @classmethod
    def of_rows(cls, model: type[Model], ids: Iterable[int]) -> Scope:
        """Return the scope of brands, or of campaigns, by the model of the rows."""
        return cls.of_brands(ids) if issubclass(model, Brand) else cls.of_campaigns(ids)

    @classmethod
    def of_shard(cls, number: int, of: int) -> Scope:
        return cls(shard=(number, of))

    @property
    def is_large(self) -> bool:
        """Whether it grows with the number of campaigns that there are."""
        return self.brands is None and self.campaigns is None

    def within(self, brand_ids: Iterable[int]) -> Scope:
        """Return the part of the scope that lies in these brands."""
        return Scope(brands=tuple(brand_ids), campaigns=self.campaigns)

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the conditions, by name."""
        lists = {"brands": self.brands, "campaigns": self.campaigns}
        params = {name: list_param(ids) for name, ids in lists.items() if ids is not None}
        number, of = self.shard or (0, 0)
        return params | {"shard": number, "shards": of}

    def condition(self, brand: str, campaign: str, *, hashed: bool = False) -> str:
        """Return the SQL condition on a brand id and a campaign id; its parameters are `params`.

        hashed is for rows that are all read, or found by something else. Where PostgreSQL should look them up by their
        index, it may then prefer to read the whole table.
        """
        conditions = []
        if self.brands is not None:
            conditions.append(in_list(brand, hashed=hashed, param="%(brands)s"))
        if self.campaigns is not None:
            conditions.append(in_list(campaign, hashed=hashed, param="%(campaigns)s"))
        if self.shard is not None:
            # The remainder of a negative id is negative.
            conditions.append(f"({brand} %% %(shards)s + %(shards)s) %% %(shards)s = %(shard)s")
        return " AND ".join(conditions) or "1 = 1"

    def brand_condition(self, brand: str, *, hashed: bool = False) -> str:
        """Return the SQL condition on the id of a brand that has campaigns of the scope."""
        if self.campaigns is None:
            return self.condition(brand, "", hashed=hashed)
        return f"{brand} IN (SELECT brand_id FROM campaigns_campaign WHERE {self.condition('brand_id', 'id')})"


def brands_of(scope: Scope) -> dict[int, str]:
    """Return the brands that have campaigns of the scope, by id, with their time zones."""
    sql = f"SELECT id, timezone FROM campaigns_brand WHERE {scope.brand_condition('id')}"
    return dict(fetch_all(sql, scope.params))


def zones_of(scope: Scope) -> set[str]:
    """Return the time zones of the scope's brands; of all brands, it's quicker than brands_of()."""
    sql = f"SELECT DISTINCT timezone FROM campaigns_brand WHERE {scope.brand_condition('id')}"
    return {zone for (zone,) in fetch_all(sql, scope.params)}
