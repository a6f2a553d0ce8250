"""Correcting a spend record: another record, of the difference, at the same time of spending (R10).

The correction's external_id names the record and the number of the correction, so of two people who correct a record
at once, or of two clicks, one counts (R11).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError, transaction

from campaigns.models import SpendCorrection, SpendRecord
from campaigns.rules.clock import Clock
from campaigns.rules.money import AMOUNT_LIMIT, format_money
from campaigns.services.audit_log import AuditEntry, log_rows
from campaigns.services.enforcement.enforce import Enforcement
from campaigns.services.enforcement.saving import Effects, begin_change, effects, finish_change, rolled_back
from campaigns.services.history.record import ChangedRow, Channel, Source, record_changes
from campaigns.services.history.values import SPEND_CORRECTION
from campaigns.services.intake.staging import REVERSAL
from campaigns.services.ledger.accounting_days import AccountingDays, FinalStatements
from campaigns.services.permissions import Person
from campaigns.services.scope import Scope

REVERSES = re.compile(rf"{REVERSAL}([0-9]{{1,18}})")


class CorrectionRefused(Exception):
    """The record can't be corrected like this; the message says why."""


@dataclass(frozen=True)
class Corrected:
    """A record with its corrections, and the record that reverses it."""

    record: SpendRecord
    corrections: Sequence[SpendCorrection]
    reversal: SpendRecord | None

    @property
    def amount(self) -> Decimal:
        """The amount that the record and its corrections come to."""
        return sum((each.added.amount for each in self.corrections), self.record.amount)


@dataclass(frozen=True)
class Correction:
    """What a correction would do: to the amount, to statements, and to statuses."""

    before: Decimal
    after: Decimal
    day: date
    statements: str
    effects: Effects


def find_corrected(record: SpendRecord) -> Corrected:
    """Return the record with what corrects and reverses it."""
    corrections = list(record.corrections.select_related("added").order_by("number"))
    reversal = SpendRecord.objects.filter(campaign=record.campaign_id, external_id=f"{REVERSAL}{record.pk}")
    return Corrected(record, corrections, reversal.order_by().first())


def find_reversed(record: SpendRecord) -> SpendRecord | None:
    """Return the record that this one reverses, if it does."""
    named = REVERSES.fullmatch(record.external_id or "")
    if named is None:
        return None
    found = SpendRecord.objects.filter(pk=int(named[1]), campaign=record.campaign_id).order_by()
    return found.filter(amount=-record.amount).first()


def check_correctable(found: Corrected) -> None:
    """Raises CorrectionRefused."""
    record = found.record
    if correction := SpendCorrection.objects.filter(added=record).first():
        raise CorrectionRefused(
            f"Record {record.pk} is a correction of record {correction.record_id}: correct that one again instead."
        )
    if reversed_record := find_reversed(record):
        raise CorrectionRefused(f"Record {record.pk} reverses record {reversed_record.pk} and can't be corrected.")
    if found.reversal:
        raise CorrectionRefused(f"Record {record.pk} was reversed with its import, by record {found.reversal.pk}.")


def check_amount(found: Corrected, amount: Decimal) -> None:
    """Raises CorrectionRefused."""
    currency = found.record.campaign.brand.currency
    if amount == found.amount:
        raise CorrectionRefused(f"The amount is already {format_money(amount, currency)}.")
    if abs(amount - found.amount) >= AMOUNT_LIMIT:
        raise CorrectionRefused("The difference must be below 1,000,000,000. Correct the record in two steps.")


def preview_correction(record: SpendRecord, amount: Decimal, *, clock: Clock) -> Correction:
    """Return what the correction would do now; nothing is kept. Raises CorrectionRefused."""
    with rolled_back():
        found = _begin(record, clock)
        check_amount(found, amount)
        _add(found, amount, who="preview", note="", clock=clock)
        brand = record.brand_id
        day = AccountingDays([brand]).day_of(brand, record.timestamp)
        statements = FinalStatements([(brand, day)]).describe(brand, day)
        would = effects(Scope.of_brands([brand]), [brand], clock=clock)
        return Correction(found.amount, amount, day, statements, would)


def correct_record(
    record: SpendRecord, amount: Decimal, *, seen: int, note: str, person: Person, clock: Clock
) -> Enforcement:
    """Correct the record to an amount and let it take effect, in one transaction. Raises CorrectionRefused.

    seen is how many corrections the record had when the preview was made.
    """
    try:
        with transaction.atomic():
            found = _begin(record, clock)
            if len(found.corrections) != seen:
                raise CorrectionRefused(f"Record {record.pk} was corrected meanwhile: check its amount.")
            check_amount(found, amount)
            _add(found, amount, who=person.get_username(), note=note, clock=clock)
            _record(found, amount, note, person, at=clock())
            return finish_change(Scope.of_brands([record.brand_id]), clock=clock, actor=person.get_username())
    except IntegrityError as error:
        if "external_id" not in str(error) and "spend_correction" not in str(error):
            raise
        raise CorrectionRefused(f"Record {record.pk} was corrected meanwhile: check its amount.") from error


def _record(found: Corrected, amount: Decimal, note: str, person: Person, *, at: datetime) -> None:
    """Write the correction to Django's log of the record, and to the change history of its campaign and brand."""
    campaign = found.record.campaign
    currency = campaign.brand.currency
    before, after = format_money(found.amount, currency), format_money(amount, currency)
    entry = AuditEntry(found.record.pk, str(found.record), (f"Corrected from {before} to {after}",))
    log_rows(person, SpendRecord, [entry])
    values = (f"record {found.record.pk}, {before}", f"{after}: {note}" if note else after)
    row = ChangedRow(campaign.brand_id, campaign.pk, campaign.name, {SPEND_CORRECTION: values}, currency, currency)
    record_changes([row], Source(person.get_username(), Channel.FORM), at=at)


def _begin(record: SpendRecord, clock: Clock) -> Corrected:
    """Lock the brand, and return what the record is now."""
    begin_change([record.brand_id], clock=clock)
    found = find_corrected(record)
    check_correctable(found)
    return found


def _add(found: Corrected, amount: Decimal, *, who: str, note: str, clock: Clock) -> None:
    record, number = found.record, len(found.corrections) + 1
    added = SpendRecord.objects.create(
        brand_id=record.brand_id,
        campaign_id=record.campaign_id,
        amount=amount - found.amount,
        timestamp=record.timestamp,
        external_id=f"correction:{record.pk}:{number}",
    )
    SpendCorrection.objects.create(record=record, added=added, number=number, at=clock(), who=who[:150], note=note)
