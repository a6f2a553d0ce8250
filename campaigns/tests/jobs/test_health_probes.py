"""/health/live, /health/ready and /health/jobs as a load balancer asks them, while all is well or something is not."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, override_settings
from django.utils import timezone

from budget_manager.health import SECONDS
from budget_manager.launcher.broker import private_broker
from campaigns.models import AlertEmail, Heartbeat, JobRun
from campaigns.services.jobs.full_check import CHECK_BUDGETS
from campaigns.services.jobs.schedule import JOBS
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend
from campaigns.tests.support.outside import POSTGRESQL, open_client

PATHS = ("/health/live", "/health/ready", "/health/jobs")
NO_DATABASE = f"The database doesn't answer within {SECONDS} seconds; the log has details."
NO_BROKER = f"The broker doesn't answer within {SECONDS} seconds; the log has details."
WELL = {"database": "ok", "migrations": "ok", "broker": "ok"}


@contextmanager
def nobody_listens() -> Iterator[int]:
    """Give a port that refuses."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextmanager
def somebody_is_silent() -> Iterator[int]:
    """Give a port that lets everybody in and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield silent.getsockname()[1]


@contextmanager
def database_settings(**settings: Any) -> Iterator[None]:
    """New connections use these settings; the open connection stays."""
    before = dict(connection.settings_dict)
    connection.settings_dict.update(settings)
    try:
        yield
    finally:
        connection.settings_dict.update(before)


def database_at(port: int) -> dict[str, Any]:
    """Return the settings of a database that isn't there; SQLite has no port, but a file."""
    return {"HOST": "127.0.0.1", "PORT": port} if POSTGRESQL else {"NAME": f"/no/such/directory/{port}"}


@contextmanager
def broker_at(port: int) -> Iterator[None]:
    with override_settings(REDIS_URL=f"redis://me:my-secret@127.0.0.1:{port}/0"):
        yield


