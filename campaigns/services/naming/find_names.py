"""Finding brands and campaigns by names in files.

A name matches the row with exactly that name, else the one whose name is the same (see campaigns.rules.names). It
matches none, with a message, if it has invisible characters, or if several rows, inserted by SQL, have the same name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from django.db.models import QuerySet

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import in_list, list_param, rows_param, rows_sql
from campaigns.database.write_column import in_pieces
from campaigns.models import Brand
from campaigns.rules.names import name_key, normal_name

T = TypeVar("T")

# The id of a brand, and the name of one of its campaigns.
BrandAndName = tuple[int, str]


class Named(NamedTuple):
    id: int
    # The id of a campaign's brand; 0 of a brand.
    scope: int
    name: str
    is_archived: bool

    @property
    def label(self) -> str:
        """The name for a sentence; it says what lists don't show."""
        return f"“{self.name}”{' (archived)' if self.is_archived else ''}"


@dataclass(frozen=True)
class Found(Generic[T]):
    """Ids by name, and messages for names that can't be matched."""

    ids: dict[T, int] = field(default_factory=dict)
    problems: dict[T, str] = field(default_factory=dict)
    # The names that lead to something archived.
    archived: set[T] = field(default_factory=set)

    def of(self, wanted: T) -> tuple[int | None, str]:
        """Return the id or None, and the problem with the name or ""."""
        return self.ids.get(wanted), self.problems.get(wanted, "")


def find_brands(names: Iterable[str], among: QuerySet[Brand] | None = None) -> Found[str]:
    """Return the brands with these names, if given only among some."""
    wanted = {(0, name) for name in names}
    alike = brands_alike([name for _, name in wanted])
    if among is not None:
        seen = {pk for piece in in_pieces([row.id for row in alike]) for pk in _ids(among, piece)}
        alike = [row for row in alike if row.id in seen]
    found = _pick("brand", wanted, alike)
    return Found(
        {name: pk for (_, name), pk in found.ids.items()},
        {name: sentence for (_, name), sentence in found.problems.items()},
        {name for _, name in found.archived},
    )


def find_campaigns(wanted: Collection[BrandAndName]) -> Found[BrandAndName]:
    return _pick("campaign", set(wanted), campaigns_alike(wanted))


def find_twin(name: str, *, brand_id: int | None, but: int | None) -> Named | None:
    """Return another brand, or another campaign of the brand, whose name is the same as this one."""
    alike = brands_alike([name]) if brand_id is None else campaigns_alike([(brand_id, name)])
    return next((row for row in alike if row.id != but), None)


def _ids(brands: QuerySet[Brand], piece: list[int]) -> Iterable[int]:
    return brands.order_by().filter(pk__in=piece).values_list("pk", flat=True)


def _pick(what: str, wanted: Iterable[BrandAndName], there: Collection[Named]) -> Found[BrandAndName]:
    by_key: dict[BrandAndName, dict[str, int]] = defaultdict(dict)
    for row in there:
        by_key[row.scope, name_key(row.name)][row.name] = row.id
    archived = {row.id for row in there if row.is_archived}
    found = Found[BrandAndName]()
    for scope, name in wanted:
        alike = by_key.get((scope, name_key(name)), {})
        try:
            spelling = name if name in alike else normal_name(name)
        except ValueError as refusal:
            found.problems[scope, name] = str(refusal)
            continue
        if spelling in alike:
            found.ids[scope, name] = alike[spelling]
        elif spelling and len(alike) == 1:
            (found.ids[scope, name],) = alike.values()
        elif spelling and alike:
            names = " or ".join(f"“{other}”" for other in sorted(alike))
            found.problems[scope, name] = f"The {what} “{name}” could be {names}: write one of them exactly."
    found.archived.update(name for name, pk in found.ids.items() if pk in archived)
    return found


def brands_alike(names: Collection[str]) -> list[Named]:
    """Return the brands whose names are the same as one of these."""
    keys = {name_key(name) for name in names}
    sql = f"{BRANDS} WHERE {in_list('name_key')}"
    found = [Named(*row) for row in fetch_all(sql, [list_param(keys)])] if keys else []
    without_key = fetch_all(f"{BRANDS} WHERE name_key IS NULL") if keys else []
    return found + [row for row in map(Named._make, without_key) if name_key(row.name) in keys]


def campaigns_alike(wanted: Collection[BrandAndName]) -> list[Named]:
    """Return the campaigns whose names are the same as one of these of their brand."""
    keys = {(brand_id, name_key(name)) for brand_id, name in wanted}
    columns = {"brand_id": "bigint", "name_key": "text"}
    by_key = WITH_KEY.format(given=rows_sql(columns))
    found = [Named(*row) for row in fetch_all(by_key, [rows_param(columns, sorted(keys))])] if keys else []
    brands = {brand_id for brand_id, _ in keys}
    without_key = fetch_all(WITHOUT_KEY.format(among=in_list("brand_id")), [list_param(brands)]) if brands else []
    return found + [row for row in map(Named._make, without_key) if (row.scope, name_key(row.name)) in keys]


BRANDS = "SELECT id, 0, name, archived_at IS NOT NULL FROM campaigns_brand"

WITH_KEY = """
    WITH given AS MATERIALIZED ({given})
    SELECT campaign.id, campaign.brand_id, campaign.name, campaign.archived_at IS NOT NULL
    FROM given
    JOIN campaigns_campaign AS campaign
      ON campaign.brand_id = given.brand_id AND campaign.name_key = given.name_key
"""

WITHOUT_KEY = """
    SELECT id, brand_id, name, archived_at IS NOT NULL FROM campaigns_campaign WHERE name_key IS NULL AND {among}
"""
