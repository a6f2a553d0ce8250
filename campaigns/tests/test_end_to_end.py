"""Broker, worker and beat as real processes: what the connector inserts reaches the campaigns, and nobody helps."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from django.db import connection
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from budget_manager.broker import private_broker
from budget_manager.celery import app
from campaigns.models import Campaign, JobRun
from campaigns.reasons import PauseReason
from campaigns.services import jobs
from campaigns.services.heartbeats import processes
from campaigns.services.schedule import CHECK
from campaigns.tasks import reset_daily_spend, reset_monthly_spend
from campaigns.tests.checking import ACTIVE, history
from campaigns.tests.factories import make_brand, make_campaign
from campaigns.tests.outside import SQLITE, OutsideTestCase
from campaigns.tests.processes import BASE_DIR, GOOD_KEY, environment

SECONDS_TO_WAIT = 60
WORKER = ("worker", "--concurrency", "1")
BEAT = ("beat", "--scheduler", "django_celery_beat.schedulers:DatabaseScheduler", "--pidfile=")


def database_url() -> str:
    """Return the test database's address as other processes are told of it."""
    settings = {name: quote(str(value or ""), safe="") for name, value in connection.settings_dict.items()}
    if SQLITE:
        return f"sqlite:///{settings['NAME']}"
    address = f"{settings['HOST']}:{settings['PORT']}".rstrip(":")
    return f"postgres://{settings['USER']}:{settings['PASSWORD']}@{address}/{settings['NAME']}"


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
        self.logs = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.redis_url = self.enterContext(private_broker())

    @contextmanager
    def celery(self, *arguments: str) -> Iterator[None]:
        """Run a celery process: it ends, in its own time but for certain, with the context."""
        variables = environment(
            DATABASE_URL=database_url(), REDIS_URL=self.redis_url, SECRET_KEY=GOOD_KEY, LOG_LEVEL="INFO"
        )
        command = [sys.executable, "-m", "celery", "-A", "budget_manager", *arguments]
        with Path(self.logs, arguments[0]).open("wb") as log:
            process = subprocess.Popen(
                command, cwd=BASE_DIR, env=variables, stdout=log, stderr=log, start_new_session=True
            )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def wait_for(self, what: str, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS_TO_WAIT
        while not happened():
            if time.monotonic() > deadline:
                said = "\n".join(f"{log.name}:\n{log.read_text()}" for log in sorted(self.logs.iterdir()))
                self.fail(f"{what}: not within {SECONDS_TO_WAIT} s.\n{said}")
            time.sleep(0.1)

    def wait_for_status(self, campaign: Campaign, status: str) -> None:
        """Wait until the connector reads that status."""
        sql = "SELECT status FROM campaigns_campaign WHERE id = %s"
        self.wait_for(f"the campaign is {status}", lambda: bool(self.value(sql, campaign.pk) == status))

    def test_it_pauses_and_resumes_what_the_connector_spends_and_refunds(self) -> None:
        staffs_choice, _ = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.SECONDS)
        PeriodicTask.objects.filter(name=CHECK.name).update(crontab=None, interval=staffs_choice)
        campaign = make_campaign(make_brand(daily_budget=100))
        neighbour = make_campaign(make_brand(daily_budget=100))

        with self.celery(*WORKER), self.celery(*BEAT):
            self.insert_spend(neighbour, "99.999999")
            self.insert_spend(campaign, "60")
            self.insert_spend(campaign, "40")
            self.wait_for_status(campaign, "paused")
            self.insert_spend(campaign, "-0.000001")
            self.wait_for_status(campaign, "active")

        reached = PauseReason.BRAND_DAILY_BUDGET
        self.assertEqual(history(campaign), [(ACTIVE, reached), (reached, ACTIVE)])
        actors = campaign.status_changes.values_list("actor", flat=True)
        self.assertEqual(set(actors), {jobs.CHECK_BUDGETS})
        self.assertEqual(history(neighbour), [])
        succeeded_at = JobRun.objects.get(name=jobs.CHECK_BUDGETS).succeeded_at
        assert succeeded_at
        self.assertLess(timezone.now() - succeeded_at, timedelta(seconds=SECONDS_TO_WAIT))

    def test_health_sees_beat_and_worker_and_misses_them_two_minutes_later(self) -> None:
        since = timezone.now()
        with self.celery(*WORKER), self.celery(*BEAT):
            self.wait_for("both are seen", lambda: self.running(timezone.now()) == {"beat": 1, "worker": 1})
        self.assertEqual(self.running(timezone.now() + timedelta(minutes=2)), {"beat": 0, "worker": 0})
        for process in processes(now=timezone.now(), installed_at=since):
            assert process.seen_at
            self.assertTrue(since <= process.seen_at <= timezone.now())

    def running(self, now: datetime) -> dict[str, int]:
        return {process.kind: process.running for process in processes(now=now, installed_at=now)}

    def test_it_drops_what_waited_for_longer_than_its_expiry(self) -> None:
        with app.connection_for_write(self.redis_url) as broker:
            app.send_task(reset_daily_spend.name, connection=broker, expires=0.01)
            app.send_task(reset_monthly_spend.name, connection=broker, expires=3600)
        time.sleep(0.1)

        with self.celery(*WORKER):
            monthly = JobRun.objects.filter(name=jobs.RESET_MONTHLY_SPEND, succeeded_at__isnull=False)
            self.wait_for("the job behind it has run", monthly.exists)
        self.assertFalse(JobRun.objects.filter(name=jobs.RESET_DAILY_SPEND).exists())

    def test_it_runs_no_code_that_a_message_brings(self) -> None:
        trap = MakesAFile(self.logs / "trap")
        with app.connection_for_write(self.redis_url) as broker:
            app.send_task(reset_daily_spend.name, args=[trap], connection=broker, serializer="pickle")
            app.send_task(reset_monthly_spend.name, connection=broker)

        with self.celery(*WORKER):
            monthly = JobRun.objects.filter(name=jobs.RESET_MONTHLY_SPEND, succeeded_at__isnull=False)
            self.wait_for("the job behind it has run", monthly.exists)
        self.assertFalse(trap.path.exists())
        self.assertFalse(JobRun.objects.filter(name=jobs.RESET_DAILY_SPEND).exists())
