"""Reversing an import of spend: a negative record for each record that it wrote, at the same time of spending.

The ids of what an import wrote are noted with it, as ranges. A reversal's external_id names the record that it
reverses, so each record is reversed once (R11), however often the reversal is asked for or interrupted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction

from campaigns.database.connection import execute, fetch_all
from campaigns.database.dialects import micros_sql, quarter_sql, shown_sum
from campaigns.database.write_column import in_pieces
from campaigns.models import Brand, Campaign, ImportedRecords, SpendUpload
from campaigns.rules.clock import Clock
from campaigns.rules.money import format_money, from_micros
from campaigns.rules.periods import QUARTER_SECONDS
from campaigns.services.enforcement.enforce import Enforcement
from campaigns.services.enforcement.saving import Effects, begin_change, effects, finish_change, rolled_back
from campaigns.services.history.record import ChangedRow, Channel, Source, record_changes
from campaigns.services.history.values import SPEND_REVERSAL
from campaigns.services.intake.messages import pluralize
from campaigns.services.intake.reversible import ReversalRefused, check_assigned
from campaigns.services.intake.staging import REVERSAL
from campaigns.services.ledger.accounting_days import AccountingDays, FinalStatements
from campaigns.services.permissions import Person
from campaigns.services.scope import Scope

# Records that are reversed in one transaction.
MAX_RECORDS = 250_000

# What the import wrote, and the corrections of it.
OF_IMPORT = """
FROM (
    SELECT record.*
    FROM campaigns_importedrecords AS written
    JOIN campaigns_spendrecord AS record ON record.id BETWEEN written.first AND written.last
    WHERE written.upload_id = %(upload)s
    UNION ALL
    SELECT record.*
    FROM campaigns_importedrecords AS written
    JOIN campaigns_spendcorrection AS correction ON correction.record_id BETWEEN written.first AND written.last
    JOIN campaigns_spendrecord AS record ON record.id = correction.added_id
    WHERE written.upload_id = %(upload)s
) AS record
"""
REVERSE = f"""
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp, external_id)
SELECT record.brand_id, record.campaign_id, -record.amount, record.timestamp, '{REVERSAL}' || record.id
{OF_IMPORT}
WHERE TRUE
ORDER BY record.campaign_id, record.id
ON CONFLICT (campaign_id, external_id) DO NOTHING
"""

# How many records were written, and how many of them have their opposite.
CHECK = f"""
SELECT COUNT(*), COUNT(opposite.id)
FROM (SELECT record.id, record.campaign_id, record.amount {OF_IMPORT}) AS record
LEFT JOIN campaigns_spendrecord AS opposite
    ON opposite.campaign_id = record.campaign_id AND opposite.external_id = '{REVERSAL}' || record.id
    AND {micros_sql("opposite.amount")} = -{micros_sql("record.amount")}
"""


class DayOfBrand(NamedTuple):
    brand: str
    currency: str
    day: date
    amount: Decimal
    # Whether the statements of the day and the month are final.
    statements: str


@dataclass(frozen=True)
class Reversal:
    """What a reversal takes back, by brand and local day, and what it would do to statuses."""

    records: int
    days: list[DayOfBrand]
    effects: Effects


def note_records(upload: int, ids: Iterable[int]) -> None:
    """Note that an import has written the records. Call it in the transaction that wrote them."""
    ranges = [ImportedRecords(upload_id=upload, first=first, last=last) for first, last in _ranges(sorted(ids))]
    ImportedRecords.objects.bulk_create(ranges)


def _ranges(ids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the ranges of successive numbers."""
    first = last = None
    for pk in ids:
        if first is None or last is None or pk != last + 1:
            if first is not None and last is not None:
                yield first, last
            first = pk
        last = pk
    if first is not None and last is not None:
        yield first, last


def check_reversible(upload: SpendUpload) -> None:
    """Raises ReversalRefused."""
    if upload.reversed_at is not None:
        raise ReversalRefused(f"“{upload.name}” is reversed already, by {upload.reversed_by}.")
    if not upload.is_over:
        raise ReversalRefused(f"“{upload.name}” is still being imported. Wait until it is done.")
    if not upload.imported:
        raise ReversalRefused(f"“{upload.name}” has imported nothing that could be reversed.")
    if not ImportedRecords.objects.filter(upload=upload.pk).exists():
        raise ReversalRefused(
            f"“{upload.name}” was imported before reversals were possible. Correct it with rows of negative amounts."
        )
    if upload.imported > MAX_RECORDS:
        raise ReversalRefused(
            f"“{upload.name}” has {upload.imported:,} records; at most {MAX_RECORDS:,} can be reversed here."
            " Import a file with negative amounts instead."
        )


