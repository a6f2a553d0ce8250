"""The preview of a spend file: spend by brand and local day, and problems.

It only reads. The import decides again, because others may write in the meantime.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from campaigns.models import Brand
from campaigns.models.brand import default_zone
from campaigns.rules.money import from_micros, to_micros
from campaigns.rules.names import name_key, normal_name
from campaigns.rules.periods import find_zone, local_date
from campaigns.services.intake.csv_reader import BadRow, Line, Row, SkippedLine, SkipReason
from campaigns.services.intake.importer import batches, describe_contradiction
from campaigns.services.intake.placement import (
    Batch,
    BrandFacts,
    Brands,
    Counts,
    Places,
    fit_to_brand,
    read_brand_facts,
)
from campaigns.services.intake.staging import Contradiction, Placed, find_existing

# Days of brands that are summed separately; the others are counted together, to bound memory.
MAX_DAYS = 10_000
MAX_NAMED_NOTES = 20
MAX_NAMED_ARCHIVED = 10


class DaySum(NamedTuple):
    """The rows of a file for one local day of a brand."""

    brand: str
    currency: str
    day: date
    rows: int
    amount: Decimal


@dataclass(slots=True)
class Preview:
    """What a file would import. Rows that exist or are refused aren't in any sum."""

    counts: Counts = field(default_factory=Counts)
    days: list[DaySum] = field(default_factory=list)
    # New rows of days beyond MAX_DAYS.
    other_rows: int = 0
    # By currency.
    totals: dict[str, Decimal] = field(default_factory=dict)
    # Line numbers of the first totals and notes.
    note_lines: list[int] = field(default_factory=list)
    # The brands by id, with the time zone and currency on which the sums depend.
    brands: dict[int, BrandFacts] = field(default_factory=dict)
    # Names of the first archived brands and campaigns whose spend the file has.
    archived: list[str] = field(default_factory=list)
    # Rows among the repeated ones whose records were reversed with their import.
    reversed: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "counts": {name: getattr(self.counts, name) for name in Counts.__slots__},
            "days": [[day.brand, day.currency, str(day.day), day.rows, str(day.amount)] for day in self.days],
            "other_rows": self.other_rows,
            "totals": {currency: str(amount) for currency, amount in self.totals.items()},
            "note_lines": self.note_lines,
            "brands": [[pk, *facts] for pk, facts in sorted(self.brands.items())],
            "archived": self.archived,
            "reversed": self.reversed,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Preview:
        return cls(
            Counts(**stored["counts"]),
            [
                DaySum(brand, currency, date.fromisoformat(day), rows, Decimal(amount))
                for brand, currency, day, rows, amount in stored["days"]
            ],
            stored["other_rows"],
            {currency: Decimal(amount) for currency, amount in stored["totals"].items()},
            stored["note_lines"],
            {pk: BrandFacts(*facts) for pk, *facts in stored.get("brands", ())},
            stored.get("archived", []),
            stored.get("reversed", 0),
        )

    def changed_brands(self) -> list[str]:
        """Return the names of brands whose time zone or currency changed since the preview."""
        now = read_brand_facts(self.brands)
        return sorted(was.name for pk, was in self.brands.items() if pk in now and was[1:] != now[pk][1:])


def preview_spend(
    rows: Iterable[Line],
    *,
    zone: ZoneInfo | None = None,
    create: bool = False,
    brands: Brands = None,
    on_refused: Callable[[BadRow], None] = lambda refused: None,
    on_batch: Callable[[], None] = lambda: None,
) -> Preview:
    """Return what import_spend would import. Raises SpendFileError if the rows can't be read."""
    with closing(_Seen()) as seen:
        sums = _Sums(seen, create=create, brands=brands, zone=zone)
        for given, _ in batches(rows):
            for refused in sums.add(given):
                on_refused(refused)
            on_batch()
        return sums.result()


