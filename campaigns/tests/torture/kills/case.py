"""What tests of kills share: many campaigns, a broker, services, and the moment in the middle of a check."""

from __future__ import annotations

import random
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from django.db import connection

from budget_manager.celery import app
from campaigns.services.jobs.schedule import CHECK
from campaigns.services.ledger.verify import verify
from campaigns.tests.support.outside import SQLITE, OutsideTestCase
from campaigns.tests.support.services_running import database_url
from campaigns.tests.torture.kills.many import CHANGING, Many, partly_written
from campaigns.tests.torture.kills.processes import Broker, Killable, Services

WRITERS = """
    SELECT COUNT(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'budget_manager' AND backend_xid IS NOT NULL
"""


class KillsTestCase(OutsideTestCase):
    """A broker of its own and services on the test database; all of them end with the test."""

    def setUp(self) -> None:
        super().setUp()
        # Deleting a campaign looks for its days, which have no index for that: rarely done, and slow for thousands.
        self.addCleanup(self.run_sql, "DELETE FROM campaigns_campaignday")
        directory = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="budget-manager-kills-")))
        self.broker = Broker(directory)
        self.broker.start()
        self.addCleanup(self.broker.end)
        self.services = Services(directory, database_url=database_url(), redis_url=self.broker.url)
        self.addCleanup(self.services.end)

    def wait_until(self, what: str, happened: Callable[[], bool], *, every: float = 0.05) -> None:
        self.services.wait_until(what, happened, every=every)

    def send_check(self) -> None:
        send_check(self.broker)

    def is_writing(self) -> bool:
        """Return whether a service is in the middle of a transaction that has written something."""
        if not SQLITE:
            return bool(self.value(WRITERS))
        name = str(connection.settings_dict["NAME"])
        with closing(sqlite3.connect(name, timeout=0, isolation_level=None)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
        return False

    def freeze_in_the_middle(self, worker: Killable, many: Many) -> None:
        """Send checks, each after a turn, until the worker is frozen after its first batch, in the midst of another."""
        for _ in range(20):
            many.turn()
            before = many.last_success()
            self.send_check()
            if self.caught(worker, many):
                return
            worker.thaw()
            self.wait_for_a_check(many, after=before)
        self.fail("The worker was never caught in the middle of a check.")

    def caught(self, worker: Killable, many: Many) -> bool:
        self.wait_until("the first batch is committed", lambda: many.changed() > 0, every=0.001)
        while many.changed() < CHANGING:
            worker.freeze()
            if self.is_writing() and many.changed() < CHANGING:
                return True
            worker.thaw()
            time.sleep(random.uniform(0, 0.01))
        return False

    def wait_for_a_check(self, many: Many, *, after: object) -> None:
        self.wait_until("a check has succeeded", lambda: many.last_success() != after)

    def assert_nothing_in_part(self, many: Many) -> None:
        self.assertEqual(partly_written(many.run_sql), {})
        self.assert_verified()

    def assert_right(self, many: Many) -> None:
        self.assertEqual(many.what_is_wrong(), {}, self.services.said())
        self.assert_verified()

    def assert_verified(self) -> None:
        """Assert that the totals are what the rows say."""
        self.assertEqual(verify(), [])


def send_check(broker: Broker) -> None:
    """Send the message that beat sends, with the same expiry."""
    with app.connection_for_write(broker.url) as connection:
        app.send_task(CHECK.task, connection=connection, expires=CHECK.expire_seconds)
