"""Time that passes, and the jobs: in any order, twice, or never for days."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta

from django.core.management import call_command
from hypothesis import strategies as st
from hypothesis.stateful import rule

from campaigns import tasks
from campaigns.models import AccountingTimeZone, Campaign, PendingSpend
from campaigns.models.periods import LAST_PERIOD
from campaigns.rules.clock import Clock
from campaigns.rules.reasons import PauseReason
from campaigns.services.jobs import full_check as jobs
from campaigns.services.jobs.quick_check import JOB as QUICK
from campaigns.services.jobs.quick_check import MAX_BATCHES
from campaigns.services.jobs.shards import begin_check, run_shard
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.fold import BATCH_DAYS, fold
from campaigns.services.ledger.verify import TotalsRange, repair
from campaigns.tests.oracle.states_base import States
from campaigns.tests.oracle.worlds import DAY, HOUR, MICROSECOND, MINUTE, midnight
from campaigns.tests.support.ledger import totals_folded

BY_HAND = "manage.py enforce"
# Each way to do a full check, by the name that it leaves in the history.
CHECKS: dict[str, Callable[[], object]] = {
    jobs.CHECK_BUDGETS: tasks.check_budgets,
    jobs.RESET_DAILY_SPEND: tasks.reset_daily_spend,
    jobs.RESET_MONTHLY_SPEND: tasks.reset_monthly_spend,
    BY_HAND: lambda: call_command("enforce", stdout=io.StringIO(), stderr=io.StringIO()),
}

MONTH = 31 * DAY
PASSES = [
    *(MICROSECOND, timedelta(seconds=1), 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 7 * HOUR),
    *(DAY, 2 * DAY, 9 * DAY, MONTH, 366 * DAY),
]


class Working(States):
    long_waits = 0

    @rule(passed=st.sampled_from(PASSES))
    def time_passes(self, passed: timedelta) -> None:
        """At most twice a month or a year."""
        self.long_waits += passed >= MONTH
        if passed < MONTH or self.long_waits <= 2:
            self.world.now += passed

    @rule(data=st.data(), kind=st.sampled_from(["day", "month"]), beside=st.sampled_from([-1, 0, 1]))
    def a_new_period_comes(self, data: st.DataObject, kind: str, beside: int) -> None:
        """Up to a brand's next midnight, of a day or of a month; or to a microsecond before or after it."""
        brand = data.draw(st.sampled_from(self.world.brands))
        today = brand.wall(self.world.now).date()
        beginning = today + DAY if kind == "day" else (today.replace(day=1) + 32 * DAY).replace(day=1)
        self.world.now = max(self.world.now, midnight(brand.timezone, beginning) + beside * MICROSECOND)

    @rule(way=st.sampled_from(sorted(CHECKS)), times=st.integers(1, 2))
    def full_check(self, way: str, times: int) -> None:
        with self.clock():
            for _ in range(times):
                CHECKS[way]()
        self.checked(way)

    @rule(times=st.integers(1, 2))
    def full_check_at_a_given_instant(self, times: int) -> None:
        """No service reads a clock: here it is the real one that stands elsewhere."""
        for _ in range(times):
            jobs.run_full_check("a test", clock=lambda: self.world.now)
        self.checked("a test")

    @rule(data=st.data(), of=st.integers(2, 4), again=st.booleans())
    def full_check_in_shards(self, data: st.DataObject, of: int, again: bool) -> None:
        """In any order, and each perhaps twice; a shard of another check was lost before."""
        clock: Clock = lambda: self.world.now  # noqa: E731
        begin_check("lost", of=of, clock=clock)
        check = begin_check("a check in shards", of=of, clock=clock)
        ends = [
            run_shard(check, number, clock=clock) for number in data.draw(st.permutations([*range(of)] * (1 + again)))
        ]
        self.same.assertIsNotNone(ends[-1])
        self.checked("a check in shards")

    @rule(times=st.integers(1, 2))
    def quick_check(self, times: int) -> None:
        """More often where so many days are pending that one pass leaves some of them to the next."""
        with self.clock():
            for _ in range(max(times, passes_to_fold_all())):
                tasks.quick_check()
            for _ in range(passes_to_fold_all()):  # more days may be pending since totals were booked
                tasks.quick_check()
        self.totals_are_booked(fully=False)
        stored = Campaign.objects.values_list("pk", "pause_reasons")
        booked = AccountingTimeZone.objects.filter(until=LAST_PERIOD, kind="day").values_list("brand_id", "timezone")
        self.world.quick_check(QUICK, {pk: PauseReason(flags).codes for pk, flags in stored}, dict(booked))
        self.same.assertEqual(PendingSpend.objects.count(), 0)
        self.checked_quickly()

    def totals_are_booked(self, *, fully: bool) -> None:
        """For reported totals, which a check books before it decides."""

    def checked_quickly(self) -> None:
        """For what else has to hold after a quick check."""

    def checked(self, actor: str) -> None:
        self.totals_are_booked(fully=True)
        self.world.check(actor)
        self.same.assertEqual(PendingSpend.objects.count(), 0)
        self.same.assertEqual(totals_folded(), self.world.totals)
        self.assert_nothing_left_to_do(campaign for _, campaign in self.world.pairs)

    @rule(part=st.sampled_from(["fold", "close", "repair", "look"]), times=st.integers(1, 2))
    def part_of_a_check(self, part: str, times: int) -> None:
        for _ in range(times):
            getattr(self, part)()

    def fold(self) -> None:
        fold()
        self.same.assertEqual(PendingSpend.objects.count(), 0)

    def close(self) -> None:
        close_periods(now=self.world.now)
        for books in self.world.books.values():
            books.close(self.world.now)

    def repair(self) -> None:
        """There is nothing to repair."""
        self.same.assertEqual(repair(TotalsRange()), 0)

    def look(self) -> None:
        """See what a check would do, and do nothing."""
        with self.clock():
            call_command("enforce", "--dry-run", stdout=io.StringIO(), stderr=io.StringIO())


def passes_to_fold_all() -> int:
    batches = {quarter // 96 // BATCH_DAYS for quarter in PendingSpend.objects.values_list("quarter", flat=True)}
    return -(-len(batches) // MAX_BATCHES)