def check_brands(upload: SpendUpload, person: Person) -> None:
    """Raises ReversalRefused if the import has spend of brands that the person no longer sees."""
    check_assigned(upload.name, person, lambda: _brands(upload))


def preview_reversal(upload: SpendUpload, *, clock: Clock) -> Reversal:
    """Return what the reversal would do now; nothing is kept. Raises ReversalRefused."""
    check_reversible(upload)
    with rolled_back():
        brands = _brands(upload)
        begin_change(brands, clock=clock)
        days = list(_days(upload))
        records = _write(upload)
        return Reversal(records, days, effects(Scope.of_brands(brands), brands, clock=clock))


def reverse_import(upload: SpendUpload, *, actor: str, clock: Clock) -> Enforcement:
    """Reverse the import and let it take effect, in one transaction. Raises ReversalRefused."""
    with transaction.atomic():
        # What an import that is over has written stays as it is, so its brands may be read before they are locked.
        check_reversible(upload)
        brands = _brands(upload)
        begin_change(brands, clock=clock)
        upload = SpendUpload.objects.select_for_update().get(pk=upload.pk)
        check_reversible(upload)
        _write(upload)
        now = clock()
        SpendUpload.objects.filter(pk=upload.pk).update(reversed_at=now, reversed_by=actor[:150])
        record_changes(_changes(upload), Source(actor, Channel.FORM), at=now)
        return finish_change(Scope.of_brands(brands), clock=clock, actor=actor)


def _brands(upload: SpendUpload) -> list[int]:
    rows = fetch_all(f"SELECT DISTINCT record.brand_id {OF_IMPORT}", {"upload": upload.pk})
    return sorted(pk for (pk,) in rows)


def _write(upload: SpendUpload) -> int:
    """Insert the opposites, and return how many were missing. Raises ReversalRefused where the sum wouldn't be 0."""
    written = execute(REVERSE, {"upload": upload.pk})
    ((records, reversed_ones),) = fetch_all(CHECK, {"upload": upload.pk})
    if records != reversed_ones:
        raise ReversalRefused(
            f"{pluralize(records - reversed_ones, 'record')} of “{upload.name}” can’t be reversed: other records"
            " have their external IDs, “reversal:” and a number. Correct the records to 0 instead."
        )
    return written


def _changes(upload: SpendUpload) -> Iterator[ChangedRow]:
    """Yield the spend that is taken back of each campaign, for the change history. Without the file's name, which may
    be that of another client."""
    sql = f"SELECT record.campaign_id, {shown_sum(micros_sql('record.amount'))} {OF_IMPORT} GROUP BY record.campaign_id"
    sums = dict(fetch_all(sql, {"upload": upload.pk}))
    for piece in in_pieces(sorted(sums)):
        for campaign in Campaign.objects.filter(pk__in=piece).select_related("brand").order_by("pk"):
            currency = campaign.brand.currency
            values = (f"{format_money(from_micros(sums[campaign.pk]), currency)} of import {upload.pk}", "reversed")
            yield ChangedRow(
                campaign.brand_id, campaign.pk, campaign.name, {SPEND_REVERSAL: values}, currency, currency
            )


def _days(upload: SpendUpload) -> Iterator[DayOfBrand]:
    """Yield what the reversal takes back, as negative amounts, in order of brand and day."""
    sql = f"""
        SELECT brand_id, quarter, {shown_sum("micros")} FROM (
            SELECT record.brand_id, {quarter_sql("record.timestamp")} AS quarter,
                {micros_sql("record.amount")} AS micros
            {OF_IMPORT}
        ) AS booked
        GROUP BY brand_id, quarter"""
    rows = fetch_all(sql, {"upload": upload.pk})
    brands = Brand.objects.in_bulk({brand for brand, _, _ in rows})
    days = AccountingDays(brands)
    sums: dict[tuple[int, date], Decimal] = defaultdict(Decimal)
    for brand, quarter, amount in rows:
        at = datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC)
        sums[brand, days.day_of(brand, at)] -= from_micros(amount)
    final = FinalStatements(sums)
    for (pk, day), amount in sorted(sums.items(), key=lambda item: (brands[item[0][0]].name, item[0][1])):
        yield DayOfBrand(brands[pk].name, brands[pk].currency, day, amount, final.describe(pk, day))
