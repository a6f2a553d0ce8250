"""Broker, worker and beat as real processes: what the connector inserts reaches the campaigns, and nobody helps."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from budget_manager.celery import app
from campaigns.models import Campaign, CheckShard, JobRun
from campaigns.rules.reasons import PauseReason
from campaigns.services.jobs import full_check as jobs
from campaigns.services.jobs.processes import processes
from campaigns.services.jobs.schedule import QUICK
from campaigns.tasks import check_budgets, reset_daily_spend, reset_monthly_spend
from campaigns.tests.support.checking import ACTIVE, history
from campaigns.tests.support.factories import make_brand, make_campaign, zone_at_noon
from campaigns.tests.support.outside import OutsideTestCase
from campaigns.tests.support.services_running import SECONDS_TO_WAIT, check_every_second, running_services


class MakesAFile:
    """What unpickles to a call: the code that a message might bring."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
        return Path.touch, (self.path,)


class EndToEnd(OutsideTestCase):
    """The processes of the Procfile, on the test database and a broker of their own."""

    def setUp(self) -> None:
        super().setUp()
        self.services = self.enterContext(running_services())
        self.wait_for = self.services.wait_for

    def wait_for_status(self, campaign: Campaign, status: str) -> None:
        """Wait until the connector reads that status."""
        sql = "SELECT status FROM campaigns_campaign WHERE id = %s"
        self.wait_for(f"the campaign is {status}", lambda: bool(self.value(sql, campaign.pk) == status))

    def test_it_pauses_and_resumes_what_the_connector_spends_and_refunds(self) -> None:
        check_every_second()
        campaign = make_campaign(make_brand(daily_budget=100, timezone=zone_at_noon()))
        neighbour = make_campaign(make_brand(daily_budget=100, timezone=zone_at_noon()))

        with self.services.worker(), self.services.beat():
            self.insert_spend(neighbour, "99.999999")
            self.insert_spend(campaign, "60")
            self.insert_spend(campaign, "40")
            self.wait_for_status(campaign, "paused")
            self.insert_spend(campaign, "-0.000001")
            self.wait_for_status(campaign, "active")

        reached = PauseReason.BRAND_DAILY_BUDGET
        self.assertEqual(history(campaign), [(ACTIVE, reached), (reached, ACTIVE)])
        actors = campaign.status_changes.values_list("actor", flat=True)
        resets = {jobs.RESET_DAILY_SPEND, jobs.RESET_MONTHLY_SPEND}  # beat sends them at midnight
        self.assertLessEqual(set(actors), {jobs.CHECK_BUDGETS, QUICK.run_name} | resets)
        self.assertEqual(history(neighbour), [])
        succeeded_at = JobRun.objects.get(name=jobs.CHECK_BUDGETS).succeeded_at
        assert succeeded_at
        self.assertLess(timezone.now() - succeeded_at, timedelta(seconds=SECONDS_TO_WAIT))

    def test_it_ends_a_check_in_shards_with_success(self) -> None:
        campaigns = [make_campaign(make_brand(daily_budget=100, timezone=zone_at_noon())) for _ in range(5)]
        for campaign in campaigns:
            self.insert_spend(campaign, "100")
        with app.connection_for_write(self.services.redis_url) as broker:
            app.send_task(check_budgets.name, connection=broker)

        with self.services.worker(CHECK_SHARDS="2"):
            succeeded = JobRun.objects.filter(name=jobs.CHECK_BUDGETS, succeeded_at__isnull=False)
            self.wait_for("the check has succeeded", succeeded.exists)
        self.assertIn("5 paused, 0 resumed, 5 changed", succeeded.get().summary)
        self.assertEqual(list(CheckShard.objects.filter(finished_at__isnull=False).values_list("of")), [(2,), (2,)])
        for campaign in campaigns:
            self.assertEqual(history(campaign), [(ACTIVE, PauseReason.BRAND_DAILY_BUDGET)])

    def test_it_pauses_within_a_quick_check(self) -> None:
        """As beat fires it, without a check."""
        PeriodicTask.objects.exclude(task=QUICK.task).update(enabled=False)  # beat would add what is missing
        campaign = make_campaign(make_brand(daily_budget=100, timezone=zone_at_noon()))
        with self.services.worker(), self.services.beat():
            self.insert_spend(campaign, "100")
            self.wait_for_status(campaign, "paused")
            self.wait_for("the worker says so", lambda: f'paused  "{campaign.name}"' in self.services.log("worker"))
        self.assertEqual([line.actor for line in campaign.status_changes.all()], ["quick_check"])
        self.assertIn("brand's daily budget reached: 100.00 of 100.00 USD", self.services.log("worker"))
        self.assertIn(" ready.", self.services.log("worker"))
        # Of every ten seconds nothing else is said.
        self.assertNotIn("quick_check[", self.services.log("worker"))
        self.assertNotIn("Sending due task quick", self.services.log("beat"))

    def test_health_sees_beat_and_worker_and_misses_them_two_minutes_later(self) -> None:
        since = timezone.now()
        with self.services.worker(), self.services.beat():
            self.wait_for("both are seen", lambda: self.running(timezone.now()) == {"beat": 1, "worker": 1})
        self.assertEqual(self.running(timezone.now() + timedelta(minutes=2)), {"beat": 0, "worker": 0})
        for process in processes(now=timezone.now(), installed_at=since):
            assert process.seen_at
            self.assertTrue(since <= process.seen_at <= timezone.now())

    def running(self, now: datetime) -> dict[str, int]:
        return {process.kind: process.running for process in processes(now=now, installed_at=now)}

    def test_it_drops_what_waited_for_longer_than_its_expiry(self) -> None:
        with app.connection_for_write(self.services.redis_url) as broker:
            app.send_task(reset_daily_spend.name, connection=broker, expires=0.01)
            app.send_task(reset_monthly_spend.name, connection=broker, expires=3600)
        time.sleep(0.1)

        with self.services.worker():
            monthly = JobRun.objects.filter(name=jobs.RESET_MONTHLY_SPEND, succeeded_at__isnull=False)
            self.wait_for("the job behind it has run", monthly.exists)
        self.assertFalse(JobRun.objects.filter(name=jobs.RESET_DAILY_SPEND).exists())

    def test_it_runs_no_code_that_a_message_brings(self) -> None:
        trap = MakesAFile(self.services.logs / "trap")
        with app.connection_for_write(self.services.redis_url) as broker:
            app.send_task(reset_daily_spend.name, args=[trap], connection=broker, serializer="pickle")
            app.send_task(reset_monthly_spend.name, connection=broker)

        with self.services.worker():
            monthly = JobRun.objects.filter(name=jobs.RESET_MONTHLY_SPEND, succeeded_at__isnull=False)
            self.wait_for("the job behind it has run", monthly.exists)
        self.assertFalse(trap.path.exists())
        self.assertFalse(JobRun.objects.filter(name=jobs.RESET_DAILY_SPEND).exists())
