"""Reversing the import of a report: each total that still is what the report said is restated to what it was before.

The restatement bears the report's own as_of. So nothing older than the report comes back by it, and the same or a
corrected file can be imported afterwards, even if it was downloaded before the reversal. Totals that a later report
has restated stay as they are (R16: later reports win). A total that the report was the first to name becomes 0.

The decreases are booked at once and aren't held: a person has seen them. Accounts, links and campaigns that the import
has added stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction

from campaigns.database.connection import execute, fetch_all, is_postgresql
from campaigns.database.dialects import rows_param, rows_sql
from campaigns.database.write_column import in_pieces
from campaigns.models import Brand, Campaign, ReportImport, RestatedTotal, SpendTotal, Waiting
from campaigns.rules.clock import Clock
from campaigns.rules.money import format_money
from campaigns.services.enforcement.enforce import Enforcement
from campaigns.services.enforcement.saving import Effects, begin_change, effects, finish_change, rolled_back
from campaigns.services.history.record import ChangedRow, Channel, Source, record_changes
from campaigns.services.history.values import SPEND_REVERSAL
from campaigns.services.intake.reversible import ReversalRefused, check_assigned
from campaigns.services.ledger.accounting_days import FinalStatements
from campaigns.services.permissions import Person
from campaigns.services.scope import Scope
from campaigns.services.totals.book import book_decreases, book_some
from campaigns.services.totals.waiting import ITS_CAMPAIGN

# Totals that are restated in one transaction.
MAX_TOTALS = 100_000

# By their links, those that were never booked.
CAMPAIGNS = f"""
SELECT total.id, campaign.id, campaign.brand_id
FROM campaigns_restatedtotal AS restated
JOIN campaigns_spendtotal AS total ON total.id = restated.total_id
LEFT JOIN campaigns_platformaccount AS account
    ON account.source = total.source AND account.external_id = total.account
LEFT JOIN campaigns_campaignlink AS link ON link.account_id = account.id AND link.external_id = total.campaign
JOIN campaigns_campaign AS campaign ON campaign.id = {ITS_CAMPAIGN}
WHERE restated.report_id = %(report)s
"""
RESTATED = {"id": "bigint", "total": "numeric"}
RESTATE = """
WITH given AS MATERIALIZED ({given})
UPDATE campaigns_spendtotal SET total = given.total FROM given WHERE given.id = campaigns_spendtotal.id
"""
# A later import that went on from the figure which is taken back goes on from the one before it.
SPLICE = """
UPDATE campaigns_restatedtotal SET "before" = mine."before", before_as_of = mine.before_as_of
FROM campaigns_restatedtotal AS mine
WHERE mine.report_id = %(report)s AND campaigns_restatedtotal.total_id = mine.total_id
    AND campaigns_restatedtotal.report_id > %(report)s
    AND campaigns_restatedtotal."before" = mine."after"
    AND campaigns_restatedtotal.before_as_of = mine.after_as_of
"""
# The figure before has the report's as_of by now: an earlier import that reported it can still be reversed.
REDATE = """
UPDATE campaigns_restatedtotal SET after_as_of = mine.after_as_of
FROM campaigns_restatedtotal AS mine
JOIN campaigns_spendtotal AS total ON total.id = mine.total_id
WHERE mine.report_id = %(report)s AND campaigns_restatedtotal.total_id = mine.total_id
    AND campaigns_restatedtotal.report_id < %(report)s
    AND campaigns_restatedtotal."after" = mine."before"
    AND campaigns_restatedtotal.after_as_of = mine.before_as_of
    AND total.total = mine."before" AND total.as_of = mine.after_as_of
"""


class RestoredDay(NamedTuple):
    """What a reversal changes of a brand's day; brand is empty for spend that no campaign is linked to."""

    brand: str
    day: date
    currency: str
    amount: Decimal
    # Whether the statements of the day and the month are final.
    statements: str


@dataclass(frozen=True)
class Reversal:
    """What a reversal restates, by brand and day; what later reports have restated; and the effect on statuses."""

    restored: int
    days: list[RestoredDay]
    later: list[SpendTotal]
    effects: Effects


@dataclass(frozen=True)
class _Plan:
    # The figures before the report, by total.
    restored: Mapping[SpendTotal, Decimal]
    later: Sequence[SpendTotal]
    # The campaigns that the restored totals count for, by their key.
    campaigns: Mapping[int, Campaign]

    @property
    def brands(self) -> list[int]:
        return sorted({campaign.brand_id for campaign in self.campaigns.values()})

    def campaign_of(self, total: SpendTotal) -> Campaign | None:
        return self.campaigns.get(total.pk)


def check_reversible(report: ReportImport) -> None:
    """Raises ReversalRefused."""
    if report.reversed_at is not None:
        raise ReversalRefused(f"“{report.name}” is reversed already, by {report.reversed_by}.")
    if not report.written:
        raise ReversalRefused(f"“{report.name}” has changed no totals, so there is nothing to reverse.")
    if report.written > MAX_TOTALS:
        raise ReversalRefused(
            f"“{report.name}” has changed {report.written:,} totals; at most {MAX_TOTALS:,} can be reversed."
        )
    if report.restated.count() != report.written:
        raise _pruned(report)


def _pruned(report: ReportImport) -> ReversalRefused:
    return ReversalRefused(f"What “{report.name}” has changed was pruned (manage.py prune_history).")


def check_brands(report: ReportImport, person: Person) -> None:
    """Raises ReversalRefused if the import has spend of brands that the person no longer sees."""
    check_assigned(report.name, person, lambda: _brands(report))


