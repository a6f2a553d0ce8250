"""Broker, worker and beat as real processes: deliveries leave soon, delay no check, and survive kills."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from campaigns.models import Campaign, Delivery, Endpoint
from campaigns.models.outgoing.webhooks import Event
from campaigns.services.jobs.processes import processes
from campaigns.services.jobs.schedule import DELIVER, QUICK
from campaigns.services.webhooks.deliveries import LEASE
from campaigns.services.webhooks.outbox import write
from campaigns.services.webhooks.sender import Sender
from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.support.outside import OutsideTestCase
from campaigns.tests.support.processes import BASE_DIR, GOOD_KEY, environment
from campaigns.tests.support.services_running import database_url, running_services
from campaigns.tests.webhooks.receiving import (
    CERTIFICATE,
    OWN_NETWORKS,
    Handler,
    hang,
    make_delivery,
    make_endpoint,
    receiver,
    status,
)

OURS = {"WEBHOOK_PRIVATE_NETWORKS": "127.0.0.0/8,::1", "SSL_CERT_FILE": str(CERTIFICATE)}
# As staff of the seed start it, with as many processes as there are cores.
WORKER = ("worker",)
State = Delivery.State


def procfile(name: str) -> list[str]:
    """Return the arguments of celery in this line of the Procfile."""
    lines = dict(line.split(": ", 1) for line in (BASE_DIR / "Procfile").read_text().splitlines())
    words = shlex.split(lines[name].replace("${WORKER_CONCURRENCY:-2}", "2"))
    return words[words.index("budget_manager") + 1 :]


def run_every_second(task: str) -> None:
    """Choose a faster schedule, so that a delay shows."""
    second, _ = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.filter(task=task).update(interval=second)


class Workers(OutsideTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.services = self.enterContext(running_services())
        self.wait_for = self.services.wait_for

    def test_a_delivery_leaves_within_fifteen_seconds_of_the_change(self) -> None:
        with receiver(tls=True) as server:
            make_endpoint(server.url, alert_fired=True)
            with self.services.celery(*WORKER, **OURS), self.services.beat():
                self.wait_for("beat and worker are up", lambda: self.running() == {"beat": 1, "worker": 1})
                with transaction.atomic():
                    write(Event.ALERT_FIRED, {"alert": 1}, now=timezone.now())
                begun = time.monotonic()
                self.wait_for("it is delivered", Delivery.objects.filter(state=State.DELIVERED).exists, 15)
        self.assertLess(server.begun[0] - begun, 10)
        self.assertEqual(len(server.received), 1)
        self.assertNotIn("campaigns.tasks.deliver[", self.services.log("worker"))

    def test_receivers_that_hang_move_no_check_of_the_seeds_worker(self) -> None:
        """Nor of one with a single process, which is worse."""
        for concurrency in ((), ("--concurrency", "1")):
            with self.subTest(concurrency), receiver(hang) as dead, receiver() as alive:
                self.assert_checked_meanwhile(dead.url, alive.url, concurrency, lambda: len(dead.received))
                self.assertGreater(len(dead.received), 10)
                self.assertEqual(len(alive.received), 20)

    def assert_checked_meanwhile(
        self, dead: str, alive: str, concurrency: tuple[str, ...], hanging: Callable[[], int]
    ) -> None:
        Delivery.objects.all().delete()
        run_every_second(QUICK.task)
        run_every_second(DELIVER.task)
        good = make_endpoint(alive, status_changed=False, alert_fired=True)
        for _ in range(20):
            make_delivery(make_endpoint(dead, status_changed=False, alert_fired=True), now=timezone.now())
            make_delivery(good, now=timezone.now())
        with self.services.celery(*WORKER, *concurrency, **OURS), self.services.beat():
            self.wait_for("receivers hang", lambda: hanging() > 10)
            for _ in range(4):
                self.wait_until_paused(self.campaign_at_its_budget(), 4)
            delivered = Delivery.objects.filter(endpoint=good, state=State.DELIVERED)
            self.wait_for("the others arrive", lambda: delivered.count() == 20)

    def campaign_at_its_budget(self) -> Campaign:
        campaign = make_campaign(make_brand(daily_budget=100))
        self.insert_spend(campaign, "100")
        return campaign

    def is_paused(self, campaign: Campaign) -> bool:
        return bool(self.value("SELECT status FROM campaigns_campaign WHERE id = %s", campaign.pk) == "paused")

    def wait_until_paused(self, campaign: Campaign, seconds: float = 60) -> None:
        self.wait_for("it pauses", lambda: self.is_paused(campaign), seconds)

    def test_the_procfile_has_a_worker_for_deliveries_alone(self) -> None:
        """Which does no check, and isn't taken for a worker that does."""
        run_every_second(QUICK.task)
        campaign = self.campaign_at_its_budget()
        with receiver() as server, self.services.beat():
            make_delivery(make_endpoint(server.url), now=timezone.now())
            with self.services.celery(*procfile("deliveries"), **OURS):
                self.wait_for("it arrives", lambda: bool(server.received))
                time.sleep(3)
                self.assertFalse(self.is_paused(campaign))
                self.assertEqual(self.running(), {"beat": 1, "worker": 0})
            with self.services.celery(*procfile("worker"), **OURS):
                make_delivery(Endpoint.objects.get(), now=timezone.now())
                self.wait_until_paused(campaign)
                time.sleep(6)
                self.assertEqual((len(server.received), self.running()), (1, {"beat": 1, "worker": 1}))

    def test_an_endpoint_gets_two_hundred_deliveries_one_after_the_other(self) -> None:
        """How fast, torture_deliveries measures."""
        with receiver(tls=True) as server:
            endpoint = make_endpoint(server.url)
            for _ in range(200):
                make_delivery(endpoint, now=timezone.now())
            with self.services.celery(*WORKER, **OURS), self.services.beat():
                all_delivered = Delivery.objects.exclude(state=State.DELIVERED)
                self.wait_for("all are delivered", lambda: not all_delivered.exists())
        self.assertEqual((len(server.received), server.most_open), (200, 1))

    def running(self) -> dict[str, int]:
        now = timezone.now()
        return {process.kind: process.running for process in processes(now=now, installed_at=now)}


