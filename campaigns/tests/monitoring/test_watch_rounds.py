"""When a round of watching sends a message, and which one: without processes."""

from __future__ import annotations

import fcntl
import json
import tempfile
from datetime import timedelta
from pathlib import Path

from django.test import SimpleTestCase, override_settings

from budget_manager import monitoring
from budget_manager.watch.look import Problem, look_at
from budget_manager.watch.memory import Memory, OpenProblem, Reported
from budget_manager.watch.notice import REPEAT_AFTER, notice_of
from budget_manager.watch.rounds import Watch
from campaigns.tests.monitoring.receiver import Receiver
from campaigns.tests.support.factories import utc

NOW = utc("2026-11-23 14:05:03")
SECOND = timedelta(seconds=1)
WORKER = Problem("worker", "No worker.")
BROKER = Problem("broker", "No broker.")
SINCE = "2026-11-23T12:00:00+00:00"


def reported(*problems: Problem, at: str = NOW.isoformat()) -> Reported:
    return Reported({problem.key: OpenProblem(problem.sentence, SINCE) for problem in problems}, at)


class Notices(SimpleTestCase):
    def test_nothing_wrong_is_nothing_to_report(self) -> None:
        self.assertIsNone(notice_of([], Reported(), name="here", now=NOW))
        self.assertIsNone(notice_of([], reported(), name="here", now=NOW + REPEAT_AFTER))

    def test_a_new_problem_comes_first_and_says_since_when(self) -> None:
        notice = notice_of([WORKER, BROKER], reported(WORKER), name="here", now=NOW)
        assert notice
        self.assertEqual(notice.subject, "Budget manager (here): 2 problems")
        self.assertEqual(
            notice.text,
            "Wrong:\n- No broker. (since 2026-11-23 14:05 UTC)\n- No worker. (since 2026-11-23 12:00 UTC)",
        )

    def test_a_problem_with_another_sentence_is_the_same(self) -> None:
        changed = Problem("worker", "No worker for 10 minutes.")
        self.assertIsNone(notice_of([changed], reported(WORKER), name="here", now=NOW))

    def test_a_problem_that_lasts_is_reported_each_day(self) -> None:
        self.assertIsNone(notice_of([WORKER], reported(WORKER), name="here", now=NOW + REPEAT_AFTER - SECOND))
        notice = notice_of([WORKER], reported(WORKER), name="here", now=NOW + REPEAT_AFTER)
        assert notice
        self.assertEqual(notice.subject, "Budget manager (here): still 1 problem")

    def test_a_clock_that_was_ahead_silences_nothing(self) -> None:
        self.assertIsNotNone(notice_of([WORKER], reported(WORKER), name="here", now=NOW - SECOND))

    def test_what_is_over_is_reported(self) -> None:
        notice = notice_of([], reported(WORKER), name="here", now=NOW)
        assert notice
        self.assertEqual(notice.subject, "Budget manager (here): well again")
        self.assertEqual(notice.text, "Well again:\n- No worker. (began 2026-11-23 12:00 UTC)")


@override_settings(WATCH_EMAIL=[], WATCH_WEBHOOK_URL="")
class Rounds(SimpleTestCase):
    def round(self, *looks: list[Problem], confirm: float) -> list[Problem]:
        remaining = iter(looks)
        path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "state.json"
        watch = Watch(lambda: next(remaining), Memory(path), "here", confirm)
        found = list(watch.round(clock=lambda: NOW).problems)
        self.assertEqual(list(remaining), [])
        return found

    def test_a_problem_that_a_second_look_does_not_find_is_none(self) -> None:
        self.assertEqual(self.round([WORKER, BROKER], [BROKER], confirm=0.01), [BROKER])
        self.assertEqual(self.round([WORKER], [], confirm=0.01), [])
        self.assertEqual(self.round([], confirm=0.01), [])
        self.assertEqual(self.round([WORKER], confirm=0), [WORKER])


