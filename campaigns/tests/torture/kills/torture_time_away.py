"""Beat or worker away for hours, two of each, messages that come several times: the same state as if all was well."""

from __future__ import annotations

import random
import time
from datetime import date, datetime, timedelta
from decimal import Decimal

import redis
import time_machine
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from budget_manager.celery import app
from campaigns.models import BrandPeriod, Campaign
from campaigns.rules.reasons import PauseReason
from campaigns.services.jobs.schedule import CHECK, QUICK
from campaigns.tests.oracle import oracle
from campaigns.tests.support.checking import ACTIVE, history, period, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc, zone_at_noon
from campaigns.tests.torture.extent import extent
from campaigns.tests.torture.kills.case import KillsTestCase
from campaigns.tests.torture.kills.mailbox import Mailbox, MovedBeat, start_schedule_at
from campaigns.tests.torture.kills.many import partly_written
from campaigns.tests.torture.kills.processes import Killable
from campaigns.tests.torture.kills.torture_broker import check_every_second

SECONDS_OF_TWO = extent(short=4, full=90)
MINUTE = timedelta(minutes=1)
DAY_REACHED, MONTH_REACHED = PauseReason.BRAND_DAILY_BUDGET, PauseReason.BRAND_MONTHLY_BUDGET


def runs(*workers: Killable) -> int:
    """Return how many checks the workers say that they have done."""
    return sum(worker.said().count("campaigns.tasks: check_budgets: ") for worker in workers)


class BeatAway(KillsTestCase):
    """Beat is down from 23:50 on the last of a month to 03:30 on the 1st."""

    def setUp(self) -> None:
        super().setUp()
        self.mailbox = Mailbox(self.broker.url)
        self.clock = self.enterContext(time_machine.travel(utc("2026-02-28 23:40:00")))
        start_schedule_at(utc("2026-02-28 23:40:00"))
        PeriodicTask.objects.filter(task=QUICK.task).update(enabled=False)  # the checks alone put everything right (R6)
        created_at = utc("2026-02-27 09:00")
        self.daily = make_campaign(make_brand(daily_budget=100, created_at=created_at))
        self.monthly = make_campaign(make_brand(monthly_budget=500, created_at=created_at))
        spend(self.daily, 100, "2026-02-28 18:00")
        spend(self.monthly, 500, "2026-02-27 18:00")

    def live_until(self, beat: MovedBeat, end: str) -> list[tuple[str, str]]:
        """Let beat and worker live minute by minute; return which job ran when."""
        ran = []
        while timezone.now() < utc(end):
            self.clock.shift(MINUTE)
            beat.fire()
            ran += [(f"{timezone.now():%H:%M}", name) for name in self.mailbox.deliver()]
        return ran

    def reasons(self) -> tuple[PauseReason, PauseReason]:
        return reasons_of(self.daily), reasons_of(self.monthly)

    def test_the_first_check_afterwards_opens_the_day_and_the_month(self) -> None:
        beat = MovedBeat(self.broker.url)
        ran = self.live_until(beat, "2026-02-28 23:50:00")
        self.assertEqual(ran, [("23:45", "check_budgets"), ("23:50", "check_budgets")])
        self.assertEqual(self.reasons(), (DAY_REACHED, MONTH_REACHED))
        beat.stop()

        self.clock.move_to(utc("2026-03-01 03:30:00"))
        beat = MovedBeat(self.broker.url)
        beat.fire()
        self.assertEqual(self.mailbox.deliver(), ["check_budgets"])
        self.assertEqual(self.reasons(), (ACTIVE, ACTIVE))
        self.assert_history_and_closing()
        ran = self.live_until(beat, "2026-03-01 03:41:00")
        self.assertEqual(ran, [("03:35", "check_budgets"), ("03:40", "check_budgets")])
        self.assert_history_and_closing()
        beat.stop()

    def test_a_beat_that_lives_through_midnight_sends_all_three(self) -> None:
        beat = MovedBeat(self.broker.url)
        ran = self.live_until(beat, "2026-03-01 00:02:00")
        at_midnight = sorted(name for at, name in ran if at == "00:00")
        self.assertEqual(at_midnight, ["check_budgets", "reset_daily_spend", "reset_monthly_spend"])
        self.assertEqual(self.reasons(), (ACTIVE, ACTIVE))
        beat.stop()

    def assert_history_and_closing(self) -> None:
        self.assertEqual(history(self.daily), [(ACTIVE, DAY_REACHED), (DAY_REACHED, ACTIVE)])
        self.assertEqual(history(self.monthly), [(ACTIVE, MONTH_REACHED), (MONTH_REACHED, ACTIVE)])
        for campaign in (self.daily, self.monthly):
            self.assertEqual(set(campaign.status_changes.values_list("actor", flat=True)), {"check_budgets"})
        day = period(self.daily.brand, "day", "2026-02-28")
        month = period(self.monthly.brand, "month", "2026-02-01")
        self.assertEqual([(day.spend_at_close, day.budget_at_close)], [(100, 100)])
        self.assertEqual([(month.spend_at_close, month.budget_at_close)], [(500, 500)])
        still_open = BrandPeriod.objects.filter(closed_at=None, starts_on__lt=date(2026, 3, 1))
        self.assertEqual(list(still_open), [])


