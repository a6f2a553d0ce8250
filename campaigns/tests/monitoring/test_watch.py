"""`manage.py watch` as a process of its own, with database and broker dead, a real mail server and a real receiver."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from budget_manager.launcher.broker import private_broker
from campaigns.models import Heartbeat, JobRun
from campaigns.services.jobs.schedule import JOBS
from campaigns.tests.jobs.test_health_probes import nobody_listens
from campaigns.tests.monitoring.receiver import Receiver, wait_until
from campaigns.tests.people.mail_server import MailServer
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.processes import BASE_DIR, GOOD_KEY, environment, manage
from campaigns.tests.support.services_running import database_url, running_services

NO_DATABASE = "The database doesn't answer within 3 seconds; the log has details."
NO_BROKER = "The broker doesn't answer within 3 seconds; the log has details."
NO_WORKER = "No worker has been seen for two minutes"


class WatchTestCase(CommittedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.state = Path(self.enterContext(tempfile.TemporaryDirectory())) / "state.json"
        self.mails = self.enterContext(MailServer())
        self.receiver = self.enterContext(Receiver())
        now = timezone.now()
        for job in JOBS:
            JobRun.objects.create(name=job.run_name, started_at=now, succeeded_at=now)
        for kind in Heartbeat.Kind.values:
            Heartbeat.objects.create(kind=kind, name="host", seen_at=now)
        dead = self.enterContext(nobody_listens())
        self.dead = {
            "DATABASE_URL": f"postgres://me:my-secret@127.0.0.1:{dead}/x",
            "REDIS_URL": f"redis://127.0.0.1:{dead}",
        }
        self.mail = {
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mails.server_address[1]}",
            "EMAIL_FROM": "Budget manager <budget@example.com>",
            "WATCH_EMAIL": "ops@example.com,boss@example.com",
        }
        self.webhook = {"WATCH_WEBHOOK_URL": f"{self.receiver.url}/services/a-secret"}

    @contextmanager
    def alive(self) -> Iterator[dict[str, str]]:
        with private_broker() as url:
            yield {"DATABASE_URL": database_url(), "REDIS_URL": url}

    def watch(self, status: int, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        common = ("--state", str(self.state), "--confirm", "0", "--name", "here")
        result = manage("watch", *common, *arguments, SECRET_KEY=GOOD_KEY, **variables)
        self.assertEqual(result.returncode, status, (result.stdout, result.stderr))
        self.assertNotIn("my-secret", result.stdout + result.stderr)
        self.assertNotIn("a-secret", result.stdout + result.stderr)
        return result

    def posted(self) -> list[dict[str, Any]]:
        return [json.loads(each.body) for each in self.receiver.received]


class WithoutDatabaseAndBroker(WatchTestCase):
    def test_it_reports_once_and_when_it_is_well_again(self) -> None:
        result = self.watch(1, **self.dead, **self.mail, **self.webhook)
        (mail,) = self.mails.messages
        self.assertEqual(mail["Subject"], "Budget manager (here): 2 problems")
        self.assertEqual(mail["To"], "ops@example.com, boss@example.com")
        self.assertEqual(mail["Auto-Submitted"], "auto-generated")
        lines = mail.get_content().splitlines()
        self.assertEqual(lines[0], "Wrong:")
        for line, problem in zip(lines[1:3], (NO_DATABASE, NO_BROKER), strict=True):
            self.assertRegex(line, rf"^- {problem} \(since \d{{4}}-\d\d-\d\d \d\d:\d\d UTC\)$")
        (posted,) = self.posted()
        self.assertEqual((posted["status"], posted["resolved"]), ("failing", []))
        self.assertEqual([each["key"] for each in posted["problems"]], ["database", "broker"])
        self.assertIn("Sent by e-mail: Budget manager (here): 2 problems", result.stdout)

        self.assertEqual(self.watch(1, **self.dead, **self.mail, **self.webhook).stdout, "")
        self.assertEqual((len(self.mails.messages), len(self.posted())), (1, 1))

        with self.alive() as alive:
            self.watch(1, **{**alive, "REDIS_URL": self.dead["REDIS_URL"]}, **self.mail, **self.webhook)
            self.watch(0, **alive, **self.mail, **self.webhook)
            self.watch(0, **alive, **self.mail, **self.webhook)
        self.assertEqual(
            [mail["Subject"] for mail in self.mails.messages[1:]],
            ["Budget manager (here): still 1 problem", "Budget manager (here): well again"],
        )
        self.assertIn("Well again:", self.mails.messages[1].get_content())
        self.assertEqual([each["status"] for each in self.posted()], ["failing", "failing", "ok"])

    def test_it_reports_again_after_a_day(self) -> None:
        self.watch(1, **self.dead, **self.mail)
        for hours, count in ((23, 1), (25, 2)):
            stored = json.loads(self.state.read_text())
            stored["e-mail"]["at"] = (timezone.now() - timedelta(hours=hours)).isoformat(timespec="seconds")
            self.state.write_text(json.dumps(stored))
            self.watch(1, **self.dead, **self.mail)
            self.assertEqual(len(self.mails.messages), count)
        self.assertEqual(self.mails.messages[1]["Subject"], "Budget manager (here): still 2 problems")
        self.watch(1, **self.dead, **self.mail)
        self.assertEqual(len(self.mails.messages), 2)

    def test_a_channel_that_fails_is_tried_again_and_the_other_gets_no_second_message(self) -> None:
        self.receiver.status = 500
        failed = self.watch(2, **self.dead, **self.mail, **self.webhook)
        self.assertIn("The webhook couldn't be sent (HTTP 500); the next look tries again.", failed.stderr)
        self.mails.refuses = True
        self.receiver.status = 200
        self.watch(1, **self.dead, **self.mail, **self.webhook)
        self.assertEqual((len(self.mails.messages), len(self.posted())), (1, 2))

        with self.alive() as alive:
            failed = self.watch(2, **alive, **self.mail, **self.webhook)
            self.assertIn("The e-mail couldn't be sent (SMTPRecipientsRefused)", failed.stderr)
            self.mails.refuses = False
            self.watch(0, **alive, **self.mail, **self.webhook)
        self.assertEqual((len(self.mails.messages), len(self.posted())), (2, 3))

    def test_a_state_file_that_can_not_be_written_is_said(self) -> None:
        self.state = Path("/no/such/folder/state.json")
        result = self.watch(2, **self.dead, **self.mail)
        self.assertIn("/no/such/folder/state.json can't be written (No such file or directory)", result.stderr)

    def test_without_a_channel_it_prints_the_problems(self) -> None:
        result = self.watch(1, "--once", **self.dead)
        self.assertEqual(result.stdout, f"{NO_DATABASE}\n{NO_BROKER}\n")
        self.assertIn("Nobody is notified: set WATCH_EMAIL (with EMAIL_URL) or WATCH_WEBHOOK_URL.", result.stderr)

    def test_it_goes_on_looking_until_it_is_ended(self) -> None:
        command = [sys.executable, "manage.py", "watch", "--every", "1", "--confirm", "0", "--state", str(self.state)]
        values = {"SECRET_KEY": GOOD_KEY, **self.dead, **self.webhook}
        quiet, variables = subprocess.DEVNULL, environment(**values)
        with subprocess.Popen(command, cwd=BASE_DIR, env=variables, stdout=quiet, stderr=quiet) as process:
            try:
                wait_until("it reports", self.state.exists)
                self.state.unlink()  # it remembers all the same
                before = self.state.with_name("state.json.lock").stat().st_mtime_ns
                wait_until(
                    "it looks again", lambda: self.state.with_name("state.json.lock").stat().st_mtime_ns > before
                )
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(timeout=30), 128 + signal.SIGTERM)
            finally:
                process.kill()
        self.assertEqual(len(self.receiver.received), 1)


class Forms(WatchTestCase):
    def post(self, form: str) -> dict[str, Any]:
        self.watch(1, **self.dead, **self.webhook, WATCH_WEBHOOK_FORM=form)
        (request,) = self.receiver.received
        self.assertEqual((request.method, request.path), ("POST", "/services/a-secret"))
        self.assertEqual(request.headers["content-type"], "application/json")
        body: dict[str, Any] = json.loads(request.body)
        return body

    def test_slack_gets_its_text(self) -> None:
        body = self.post("slack")
        self.assertEqual(list(body), ["text"])
        self.assertTrue(body["text"].startswith("*Budget manager (here): 2 problems*\nWrong:\n- The database"))

    def test_teams_gets_an_adaptive_card(self) -> None:
        body = self.post("teams")
        self.assertEqual(body["type"], "message")
        (attachment,) = body["attachments"]
        self.assertEqual(attachment["contentType"], "application/vnd.microsoft.card.adaptive")
        card = attachment["content"]
        self.assertEqual((card["type"], card["version"]), ("AdaptiveCard", "1.4"))
        title, wrong = card["body"]
        self.assertEqual((title["type"], title["text"]), ("TextBlock", "Budget manager (here): 2 problems"))
        self.assertIn(NO_BROKER, wrong["text"])

    def test_a_test_message_goes_through_each_channel(self) -> None:
        result = self.watch(0, "--test", **self.dead, **self.mail, **self.webhook)
        self.assertEqual(result.stdout, "The e-mail was accepted.\nThe webhook was accepted.\n")
        self.assertIn("This is a test: nothing is wrong.", self.mails.messages[0].get_content())
        self.receiver.status = 404
        result = self.watch(2, "--test", **self.dead, **self.webhook)
        self.assertIn("The webhook couldn't be sent (HTTP 404).", result.stderr)

    def test_settings_are_checked(self) -> None:
        for variables, sentence in (
            ({"WATCH_EMAIL": "ops@example.com"}, "WATCH_EMAIL is set, and EMAIL_URL isn't"),
            ({**self.mail, "WATCH_EMAIL": "ops"}, "WATCH_EMAIL: ops isn't an address"),
            ({"WATCH_WEBHOOK_URL": "ftp://a-secret"}, "WATCH_WEBHOOK_URL isn't an address"),
            ({"WATCH_WEBHOOK_FORM": "irc"}, "WATCH_WEBHOOK_FORM=irc isn't a form"),
        ):
            self.assertIn(sentence, self.watch(1, **self.dead, **variables).stderr)


class Jobs(WatchTestCase):
    """Database and broker are alive; what is wrong is in the database."""

    def test_a_dead_worker_is_reported_once_although_its_sentence_changes(self) -> None:
        with self.alive() as alive:
            self.watch(0, **alive, **self.mail)
            for minutes in (10, 11):
                seen_at = timezone.now() - timedelta(minutes=minutes)
                Heartbeat.objects.filter(kind="worker").update(seen_at=seen_at)
                JobRun.objects.filter(name="check_budgets").update(
                    succeeded_at=timezone.now() - timedelta(minutes=minutes + 1)
                )
                self.watch(1, **alive, **self.mail)
        (mail,) = self.mails.messages
        self.assertIn(NO_WORKER, mail.get_content())
        self.assertIn("check_budgets last succeeded 11 minutes ago", mail.get_content())

    def test_it_looks_at_a_site(self) -> None:
        Heartbeat.objects.filter(kind="worker").update(seen_at=timezone.now() - timedelta(minutes=10))
        with running_services() as services:
            with services.web() as address:
                # The watcher's own database and broker are dead: it needs the site only.
                self.watch(1, "--url", f"http://{address}/", **self.dead, **self.mail)
            self.watch(1, "--url", f"http://{address}/", **self.dead, **self.mail)
        first, second = self.mails.messages
        self.assertEqual(first["Subject"], "Budget manager (here): 1 problem")
        self.assertIn(NO_WORKER, first.get_content())
        self.assertIn(
            "- The site at 127.0.0.1 doesn't answer as it should: [Errno 111] Connection refused.", second.get_content()
        )
