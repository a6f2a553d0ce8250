"""Importing parsed spend rows: names become ids, rows become records, each counted once (R11).

Everything is one transaction, and one refused row undoes all of it, unless refused rows are to be skipped:
then each batch is a transaction of its own. Memory holds one batch, however long the file is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import OperationalError, transaction
from django.db.models import QuerySet

from campaigns.database.connection import is_conflict
from campaigns.models import Brand, Campaign
from campaigns.rules.names import name_key, normal_name
from campaigns.services.enforcement.enforce import enforce
from campaigns.services.intake.csv_reader import BadRow, Line, PassedOver, Row, Why
from campaigns.services.intake.fit import facts_of_brands, fit, with_a_currency
from campaigns.services.intake.staging import Contradiction, Placed, write_batch
from campaigns.services.ledger.locks import lock_brands
from campaigns.services.naming.find_names import Found, find_brands, find_campaigns
from campaigns.services.scope import Scope

ACTOR = "import_spend"
BATCH = 20_000
# So long are the lines of a batch together, at most, but for its last: memory stays flat where each line is long.
BATCH_CHARACTERS = 4_000_000
ATTEMPTS = 3

# The names of a brand and of a campaign.
Pair = tuple[str, str]

# The brands that rows may be of; None for all.
Brands = QuerySet[Brand] | None


@dataclass(slots=True)
class Counts:
    """What became of the rows; without_external_id are those imported ones that would count twice.

    notes are totals and the lines after them. rounded counts rows that had more than six decimals.
    """

    imported: int = 0
    repeated: int = 0
    refused: int = 0
    without_external_id: int = 0
    created_brands: int = 0
    created_campaigns: int = 0
    without_spend: int = 0
    notes: int = 0
    rounded: int = 0

    def add(self, other: Counts) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


# Hears, in the transaction of each batch, of its counts, its refused rows and its last line.
InBatch = Callable[[Counts, Sequence[BadRow], int], None]


class ImportRefused(Exception):
    """Rows were refused, so nothing was imported; counts says what was found, of which nothing is kept."""

    def __init__(self, counts: Counts) -> None:
        super().__init__(f"{counts.refused:,} rows were refused, so nothing was imported.")
        self.counts = counts


@dataclass(slots=True)
class Batch:
    """What one batch came to; ends says whether the transaction ends with it."""

    ends: bool
    counts: Counts = field(default_factory=Counts)
    refused: list[BadRow] = field(default_factory=list)
    created: list[int] = field(default_factory=list)

    def refuse(self, row: Row, reason: str) -> None:
        self.refused.append(BadRow(row.line, reason, row.text))


def import_spend(
    rows: Iterable[Line],
    *,
    clock: Callable[[], datetime],
    zone: ZoneInfo | None = None,
    create: bool = False,
    brands: Brands = None,
    skip_errors: bool = False,
    on_refused: Callable[[BadRow], None] = lambda refused: None,
    on_batch: Callable[[Counts], None] = lambda counts: None,
    in_batch: InBatch = lambda counts, refused, line: None,
) -> Counts:
    """Import the rows and return what became of them.

    create makes brands and campaigns that are missing, and enforces them in the same transaction (R8); clock
    gives the instant of that. zone is that of times without an offset, None for the zone of each row's brand. Where
    brands are given, others don't exist for the rows, and none is made. on_refused hears of every refused row, in the
    file's order; on_batch of the counts so far, after each batch; in_batch of each batch before it is committed, and
    what it writes is committed with it, what it raises undoes it. Raises ImportRefused, with nothing changed, where a
    row is refused and skip_errors is off. What the reading of the rows raises passes through: then the
    batches before are kept only with skip_errors.
    """
    counts = Counts()
    created: list[int] = []
    with _transaction_unless(skip_errors):
        for given, last in batches(rows):
            ends = skip_errors or last
            enforce_at = clock if skip_errors else None
            places = Places(create=create, brands=brands, zone=zone)
            batch = _import_batch(given, places, ends=ends, enforce_at=enforce_at, in_batch=in_batch)
            counts.add(batch.counts)
            created += batch.created
            for refused in batch.refused:
                on_refused(refused)
            on_batch(counts)
        if counts.refused and not skip_errors:
            raise ImportRefused(counts)
        if not skip_errors:
            _enforce(created, clock)
    return counts


def _transaction_unless(separate: bool) -> AbstractContextManager[None]:
    return nullcontext() if separate else transaction.atomic()


def batches(rows: Iterable[Line]) -> Iterator[tuple[list[Line], bool]]:
    """Cut the rows into batches, each with whether it is sure to be the last: after a full one none may follow."""
    batch: list[Line] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += len(row.text)
        if len(batch) >= BATCH or characters >= BATCH_CHARACTERS:
            yield batch, False
            batch, characters = [], 0
    if batch:
        yield batch, True


def _import_batch(
    given: Sequence[Line],
    places: Places,
    *,
    ends: bool,
    enforce_at: Callable[[], datetime] | None,
    in_batch: InBatch,
) -> Batch:
    """Import one batch, with which its transaction ends or not.

    Again where it lost a deadlock against a writer of the same external ids.
    """
    for attempt in itertools.count(1):
        try:
            with transaction.atomic():
                batch = _write(given, places, ends=ends)
                if enforce_at:
                    _enforce(batch.created, enforce_at)
                batch.refused.sort(key=lambda refused: refused.line)
                in_batch(batch.counts, batch.refused, given[-1].line)
            break
        except OperationalError as error:
            if attempt == ATTEMPTS or not is_conflict(error):
                raise
    return batch


def _write(given: Sequence[Line], places: Places, *, ends: bool) -> Batch:
    batch = Batch(refused=[row for row in given if isinstance(row, BadRow)], ends=ends)
    rows = [row for row in given if isinstance(row, Row)]
    passed_over = [line for line in given if isinstance(line, PassedOver)]
    placed = list(places.of(rows, batch))
    zeros = list(places.of_zeros([line.zero for line in passed_over if line.zero]))
    imported, contradictions = write_batch(placed + zeros) if placed or zeros else (0, [])
    for contradiction in contradictions:
        batch.refuse(contradiction.row, other_than(contradiction))
    refused_zeros = sum(not contradiction.row.amount for contradiction in contradictions)
    counts = batch.counts
    counts.imported = imported
    counts.repeated = len(placed) - imported - (len(contradictions) - refused_zeros)
    counts.refused = len(batch.refused)
    counts.without_external_id = sum(ready.row.external_id is None for ready in placed)
    counts.without_spend = sum(line.why is Why.NO_SPEND for line in passed_over) - refused_zeros
    counts.notes = sum(line.why is Why.NOTE for line in passed_over)
    counts.rounded = sum(row.is_rounded for row in rows)
    return batch


CREATE_IT = "correct the name, create it in the admin, or let the import create what is missing."
CORRECT_IT = "correct the name."


@dataclass
class Places:
    """Where the rows of a batch belong: the brand and campaign that each names."""

    create: bool
    brands: Brands
    zone: ZoneInfo | None
    found_brands: Found[str] = field(default_factory=Found)
    found_campaigns: Found[tuple[int, str]] = field(default_factory=Found)

    def of(self, rows: Sequence[Row], batch: Batch) -> Iterator[Placed]:
        """Yield the rows whose brand and campaign are there, or are created; refuse the others."""
        self._find(_pairs(rows))
        rows = list(self._fitting(rows, batch))
        missing = [pair for pair in _pairs(rows) if self._may_create(*pair)] if self.create else []
        if missing:
            self._create(rows, missing, batch)
            rows = list(self._fitting(rows, batch))
        for row in rows:
            brand_id = self.found_brands.ids.get(row.brand)
            campaign_id = None if brand_id is None else self.found_campaigns.ids.get((brand_id, row.campaign))
            if brand_id is None or campaign_id is None:
                batch.refuse(row, self._refusal(row.brand, row.campaign))
            else:
                yield Placed(row, brand_id, campaign_id)

    def _fitting(self, rows: Sequence[Row], batch: Batch) -> Iterator[Row]:
        """Yield the rows that agree with their brand, as it reads them, and those whose brand isn't there."""
        ids = self.found_brands.ids
        facts = facts_of_brands(set(ids.values()))
        for row in rows:
            try:
                yield fit(row, facts[ids[row.brand]], self.zone) if row.brand in ids else with_a_currency(row)
            except ValueError as refusal:
                batch.refuse(row, str(refusal))

    def foresee(self, rows: Sequence[Row], batch: Batch) -> Iterator[Placed]:
        """Yield where rows would be placed, and refuse the others; what would be created has the id 0."""
        self._find(_pairs(rows))
        for row in self._fitting(rows, batch):
            brand_id = self.found_brands.ids.get(row.brand, 0)
            campaign_id = self.found_campaigns.ids.get((brand_id, row.campaign), 0)
            if campaign_id or (self.create and self._may_create(row.brand, row.campaign)):
                yield Placed(row, brand_id, campaign_id)
            else:
                batch.refuse(row, self._refusal(row.brand, row.campaign))

    def of_zeros(self, rows: Sequence[Row]) -> Iterator[Placed]:
        """Yield the rows of 0 whose campaign is there: of others nothing was spent, and nothing is recorded."""
        if not rows:
            return
        zeros = Places(create=False, brands=self.brands, zone=self.zone)
        ignored = Batch(ends=False)
        yield from zeros.of(rows, ignored)

    def _find(self, pairs: Iterable[Pair]) -> None:
        self.found_brands = find_brands({brand for brand, _ in pairs}, self.brands)
        ids = self.found_brands.ids
        self.found_campaigns = find_campaigns({(ids[brand], name) for brand, name in pairs if brand in ids})

    def _refusal(self, brand: str, campaign: str) -> str:
        if brand in self.found_brands.problems:
            return self.found_brands.problems[brand]
        if brand not in self.found_brands.ids:
            return f"There is no brand “{brand}”: {CREATE_IT if self.brands is None else CORRECT_IT}"
        problem = self.found_campaigns.problems.get((self.found_brands.ids[brand], campaign))
        return problem or f"The brand “{brand}” has no campaign “{campaign}”: {CREATE_IT}"

    def _may_create(self, brand: str, campaign: str) -> bool:
        """Return whether the campaign is missing and can be made, and the brand with it where that is missing too."""
        brand_id = self.found_brands.ids.get(brand)
        if brand_id is None:
            return self.brands is None and _is_valid(brand) and _is_valid(campaign)
        key = (brand_id, campaign)
        return key not in self.found_campaigns.ids and key not in self.found_campaigns.problems

    def _create(self, rows: Sequence[Row], missing: Sequence[Pair], batch: Batch) -> None:
        """Create what is missing; what somebody else creates meanwhile is taken as it is.

        Enforcement of what is created wants the locks of its brands. They are taken before, as a person takes them
        who makes a campaign of the same name: else each would wait for the other. But no lock is held through the
        batches that follow, a check would wait for as long: there the import may lose such a deadlock, and nothing of
        it is kept.
        """
        pairs = _pairs(rows)
        brands = {name_key(brand): brand for brand, _ in reversed(missing) if brand not in self.found_brands.ids}
        currencies = {name_key(row.brand): row.currencies for row in reversed(rows)}
        new = [_new_brand(name, currencies[key]) for key, name in sorted(brands.items())]
        Brand.objects.bulk_create(new, ignore_conflicts=True)
        self._find(pairs)
        ids = self.found_brands.ids
        names = {(ids[brand], name_key(name)): name for brand, name in reversed(missing) if brand in ids}
        if batch.ends:
            lock_brands(brand_id for brand_id, _ in names)
        Campaign.objects.bulk_create(
            [Campaign(brand_id=brand_id, name=normal_name(name)) for (brand_id, _), name in sorted(names.items())],
            ignore_conflicts=True,
        )
        self._find(pairs)
        found = self.found_campaigns.ids
        made = ((ids[brand], name) for brand, name in missing if brand in ids)
        batch.created = sorted({found[pair] for pair in made if pair in found})
        batch.counts.created_brands = len(brands)
        batch.counts.created_campaigns = len(names)


def _new_brand(name: str, currencies: tuple[str, ...]) -> Brand:
    brand = Brand(name=normal_name(name))
    if currencies:
        brand.currency = currencies[0]
    return brand


def _pairs(rows: Iterable[Row]) -> list[Pair]:
    return list(dict.fromkeys((row.brand, row.campaign) for row in rows))


def _is_valid(name: str) -> bool:
    try:
        return bool(normal_name(name))
    except ValueError:
        return False


def _enforce(campaigns: list[int], clock: Callable[[], datetime]) -> None:
    if campaigns:
        enforce(Scope.of_campaigns(campaigns), clock=clock, actor=ACTOR)


def other_than(contradiction: Contradiction) -> str:
    row = contradiction.row
    return (
        f"The campaign has external_id “{row.external_id}” already, with {contradiction.amount:f} at"
        f" {contradiction.timestamp}, and the line says {row.amount:f} at {row.timestamp}: correct the"
        " line, or give it an external_id of its own."
    )
