"""Matching the lines of a file to the brands and campaigns that the person can see.

A line that names a row hidden from the person gets the same answer as one that names a missing row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from campaigns.database.write_column import in_pieces
from campaigns.models import Brand, Campaign
from campaigns.rules.names import name_key
from campaigns.rules.text import quote
from campaigns.services.exchange.cells import KeyCell, read_key
from campaigns.services.exchange.columns import KEYS_OF, Kind
from campaigns.services.exchange.files import Line
from campaigns.services.naming.find_names import BrandAndName, Found, find_brands, find_campaigns
from campaigns.services.permissions import Person, visible_to

KEY = KeyCell()


class LineRefused(Exception):
    """The line can't be imported; the message names the value and the remedy."""


@dataclass(frozen=True)
class Known:
    """The current state of a brand or campaign."""

    pk: int
    name: str
    brand: str
    brand_id: int
    currency: str
    values: Mapping[str, Any]
    archived: bool = False


BRAND_VALUES = ("name", "enabled", "currency", "timezone", "daily_budget", "monthly_budget")
CAMPAIGN_VALUES = ("name", "enabled", "daily_spend_limit", "starts_on", "ends_on")


class Finder:
    """Finds the row of each line; reads all rows in a few statements."""

    def __init__(self, kind: Kind, lines: Sequence[Line], person: Person):
        self.kind, self.person = kind, person
        self.key, names_of = KEYS_OF[kind]
        self.name = names_of[-1]
        self.by_id: dict[int, Known] = {}
        column = self.name if kind == Kind.BRANDS else "brand"
        texts = {line.cells.get(column, "") for line in lines} - {""}
        self.found_brands = find_brands(texts, visible_to(person, Brand.objects.order_by(), "pk"))
        self.found_campaigns = self._find_campaigns(lines) if kind != Kind.BRANDS else Found[BrandAndName]()
        ids = {key for line in lines if (key := read_key(line.cells.get(self.key, ""))) is not None}
        self.brands = self._read_brands(ids if kind == Kind.BRANDS else set())
        if kind == Kind.BRANDS:
            self._know_brands()
        else:
            self._know_campaigns(ids | set(self.found_campaigns.ids.values()))

    def find(self, line: Line) -> Known | None:
        """Return a line's row, None for a new one. Raises LineRefused."""
        what = self.kind.model._meta.model_name
        key = self._key(line)
        if key is not None:
            if key not in self.by_id:
                raise LineRefused(f"{self.key}: unknown {what} {key}: correct it, or leave it empty for a new one.")
            known = self.by_id[key]
            self._check_names(line, known)
            return known
        text = line.cells.get(self.name, "")
        if self.kind == Kind.BRANDS:
            pk, problem = self.found_brands.of(text)
        else:
            brand_id, _ = self.found_brands.of(line.cells.get("brand", ""))
            pk, problem = (None, "") if brand_id is None else self.found_campaigns.of((brand_id, text))
        if problem:
            raise LineRefused(f"{self.name}: {problem}")
        return self.by_id.get(pk) if pk is not None else None

    def is_by_id(self, line: Line) -> bool:
        """Return whether the line has an id; then its name is a new value, not the key."""
        return bool(line.cells.get(self.key, "").strip())

    def _key(self, line: Line) -> int | None:
        try:
            key: int | None = KEY.clean(line.cells.get(self.key, ""))
        except ValueError as error:
            raise LineRefused(f"{self.key}: {error}") from error
        return key

    def brand_of(self, line: Line) -> Brand:
        """Return the brand that a line names. Raises LineRefused."""
        text = line.cells.get("brand", "")
        pk, problem = self.found_brands.of(text)
        if problem:
            raise LineRefused(f"brand: {problem}")
        if pk is None:
            raise LineRefused(f"brand: unknown brand {quote(text)}: correct the name, or import the brand first.")
        return self.brands[pk]

    def _check_names(self, line: Line, known: Known) -> None:
        if self.kind == Kind.BRANDS or "brand" not in line.cells:
            return
        if name_key(known.brand) != name_key(line.cells["brand"]):
            raise LineRefused(
                f"brand: “{known.name}” ({known.pk}) belongs to the brand “{known.brand}”, not to"
                f" {quote(line.cells['brand'])}: move a campaign to another brand on its own page."
            )

    def _read_brands(self, ids: Iterable[int]) -> dict[int, Brand]:
        found: dict[int, Brand] = {}
        for piece in in_pieces(sorted({*ids, *self.found_brands.ids.values()})):
            rows = Brand.objects.filter(pk__in=piece).select_related("owner").order_by()
            found |= visible_to(self.person, rows, "pk").in_bulk()
        return found

    def _know_brands(self) -> None:
        for pk, brand in self.brands.items():
            values = {column: getattr(brand, column) for column in BRAND_VALUES}
            values["owner"] = brand.owner.get_username() if brand.owner else None
            archived = brand.archived_at is not None
            self.by_id[pk] = Known(pk, brand.name, brand.name, pk, brand.currency, values, archived)

    def _know_campaigns(self, ids: Iterable[int]) -> None:
        for piece in in_pieces(sorted(ids)):
            rows = Campaign.objects.filter(pk__in=piece).select_related("brand").order_by()
            for row in visible_to(self.person, rows, "brand"):
                values = {column: getattr(row, column) for column in CAMPAIGN_VALUES}
                about = (row.pk, row.name, row.brand.name, row.brand_id, row.brand.currency)
                self.by_id[row.pk] = Known(*about, values, row.archived_at is not None)

    def _find_campaigns(self, lines: Sequence[Line]) -> Found[BrandAndName]:
        ids = self.found_brands.ids
        named = ((line.cells.get("brand", ""), line.cells.get(self.name, "")) for line in lines)
        return find_campaigns({(ids[brand], name) for brand, name in named if brand in ids and name})
