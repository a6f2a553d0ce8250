"""LOG_FORMAT=json: web, worker, beat and commands write one line of JSON a record, without secrets."""

from __future__ import annotations

import http.client
import json
import logging
import sys
from typing import Any

from django.conf import settings
from django.test import SimpleTestCase, override_settings

from budget_manager.observe import json_log
from budget_manager.observe.json_log import JsonFormatter, masked
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.processes import manage
from campaigns.tests.support.services_running import RunningServices, check_every_second, running_services

TOKEN = "a-token-of-more-than-sixteen-characters"


# Celery prints this to standard output, which our tests write into the same file; it is no record of a log.
SHUTDOWN = "\nworker: Warm shutdown (MainProcess)\n"


def formatted(message: str, *args: object, **fields: Any) -> dict[str, Any]:
    record = logging.LogRecord("campaigns.tasks", logging.WARNING, __file__, 1, message, args, fields.get("exc_info"))
    text = JsonFormatter().format(record)
    assert "\n" not in text
    line: dict[str, Any] = json.loads(text)
    return line


class Lines(SimpleTestCase):
    def setUp(self) -> None:
        json_log._secrets.cache_clear()
        self.addCleanup(json_log._secrets.cache_clear)

    def test_a_record_has_time_in_utc_level_logger_and_message(self) -> None:
        line = formatted("two\nlines of %s", "“Müller”")
        self.assertEqual((line["level"], line["logger"]), ("WARNING", "campaigns.tasks"))
        self.assertEqual(line["message"], "two\nlines of “Müller”")
        self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertNotIn("exception", line)

    def test_an_exception_is_part_of_its_line(self) -> None:
        try:
            raise ValueError("postgres://me:my-secret@db/budgets")
        except ValueError:
            line = formatted("failed", exc_info=sys.exc_info())
        self.assertIn("Traceback", line["exception"])
        self.assertIn("ValueError: postgres://…@db/budgets", line["exception"])

    def test_bytes_that_are_no_text_are_logged(self) -> None:
        self.assertEqual(formatted("\udcff")["message"], "\udcff")

    @override_settings(METRICS_TOKEN=TOKEN, SECRET_KEY_FALLBACKS=["an-old-key-of-long-ago"])
    def test_secrets_are_masked(self) -> None:
        key = settings.SECRET_KEY
        self.assertEqual(masked(f"{TOKEN} {key} an-old-key-of-long-ago"), "… … …")
        for given, shown in (
            ("redis://me:pass@host:6379/0", "redis://…@host:6379/0"),
            ("redis://:p:a@host/0", "redis://…@host/0"),
            ("host=db password=hidden dbname=x", "host=db password=… dbname=x"),
            ("https://budget.example.com/a@b", "https://budget.example.com/a@b"),
            ("mail to ops@example.com", "mail to ops@example.com"),
        ):
            self.assertEqual(masked(given), shown)


def lines(text: str) -> list[dict[str, Any]]:
    """Every line must be an object of JSON with these keys."""
    found = []
    for line in text.replace(SHUTDOWN, "").splitlines():
        assert line.startswith("{"), f"{line!r} isn't JSON:\n{text}"
        found.append(json.loads(line))
        assert {"time", "level", "logger", "message"} <= found[-1].keys(), line
    return found


class Processes(CommittedTestCase):
    def test_web_worker_and_beat_write_nothing_else(self) -> None:
        check_every_second()
        with running_services() as services:
            with (
                _quiet(services, "worker", "--concurrency", "1"),
                _quiet(services, "beat", "--pidfile="),
                services.web(LOG_FORMAT="json") as address,
            ):
                connection = http.client.HTTPConnection(address, timeout=20)
                for path in ("/health/live", "/admin/login/?q=a-customer", "/admin/password/set/MQ/the-token/"):
                    connection.request("GET", path)
                    connection.getresponse().read()
                services.wait_for("a check succeeds", lambda: "check_budgets: " in services.log("worker"))
            worker, beat, web = (lines(services.log(name)) for name in ("worker", "beat", "web"))
        self.assert_line(worker, logger="campaigns.tasks", level="INFO", task="campaigns.tasks.check_budgets")
        self.assert_line(worker, logger="celery.app.trace")
        self.assert_line(worker, logger="celery.worker.strategy")
        self.assert_line(beat, logger="celery.beat")
        self.assert_line(web, logger="gunicorn.error", level="INFO")
        self.assert_line(web, logger="gunicorn.access", method="GET", path="/admin/login/", status=200)
        self.assert_line(web, logger="gunicorn.access", path="/admin/password/set/…/", status=404)
        for word in ("a-customer", "the-token"):
            self.assertNotIn(word, json.dumps(web))

    def assert_line(self, found: list[dict[str, Any]], **fields: object) -> None:
        self.assertTrue(any(fields.items() <= line.items() for line in found), (fields, found))


def _quiet(services: RunningServices, name: str, *arguments: str) -> Any:
    """Run a process as the Procfile does, without a banner."""
    return services.process(name, "celery", "--quiet", "-A", "budget_manager", name, *arguments, LOG_FORMAT="json")


class Commands(SimpleTestCase):
    def test_a_command_logs_json_on_standard_error(self) -> None:
        code = "import logging, warnings; logging.getLogger('x').warning('a\\nb'); warnings.warn('careful')"
        result = manage("shell", "--verbosity", "0", "--command", code, DEBUG="True", LOG_FORMAT="json")
        first, second = lines(result.stderr)
        self.assertEqual((first["logger"], first["message"]), ("x", "a\nb"))
        self.assertEqual(second["logger"], "py.warnings")

    def test_an_error_that_ends_a_command_is_one_line(self) -> None:
        result = manage("shell", "--command", "raise ValueError('redis://me:pass@x')", DEBUG="True", LOG_FORMAT="json")
        self.assertEqual(result.returncode, 1)
        (line,) = lines(result.stderr)
        self.assertEqual((line["level"], line["message"]), ("CRITICAL", "The process ends by an error: ValueError"))
        self.assertIn("ValueError: redis://…@x", line["exception"])

    def test_another_format_is_refused(self) -> None:
        result = manage("check", DEBUG="True", LOG_FORMAT="xml")
        self.assertEqual(result.stderr, "LOG_FORMAT=xml isn't a log format: use text or json.\n")
