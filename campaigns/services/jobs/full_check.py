"""The full check: what check and resets do, each on its own occasion (design part 4).

It puts everything right that can be known from the facts, whatever ran or didn't run before. Each step is a service of
its own with its own short transactions.
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
from campaigns.services.enforcement.enforce import Change, Enforcement, Transitions, enforce, preview
from campaigns.services.ledger.change_time_zone import apply_zone_changes, brands_with_changed_zones
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.due_brands import clear_due, due_rows
from campaigns.services.ledger.fold import fold
from campaigns.services.ledger.locks import JOB_WAIT, lock_brands
from campaigns.services.ledger.reopen import reopen_periods
from campaigns.services.ledger.unfinished import Unfinished
from campaigns.services.scope import Scope

CHECK_BUDGETS = "check_budgets"
RESET_DAILY_SPEND = "reset_daily_spend"
RESET_MONTHLY_SPEND = "reset_monthly_spend"


@dataclass(frozen=True)
class FullCheck:
    """What one full check did."""

    rebooked: int
    folded: int
    closed: int
    enforcement: Enforcement
    unfinished: Unfinished

    reopened: int = 0
    """Statements that a clock that was ahead had closed too early."""

    @property
    def summary(self) -> str:
        done = self.enforcement
        text = f"{done.paused} paused, {done.resumed} resumed, {done.changed} changed in all"
        extras = (
            (self.folded, "pending rows folded"),
            (self.closed, "periods closed"),
            (self.rebooked, "brands re-booked"),
            (self.reopened, "periods reopened that were closed before their end"),
        )
        return ", ".join([text, *(f"{count} {what}" for count, what in extras if count)])

    @property
    def problem(self) -> str:
        return self.unfinished.problem


def run_full_check(name: str, *, clock: Clock, transitions: Transitions | None = None) -> FullCheck:
    """Do a full check as a job, and note the run under the job's name."""
    note_start(name, clock())
    check = full_check(name, clock=clock, transitions=transitions)
    note_success(name, check, clock())
    return check


def note_start(name: str, now: datetime) -> None:
    """Note that a job begins; not where somebody else locks its run, for which no decision may wait."""
    try:
        with transaction.atomic():
            limit_lock_waits(JOB_WAIT)
            JobRun.objects.update_or_create(name=name, defaults={"started_at": now})
    except DatabaseError as error:
        if connection.in_atomic_block or not is_lock_timeout(error):
            raise


def note_success(name: str, check: FullCheck, now: datetime) -> None:
    JobRun.objects.filter(name=name).update(succeeded_at=now, summary=check.summary, problem=check.problem)
    # Those dated ahead would look fresh until then. What they do, this check has done.
    JobRun.objects.filter(succeeded_at__gt=now + SKEW).update(started_at=now, succeeded_at=now)


def preview_check(*, clock: Clock, closing_clock: Clock) -> list[Change]:
    """Return what a full check with these clocks would change in campaigns; nothing is written.

    Only where a zone was changed by SQL does it re-book those brands, in a transaction that is rolled back.
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
    """Re-book, enforce, fold and close everything; actor is the name for the history.

    closing_clock is given where the clock is moved (`enforce --at`): no period is closed that hasn't ended by it, and
    no mark is forgotten, for what was decided doesn't hold now.
    """
    closing = closing_clock or clock
    unfinished = Unfinished()
    reopened = reopen_periods(clock=closing, unfinished=unfinished)
    rebooked = apply_zone_changes(clock=closing)
    # Before folding and closing, which no decision waits for: a long backlog, or one that can't be booked, may not keep
    # campaigns running past their budgets.
    marks = due_rows(now=clock())
    everything = Scope.everything()
    enforcement = enforce(
        everything, clock=clock, actor=actor, on_changes=on_changes, transitions=transitions, leave=rebooked.left
    )
    rebooked.raise_problem()
    enforcement.unfinished.add(unfinished)
    if closing_clock is None:
        clear_due(marks)
    return finish_check(enforcement, rebooked=rebooked.count, reopened=reopened, clock=closing)


def finish_check(enforcement: Enforcement, *, rebooked: int, clock: Clock, reopened: int = 0) -> FullCheck:
    """Fold and close, which no decision waits for, and return what the whole check did."""
    unfinished = Unfinished()
    unfinished.add(enforcement.unfinished)
    folded = fold(unfinished=unfinished)
    closed = close_periods(now=clock(), unfinished=unfinished)
    return FullCheck(rebooked, folded, closed, enforcement, unfinished, reopened)