class Sites(SimpleTestCase):
    def setUp(self) -> None:
        self.receiver = self.enterContext(Receiver())

    def look(self) -> str:
        (problem,) = look_at(self.receiver.url)
        self.assertEqual(problem.key, "web")
        return problem.sentence

    def test_an_address_where_something_else_answers_is_a_problem(self) -> None:
        for status, answer, said in (
            (404, b"", "HTTP 404"),
            (200, b"<html>", "something else answers at this address"),
            (200, b"[]", "something else answers at this address"),
            (302, b"", "HTTP 302"),
            (503, b"Service unavailable", "HTTP 503"),
        ):
            with self.subTest(status=status, answer=answer):
                self.receiver.statuses["/health/live"], self.receiver.answers["/health/live"] = status, answer
                self.assertEqual(self.look(), f"The site at 127.0.0.1 doesn't answer as it should: {said}.")

    def test_answers_of_another_version_are_a_problem(self) -> None:
        ready = {"status": "ok", "checks": {"database": "ok"}}
        self.receiver.answers["/health/live"] = b'{"status": "ok"}'
        for odd in ({"status": "ok"}, {"status": "ok", "checks": 1}, {"status": "ok", "checks": []}):
            self.receiver.answers["/health/ready"] = json.dumps(odd).encode()
            self.assertIn("gives answers that this version doesn't understand", self.look())
        self.receiver.answers["/health/ready"] = json.dumps(ready).encode()
        for more in ({}, {"problems": 1}, {"problems": ["a"], "jobs": {"check_budgets": 1}}, {"problems": [1]}):
            self.receiver.answers["/health/jobs"] = json.dumps({"status": "failing", **more}).encode()
            self.assertIn("gives answers that this version doesn't understand", self.look())

    def test_problems_that_no_part_has_are_one(self) -> None:
        self.receiver.answers["/health/live"] = b'{"status": "ok"}'
        self.receiver.answers["/health/ready"] = b'{"status": "ok", "checks": {}}'
        jobs = {"status": "failing", "problems": ["A.", "B.", "C."], "jobs": {"quick_check": {"status": "B."}}}
        self.receiver.answers["/health/jobs"] = json.dumps(jobs).encode()
        self.assertEqual(look_at(f"{self.receiver.url}/"), [Problem("quick_check", "B."), Problem("other", "A. C.")])


class Memories(SimpleTestCase):
    def setUp(self) -> None:
        self.path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "state.json"

    def test_it_keeps_what_was_reported(self) -> None:
        Memory(self.path).write({"e-mail": reported(WORKER)})
        self.assertEqual(Memory(self.path).read(), {"e-mail": reported(WORKER)})

    def test_a_broken_file_counts_as_empty(self) -> None:
        for broken in ("", "{", "[]", '{"e-mail": 1}', '{"e-mail": {"problems": {}, "at": "x"}}', "\xff"):
            self.path.write_text(broken, encoding="latin-1")
            self.assertEqual(Memory(self.path).read(), {}, broken)

    def test_two_watches_of_one_file_take_turns(self) -> None:
        with self.path.with_name("state.json.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with Memory(self.path).locked() as is_ours:
                self.assertFalse(is_ours)
        with Memory(self.path).locked() as is_ours:
            self.assertTrue(is_ours)

    def test_where_it_can_not_be_written_this_process_remembers(self) -> None:
        memory = Memory(Path("/no/such/folder/state.json"))
        with self.assertRaises(OSError):
            memory.write({"e-mail": reported(WORKER)})
        self.assertEqual(memory.read(), {"e-mail": reported(WORKER)})


class Form(SimpleTestCase):
    def test_the_host_says_what_a_webhook_understands(self) -> None:
        for host, form in (
            ("hooks.slack.com", "slack"),
            ("agency.webhook.office.com", "teams"),
            ("prod-12.westeurope.logic.azure.com", "teams"),
            ("default1.api.powerplatform.com", "teams"),
            ("chat.example.com", "plain"),
            ("notslack.com", "plain"),
        ):
            self.assertEqual(monitoring.form_for(host), form, host)