class _Sums:
    """Adds up batches of lines."""

    def __init__(self, seen: _Seen, *, create: bool, brands: Brands, zone: ZoneInfo | None) -> None:
        self.seen = seen
        self.create, self.brands, self.zone = create, brands, zone
        self.preview = Preview()
        self.days: dict[tuple[str, str, date], list[int]] = {}
        self.micros: Counter[str] = Counter()
        self.new_brands: dict[str, BrandFacts] = {}
        self.new_campaigns: set[tuple[str, str]] = set()

    def add(self, given: Sequence[Line]) -> list[BadRow]:
        """Add a batch; return its refused lines in order."""
        batch = Batch(refused=[line for line in given if isinstance(line, BadRow)], ends=False)
        rows = [line for line in given if isinstance(line, Row)]
        skipped = [line for line in given if isinstance(line, SkippedLine)]
        places = Places(create=self.create, brands=self.brands, zone=self.zone)
        placed = list(self._fitted(places.place_preview(rows, batch), batch))
        names = {*self.preview.archived, *_archived(places, placed)}
        self.preview.archived = sorted(names)[:MAX_NAMED_ARCHIVED]
        refused_zeros = self._sort(
            placed + list(places.place_zeros([line.zero for line in skipped if line.zero])), batch
        )
        counts = self.preview.counts
        counts.refused += len(batch.refused)
        counts.without_spend += sum(line.reason is SkipReason.NO_SPEND for line in skipped) - refused_zeros
        notes = [line.line for line in skipped if line.reason is SkipReason.NOTE]
        counts.notes += len(notes)
        counts.rounded += sum(row.is_rounded for row in rows)
        self.preview.note_lines = (self.preview.note_lines + notes)[:MAX_NAMED_NOTES]
        return sorted(batch.refused, key=lambda refused: refused.line)

    def _fitted(self, placed: Iterable[Placed], batch: Batch) -> Iterator[Placed]:
        """Yield the rows, with UTC timestamps also for brands that would be created."""
        for ready in placed:
            if ready.brand_id:
                yield ready
                continue
            try:
                yield ready._replace(row=fit_to_brand(ready.row, self._new_brand(ready.row), self.zone))
            except ValueError as refusal:
                batch.refuse(ready.row, str(refusal))

    def _new_brand(self, row: Row) -> BrandFacts:
        currency = row.currencies[0] if row.currencies else str(Brand._meta.get_field("currency").get_default())
        return self.new_brands.setdefault(
            name_key(row.brand), BrandFacts(normal_name(row.brand), default_zone(), currency)
        )

    def _sort(self, placed: list[Placed], batch: Batch) -> int:
        """Count new and repeated rows and refuse contradictions; return the number of refused rows of 0."""
        facts = read_brand_facts({ready.brand_id for ready in placed if ready.brand_id})
        there = find_existing(placed)
        refused_zeros = 0
        for place, ready in enumerate(placed):
            row = ready.row
            existing = there.get(place)
            said = existing[:2] if existing else self.seen.find(ready)
            if said and (said != (row.amount, row.timestamp)):
                batch.refuse(row, describe_contradiction(Contradiction(row, *said)))
                refused_zeros += not row.amount
            elif said:
                self.preview.counts.repeated += 1
                self.preview.reversed += bool(existing and existing.is_reversed)
            elif row.amount:
                self._count(ready, facts.get(ready.brand_id) or self._new_brand(row))
        return refused_zeros

    def _count(self, ready: Placed, brand: BrandFacts) -> None:
        row, counts = ready.row, self.preview.counts
        self.seen.add(ready)
        counts.imported += 1
        counts.without_external_id += row.external_id is None
        if not ready.campaign_id:
            self.new_campaigns.add((name_key(row.brand), name_key(row.campaign)))
        micros = to_micros(row.amount)
        self.micros[brand.currency] += micros
        key = brand.name, brand.currency, local_date(find_zone(brand.timezone) or ZoneInfo("UTC"), row.timestamp)
        if key in self.days or len(self.days) < MAX_DAYS:
            day = self.days.setdefault(key, [0, 0])
            day[0] += 1
            day[1] += micros
            if ready.brand_id:
                self.preview.brands[ready.brand_id] = brand
        else:
            self.preview.other_rows += 1

    def result(self) -> Preview:
        preview = self.preview
        preview.days = [DaySum(*key, rows, from_micros(micros)) for key, (rows, micros) in sorted(self.days.items())]
        preview.totals = {currency: from_micros(micros) for currency, micros in sorted(self.micros.items())}
        preview.counts.created_brands = len(self.new_brands)
        preview.counts.created_campaigns = len(self.new_campaigns)
        return preview


def _archived(places: Places, placed: Iterable[Placed]) -> Iterator[str]:
    """Yield the names of what is archived among the brands and campaigns of rows."""
    brands, campaigns = places.found_brands.archived, places.found_campaigns.archived
    for ready in placed if brands or campaigns else ():
        if ready.row.brand in brands:
            yield f"“{ready.row.brand}”"
        elif (ready.brand_id, ready.row.campaign) in campaigns:
            yield f"“{ready.row.brand} / {ready.row.campaign}”"


class _Seen:
    """The external ids of the file so far with their amount and timestamp, in a temporary SQLite database."""

    def __init__(self) -> None:
        self.database = sqlite3.connect("", isolation_level=None)
        self.database.execute("PRAGMA journal_mode = OFF")
        self.database.execute("CREATE TABLE seen (id BLOB PRIMARY KEY, micros INTEGER, at TEXT) WITHOUT ROWID")

    def close(self) -> None:
        self.database.close()

    def find(self, ready: Placed) -> tuple[Decimal, Any] | None:
        """Return amount and timestamp of an earlier line with the same external id."""
        if ready.row.external_id is None:
            return None
        found = self.database.execute("SELECT micros, at FROM seen WHERE id = ?", (_key(ready),)).fetchone()
        return (from_micros(found[0]), ready.row.timestamp.fromisoformat(found[1]).astimezone(UTC)) if found else None

    def add(self, ready: Placed) -> None:
        if ready.row.external_id is not None:
            said = _key(ready), to_micros(ready.row.amount), ready.row.timestamp.isoformat()
            self.database.execute("INSERT INTO seen VALUES (?, ?, ?)", said)


def _key(ready: Placed) -> bytes:
    row = ready.row
    campaign = ready.campaign_id or [name_key(row.brand), name_key(row.campaign)]
    return hashlib.blake2b(repr((campaign, row.external_id)).encode(), digest_size=16).digest()
