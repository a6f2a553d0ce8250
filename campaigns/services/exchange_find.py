"""Which brands and campaigns the lines of a file are about, of those that the person sees.

A line that names what the person doesn't see gets the same answer as one that names what isn't there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from campaigns.database import fetch_all
from campaigns.dialects import rows_param, rows_sql
from campaigns.models import Brand, Campaign
from campaigns.services.access import Person, seen_by
from campaigns.services.columns import in_pieces
from campaigns.services.exchange_cells import KeyCell, shown
from campaigns.services.exchange_columns import KEYS_OF, Kind
from campaigns.services.exchange_files import Line

KEY = KeyCell()


class LineRefused(Exception):
    """The line can't be imported; the message is a sentence with the value and the remedy."""


@dataclass(frozen=True)
class Known:
    """A brand or campaign as it is now."""

    pk: int
    name: str
    brand: str
    brand_id: int
    currency: str
    values: Mapping[str, Any]


BRAND_VALUES = ("name", "enabled", "currency", "timezone", "daily_budget", "monthly_budget")
CAMPAIGN_VALUES = ("name", "enabled", "daily_spend_limit", "starts_on", "ends_on")


class Finder:
    """The rows that the lines of a file are about, read in few statements, of what the person sees."""

    def __init__(self, kind: Kind, lines: Sequence[Line], person: Person):
        self.kind, self.person = kind, person
        self.key, names_of = KEYS_OF[kind]
        self.name = names_of[-1]
        self.by_id: dict[int, Known] = {}
        self.by_name: dict[tuple[str, str], Known] = {}
        self.brands: dict[str, Brand] = {}
        names = {text for line in lines for text in _spellings(line.cells.get("brand", ""))}
        if kind == Kind.BRANDS:
            names = {text for line in lines for text in _spellings(line.cells.get(self.name, ""))}
        self._find_brands(names)
        ids = {key for line in lines if (key := _key_of(line, self.key)) is not None}
        if kind == Kind.BRANDS:
            self._know_brands(ids)
        else:
            self._know_campaigns(ids | self._ids_of_names(lines))

    def find(self, line: Line) -> Known | None:
        """Return the row that a line is about, None for a new one. Raises LineRefused."""
        what = self.kind.model._meta.model_name
        key = self._key(line)
        if key is not None:
            if key not in self.by_id:
                raise LineRefused(f"{self.key}: there is no {what} {key}: correct it, or leave it empty for a new one.")
            known = self.by_id[key]
            self._check_names(line, known)
            return known
        names = _spellings(line.cells.get(self.name, ""))
        brands = [""] if self.kind == Kind.BRANDS else _spellings(line.cells.get("brand", ""))
        found = (self.by_name.get((brand, text)) for brand in brands for text in names)
        return next((row for row in found if row), None)

    def _key(self, line: Line) -> int | None:
        try:
            key: int | None = KEY.clean(line.cells.get(self.key, ""))
        except ValueError as error:
            raise LineRefused(f"{self.key}: {error}") from error
        return key

    def brand_of(self, line: Line) -> Brand:
        """Return the brand that a line names. Raises LineRefused."""
        text = line.cells.get("brand", "")
        for name in _spellings(text):
            if name in self.brands:
                return self.brands[name]
        raise LineRefused(f"brand: there is no brand {shown(text)}: correct the name, or import the brand first.")

    def _check_names(self, line: Line, known: Known) -> None:
        if self.kind == Kind.BRANDS or "brand" not in line.cells:
            return
        if known.brand not in _spellings(line.cells["brand"]):
            raise LineRefused(
                f"brand: “{known.name}” ({known.pk}) is of the brand “{known.brand}”, and the line says"
                f" {shown(line.cells['brand'])}: a campaign moves to another brand on its own page only."
            )

    def _find_brands(self, names: Iterable[str]) -> None:
        for piece in in_pieces(sorted(names)):
            for brand in seen_by(self.person, Brand.objects.filter(name__in=piece).order_by(), "pk"):
                self.brands[brand.name] = brand

    def _know_brands(self, ids: Iterable[int]) -> None:
        known = {brand.pk: brand for brand in self.brands.values()}
        for piece in in_pieces(sorted(ids)):
            known |= seen_by(self.person, Brand.objects.filter(pk__in=piece).order_by(), "pk").in_bulk()
        for pk, brand in known.items():
            values = {column: getattr(brand, column) for column in BRAND_VALUES}
            self.by_id[pk] = Known(pk, brand.name, brand.name, pk, brand.currency, values)
            self.by_name["", brand.name] = self.by_id[pk]

    def _know_campaigns(self, ids: Iterable[int]) -> None:
        for piece in in_pieces(sorted(ids)):
            rows = Campaign.objects.filter(pk__in=piece).select_related("brand").order_by()
            for row in seen_by(self.person, rows, "brand"):
                values = {column: getattr(row, column) for column in CAMPAIGN_VALUES}
                known = Known(row.pk, row.name, row.brand.name, row.brand_id, row.brand.currency, values)
                self.by_id[row.pk] = self.by_name[known.brand, known.name] = known

    def _ids_of_names(self, lines: Sequence[Line]) -> set[int]:
        pairs = {
            (self.brands[brand].pk, name)
            for line in lines
            for brand in _spellings(line.cells.get("brand", ""))
            if brand in self.brands
            for name in _spellings(line.cells.get(self.name, ""))
        }
        columns = {"brand_id": "bigint", "name": "text"}
        sql = f"""
            WITH given AS MATERIALIZED ({rows_sql(columns)})
            SELECT c.id FROM given JOIN campaigns_campaign c ON c.brand_id = given.brand_id AND c.name = given.name"""
        pieces = in_pieces(sorted(pairs))
        return {pk for piece in pieces for (pk,) in fetch_all(sql, [rows_param(columns, piece)])}


def _spellings(text: str) -> list[str]:
    """Return a name as it stands and, where that differs, without the space around it."""
    return list(dict.fromkeys((text, text.strip()))) if text.strip() else []


def _key_of(line: Line, column: str) -> int | None:
    text = line.cells.get(column, "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None
