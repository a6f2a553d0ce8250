"""The broker and beat die again and again under a worker: both come back by themselves, and checks go on."""

from __future__ import annotations

import random
import time

import redis
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from campaigns.models import Campaign, JobRun
from campaigns.services.jobs.schedule import CHECK
from campaigns.tests.support.checking import history
from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.support.outside import by_vendor
from campaigns.tests.torture.extent import extent
from campaigns.tests.torture.kills.case import KillsTestCase
from campaigns.tests.torture.kills.many import partly_written

BROKER_KILLS = extent(short=3, full=25)
BROKER_HANGS = extent(short=0, full=2)
BEAT_KILLS = extent(short=1, full=10)
# Longer than the socket timeout, after which a service gives a connection up.
SECONDS_OF_A_HANG = 40


def check_every_second() -> None:
    """Let beat fire the check every second, as staff could in the admin."""
    every_second, _ = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.filter(task=CHECK.task).update(crontab=None, interval=every_second)


class Flapping(KillsTestCase):
    def setUp(self) -> None:
        super().setUp()
        check_every_second()
        self.worker = self.services.start_worker()
        self.beat = self.services.start_beat()
        self.campaign = make_campaign(make_brand(daily_budget=100))
        self.spent = 0
        self.assert_checks_go_on()

    def test_a_broker_that_dies_and_comes_back(self) -> None:
        for _ in range(BROKER_KILLS):
            self.broker.kill()
            time.sleep(random.uniform(0, 1.5))
            self.broker.start()
            time.sleep(random.uniform(0, 1.5))
        self.assert_still_the_same_processes()
        self.assert_checks_go_on()

    if BROKER_HANGS:

        def test_a_broker_that_hangs(self) -> None:
            for _ in range(BROKER_HANGS):
                self.freeze_during_a_check()
                time.sleep(SECONDS_OF_A_HANG)
                self.broker.thaw()
                self.assert_checks_go_on()
            self.assert_still_the_same_processes()

        def freeze_during_a_check(self) -> None:
            """The check ends while its acknowledgement can't be sent, because its log line can't be written before."""
            self.run_sql(by_vendor(postgresql="BEGIN", sqlite="BEGIN IMMEDIATE"))
            self.run_sql("UPDATE campaigns_jobrun SET summary = summary")
            with redis.Redis.from_url(self.broker.url) as client:
                self.wait_until("a check runs", lambda: client.hlen("unacked") == 1)
            self.broker.freeze()
            self.run_sql("ROLLBACK")

    def test_a_beat_that_dies_and_is_started_again(self) -> None:
        tasks = PeriodicTask.objects.order_by("pk").values_list("pk", "name", "task", "enabled", "interval", "crontab")
        before = list(tasks)
        for _ in range(BEAT_KILLS):
            time.sleep(random.uniform(0, 2))
            self.beat.kill()
            self.beat.start()
        self.assert_checks_go_on()
        self.assertEqual(list(tasks), before)

    def assert_still_the_same_processes(self) -> None:
        self.assertEqual([self.worker.process and self.worker.process.poll(), self.beat.is_running()], [None, True])

    def assert_checks_go_on(self) -> None:
        """Checks succeed, and what the connector inserts now pauses, and resumes when it takes it back."""
        before = self.last_success()
        self.wait_until("a check has succeeded", lambda: self.last_success() not in (None, before))
        for amount, status in ((100, "paused"), (-100, "active")):
            self.insert_spend(self.campaign, amount)
            self.wait_until(f"the campaign is {status}", lambda status=status: self.status() == status)  # type: ignore[misc]
        self.spent += 1
        self.assertEqual(len(history(self.campaign)), 2 * self.spent)
        self.assertEqual(partly_written(self.run_sql), {})
        self.assert_verified()

    def status(self) -> str:
        return str(Campaign.objects.get(pk=self.campaign.pk).status)

    def last_success(self) -> object:
        return JobRun.objects.filter(name="check_budgets").values_list("succeeded_at", flat=True).first()
