"""A full check in shards: each enforces a part of the brands, on whichever worker takes it, and the last one ends it.

Which shards are done stands in the database, so it makes no difference where they run, in which order, how often one
is delivered, or what else enforces meanwhile: the result is the same as of one check. A shard that is lost leaves its
check without an end, so without a success, and the next check begins anew.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from django.db.models import F, Q

from campaigns.models import CheckShard
from campaigns.models.clocks import unknown_zones
from campaigns.rules.clock import Clock
from campaigns.services.enforcement.enforce import Enforcement, Transitions, enforce
from campaigns.services.enforcement.status_changes import ChangeCounts
from campaigns.services.jobs.full_check import FullCheck, evaluate_all, finish_check, note_start, note_success
from campaigns.services.jobs.quick_check import quick_check
from campaigns.services.ledger.change_time_zone import apply_zone_changes, brands_with_changed_zones
from campaigns.services.ledger.reopen import reopen_periods
from campaigns.services.ledger.unfinished import Unfinished
from campaigns.services.scope import Scope, zones_of
from campaigns.services.totals.checks import book_in_full_check

KEPT_FOR = timedelta(hours=1)


def begin_check(job: str, *, of: int, clock: Clock) -> UUID:
    """Begin a full check in `of` shards under the job's name; return its id. Run each number from 0 on."""
    note_start(job, clock())
    reopen_periods(clock=clock)
    apply_zone_changes(clock=clock)  # failures are recorded by the brand's shard
    unfinished = Unfinished()
    booked = book_in_full_check(clock=clock, unfinished=unfinished)
    check, begun_at = uuid4(), clock()
    # Delete old shards, and those dated ahead by a wrong clock.
    CheckShard.objects.filter(Q(begun_at__lt=begun_at - KEPT_FOR) | Q(begun_at__gt=begun_at + KEPT_FOR)).delete()
    shards = [CheckShard(check_id=check, job=job, number=number, of=of, begun_at=begun_at) for number in range(of)]
    # The process that ends the check may be another one, and names it in the run's problem.
    shards[0].booked = booked
    shards[0].failed_totals, shards[0].booking_error = unfinished.failed_totals, unfinished.booking_error
    CheckShard.objects.bulk_create(shards)
    return check


def run_shard(check: UUID, number: int, *, clock: Clock, transitions: Transitions | None = None) -> FullCheck | None:
    """Enforce one shard of a check; the one that finds all others done ends the check, and returns what it did.

    None while others are missing, and where the check is over an hour old.
    """
    shard = CheckShard.objects.filter(check_id=check, number=number).first()
    if shard is None:
        return None
    if shard.finished_at is None:
        left = brands_with_changed_zones()  # by begin_check(): somebody locks them, or they can't be written
        done = enforce(
            Scope.of_shard(number, shard.of), clock=clock, actor=shard.job, transitions=transitions, leave=left
        )
        # Added up, because two workers may have the same shard at the same time.
        CheckShard.objects.filter(pk=shard.pk).update(
            finished_at=clock(),
            changed=F("changed") + done.changed,
            paused=F("paused") + done.paused,
            resumed=F("resumed") + done.resumed,
        )
    shards = list(CheckShard.objects.filter(check_id=check))
    return _end(shards, clock, transitions) if all(each.finished_at for each in shards) else None


def _end(shards: list[CheckShard], clock: Clock, transitions: Transitions | None) -> FullCheck:
    """Fold and close, and enforce what had spend since the first shard decided. Idempotent."""
    job = shards[0].job
    total = Enforcement(unfinished=Unfinished(set(unknown_zones(zones_of(Scope.everything())))))
    for shard in shards:
        total.add(ChangeCounts(shard.changed, shard.paused, shard.resumed))
        total.unfinished.add(Unfinished(failed_totals=shard.failed_totals, booking_error=shard.booking_error))
    check = finish_check(total, zone_changes=0, booked=sum(shard.booked for shard in shards), clock=clock)
    # Each shard has marked what was locked.
    check.unfinished.add(quick_check(job, clock=clock, transitions=transitions).unfinished)
    evaluate_all(check, now=clock())
    note_success(job, check, clock())
    return check