class ProbeTestCase(CommittedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(override_settings(REDIS_URL=self.enterContext(private_broker())))
        self.told = self.enterContext(self.assertLogs(level="INFO"))
        logging.getLogger(__name__).info("assertLogs wants at least one line")
        now = timezone.now()
        for job in JOBS:
            JobRun.objects.create(name=job.run_name, started_at=now, succeeded_at=now)
        for kind in Heartbeat.Kind.values:
            Heartbeat.objects.create(kind=kind, name="host-of-ours", seen_at=now)

    def get(self, path: str, status: int) -> dict[str, Any]:
        began = time.monotonic()
        response = self.client.get(path)
        self.assertLess(time.monotonic() - began, 60)
        self.assertEqual(response.status_code, status, response.content)
        self.assertEqual(response["Content-Type"], "application/json")
        for secret in ("my-secret", "host-of-ours", "127.0.0.1", "/no/such"):
            self.assertNotIn(secret, response.text)
        body: dict[str, Any] = response.json()
        self.assertEqual(body["status"], "ok" if status == 200 else "failing")
        return body


class Manners(ProbeTestCase):
    def test_they_answer_get_and_head_only(self) -> None:
        for path in PATHS:
            with self.subTest(path):
                self.assertEqual(self.client.get(path).status_code, 200)
                head = self.client.head(path)
                self.assertEqual((head.status_code, head.content), (200, b""))
                for method in ("post", "put", "patch", "delete", "options"):
                    refused = getattr(self.client, method)(path)
                    self.assertEqual((refused.status_code, refused["Allow"]), (405, "GET, HEAD"))

    def test_they_are_never_cached_and_set_no_cookie(self) -> None:
        for path in PATHS:
            response = self.client.get(path)
            self.assertEqual(response["Cache-Control"], "no-store")
            self.assertEqual(response.cookies, {})

    def test_they_answer_whatever_the_host_and_without_https(self) -> None:
        with override_settings(SECURE_SSL_REDIRECT=True, ALLOWED_HOSTS=["budget.example.com"]):
            for path in PATHS:
                self.assertEqual(Client().get(path, headers={"host": "10.1.2.3:8000"}).status_code, 200)
            self.assertEqual(Client().get("/admin/", headers={"host": "10.1.2.3:8000"}).status_code, 400)

    def test_there_is_nothing_else_under_health(self) -> None:
        for path in ("/health", "/health/", "/health/live/", "/health/other"):
            self.assertEqual(self.client.get(path).status_code, 404)


class Live(ProbeTestCase):
    def test_it_asks_neither_database_nor_broker(self) -> None:
        with (
            nobody_listens() as port,
            database_settings(**database_at(port)),
            broker_at(port),
            self.assertNumQueries(0),
        ):
            self.assertEqual(self.get("/health/live", 200), {"status": "ok"})


class Ready(ProbeTestCase):
    def checks(self, status: int) -> dict[str, str]:
        checks: dict[str, str] = self.get("/health/ready", status)["checks"]
        return checks

    def test_it_finds_database_migrations_and_broker(self) -> None:
        self.assertEqual(self.checks(200), WELL)

    def test_it_misses_the_database(self) -> None:
        with nobody_listens() as port, database_settings(**database_at(port)):
            self.assertEqual(self.checks(503), {"database": NO_DATABASE, "broker": "ok"})
        self.assertIn("health: the database: ", str(self.told.output))
        self.assertEqual(self.checks(200), WELL)

    def test_it_misses_the_broker(self) -> None:
        with nobody_listens() as port, broker_at(port):
            self.assertEqual(self.checks(503), WELL | {"broker": NO_BROKER})
        self.assertIn("health: the broker: ", str(self.told.output))
        self.assertNotIn("my-secret", str(self.told.output))

    def test_it_does_not_wait_for_a_broker_that_is_silent(self) -> None:
        with somebody_is_silent() as port, broker_at(port):
            self.assertEqual(self.checks(503), WELL | {"broker": NO_BROKER})

    def test_it_counts_the_migrations_that_are_missing(self) -> None:
        last = MigrationRecorder.Migration.objects.filter(app="campaigns").order_by("-name")[:1].get()
        self.addCleanup(last.save)
        MigrationRecorder.Migration.objects.filter(pk=last.pk).delete()
        told = "1 migration is missing: run `python manage.py migrate`."
        self.assertEqual(self.checks(503), WELL | {"migrations": told})

    def test_it_does_not_mind_migrations_of_a_newer_version(self) -> None:
        newer = MigrationRecorder.Migration.objects.create(app="campaigns", name="9999_newer")
        self.addCleanup(newer.delete)
        self.assertEqual(self.checks(200), WELL)


class Jobs(ProbeTestCase):
    def test_it_tells_of_each_job_of_pending_spend_and_of_the_processes(self) -> None:
        make_brand(name="A customer of ours")
        spend(make_campaign(), 1)
        body = self.get("/health/jobs", 200)
        self.assertEqual((body["problems"], body["warnings"]), ([], []))
        self.assertEqual(
            list(body["jobs"]), ["check_budgets", "reset_daily_spend", "reset_monthly_spend", "quick_check"]
        )
        check = body["jobs"]["check_budgets"]
        succeeded_at = JobRun.objects.get(name=CHECK_BUDGETS).succeeded_at
        assert succeeded_at
        self.assertEqual(check["status"], "ok")
        self.assertEqual(check["last_success"], f"{succeeded_at:%Y-%m-%dT%H:%M:%S+00:00}")
        self.assertTrue(0 <= check["age_seconds"] < 60)
        self.assertTrue(300 <= check["limit_seconds"] <= 600)
        self.assertEqual(body["pending"]["status"], "ok")
        self.assertTrue(0 <= body["pending"]["age_seconds"] < 60)
        for kind in ("beat", "worker"):
            self.assertEqual((body[kind]["status"], body[kind]["running"]), ("ok", 1))
        self.assertNotIn("customer", json.dumps(body))

    def test_it_fails_when_the_check_is_late(self) -> None:
        JobRun.objects.filter(name=CHECK_BUDGETS).update(succeeded_at=timezone.now() - timedelta(minutes=11))
        body = self.get("/health/jobs", 503)
        self.assertEqual(len(body["problems"]), 1)
        self.assertIn("check_budgets last succeeded 11 minutes ago", body["problems"][0])
        self.assertEqual(body["jobs"]["check_budgets"]["status"], body["problems"][0])

    def test_it_fails_when_nothing_sends_what_is_due(self) -> None:
        person = User.objects.create_user("anna", email="anna@example.com")
        due = timezone.now() - timedelta(minutes=11)
        AlertEmail.objects.create(person=person, message_id="<1@example.com>", written_at=due, next_attempt_at=due)
        body = self.get("/health/jobs", 503)
        (problem,) = body["problems"]
        self.assertIn("E-mails about alerts have waited since", problem)
        self.assertEqual((body["alert_emails"]["status"], body["deliveries"]["status"]), (problem, "ok"))

    def test_a_warning_is_no_failure(self) -> None:
        JobRun.objects.filter(name="reset_daily_spend").update(succeeded_at=timezone.now() - timedelta(days=2))
        body = self.get("/health/jobs", 200)
        self.assertEqual(body["warnings"], ["reset_daily_spend missed its turn: the next check does its work."])

    def test_it_fails_without_a_database(self) -> None:
        with nobody_listens() as port, database_settings(**database_at(port)):
            body = self.get("/health/jobs", 503)
        self.assertEqual(body["problems"], ["The database can't be asked: /health/ready says more."])
        self.assertIn("health: the database: ", str(self.told.output))


if POSTGRESQL:

    class Impatience(ProbeTestCase):
        """What would wait for ever is told after some seconds."""

        def test_a_database_that_is_silent_is_missed(self) -> None:
            with somebody_is_silent() as port, database_settings(**database_at(port)):
                checks = self.get("/health/ready", 503)["checks"]
            self.assertEqual(checks, {"database": NO_DATABASE, "broker": "ok"})

        def test_a_table_that_is_locked_is_not_waited_for(self) -> None:
            with open_client() as outside:
                outside.execute("BEGIN")
                outside.execute("LOCK TABLE campaigns_jobrun")
                self.get("/health/jobs", 503)
                outside.execute("ROLLBACK")
            self.assertIn("canceling statement due to statement timeout", str(self.told.output))
            self.get("/health/jobs", 200)

        def test_a_database_that_takes_no_changes_is_not_ready(self) -> None:
            options = connection.settings_dict["OPTIONS"] | {"options": "-c default_transaction_read_only=on"}
            with database_settings(OPTIONS=options):
                checks = self.get("/health/ready", 503)["checks"]
            told = "The database is read-only: DATABASE_URL names a standby or a read-only server."
            self.assertEqual(checks, WELL | {"database": told})

        def test_they_leave_no_connection_behind(self) -> None:
            for path in PATHS:
                self.get(path, 200)
            deadline = time.monotonic() + 60  # a server's process ends a little after its client
            while self.connections() > 1 and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertEqual(self.connections(), 1)

        def connections(self) -> int:
            with connection.cursor() as cursor:
                cursor.execute("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()")
                ((count,),) = cursor.fetchall()
            return int(count)
