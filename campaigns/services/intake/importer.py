"""Importing parsed spend rows as records, each counted once (R11).

Everything is one transaction, which one refused row rolls back, unless refused rows are skipped:
then each batch is its own transaction. Memory holds one batch at a time.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from zoneinfo import ZoneInfo

from django.db import OperationalError, transaction

from campaigns.database.connection import is_conflict
from campaigns.models import Brand, Campaign
from campaigns.rules.clock import Clock
from campaigns.services.enforcement.enforce import enforce
from campaigns.services.history.actors import IMPORT
from campaigns.services.history.record import Channel, Source, differences, record_changes
from campaigns.services.history.settings import read_settings
from campaigns.services.intake.csv_reader import BadRow, Line, Row, SkippedLine, SkipReason
from campaigns.services.intake.placement import Batch, Brands, Counts, Places
from campaigns.services.intake.staging import Contradiction, write_batch
from campaigns.services.scope import Scope

BY_COMMAND = Source(IMPORT, Channel.COMMAND)
BATCH = 20_000
# Characters of all lines of a batch but the last, which bounds memory for long lines.
MAX_BATCH_CHARACTERS = 4_000_000
ATTEMPTS = 3

# Called in the transaction of each batch with its counts, its refused rows and its last line.
InBatch = Callable[[Counts, Sequence[BadRow], int], None]


class ImportRefused(Exception):
    """Rows were refused, so nothing was imported; counts are what was found."""

    def __init__(self, counts: Counts) -> None:
        super().__init__(f"{counts.refused:,} rows were refused, so nothing was imported.")
        self.counts = counts


def import_spend(
    rows: Iterable[Line],
    *,
    clock: Clock,
    zone: ZoneInfo | None = None,
    create: bool = False,
    brands: Brands = None,
    source: Source = BY_COMMAND,
    skip_errors: bool = False,
    on_refused: Callable[[BadRow], None] = lambda refused: None,
    on_batch: Callable[[Counts], None] = lambda counts: None,
    in_batch: InBatch = lambda counts, refused, line: None,
) -> Counts:
    """Import the rows and return the counts.

    create creates missing brands and campaigns, and enforces them at the instant of clock in the same transaction (R8);
    source says who created them, for the change history. zone applies to times without an offset, None for each
    brand's. If brands is given, others are treated as missing, and none is created. on_refused gets every refused row
    in order, on_batch the counts so far after each batch. in_batch is called before a batch is committed: what it
    writes is committed with the batch, and an exception rolls it back.

    Raises ImportRefused, with nothing changed, if a row is refused and skip_errors is off. Exceptions from reading the
    rows are passed on; then earlier batches are kept only with skip_errors.
    """
    counts = Counts()
    created: list[int] = []
    with _transaction_unless(skip_errors):
        for given, last in batches(rows):
            ends = skip_errors or last
            enforce_at = clock if skip_errors else None
            places = Places(create=create, brands=brands, zone=zone)
            batch = _import_batch(
                given, places, ends=ends, source=source, clock=clock, enforce_at=enforce_at, in_batch=in_batch
            )
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
    """Yield batches of rows, each with whether it is known to be the last; no row need follow a full batch."""
    batch: list[Line] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += len(row.text)
        if len(batch) >= BATCH or characters >= MAX_BATCH_CHARACTERS:
            yield batch, False
            batch, characters = [], 0
    if batch:
        yield batch, True


def _import_batch(
    given: Sequence[Line],
    places: Places,
    *,
    ends: bool,
    source: Source,
    clock: Clock,
    enforce_at: Clock | None,
    in_batch: InBatch,
) -> Batch:
    """Import one batch; its transaction ends with it or not.

    Retries after a deadlock with a writer of the same external ids.
    """
    for attempt in itertools.count(1):
        try:
            with transaction.atomic():
                batch = _write(given, places, ends=ends)
                if batch.created:
                    _record(batch, source, clock)
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
    skipped = [line for line in given if isinstance(line, SkippedLine)]
    placed = list(places.place(rows, batch))
    zeros = list(places.place_zeros([line.zero for line in skipped if line.zero]))
    imported, contradictions = write_batch(placed + zeros) if placed or zeros else (0, [])
    for contradiction in contradictions:
        batch.refuse(contradiction.row, describe_contradiction(contradiction))
    refused_zeros = sum(not contradiction.row.amount for contradiction in contradictions)
    counts = batch.counts
    counts.imported = imported
    counts.repeated = len(placed) - imported - (len(contradictions) - refused_zeros)
    counts.refused = len(batch.refused)
    counts.without_external_id = sum(ready.row.external_id is None for ready in placed)
    counts.without_spend = sum(line.reason is SkipReason.NO_SPEND for line in skipped) - refused_zeros
    counts.notes = sum(line.reason is SkipReason.NOTE for line in skipped)
    counts.rounded = sum(row.is_rounded for row in rows)
    return batch


def _record(batch: Batch, source: Source, clock: Clock) -> None:
    """Record the brands and campaigns that the batch created."""
    brands, campaigns = read_settings(Brand, batch.created_brands), read_settings(Campaign, batch.created)
    record_changes([*differences({}, brands), *differences({}, campaigns)], source, at=clock())


def _enforce(campaigns: list[int], clock: Clock) -> None:
    if campaigns:
        enforce(Scope.of_campaigns(campaigns), clock=clock, actor=IMPORT)


def describe_contradiction(contradiction: Contradiction) -> str:
    row = contradiction.row
    return (
        f"The campaign has external_id “{row.external_id}” already, with {contradiction.amount:f} at"
        f" {contradiction.timestamp}, and the line says {row.amount:f} at {row.timestamp}: correct the"
        " line, or give it an external_id of its own."
    )