@override_settings(WEBHOOK_PRIVATE_NETWORKS=OWN_NETWORKS)
class Kills(OutsideTestCase):
    """kill -9 between commit and send, and between send and note: sent at least once, with the same id."""

    def start(self, code: str) -> subprocess.Popen[bytes]:
        values = {"DATABASE_URL": database_url(), "SECRET_KEY": GOOD_KEY, "LOG_LEVEL": "ERROR"} | OURS
        process = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", code],
            cwd=BASE_DIR,
            env=environment(**values),
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def send(self, after: timedelta = timedelta(0)) -> None:
        def clock() -> datetime:
            return timezone.now() + after

        Sender(clock, linger=timedelta(0)).run()

    def test_between_commit_and_send(self) -> None:
        with receiver() as server:
            make_endpoint(server.url, alert_fired=True)
            process = self.start(
                "import os, signal\n"
                "from django.db import transaction\n"
                "from django.utils import timezone\n"
                "from campaigns.services.webhooks.outbox import write\n"
                "with transaction.atomic():\n"
                "    write('alert.fired', {'alert': 1}, now=timezone.now())\n"
                "os.kill(os.getpid(), signal.SIGKILL)"
            )
            self.assertEqual(process.wait(60), -signal.SIGKILL)
            self.assertEqual(server.received, [])
            self.send()
        (request,) = server.received
        self.assertEqual(request.data["data"], {"alert": 1})

    def test_between_send_and_note(self) -> None:
        """The receiver kills the sender when it has the message, and answers the next one."""
        killed: list[subprocess.Popen[bytes]] = []

        def kill_once(handler: Handler) -> None:
            if len(handler.server.received) == 1:
                os.kill(killed[0].pid, signal.SIGKILL)
                handler.server.over.wait(1)
            status(200)(handler)

        with receiver(kill_once) as server:
            delivery = make_delivery(make_endpoint(server.url), now=timezone.now())
            killed.append(
                self.start(
                    "from django.utils import timezone\n"
                    "from campaigns.services.webhooks.sender import Sender\n"
                    "Sender(timezone.now).run()"
                )
            )
            self.assertEqual(killed[0].wait(60), -signal.SIGKILL)
            delivery.refresh_from_db()
            self.assertEqual((delivery.state, delivery.attempts), (State.SENDING, 1))
            self.send()
            self.assertEqual(len(server.received), 1)
            self.send(LEASE)
        first, second = server.received
        self.assertEqual(first.headers["webhook-id"], second.headers["webhook-id"])
        self.assertEqual(first.body, second.body)
        delivery.refresh_from_db()
        self.assertEqual((delivery.state, delivery.attempts), (State.DELIVERED, 2))
