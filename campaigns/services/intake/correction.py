"""Correcting a spend record: records are never edited, so the difference to the right amount is a record of its own.

It has the same time of spending, so it counts on the same day (R3). Its external_id names the record and is numbered,
under the lock of the brand: two people who correct a record at once set its amount one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet

from campaigns.models import SpendRecord
from campaigns.rules.clock import Clock
from campaigns.rules.money import AMOUNT_LIMIT, format_money
from campaigns.services.enforcement.enforce import Enforcement
from campaigns.services.enforcement.saving import Effects, begin_change, effects, finish_change, rolled_back
from campaigns.services.scope import Scope

MAX_CORRECTIONS = 100


class CorrectionRefused(Exception):
    """The record can't be corrected; the message says why."""


@dataclass(frozen=True)
class Correction:
    """What a correction would add, and what it would do to statuses."""

    difference: Decimal
    effects: Effects


def corrections_of(record: SpendRecord) -> QuerySet[SpendRecord]:
    """Return the records that correct or reverse a record, in order; found by their external ids."""
    names = [f"reversal:{record.pk}", *(f"correction:{record.pk}:{n}" for n in range(1, MAX_CORRECTIONS + 1))]
    return SpendRecord.objects.filter(campaign=record.campaign_id, external_id__in=names).order_by("pk")


def corrected_amount(record: SpendRecord) -> Decimal:
    """Return the amount that the record counts for with its corrections."""
    return sum((each.amount for each in corrections_of(record)), record.amount)


def preview_correction(record: SpendRecord, amount: Decimal, *, clock: Clock) -> Correction:
    """Return what the correction would do now; nothing is kept. Raises CorrectionRefused."""
    with rolled_back():
        begin_change([record.brand_id], clock=clock)
        added = _write(record, amount)
        return Correction(added.amount, effects(Scope.of_brands([record.brand_id]), [record.brand_id], clock=clock))


def correct_record(record: SpendRecord, amount: Decimal, *, actor: str, clock: Clock) -> Enforcement:
    """Let the record count for an amount, 0 for none, and let it take effect at once. Raises CorrectionRefused."""
    with transaction.atomic():
        begin_change([record.brand_id], clock=clock)
        _write(record, amount)
        return finish_change(Scope.of_brands([record.brand_id]), clock=clock, actor=actor)


def _write(record: SpendRecord, amount: Decimal) -> SpendRecord:
    """Insert the difference. Call it under the lock of the brand."""
    if (record.external_id or "").startswith(("correction:", "reversal:")):
        raise CorrectionRefused("This record corrects another one. Correct that one instead.")
    count = sum((each.external_id or "").startswith("correction:") for each in corrections_of(record))
    if count == MAX_CORRECTIONS:
        raise CorrectionRefused(f"This record has {MAX_CORRECTIONS} corrections, which is the most there can be.")
    difference = amount - corrected_amount(record)
    if not difference:
        counts = format_money(amount, record.campaign.brand.currency)
        raise CorrectionRefused(f"The record counts for {counts} already. Enter another amount.")
    if abs(difference) >= AMOUNT_LIMIT:
        raise CorrectionRefused(f"The difference is too large: it must be below {AMOUNT_LIMIT:,}.")
    return SpendRecord.objects.create(
        brand_id=record.brand_id,
        campaign_id=record.campaign_id,
        amount=difference,
        timestamp=record.timestamp,
        external_id=f"correction:{record.pk}:{count + 1}",
    )
