"""Errors of a web request and of a task reach a Sentry, without customer data; without SENTRY_DSN there is none."""

from __future__ import annotations

import http.client
import json
from itertools import pairwise
from typing import Any
from unittest.mock import patch

from django.core.exceptions import ImproperlyConfigured
from django.test import SimpleTestCase

from budget_manager import monitoring
from budget_manager.observe.release import release
from budget_manager.observe.sentry import without_customer_data
from campaigns.tests.monitoring.receiver import Receiver, wait_until
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.processes import GOOD_KEY, manage
from campaigns.tests.support.services_running import WORKER, running_services

NO_DATABASE = "postgres://me:my-secret@127.0.0.1:9/budgets"


def events(receiver: Receiver) -> list[dict[str, Any]]:
    """Return the events of the envelopes: lines of JSON, of which each event follows its header."""
    found = []
    for request in receiver.received:
        lines = [json.loads(line) for line in request.body.splitlines() if line]
        found += [event for header, event in pairwise(lines) if header.get("type") == "event"]
    return found


def error_of(event: dict[str, Any]) -> dict[str, Any]:
    error: dict[str, Any] = event["exception"]["values"][-1]
    return error


class Reports(CommittedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.receiver = self.enterContext(Receiver())
        self.dsn = self.receiver.url.replace("http://", "http://a-public-key@") + "/42"
        self.services = self.enterContext(running_services())

    def event(self, kind: str) -> dict[str, Any]:
        wait_until("an error arrives", lambda: any(self.of_kind(kind)))
        (event,) = self.of_kind(kind)
        return event

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in events(self.receiver) if "exception" in event and error_of(event)["type"] == kind]

    def test_an_error_of_a_web_request_arrives(self) -> None:
        variables = {"SENTRY_DSN": self.dsn, "SENTRY_ENVIRONMENT": "staging", "DATABASE_URL": NO_DATABASE}
        with self.services.web(**variables) as address:
            connection = http.client.HTTPConnection(address, timeout=30)
            connection.request("GET", "/admin/?q=a-customer", headers={"Cookie": "sessionid=a-session"})
            self.assertEqual(connection.getresponse().status, 500)
            event = self.event("OperationalError")
        (request, *_) = self.receiver.received
        self.assertEqual(request.path, "/api/42/envelope/")
        self.assertIn("sentry_key=a-public-key", request.headers["x-sentry-auth"])
        self.assertEqual(event["request"]["url"], f"http://{address}/admin/")
        self.assertEqual((event["environment"], event["release"]), ("staging", f"budget-manager@{release()}"))
        self.assertTrue(error_of(event)["stacktrace"]["frames"])
        for word in ("a-customer", "a-session", "my-secret", GOOD_KEY):
            self.assertNotIn(word, json.dumps(event))
        self.assertNotIn("vars", error_of(event)["stacktrace"]["frames"][-1])

    def test_an_error_of_a_task_arrives(self) -> None:
        with self.services.celery(*WORKER, SENTRY_DSN=self.dsn):
            call = ["call", "campaigns.tasks.check_shard", "--args", '["A-Customer",0]']
            with self.services.celery(*call) as process:
                process.wait(timeout=60)
            event = self.event("ValueError")
        self.assertEqual(event["transaction"], "campaigns.tasks.check_shard")
        self.assertEqual(event["environment"], "production")
        self.assertNotIn("A-Customer", json.dumps(event))

    def test_without_a_dsn_nothing_is_imported(self) -> None:
        code = "import sys; import budget_manager.celery; print('sentry_sdk' in sys.modules)"
        command = ("shell", "--verbosity", "0", "--command", code)
        self.assertEqual(manage(*command, DEBUG="True").stdout.strip(), "False")
        self.assertEqual(manage(*command, DEBUG="True", SENTRY_DSN=self.dsn).stdout.strip(), "True")
        self.assertEqual(self.receiver.received, [])


class WithoutCustomerData(SimpleTestCase):
    def test_values_of_rows_and_of_log_messages_are_left_out(self) -> None:
        event: Any = {
            "request": {"url": "http://x/", "query_string": "q=Acme", "data": {"name": "Acme"}, "cookies": "Acme"},
            "logentry": {"message": "%s: %s", "params": ["Acme"], "formatted": "Acme"},
            "exception": {
                "values": [
                    {"value": "duplicate key\nDETAIL:  Key (name)=(Acme) already exists.\nCONTEXT:  Acme"},
                    {"value": None},
                ]
            },
        }
        found: Any = without_customer_data(event, {})
        self.assertNotIn("Acme", json.dumps(found))
        self.assertEqual(found["exception"]["values"][0]["value"], "duplicate key")
        self.assertEqual(found["request"], {"url": "http://x/"})


class Settings(SimpleTestCase):
    def test_a_dsn_names_key_host_and_project(self) -> None:
        for dsn in ("", "https://key@o1.ingest.sentry.io/42"):
            with patch.dict("os.environ", SENTRY_DSN=dsn):
                self.assertEqual(monitoring.sentry_dsn(), dsn)
        for dsn in ("key", "https://o1.ingest.sentry.io/42", "https://my-key@o1.ingest.sentry.io", "ftp://my-key@a/1"):
            with patch.dict("os.environ", SENTRY_DSN=dsn), self.assertRaises(ImproperlyConfigured) as refusal:
                monitoring.sentry_dsn()
            self.assertNotIn("my-key", str(refusal.exception))

    def test_the_release_is_of_the_changelog_and_the_commit(self) -> None:
        self.assertRegex(release(), r"^(unreleased|\d[\w.-]*)(\+[0-9a-f]{7,})?$")