def preview_reversal(report: ReportImport, *, clock: Clock) -> Reversal:
    """Return what the reversal would do now; nothing is kept. Raises ReversalRefused."""
    check_reversible(report)
    with rolled_back():
        plan = _begin(report, clock)
        days = list(_days(plan))
        _restate(plan, clock)
        would = effects(Scope.of_brands(plan.brands), plan.brands, clock=clock)
        return Reversal(len(plan.restored), days, list(plan.later), would)


def reverse_report(report: ReportImport, *, actor: str, clock: Clock) -> tuple[int, Enforcement]:
    """Reverse the import and let it take effect, in one transaction; return how many totals it has restated.

    Raises ReversalRefused.
    """
    with transaction.atomic():
        check_reversible(report)
        plan = _begin(report, clock)
        locked = ReportImport.objects.select_for_update().get(pk=report.pk)
        check_reversible(locked)
        _restate(plan, clock)
        execute(SPLICE, {"report": report.pk})
        execute(REDATE, {"report": report.pk})
        now = clock()
        ReportImport.objects.filter(pk=report.pk).update(reversed_at=now, reversed_by=actor[:150])
        record_changes(_changes(report, plan), Source(actor, Channel.FORM), at=now)
        enforced = finish_change(Scope.of_brands(plan.brands), clock=clock, actor=actor)
        return len(plan.restored), enforced


def _begin(report: ReportImport, clock: Clock) -> _Plan:
    """Lock the brands, the totals and what the import has changed, in this order; return what is to be restated.

    Raises ReversalRefused.
    """
    begin_change(_brands(report), clock=clock)
    return _plan(report)


def _brands(report: ReportImport) -> list[int]:
    return sorted({brand for _, brand in _campaigns(report).values()})


def _plan(report: ReportImport) -> _Plan:
    """Lock the totals of an import, and return what is to be restated. Raises ReversalRefused."""
    restated = RestatedTotal.objects.filter(report=report.pk).order_by("pk")
    found = SpendTotal.objects.filter(pk__in=restated.values("total"))
    if is_postgresql():
        found = found.select_for_update(no_key=True)
    totals = list(found.order_by("source", "account", "day", "campaign"))
    # Pruning leaves locked rows alone until the reversal is over; what it has taken since the check is missed here.
    rows = {row.total_id: row for row in restated.select_for_update(no_key=True)}
    if len(rows) != report.written:
        raise _pruned(report)
    restored: dict[SpendTotal, Decimal] = {}
    later: list[SpendTotal] = []
    for total in totals:
        row = rows[total.pk]
        before = row.before or Decimal(0)
        if total.total == before:
            continue
        if (total.total, total.as_of) == (row.after, row.after_as_of):
            restored[total] = before
        else:
            later.append(total)
    campaigns = _campaigns(report)
    ids = {campaigns[total.pk][0] for total in restored if total.pk in campaigns}
    by_id: dict[int, Campaign] = {}
    for piece in in_pieces(sorted(ids)):
        by_id |= {row.pk: row for row in Campaign.objects.filter(pk__in=piece).select_related("brand")}
    counts = {total.pk: by_id[campaigns[total.pk][0]] for total in restored if total.pk in campaigns}
    return _Plan(restored, later, counts)


def _campaigns(report: ReportImport) -> dict[int, tuple[int, int]]:
    """Return the campaigns that the totals are booked for, or will be by their links: ids of campaign and brand."""
    return {total: (campaign, brand) for total, campaign, brand in fetch_all(CAMPAIGNS, {"report": report.pk})}


def _restate(plan: _Plan, clock: Clock) -> None:
    """Restate the totals and book them, the decreases too."""
    figures = sorted((total.pk, f"{before:f}") for total, before in plan.restored.items())
    for piece in in_pieces(figures):
        execute(RESTATE.format(given=rows_sql(RESTATED, "%(given)s")), {"given": rows_param(RESTATED, piece)})
    ids = [pk for pk, _ in figures]
    book_some(ids, clock=clock)
    decreases = [Waiting.DECREASE, Waiting.HELD]
    for part in in_pieces(ids):
        waiting = SpendTotal.objects.filter(pk__in=part, waiting__in=decreases).order_by("pk")
        book_decreases(list(waiting.values_list("pk", flat=True)), clock=clock)


def _changes(report: ReportImport, plan: _Plan) -> Iterator[ChangedRow]:
    """Yield the spend that is taken back of each campaign, for the change history. Without the file's name, which may
    be that of another client."""
    sums: dict[Campaign, Decimal] = defaultdict(Decimal)
    for total, before in plan.restored.items():
        campaign = plan.campaign_of(total)
        if campaign is not None:
            sums[campaign] += total.total - before
    for campaign, amount in sorted(sums.items(), key=lambda item: item[0].pk):
        currency = campaign.brand.currency
        values = (f"{format_money(amount, currency)} of report import {report.pk}", "reversed")
        yield ChangedRow(campaign.brand_id, campaign.pk, campaign.name, {SPEND_REVERSAL: values}, currency, currency)


def _days(plan: _Plan) -> Iterator[RestoredDay]:
    """Yield what the reversal changes of each brand and day, the newest day first."""
    sums: dict[tuple[Brand | None, date], Decimal] = defaultdict(Decimal)
    for total, before in plan.restored.items():
        campaign = plan.campaign_of(total)
        sums[campaign.brand if campaign else None, total.day] += before - total.total
    final = FinalStatements((brand.pk, day) for brand, day in sums if brand)
    for (brand, day), amount in sorted(
        sums.items(), key=lambda item: (-item[0][1].toordinal(), item[0][0].name if item[0][0] else "")
    ):
        if brand is None:
            yield RestoredDay("", day, "", amount, "")
        else:
            yield RestoredDay(brand.name, day, brand.currency, amount, final.describe(brand.pk, day))