class WorkerAway(KillsTestCase):
    def test_two_hours_of_messages_are_one_run(self) -> None:
        now = timezone.now().replace(second=0, microsecond=0)
        start = now - timedelta(hours=2)
        self.check_at_this_minute_and_every_five(now)
        start_schedule_at(start)
        campaign = make_campaign(make_brand(monthly_budget=0))
        with time_machine.travel(start + timedelta(seconds=1)) as clock:
            beat = MovedBeat(self.broker.url)
            while timezone.now() < now:
                clock.shift(MINUTE)
                beat.fire()
            beat.stop()
        self.assertEqual(self.waiting(), 24)

        worker = self.services.start_worker()
        self.wait_until("the messages are gone", lambda: self.waiting() == 0 and self.running() == 0)
        self.wait_until("the worker has logged it", lambda: runs(worker) > 0)
        self.assertEqual(runs(worker), 1)
        self.assertEqual(history(campaign), [(ACTIVE, MONTH_REACHED)])

    def check_at_this_minute_and_every_five(self, now: datetime) -> None:
        """The last message of two hours is a minute old at most, whenever the test runs."""
        minutes = ",".join(str((now.minute + five) % 60) for five in range(0, 60, 5))
        crontab = CrontabSchedule.objects.create(minute=minutes, timezone=app.conf.timezone)
        PeriodicTask.objects.exclude(task=CHECK.task).update(enabled=False)
        PeriodicTask.objects.filter(task=CHECK.task).update(crontab=crontab)

    def waiting(self) -> int:
        with redis.Redis.from_url(self.broker.url) as client:
            return int(client.llen(app.conf.task_default_queue))

    def running(self) -> int:
        with redis.Redis.from_url(self.broker.url) as client:
            return int(client.hlen("unacked"))


class SeveralOfEach(KillsTestCase):
    def test_two_beats_and_two_workers_end_where_one_does(self) -> None:
        check_every_second()
        facts = oracle.BrandFacts(timezone=zone_at_noon(), daily_budget=Decimal(300))
        brand = make_brand(timezone=facts.timezone, daily_budget=facts.daily_budget)
        limits = [None if n % 3 == 0 else Decimal(10 * n) for n in range(30)]
        campaigns = [make_campaign(brand, daily_spend_limit=limit) for limit in limits]
        facts.campaigns = [oracle.CampaignFacts(daily_spend_limit=limit) for limit in limits]
        workers = [self.services.start_worker(f"worker{n}") for n in (1, 2)]
        beats = [self.services.start_beat(f"beat{n}") for n in (1, 2)]
        for worker in workers:
            self.wait_until("both workers work", lambda worker=worker: runs(worker) > 0)  # type: ignore[misc]
        self.spend_for_a_while(campaigns, facts)

        def is_right() -> bool:
            stored = [reasons_of(campaign).codes for campaign in campaigns]
            return stored == [oracle.reasons(facts, fact, timezone.now()) for fact in facts.campaigns]

        self.wait_until("the state is what the rules say", is_right)
        before = runs(*workers)
        self.wait_until("both have run on", lambda: runs(*workers) > before + 3)
        self.assertTrue(is_right())
        self.assertEqual(partly_written(self.run_sql), {})
        self.assert_verified()
        for beat in beats:
            self.assertIn("Sending due task Check budgets", beat.said())

    def spend_for_a_while(self, campaigns: list[Campaign], facts: oracle.BrandFacts) -> None:
        until = time.monotonic() + SECONDS_OF_TWO
        while time.monotonic() < until:
            place = random.randrange(len(campaigns))
            amount = Decimal(random.choice((-40, -7, 5, 20, 45)))
            self.insert_spend(campaigns[place], str(amount))
            facts.campaigns[place].records.append(oracle.Record(amount, timezone.now()))
            time.sleep(0.02)

    def test_a_message_that_is_delivered_five_times_changes_what_one_does(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=0))
        self.send_check()
        with redis.Redis.from_url(self.broker.url) as client:
            (message,) = client.lrange(app.conf.task_default_queue, 0, -1)
            client.lpush(app.conf.task_default_queue, *[message] * 4)
        workers = [self.services.start_worker(f"worker{n}") for n in (1, 2)]
        self.wait_until("it has been run five times", lambda: runs(*workers) == 5)
        self.assertEqual(history(campaign), [(ACTIVE, DAY_REACHED)])
        self.assert_verified()
