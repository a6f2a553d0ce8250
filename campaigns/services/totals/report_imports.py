"""Noting what an import of a report has changed, so that it can be reversed (services.intake.report_reversal).

The totals are locked and read before the import writes, and read again after it; what differs was written by it. A
total that another connector adds in the moment between is taken for the import's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from campaigns.database.connection import is_postgresql
from campaigns.models import ReportImport, RestatedTotal, SpendTotal
from campaigns.services.totals.report import ReportedTotal

BATCH = 2_000


class _Stored(NamedTuple):
    total: Decimal
    as_of: datetime


@dataclass(frozen=True)
class ReportFile:
    """Where a report came from: the file's name, and who imports it, by id if it is a user."""

    name: str
    who: str
    user_id: int | None = None
    format: str = ""
    # The report's money by currency.
    money: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class BeforeImport:
    """The totals of a report's accounts and days as they were before it."""

    totals: Sequence[ReportedTotal]
    stored: Mapping[int, _Stored]


def lock_totals(totals: Sequence[ReportedTotal]) -> BeforeImport:
    """Lock and read the totals that a report is about, in the order in which they are upserted."""
    rows = _of_the_same_days(totals)
    if is_postgresql():
        rows = rows.select_for_update(no_key=True)
    found = rows.order_by("source", "account", "day", "campaign").values_list("pk", "total", "as_of")
    return BeforeImport(totals, {pk: _Stored(total, as_of) for pk, total, as_of in found})


def note_import(before: BeforeImport, file: ReportFile, *, now: datetime) -> ReportImport:
    """Store the import with each total that it has written. Call it in the transaction of the import."""
    days = [total.day for total in before.totals]
    changed = list(_changed(before))
    entry = ReportImport.objects.create(
        user_id=file.user_id,
        who=file.who[:150],
        name=file.name[-200:],
        format=file.format,
        source=before.totals[0].source,
        imported_at=now,
        first_day=min(days),
        last_day=max(days),
        money={currency: f"{amount:f}" for currency, amount in file.money.items()},
        written=len(changed),
        unchanged=len(before.totals) - len(changed),
    )
    for row in changed:
        row.report_id = entry.pk
    RestatedTotal.objects.bulk_create(changed, batch_size=BATCH)
    return entry


def _changed(before: BeforeImport) -> Iterator[RestatedTotal]:
    keys = {total.key for total in before.totals}
    rows = _of_the_same_days(before.totals).order_by()
    for pk, source, account, day, campaign, total, as_of in rows.values_list(
        "pk", "source", "account", "day", "campaign", "total", "as_of"
    ):
        old = before.stored.get(pk)
        if (source, account, day, campaign) in keys and old != (total, as_of):
            yield RestatedTotal(
                total_id=pk,
                before=old.total if old else None,
                before_as_of=old.as_of if old else None,
                after=total,
                after_as_of=as_of,
            )


def _of_the_same_days(totals: Sequence[ReportedTotal]) -> Any:
    days: list[date] = [total.day for total in totals]
    return SpendTotal.objects.filter(
        source=totals[0].source, account__in={total.key[1] for total in totals}, day__range=(min(days), max(days))
    )
