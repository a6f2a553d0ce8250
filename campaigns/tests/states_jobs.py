"""Time that passes, and the jobs: in any order, twice, or never for days."""

from __future__ import annotations

import io
from datetime import timedelta

from django.core.management import call_command
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from campaigns import tasks
from campaigns.models import PendingSpend
from campaigns.services import jobs
from campaigns.services.close import close_periods
from campaigns.services.fold import fold
from campaigns.services.verify import Books, repair
from campaigns.tests.states_base import States
from campaigns.tests.worlds import DAY, HOUR, MICROSECOND, MINUTE, midnight

NAMES = (jobs.CHECK_BUDGETS, jobs.RESET_DAILY_SPEND, jobs.RESET_MONTHLY_SPEND)
TASKS = (tasks.check_budgets, tasks.reset_daily_spend, tasks.reset_monthly_spend)
PASSES = [MICROSECOND, timedelta(seconds=1), 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 7 * HOUR, DAY, 2 * DAY]
LONG = [9 * DAY, 31 * DAY, 31 * DAY, 366 * DAY]
names, times = st.sampled_from(NAMES), st.integers(1, 2)


class Working(States):
    long_waits = 0

    @rule(passed=st.sampled_from(PASSES))
    def time_passes(self, passed: timedelta) -> None:
        self.world.now += passed

    @precondition(lambda self: self.long_waits < 2)
    @rule(passed=st.sampled_from(LONG))
    def nothing_runs_for_long(self, passed: timedelta) -> None:
        self.long_waits += 1
        self.world.now += passed

    @rule(data=st.data(), kind=st.sampled_from(["day", "month"]), beside=st.sampled_from([-1, 0, 1]))
    def a_new_period_comes(self, data: st.DataObject, kind: str, beside: int) -> None:
        """Up to a brand's next midnight, of a day or of a month; or to a microsecond before or after it."""
        brand = data.draw(st.sampled_from(self.world.brands))
        today = brand.wall(self.world.now).date()
        beginning = today + DAY if kind == "day" else (today.replace(day=1) + 32 * DAY).replace(day=1)
        self.world.now = max(self.world.now, midnight(brand.timezone, beginning) + beside * MICROSECOND)

    @rule(name=names, times=times)
    def full_check(self, name: str, times: int) -> None:
        for _ in range(times):
            jobs.run_full_check(name, clock=lambda: self.world.now)
        self.checked(name)

    @rule(number=st.integers(0, 2), times=times)
    def task(self, number: int, times: int) -> None:
        with self.clock():
            for _ in range(times):
                TASKS[number]()
        self.checked(NAMES[number])

    @rule()
    def command(self) -> None:
        with self.clock():
            call_command("enforce", stdout=io.StringIO(), stderr=io.StringIO())
        self.checked("manage.py enforce")

    @rule()
    def look_what_a_check_would_do(self) -> None:
        with self.clock():
            call_command("enforce", "--dry-run", stdout=io.StringIO(), stderr=io.StringIO())

    @rule(times=times)
    def only_fold(self, times: int) -> None:
        for _ in range(times):
            fold()
        self.same.assertEqual(PendingSpend.objects.count(), 0)

    @rule()
    def only_close(self) -> None:
        close_periods(now=self.world.now)
        for books in self.world.books.values():
            books.close(self.world.now)

    @rule()
    def only_repair(self) -> None:
        """There is nothing to repair."""
        self.same.assertEqual(repair(Books()), 0)

    def checked(self, actor: str) -> None:
        self.world.check(actor)
        self.same.assertEqual(PendingSpend.objects.count(), 0)
        self.assert_nothing_left_to_do(campaign for _, campaign in self.world.pairs)
