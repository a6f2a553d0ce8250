"""The full check, which the five-minute job and both resets run.

It computes everything from the facts, whatever ran or didn't run before (R6). Each step has its own short transactions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, connection, transaction

from campaigns.database.clock import SKEW
from campaigns.database.connection import is_lock_timeout, limit_lock_waits
from campaigns.models import JobRun
from campaigns.rules.clock import Clock
from campaigns.services.alerts.evaluate import evaluate_after_check
from campaigns.services.enforcement.enforce import Change, Enforcement, Transitions, enforce, preview
from campaigns.services.jobs.health import no_check_since
from campaigns.services.ledger.change_time_zone import apply_zone_changes, brands_with_changed_zones
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.due_brands import clear_due, due_rows
from campaigns.services.ledger.fold import fold
from campaigns.services.ledger.locks import JOB_WAIT, lock_brands
from campaigns.services.ledger.reopen import reopen_periods
from campaigns.services.ledger.unfinished import Unfinished
from campaigns.services.pace.refresh import refresh_pace
from campaigns.services.scope import Scope
from campaigns.services.totals.checks import book_in_full_check

CHECK_BUDGETS = "check_budgets"
RESET_DAILY_SPEND = "reset_daily_spend"
RESET_MONTHLY_SPEND = "reset_monthly_spend"


@dataclass(frozen=True)
class FullCheck:
    """What one full check did."""

    zone_changes: int
    folded: int
    closed: int
    enforcement: Enforcement
    unfinished: Unfinished

    # Periods that were closed too early by a clock that was ahead.
    reopened: int = 0
    # Spend records of reported totals.
    booked: int = 0

    @property
    def summary(self) -> str:
        done = self.enforcement
        text = f"{done.paused} paused, {done.resumed} resumed, {done.changed} changed"
        extras = (
            (self.folded, "pending rows folded"),
            (self.closed, "periods closed"),
            (self.zone_changes, "brands moved to a new time zone"),
            (self.reopened, "periods reopened that were closed before their end"),
            (self.booked, "changes of reported totals booked"),
        )
        return ", ".join([text, *(f"{count} {what}" for count, what in extras if count)])

    @property
    def problem(self) -> str:
        return self.unfinished.problem


def run_full_check(name: str, *, clock: Clock, transitions: Transitions | None = None) -> FullCheck:
    """Do a full check and record the run under the job's name."""
    note_start(name, clock())
    check = full_check(name, clock=clock, transitions=transitions)
    evaluate_all(check, now=clock())
    note_success(name, check, clock())
    return check


def evaluate_all(check: FullCheck, *, now: datetime) -> None:
    """Evaluate all alerts, before the success is noted: until then the last one says for how long no check ran."""
    evaluate_after_check(None, now=now, unfinished=check.unfinished, no_check_since=no_check_since(now=now))


def note_start(name: str, now: datetime) -> None:
    """Record that a job begins, unless its row is locked: no decision may wait for that."""
    try:
        with transaction.atomic():
            limit_lock_waits(JOB_WAIT)
            JobRun.objects.update_or_create(name=name, defaults={"started_at": now})
    except DatabaseError as error:
        if connection.in_atomic_block or not is_lock_timeout(error):
            raise


def note_success(name: str, check: FullCheck, now: datetime) -> None:
    JobRun.objects.filter(name=name).update(succeeded_at=now, summary=check.summary, problem=check.problem)
    # Runs recorded in the future would look recent until then; this check has done their work.
    JobRun.objects.filter(succeeded_at__gt=now + SKEW).update(started_at=now, succeeded_at=now)


def preview_check(*, clock: Clock, closing_clock: Clock) -> list[Change]:
    """Return which campaigns a full check with these clocks would change; nothing is written.

    If SQL changed time zones, those brands' open periods are recomputed in a transaction that is rolled back.
    """
    moved = brands_with_changed_zones()
    if not moved:
        return preview(Scope.everything(), now=clock())
    with transaction.atomic():
        lock_brands(moved)
        apply_zone_changes(clock=closing_clock, brands=moved)
        changes = preview(Scope.everything(), now=clock())
        transaction.set_rollback(True)
    return changes


def full_check(
    actor: str,
    *,
    clock: Clock,
    closing_clock: Clock | None = None,
    on_changes: Callable[[list[Change]], None] | None = None,
    transitions: Transitions | None = None,
) -> FullCheck:
    """Apply time zone changes, enforce, fold and close everything; actor is the name for the history.

    closing_clock is given if clock was moved (`enforce --at`): periods close by it, and due brands stay due, since the
    decisions were for another instant.
    """
    closing = closing_clock or clock
    unfinished = Unfinished()
    reopened = reopen_periods(clock=closing, unfinished=unfinished)
    zone_changes = apply_zone_changes(clock=closing)
    booked = book_in_full_check(clock=closing, unfinished=unfinished)
    # Before folding and closing: a long backlog, or one that can't be folded, must not keep campaigns running past
    # their budgets.
    marks = due_rows(now=clock())
    everything = Scope.everything()
    enforcement = enforce(
        everything, clock=clock, actor=actor, on_changes=on_changes, transitions=transitions, leave=zone_changes.left
    )
    zone_changes.raise_problem()
    enforcement.unfinished.add(unfinished)
    if closing_clock is None:
        clear_due(marks)
    return finish_check(enforcement, zone_changes=zone_changes.count, reopened=reopened, booked=booked, clock=closing)


def finish_check(
    enforcement: Enforcement, *, zone_changes: int, clock: Clock, reopened: int = 0, booked: int = 0
) -> FullCheck:
    """Fold and close, and refresh profiles, after all decisions; return what the whole check did."""
    unfinished = Unfinished()
    unfinished.add(enforcement.unfinished)
    folded = fold(unfinished=unfinished)
    closed = close_periods(now=clock(), unfinished=unfinished)
    refresh_pace(now=clock())
    return FullCheck(zone_changes, folded, closed, enforcement, unfinished, reopened, booked)
