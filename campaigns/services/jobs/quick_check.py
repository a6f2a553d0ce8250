"""The quick check, between full checks: brands that had spend, and campaigns whose next change is due.

It reads what is due from the database: pending spend, due brands, and the minute of its next change that each campaign
stores. With nothing due that is one statement. Whatever it misses, the full check corrects (R6).

Decisions come first and read pending spend, so a backlog doesn't delay them; then a part of the backlog is folded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import in_list, in_subquery_by_index, list_param
from campaigns.models import JobRun
from campaigns.rules.clock import Clock
from campaigns.rules.periods import minute_of, quarter_of, quarters_of_the_month
from campaigns.services.alerts.evaluate import evaluate_after_check
from campaigns.services.enforcement.enforce import Enforcement, Transitions, enforce
from campaigns.services.feed.publish import ANYTHING_UNPUBLISHED, publish
from campaigns.services.ledger.change_time_zone import apply_zone_changes, brands_with_changed_zones
from campaigns.services.ledger.due_brands import clear_due, due_rows, mark_due
from campaigns.services.ledger.fold import plan_fold
from campaigns.services.ledger.unfinished import Unfinished
from campaigns.services.scope import Scope, brands_of
from campaigns.services.totals.book import ANY_TO_BOOK
from campaigns.services.totals.checks import book_in_quick_check

JOB = "quick_check"
MAX_CAMPAIGNS = 100_000
# Batches of a fold: a few seconds, so that a backlog doesn't delay the next quick check.
MAX_BATCHES = 20

# Brands whose time zone SQL changed, whose periods one quick check recomputes; later checks do the others.
MAX_ZONE_CHANGES = 30

ANYTHING_DUE = """
SELECT EXISTS (SELECT 1 FROM campaigns_pendingspend)
    OR EXISTS (SELECT 1 FROM campaigns_duebrand WHERE due_quarter <= %s)
    OR EXISTS (SELECT 1 FROM campaigns_campaign WHERE next_change_minute <= %s),
"""
ANYTHING_DUE += f"    {ANY_TO_BOOK}, {ANYTHING_UNPUBLISHED}"

DUE_BRANDS = """
SELECT brand_id FROM campaigns_pendingspend WHERE quarter >= %(first)s AND quarter < %(until)s
UNION SELECT brand_id FROM campaigns_duebrand WHERE {in_marks}
"""


@dataclass
class QuickCheck:
    """What one quick check did."""

    folded: int = 0
    # Spend records of reported totals.
    booked: int = 0
    brands: int = 0
    # Campaigns whose next change was due, without those of the brands above.
    campaigns: int = 0
    # The brands of both: alerts are evaluated for them.
    looked_at: set[int] = field(default_factory=set)

    transitions: Transitions | None = None
    enforcements: list[Enforcement] = field(default_factory=list)
    unfinished: Unfinished = field(default_factory=Unfinished)

    @property
    def changed(self) -> int:
        return sum(done.changed for done in self.enforcements)

    @property
    def resumed(self) -> int:
        return sum(done.resumed for done in self.enforcements)

    @property
    def summary(self) -> str:
        if not (self.folded or self.booked or self.brands or self.campaigns):
            return "nothing was due"
        paused, resumed = (sum(getattr(d, name) for d in self.enforcements) for name in ("paused", "resumed"))
        return (
            f"{paused} paused, {resumed} resumed, {self.changed} changed; checked {self.brands} brands with spend"
            f" and {self.campaigns} campaigns with a change due, processed {self.folded} new spend rows"
            f"{f', booked {self.booked} changes of reported totals' if self.booked else ''}"
        )


def run_quick_check(*, clock: Clock, actor: str = JOB, transitions: Transitions | None = None) -> QuickCheck:
    """Do a quick check, publish status changes in the feed, and record the run under the job's name."""
    started_at = clock()
    due, totals, unpublished = _what_is_due(started_at)
    done = QuickCheck(transitions=transitions)
    try:
        if due or totals:
            done = quick_check(actor, clock=clock, transitions=transitions, totals=totals)
    finally:
        if unpublished or done.changed:
            publish()
    if due or totals:
        evaluate_after_check(done.looked_at, now=clock(), unfinished=done.unfinished)
    run = JobRun(
        name=JOB,
        started_at=started_at,
        succeeded_at=clock(),
        summary=done.summary,
        problem=done.unfinished.problem,
    )
    JobRun.objects.bulk_create(
        [run],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["started_at", "succeeded_at", "summary", "problem"],
    )
    return done


