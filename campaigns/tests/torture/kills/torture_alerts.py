"""kill -9 while alerts are sent: each e-mail is sent at least once, every time with the same Message-ID."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from decimal import Decimal

from django.contrib.auth.models import User
from django.utils import timezone

from campaigns.models import Alert, AlertEmail
from campaigns.services.alerts.sending import LEASE
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.tests.people.mail_server import MailServer
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend
from campaigns.tests.support.processes import BASE_DIR, GOOD_KEY, environment
from campaigns.tests.support.services_running import database_url
from campaigns.tests.torture.extent import extent

# So that each alert is an e-mail of its own.
ALERTS = 5
SECONDS = 120


class HoldingMailServer(MailServer):
    """Holds the session that reaches a step, until it is let go."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self.step = step
        self.is_held, self.let_go = threading.Event(), threading.Event()

    def reached(self, step: str) -> None:
        if step == self.step:
            self.is_held.set()
            self.let_go.wait(SECONDS)


class KilledSenders(CommittedTestCase):
    def setUp(self) -> None:
        super().setUp()
        User.objects.create_superuser("root", "root@example.com", "x")

    def fire(self, alerts: int) -> None:
        now = timezone.now()
        for _ in range(alerts):
            spend(make_campaign(make_brand(monthly_budget=Decimal(100))), "90", now)
        run_quick_check(clock=timezone.now)
        self.assertEqual(Alert.objects.count(), alerts)

    def start(self, server: MailServer, *, later: float = 0) -> subprocess.Popen[bytes]:
        """Start a process that sends alerts as the task does."""
        variables = environment(
            DATABASE_URL=database_url(),
            SECRET_KEY=GOOD_KEY,
            DEBUG="True",
            EMAIL_URL=f"smtp://127.0.0.1:{server.server_address[1]}",
            EMAIL_FROM="budget@example.com",
        )
        command = [sys.executable, "-m", "campaigns.tests.torture.kills.sender", str(later)]
        process = subprocess.Popen(command, cwd=BASE_DIR, env=variables, stdout=subprocess.PIPE)
        assert process.stdout
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), b"begins\n")
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def send_all(self, server: MailServer, *, later: float) -> None:
        self.assertEqual(self.start(server, later=later).wait(SECONDS), 0)

    def kill_at(self, step: str) -> list[str]:
        """Kill a sender that has reached a step of the first e-mail; return the ids that the server has got by then."""
        with HoldingMailServer(step) as server:
            process = self.start(server)
            self.assertTrue(server.is_held.wait(SECONDS))
            process.kill()
            process.wait()
            server.let_go.set()
            return [str(message["Message-ID"]) for message in server.messages]

    def test_killed_between_commit_and_send(self) -> None:
        self.fire(1)
        self.assertEqual(self.kill_at("greeting"), [])
        email = AlertEmail.objects.get()
        self.assertEqual((email.state, email.attempts), ("waiting", 1))
        with MailServer() as server:
            self.send_all(server, later=0)
            self.assertEqual(server.messages, [])  # the killed one might still be sending it
            self.send_all(server, later=LEASE.total_seconds())
            self.send_all(server, later=2 * LEASE.total_seconds())
        self.assertEqual([message["Message-ID"] for message in server.messages], [email.message_id])
        self.assertEqual(AlertEmail.objects.get().state, "sent")

    def test_killed_between_send_and_note(self) -> None:
        self.fire(1)
        first = self.kill_at("message")
        email = AlertEmail.objects.get()
        self.assertEqual((first, email.state), ([email.message_id], "waiting"))
        with MailServer() as server:
            self.send_all(server, later=LEASE.total_seconds())
            self.send_all(server, later=2 * LEASE.total_seconds())
        self.assertEqual([message["Message-ID"] for message in server.messages], first)

    def test_killed_anywhere(self) -> None:
        """Also between the commit of routing and that of writing, and between writing and the claim."""
        self.fire(ALERTS)
        got: defaultdict[str, set[str]] = defaultdict(set)
        with MailServer(delay=0.05) as server:
            for number in range(extent(short=12, full=100)):
                process = self.start(server, later=number * LEASE.total_seconds())
                time.sleep(random.uniform(0, 1))
                process.kill()
                process.wait()
            self.send_all(server, later=1_000 * LEASE.total_seconds())
        for message in server.messages:
            got[str(message["Subject"])].add(str(message["Message-ID"]))
        emails = dict(AlertEmail.objects.values_list("subject", "message_id"))
        self.assertEqual(len(emails), ALERTS)
        self.assertEqual(AlertEmail.objects.filter(state="sent").count(), ALERTS)
        self.assertEqual(got, {subject: {message_id} for subject, message_id in emails.items()})
