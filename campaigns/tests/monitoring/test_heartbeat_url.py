"""HEARTBEAT_URL is called after each full check that succeeded, and can neither delay nor fail one."""

from __future__ import annotations

import logging
import time

from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection
from django.test import SimpleTestCase, override_settings

from budget_manager import monitoring
from budget_manager.observe import heartbeat_url
from budget_manager.observe.calls import CallFailed, call
from campaigns import tasks
from campaigns.database.clock import database_now
from campaigns.models import Brand, JobRun
from campaigns.services.jobs.shards import begin_check
from campaigns.tests.jobs.test_health_probes import database_at, database_settings, nobody_listens, somebody_is_silent
from campaigns.tests.monitoring.receiver import Receiver, wait_until
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand


class Heartbeat(CommittedTestCase):
    def setUp(self) -> None:
        super().setUp()
        heartbeat_url._LastResult.text = None

    def test_each_full_check_calls_it(self) -> None:
        with Receiver() as receiver, override_settings(HEARTBEAT_URL=f"{receiver.url}/ping/a-secret"):
            with self.assertLogs("budget_manager", "INFO") as told:
                for number, task in enumerate(
                    (tasks.check_budgets, tasks.reset_daily_spend, tasks.reset_monthly_spend), start=1
                ):
                    task()
                    wait_until("the call arrives", lambda number=number: len(receiver.received) == number)
                wait_until("the result is logged", lambda: told.output)
            tasks.quick_check()
            time.sleep(0.2)
        self.assertEqual({(each.method, each.path) for each in receiver.received}, {("GET", "/ping/a-secret")})
        self.assertEqual(len(receiver.received), 3)
        said = "INFO:budget_manager.observe.heartbeat_url:HEARTBEAT_URL: calling 127.0.0.1 succeeds"
        self.assertEqual(told.output, [said])  # once, and without the path

    def test_a_check_that_leaves_something_unfinished_calls_nothing(self) -> None:
        """Until the brand's time zone is corrected: its campaigns don't resume, so the check wasn't a success."""
        brand = make_brand()
        Brand.objects.filter(pk=brand.pk).update(timezone="Mars/Olympus")
        with Receiver() as receiver, override_settings(HEARTBEAT_URL=receiver.url):
            with self.assertLogs("campaigns.tasks", "ERROR") as told:
                tasks.check_budgets()
            Brand.objects.filter(pk=brand.pk).update(timezone="UTC")
            tasks.reset_daily_spend()
            wait_until("the call of the second check arrives", lambda: receiver.received)
            time.sleep(0.2)
            self.assertEqual(len(receiver.received), 1)
        self.assertIn("Unknown time zone 'Mars/Olympus'", told.output[0])

    def test_it_is_called_by_the_last_of_several_shards(self) -> None:
        with (
            Receiver() as receiver,
            override_settings(HEARTBEAT_URL=receiver.url, CHECK_SHARDS=2, CELERY_TASK_ALWAYS_EAGER=True),
        ):
            check = begin_check("check_budgets", of=2, clock=database_now)
            tasks.check_shard(str(check), 0)
            time.sleep(0.2)
            self.assertEqual(receiver.received, [])
            tasks.check_shard(str(check), 1)
            wait_until("the call arrives", lambda: len(receiver.received) == 1)

    def test_a_receiver_that_hangs_or_fails_changes_nothing(self) -> None:
        with Receiver(delay=3) as slow, somebody_is_silent() as silent, nobody_listens() as nobody:
            for url in (slow.url, f"http://127.0.0.1:{silent}", f"http://127.0.0.1:{nobody}"):
                with override_settings(HEARTBEAT_URL=url):
                    began = time.monotonic()
                    tasks.check_budgets()
                    self.assertLess(time.monotonic() - began, 2)
        self.assertTrue(JobRun.objects.get(name="check_budgets").succeeded_at)

    def test_a_failure_is_logged_when_it_begins_and_when_it_ends(self) -> None:
        with Receiver(status=500) as receiver, self.assertLogs("budget_manager", "INFO") as told:
            for status in (500, 500, 404, 200, 200):
                receiver.status = status
                heartbeat_url._send(receiver.url)
        levels = [(record.levelno, record.getMessage().partition("127.0.0.1 ")[2]) for record in told.records]
        warning = logging.WARNING
        self.assertEqual(
            levels, [(warning, "fails: HTTP 500"), (warning, "fails: HTTP 404"), (logging.INFO, "succeeds")]
        )

    def test_a_check_that_fails_calls_nothing(self) -> None:
        with Receiver() as receiver, override_settings(HEARTBEAT_URL=receiver.url):
            with nobody_listens() as port, database_settings(**database_at(port)):
                connection.close()
                with self.assertRaises(OperationalError):
                    tasks.check_budgets()
            time.sleep(0.2)
            self.assertEqual(receiver.received, [])


class Calls(SimpleTestCase):
    def test_it_takes_the_given_time_at_most(self) -> None:
        with Receiver(delay=5) as slow, somebody_is_silent() as silent:
            for url in (slow.url, f"http://127.0.0.1:{silent}"):
                began = time.monotonic()
                with self.assertRaisesMessage(CallFailed, "no answer"):
                    call(url, seconds=0.5)
                self.assertLess(time.monotonic() - began, 2)

    def test_a_redirect_is_a_failure(self) -> None:
        receiver = self.enterContext(Receiver(status=302, location="http://127.0.0.1:9/"))
        with self.assertRaisesMessage(CallFailed, "HTTP 302"):
            call(f"{receiver.url}/a", seconds=5, body=b"{}")
        self.assertEqual(len(receiver.received), 1)

    def test_addresses_start_with_http(self) -> None:
        for good in ("", "https://hc-ping.com/uuid", "http://127.0.0.1:8000/"):
            self.assertEqual(monitoring.web_address("HEARTBEAT_URL", good), good)
        for bad in (
            "file:///etc/passwd",
            "ftp://a-secret",
            "a-secret",
            "https://",
            "http://a:b/",
            "https://a-secret\n/",
        ):
            with self.assertRaisesMessage(ImproperlyConfigured, "HEARTBEAT_URL isn't an address") as refusal:
                monitoring.web_address("HEARTBEAT_URL", bad)
            self.assertNotIn("a-secret", str(refusal.exception))
