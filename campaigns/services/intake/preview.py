"""What a spend file would import, before anything is written: money by brand and local day, and what is wrong.

It only reads. What others write meanwhile may change what the import finds: the import decides anew.
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
from campaigns.services.intake.csv_reader import BadRow, Line, PassedOver, Row, Why
from campaigns.services.intake.fit import BrandFacts, facts_of_brands, fit
from campaigns.services.intake.importer import Batch, Brands, Counts, Places, batches, other_than
from campaigns.services.intake.staging import Contradiction, Placed, in_the_ledger

# So many days of brands are summed one by one, and others together: memory stays flat.
MOST_DAYS = 10_000
NAMED_NOTES = 20


class DaySum(NamedTuple):
    """What a file has for a brand's local day."""

    brand: str
    currency: str
    day: date
    rows: int
    amount: Decimal


@dataclass(slots=True)
class Preview:
    """What a file would import. Rows that are there already, and those that are refused, are in no sum."""

    counts: Counts = field(default_factory=Counts)
    days: list[DaySum] = field(default_factory=list)
    # New rows of further days, beyond MOST_DAYS.
    other_rows: int = 0
    # By currency.
    totals: dict[str, Decimal] = field(default_factory=dict)
    # The first totals and notes.
    note_lines: list[int] = field(default_factory=list)
    # How the brands of the days were read, by id: in another zone or currency the import would find other money.
    brands: dict[int, BrandFacts] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "counts": {name: getattr(self.counts, name) for name in Counts.__slots__},
            "days": [[day.brand, day.currency, str(day.day), day.rows, str(day.amount)] for day in self.days],
            "other_rows": self.other_rows,
            "totals": {currency: str(amount) for currency, amount in self.totals.items()},
            "note_lines": self.note_lines,
            "brands": [[pk, *facts] for pk, facts in sorted(self.brands.items())],
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
        )

    def changed_brands(self) -> list[str]:
        """Return the names of the brands whose time zone or currency isn't as this preview read it."""
        now = facts_of_brands(self.brands)
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
    """Return what import_spend would import of the rows. Raises what reading them raises."""
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
        """Add a batch; return its refused lines, in the file's order."""
        batch = Batch(refused=[line for line in given if isinstance(line, BadRow)], ends=False)
        rows = [line for line in given if isinstance(line, Row)]
        passed_over = [line for line in given if isinstance(line, PassedOver)]
        places = Places(create=self.create, brands=self.brands, zone=self.zone)
        placed = list(self._fitted(places.foresee(rows, batch), batch))
        refused_zeros = self._sort(
            placed + list(places.of_zeros([line.zero for line in passed_over if line.zero])), batch
        )
        counts = self.preview.counts
        counts.refused += len(batch.refused)
        counts.without_spend += sum(line.why is Why.NO_SPEND for line in passed_over) - refused_zeros
        notes = [line.line for line in passed_over if line.why is Why.NOTE]
        counts.notes += len(notes)
        counts.rounded += sum(row.is_rounded for row in rows)
        self.preview.note_lines = (self.preview.note_lines + notes)[:NAMED_NOTES]
        return sorted(batch.refused, key=lambda refused: refused.line)

    def _fitted(self, placed: Iterable[Placed], batch: Batch) -> Iterator[Placed]:
        """Yield the rows, those of brands that would be created as these would read them."""
        for ready in placed:
            if ready.brand_id:
                yield ready
                continue
            try:
                yield ready._replace(row=fit(ready.row, self._new_brand(ready.row), self.zone))
            except ValueError as refusal:
                batch.refuse(ready.row, str(refusal))

    def _new_brand(self, row: Row) -> BrandFacts:
        currency = row.currencies[0] if row.currencies else str(Brand._meta.get_field("currency").get_default())
        return self.new_brands.setdefault(
            name_key(row.brand), BrandFacts(normal_name(row.brand), default_zone(), currency)
        )

    def _sort(self, placed: list[Placed], batch: Batch) -> int:
        """Tell new rows from those that are there already; return how many rows of 0 are refused."""
        facts = facts_of_brands({ready.brand_id for ready in placed if ready.brand_id})
        there = in_the_ledger(placed)
        refused_zeros = 0
        for place, ready in enumerate(placed):
            row = ready.row
            said = there.get(place) or self.seen.said(ready)
            if said and (said != (row.amount, row.timestamp)):
                batch.refuse(row, other_than(Contradiction(row, *said)))
                refused_zeros += not row.amount
            elif said:
                self.preview.counts.repeated += 1
            elif row.amount:
                self._count(ready, facts.get(ready.brand_id) or self._new_brand(row))
        return refused_zeros

    def _count(self, ready: Placed, brand: BrandFacts) -> None:
        row, counts = ready.row, self.preview.counts
        self.seen.note(ready)
        counts.imported += 1
        counts.without_external_id += row.external_id is None
        if not ready.campaign_id:
            self.new_campaigns.add((name_key(row.brand), name_key(row.campaign)))
        micros = to_micros(row.amount)
        self.micros[brand.currency] += micros
        key = brand.name, brand.currency, local_date(find_zone(brand.timezone) or ZoneInfo("UTC"), row.timestamp)
        if key in self.days or len(self.days) < MOST_DAYS:
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


class _Seen:
    """The external ids of the file so far, and what was said with each: on disk where they are many."""

    def __init__(self) -> None:
        self.database = sqlite3.connect("", isolation_level=None)
        self.database.execute("PRAGMA journal_mode = OFF")
        self.database.execute("CREATE TABLE seen (id BLOB PRIMARY KEY, micros INTEGER, at TEXT) WITHOUT ROWID")

    def close(self) -> None:
        self.database.close()

    def said(self, ready: Placed) -> tuple[Decimal, Any] | None:
        """Return amount and timestamp of the same external id in the lines before."""
        if ready.row.external_id is None:
            return None
        found = self.database.execute("SELECT micros, at FROM seen WHERE id = ?", (_key(ready),)).fetchone()
        return (from_micros(found[0]), ready.row.timestamp.fromisoformat(found[1]).astimezone(UTC)) if found else None

    def note(self, ready: Placed) -> None:
        if ready.row.external_id is not None:
            said = _key(ready), to_micros(ready.row.amount), ready.row.timestamp.isoformat()
            self.database.execute("INSERT INTO seen VALUES (?, ?, ?)", said)


def _key(ready: Placed) -> bytes:
    row = ready.row
    campaign = ready.campaign_id or [name_key(row.brand), name_key(row.campaign)]
    return hashlib.blake2b(repr((campaign, row.external_id)).encode(), digest_size=16).digest()
