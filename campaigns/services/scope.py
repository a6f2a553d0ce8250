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
    """A set of campaigns, told by the ids of brands or campaigns, or by a shard; none of them means all campaigns."""

    brands: tuple[int, ...] | None = None
    campaigns: tuple[int, ...] | None = None
    shard: tuple[int, int] | None = None
    """(number, of): the brands whose id leaves this number as remainder."""

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

    def condition(self, brand: str, campaign: str, *, hashed: bool = False) -> tuple[str, list[Any]]:
        """Return the SQL condition on a brand id and a campaign id, and its parameters.

        hashed is for rows that are all read, or found by something else. Where PostgreSQL should look them up by their
        index, it may then prefer to read the whole table.
        """
        parts: list[tuple[str, Iterable[int]]] = []
        if self.brands is not None:
            parts.append((in_list(brand, hashed=hashed), self.brands))
        if self.campaigns is not None:
            parts.append((in_list(campaign, hashed=hashed), self.campaigns))
        conditions, params = [sql for sql, _ in parts], [list_param(ids) for _, ids in parts]
        if self.shard is not None:
            number, of = self.shard
            conditions.append(f"({brand} %% %s + %s) %% %s = %s")  # the remainder of a negative id is negative
            params += [of, of, of, number]
        return " AND ".join(conditions) or "1 = 1", params

    def brand_condition(self, brand: str, *, hashed: bool = False) -> tuple[str, list[Any]]:
        """Return the SQL condition on the id of a brand that has campaigns of the scope, and its parameters."""
        if self.campaigns is None:
            return self.condition(brand, "", hashed=hashed)
        sql, params = self.condition("brand_id", "id")
        return f"{brand} IN (SELECT brand_id FROM campaigns_campaign WHERE {sql})", params


def brands_of(scope: Scope) -> list[int]:
    """Return the brands that have campaigns of the scope."""
    condition, params = scope.brand_condition("id")
    return [pk for (pk,) in fetch_all(f"SELECT id FROM campaigns_brand WHERE {condition}", params)]