def is_anything_due(*, now: datetime) -> bool:
    due, totals, _ = _what_is_due(now)
    return due or totals


def _what_is_due(now: datetime) -> tuple[bool, bool, bool]:
    """Return whether brands or campaigns are due, reported totals are to be booked, status changes to be published."""
    ((due, totals, unpublished),) = fetch_all(ANYTHING_DUE, [quarter_of(now), minute_of(now)])
    return bool(due), bool(totals), bool(unpublished)


def quick_check(actor: str, *, clock: Clock, transitions: Transitions | None = None, totals: bool = True) -> QuickCheck:
    """Book reported totals, enforce the brands that had spend and the campaigns whose next change is due, then fold.

    A fold moves some of what is pending.
    actor is the name for the history; totals: whether there are any to book. Due brands are cleared after their
    decisions are committed; if that fails they stay due for the next quick check.
    """
    done = QuickCheck(transitions=transitions)
    if totals:
        done.booked = book_in_quick_check(clock=clock, unfinished=done.unfinished)
    folding = plan_fold(most_batches=MAX_BATCHES)  # first, so that decisions have seen all spend that it moves
    decided_at = None
    try:
        decided_at = _enforce_brands(done, clock, actor)
    finally:
        try:
            _enforce_campaigns(done, clock, actor)  # also if writing a brand failed
        finally:
            done.folded = folding.run(decided_at=decided_at)  # the full check names what stays pending
    return done


def _enforce_brands(done: QuickCheck, clock: Clock, actor: str) -> datetime:
    """Enforce brands with pending spend and due brands; return the instant of the decision."""
    now = clock()
    marks = due_rows(now=now)
    first, until = quarters_of_the_month(now)
    due = DUE_BRANDS.format(in_marks=in_list("id", param="%(marks)s"))
    params = {"first": first, "until": until, "marks": list_param(marks.ids)}
    sql = f"SELECT id, timezone FROM campaigns_brand WHERE {in_subquery_by_index('id', due)}"
    brands = dict(fetch_all(sql, params))
    done.brands = len(brands)
    _enforce(done, Scope.of_brands(brands), brands, clock, actor)
    clear_due(marks)
    return now


def _enforce_campaigns(done: QuickCheck, clock: Clock, actor: str) -> None:
    due = due_campaigns(now=clock(), most=MAX_CAMPAIGNS)
    done.campaigns = len(due)
    scope = Scope.of_campaigns(due)
    _enforce(done, scope, brands_of(scope) if due else {}, clock, actor)


def due_campaigns(*, now: datetime, most: int) -> list[int]:
    """Return the campaigns whose next change is due, at most so many: the longest due first."""
    sql = """
        SELECT id FROM campaigns_campaign WHERE next_change_minute <= %s ORDER BY next_change_minute LIMIT %s"""
    return [campaign for (campaign,) in fetch_all(sql, [minute_of(now), most])]


def _enforce(done: QuickCheck, scope: Scope, brands: dict[int, str], clock: Clock, actor: str) -> None:
    """Enforce the part of the scope that lies in these brands, which are given with their time zones."""
    if not brands:
        return
    done.looked_at.update(brands)
    changed = brands_with_changed_zones(brands)
    rest = scope.within(set(brands).difference(changed))
    try:
        _note(
            done,
            enforce(rest, clock=clock, actor=actor, transitions=done.transitions, zones=set(brands.values())),
        )
    finally:
        if changed:
            _enforce_after_zone_change(done, scope, changed, clock, actor)


def _enforce_after_zone_change(done: QuickCheck, scope: Scope, changed: list[int], clock: Clock, actor: str) -> None:
    """Enforce brands whose zone SQL changed, last: recomputing the open periods of each takes a tenth of a second."""
    first = changed[:MAX_ZONE_CHANGES]
    zone_changes = apply_zone_changes(clock=clock, brands=first)
    _note(
        done,
        enforce(scope.within(first), clock=clock, actor=actor, transitions=done.transitions, leave=zone_changes.left),
    )
    mark_due(changed[MAX_ZONE_CHANGES:])
    zone_changes.raise_problem()


def _note(done: QuickCheck, enforced: Enforcement) -> None:
    done.enforcements.append(enforced)
    done.unfinished.add(enforced.unfinished)
