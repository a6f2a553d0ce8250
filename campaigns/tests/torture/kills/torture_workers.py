"""Kill -9 in the middle of a check: nothing is left in part, and one check puts everything right.

A worker's child that is killed has its message delivered again at once. When the whole worker dies, the broker gives
its message back only after the visibility timeout, when it has long expired: the next check, five minutes later at
most, does what the lost one would have done.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable

import redis

from budget_manager.celery import app
from campaigns.tests.support.outside import POSTGRESQL
from campaigns.tests.torture.extent import extent
from campaigns.tests.torture.kills.case import KillsTestCase
from campaigns.tests.torture.kills.many import CHANGING, Many
from campaigns.tests.torture.kills.processes import Killable

CHILD_KILLS = extent(short=1, full=25)
WORKER_KILLS = extent(short=1, full=10)
PARENT_KILLS = extent(short=0, full=5)
FREEZES = extent(short=0, full=2)
RANDOM_KILLS = extent(short=1, full=25)


def kill_child(worker: Killable) -> None:
    (child,) = worker.children()
    os.kill(child, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class InTheMiddleOfACheck(KillsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.many = Many(self.run_sql)
        self.worker = self.services.start_worker()
        self.orphans: list[int] = []

    def test_the_message_of_a_killed_child_runs_again_at_once(self) -> None:
        for _ in range(CHILD_KILLS):
            self.freeze_in_the_middle(self.worker, self.many)
            before = self.many.last_success()
            kill_child(self.worker)
            self.assertTrue(0 < self.many.changed() < CHANGING)
            self.assert_nothing_in_part(self.many)
            self.worker.thaw()
            self.wait_for_a_check(self.many, after=before)
            self.assert_right(self.many)
        self.assert_no_message_is_left()

    def test_the_check_after_a_killed_worker_puts_everything_right(self) -> None:
        for _ in range(WORKER_KILLS):
            self.kill_and_start_again(self.worker.kill)
        for _ in range(PARENT_KILLS):
            self.kill_and_start_again(self.kill_parent_alone)
        for orphan in self.orphans:
            self.wait_until("the orphan ends by itself", lambda orphan=orphan: not is_alive(orphan))  # type: ignore[misc]

    def kill_and_start_again(self, kill: Callable[[], None]) -> None:
        self.freeze_in_the_middle(self.worker, self.many)
        before = self.many.last_success()
        kill()
        self.assert_nothing_in_part(self.many)
        self.worker.start()
        self.send_check()
        self.wait_for_a_check(self.many, after=before)
        self.wait_until("the state is right", lambda: not self.many.what_is_wrong())
        self.assert_right(self.many)

    def kill_parent_alone(self) -> None:
        """What the kernel does when memory runs out; the orphan goes on, beside the new worker's child."""
        (child,) = self.worker.children()
        self.worker.kill_alone()
        os.kill(child, signal.SIGCONT)
        self.orphans.append(child)

    def assert_no_message_is_left(self) -> None:
        with redis.Redis.from_url(self.broker.url) as client:
            self.wait_until("the message is acknowledged", lambda: client.hlen("unacked") == 0)
            self.assertEqual(client.llen(app.conf.task_default_queue), 0)


class AtAnyMoment(KillsTestCase):
    def test_a_child_may_die_while_it_enforces_folds_or_closes(self) -> None:
        many = Many(self.run_sql)
        worker = self.services.start_worker()
        many.turn()
        self.send_check()
        self.wait_for_a_check(many, after=None)
        self.assert_right(many)
        killed = 0
        while killed < RANDOM_KILLS:
            many.turn()
            before, began = many.last_success(), time.monotonic()
            self.send_check()
            time.sleep(random.uniform(0, 1.5))
            worker.freeze()
            if many.last_success() == before:
                kill_child(worker)
                killed += 1
                self.assert_nothing_in_part(many)
            worker.thaw()
            self.wait_for_a_check(many, after=before)
            self.assert_right(many)
            self.assertLess(time.monotonic() - began, 60)


if POSTGRESQL and FREEZES:

    class Frozen(KillsTestCase):
        """A machine stops with its connections open; on SQLite, no process could write until it goes on or ends."""

        def test_a_worker_that_is_frozen_loses_its_locks_to_the_next_check(self) -> None:
            many = Many(self.run_sql)
            frozen = self.services.start_worker("frozen")
            for _ in range(FREEZES):
                self.freeze_in_the_middle(frozen, many)
                before = many.last_success()
                other = self.services.start_worker("other")
                self.send_check()
                self.wait_for_a_check(many, after=before)
                self.assert_right(many)
                other.kill()
                frozen.thaw()
                self.assert_the_frozen_one_works_again(many)

        def assert_the_frozen_one_works_again(self, many: Many) -> None:
            many.turn()
            before = many.last_success()
            self.send_check()
            self.wait_for_a_check(many, after=before)
            self.wait_until("the state is right", lambda: not many.what_is_wrong())
            self.assert_right(many)
