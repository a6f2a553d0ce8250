"""The quick pass, between full checks: what had spend, and what time has reached.

It looks only at what is due in the database: pending spend, marks of touched brands, and the minute that each campaign
stores. With nothing due that is one statement. The full check stays what puts everything right (R6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from campaigns.database import fetch_all
from campaigns.models import JobRun
from campaigns.periods import minute_of, quarter_of
from campaigns.services.changes import brands_of
from campaigns.services.enforcement import Clock, Enforcement, enforce
from campaigns.services.fold import fold
from campaigns.services.marks import due_marks, forget
from campaigns.services.rebook import rebook_changed_zones
from campaigns.services.scope import Scope
from campaigns.services.upcoming import due_campaigns

JOB = "quick_pass"
MOST_CAMPAIGNS = 100_000
MOST_BATCHES = 2
"""Of a fold: what a long backlog has marked is enforced within seconds, and the rest of it is left to later passes."""

ANYTHING_DUE = """
SELECT EXISTS (SELECT 1 FROM campaigns_pendingspend)
    OR EXISTS (SELECT 1 FROM campaigns_touchedbrand WHERE due_quarter <= %s)
    OR EXISTS (SELECT 1 FROM campaigns_campaign WHERE next_change_minute <= %s)
"""


@dataclass
class QuickPass:
    """What one quick pass did."""

    folded: int = 0
    brands: int = 0
    campaigns: int = 0
    """How many campaigns time had reached, those of the brands left out."""

    enforcements: list[Enforcement] = field(default_factory=list)

    @property
    def changed(self) -> int:
        return sum(done.changed for done in self.enforcements)

    @property
    def summary(self) -> str:
        if not (self.folded or self.brands or self.campaigns):
            return "nothing was due"
        paused, resumed = (sum(getattr(d, name) for d in self.enforcements) for name in ("paused", "resumed"))
        return (
            f"{paused} paused, {resumed} resumed, {self.changed} changed in all; looked at {self.brands} brands with"
            f" spend and {self.campaigns} campaigns that time had reached, {self.folded} pending rows folded"
        )


def run_quick_pass(*, clock: Clock, actor: str = JOB) -> QuickPass:
    """Do a quick pass as a job, and note the run under the job's name."""
    started_at = clock()
    done = quick_pass(actor, clock=clock) if is_anything_due(now=started_at) else QuickPass()
    run = JobRun(name=JOB, started_at=started_at, succeeded_at=clock(), summary=done.summary)
    JobRun.objects.bulk_create(
        [run],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["started_at", "succeeded_at", "summary", "problem"],
    )
    return done


def is_anything_due(*, now: datetime) -> bool:
    ((due,),) = fetch_all(ANYTHING_DUE, [quarter_of(now), minute_of(now)])
    return bool(due)


def quick_pass(actor: str, *, clock: Clock) -> QuickPass:
    """Fold what is pending, then enforce the brands that folds have touched and the campaigns that time has reached.

    actor is the name for the history. Marks are forgotten when what was decided on them is committed; where that
    fails they stay, and the next pass finds them.
    """
    done = QuickPass(folded=fold(most_batches=MOST_BATCHES))
    try:
        _enforce_marked(done, clock, actor)
    finally:
        _enforce_reached(done, clock, actor)  # brands that can't be written may not keep these waiting
    return done


def _enforce_marked(done: QuickPass, clock: Clock, actor: str) -> None:
    marks = due_marks(now=clock())
    done.brands = len(marks.brands)
    _enforce(done, Scope.of_brands(marks.brands), marks.brands, clock, actor)
    forget(marks)


def _enforce_reached(done: QuickPass, clock: Clock, actor: str) -> None:
    reached = due_campaigns(now=clock(), most=MOST_CAMPAIGNS)
    done.campaigns = len(reached)
    _enforce(done, Scope.of_campaigns(reached), reached, clock, actor)


def _enforce(done: QuickPass, scope: Scope, ids: list[int], clock: Clock, actor: str) -> None:
    if ids:
        rebook_changed_zones(clock=clock, brands=brands_of(scope))  # or it would decide on the days of another zone
        done.enforcements.append(enforce(scope, clock=clock, actor=actor))
