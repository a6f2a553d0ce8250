"""Kill -9 while a check runs in shards on two workers: it ends by redelivery, or the next one does; health says which.

A killed child's shard is delivered again at once, so its own check ends. With a whole worker its shard is lost: the
check of it never notes a success, and the next check begins anew with all shards.
"""

from __future__ import annotations

import os
import signal
from datetime import timedelta

import redis
from django.utils import timezone

from campaigns.models import CheckShard
from campaigns.services.jobs.full_check import CHECK_BUDGETS
from campaigns.services.jobs.health import health
from campaigns.tests.torture.extent import extent
from campaigns.tests.torture.kills.case import KillsTestCase
from campaigns.tests.torture.kills.many import CHANGING, Many
from campaigns.tests.torture.kills.processes import Killable

SHARDS = 2
KILLS = extent(short=1, full=10)
LATE = timedelta(minutes=11)


class WhileShardsRun(KillsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(CheckShard.objects.all().delete)
        self.services.variables["CHECK_SHARDS"] = str(SHARDS)
        self.many = Many(self.run_sql)
        self.workers = [self.services.start_worker(f"worker-{number}") for number in range(SHARDS)]
        self.messages = self.enterContext(redis.Redis.from_url(self.broker.url))

    def test_the_check_of_a_killed_child_ends_by_redelivery(self) -> None:
        for _ in range(KILLS):
            before = self.freeze_within_shards()
            (child,) = self.workers[0].children()
            os.kill(child, signal.SIGKILL)
            self.assert_nothing_in_part(self.many)
            self.thaw(*self.workers)
            self.wait_for_a_check(self.many, after=before)
            self.assert_right(self.many)
            self.assertEqual(self.unfinished(), 0)

    def test_the_check_of_a_killed_worker_never_succeeds_and_the_next_one_does(self) -> None:
        for _ in range(KILLS):
            before = self.freeze_within_shards()
            killed, survivor = self.workers
            killed.kill()
            self.assert_nothing_in_part(self.many)
            self.thaw(survivor)
            self.wait_until("the other worker's shard is done", lambda: self.unfinished() == 1)
            self.wait_until("the other worker is idle", lambda: self.messages.hlen("unacked") == 1)
            self.assertEqual(self.many.last_success(), before)
            self.assert_health_says_that_it_did_not_succeed()

            self.send_check()
            self.wait_for_a_check(self.many, after=before)
            self.assert_right(self.many)
            self.messages.flushall()  # what the broker would give back in an hour, long expired
            killed.start()

    def freeze_within_shards(self) -> object:
        """Freeze both workers in the midst of a shard each; return when a check succeeded last."""
        for _ in range(20):
            self.many.turn()
            before = self.many.last_success()
            CheckShard.objects.all().delete()
            self.send_check()
            self.wait_until("the first batch is committed", lambda: self.many.changed() > 0, every=0.001)
            for worker in self.workers:
                worker.freeze()
            if self.unfinished() == self.messages.hlen("unacked") == SHARDS and self.many.changed() < CHANGING:
                return before
            self.thaw(*self.workers)
            self.wait_for_a_check(self.many, after=before)
        raise AssertionError("Both workers were never caught in the midst of a shard.")

    def thaw(self, *workers: Killable) -> None:
        for worker in workers:
            worker.thaw()

    def unfinished(self) -> int:
        return CheckShard.objects.filter(finished_at=None).count()

    def assert_health_says_that_it_did_not_succeed(self) -> None:
        found = health(now=timezone.now() + LATE)
        (check,) = (job for job in found.jobs if job.name == CHECK_BUDGETS)
        self.assertTrue(check.late)
        self.assertIn("did not succeed", check.problem)
