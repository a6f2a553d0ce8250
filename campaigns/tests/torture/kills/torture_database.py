"""PostgreSQL crashes in the middle of a check, and is away: worker, beat and web come back by themselves."""

from __future__ import annotations

import http.client
import tempfile
import time
from contextlib import closing
from pathlib import Path
from unittest import TestCase

from campaigns.tests.support.outside import POSTGRESQL
from campaigns.tests.support.services_running import web_command
from campaigns.tests.torture.extent import extent
from campaigns.tests.torture.kills.case import send_check
from campaigns.tests.torture.kills.many import CHANGING, Many, partly_written
from campaigns.tests.torture.kills.postgresql import cluster
from campaigns.tests.torture.kills.processes import Broker, Services
from campaigns.tests.torture.kills.waiting import free_port

CRASHES = extent(short=1, full=10)
SECONDS_AWAY = extent(short=5, full=200)
TIMES_AWAY = extent(short=1, full=2)
EVERY_SECOND = """
    WITH second AS (INSERT INTO django_celery_beat_intervalschedule (every, period) VALUES (1, 'seconds') RETURNING id)
    UPDATE django_celery_beat_periodictask SET crontab_id = NULL, interval_id = (SELECT id FROM second)
    WHERE task = 'campaigns.tasks.check_budgets'
"""
LAST_CAMPAIGN = "SELECT c.id FROM campaigns_campaign c WHERE brand_id % 4 <> 0 ORDER BY brand_id DESC, id DESC LIMIT 1"
WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'budget_manager'"


class OwnServerTestCase(TestCase):
    """A PostgreSQL and a broker of the test's own, migrated, and services on them."""

    def setUp(self) -> None:
        directory = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="budget-manager-kills-")))
        self.postgresql = self.enterContext(cluster())
        self.run_sql = self.postgresql.run_sql
        self.broker = Broker(directory)
        self.broker.start()
        self.addCleanup(self.broker.end)
        self.services = Services(directory, database_url=self.postgresql.url, redis_url=self.broker.url)
        self.addCleanup(self.services.end)
        self.manage("migrate")
        self.many = Many(self.run_sql)
        self.worker = self.services.start_worker()

    def manage(self, *arguments: str) -> None:
        command = self.services.manage(arguments[0], *arguments)
        self.services.wait_until(f"{arguments[0]} ends", lambda: not command.is_running())
        self.assertEqual(command.process and command.process.returncode, 0, command.said())

    def wait_for_a_check(self, *, after: object) -> None:
        self.services.wait_until("a check has succeeded", lambda: self.many.last_success() != after)

    def assert_right(self) -> None:
        self.services.wait_until("the state is right", lambda: not self.many.what_is_wrong())
        self.manage("verify_spend")


if POSTGRESQL:

    class Database(OwnServerTestCase):
        def test_it_crashes_and_is_away_and_worker_beat_and_web_come_back_by_themselves(self) -> None:
            for _ in range(CRASHES):
                self.crash_in_the_middle()
                self.assertEqual(partly_written(self.run_sql), {})
                self.assertNotEqual(self.many.what_is_wrong(), {})
                before = self.many.last_success()
                send_check(self.broker)
                self.wait_for_a_check(after=before)
                self.assert_right()
            self.start_beat_and_web()
            self.assert_all_is_well()
            for _ in range(TIMES_AWAY):
                self.postgresql.stop()
                self.assertIn(self.answer(), (500, 503))
                time.sleep(SECONDS_AWAY)
                self.assert_all_run()
                self.postgresql.start()
                self.assert_all_is_well()

        def crash_in_the_middle(self) -> None:
            """Crash while the last batch has its history written and waits for a campaign that another holds."""
            self.many.turn()
            ((campaign,),) = self.run_sql(LAST_CAMPAIGN)
            with closing(self.postgresql.connect()) as other:
                other.execute("BEGIN")
                other.execute("SELECT 1 FROM campaigns_campaign WHERE id = %s FOR UPDATE", [campaign])
                send_check(self.broker)
                self.services.wait_until("the worker waits", lambda: bool(self.run_sql(WAITING)))
                self.assertTrue(0 < self.many.changed() < CHANGING)
                self.postgresql.crash()
            self.postgresql.start()

        def start_beat_and_web(self) -> None:
            self.run_sql(EVERY_SECOND)
            self.services.start_beat()
            self.port = free_port()
            self.web = self.services.start("web", *web_command(address=f"127.0.0.1:{self.port}", workers=1))

        def assert_all_is_well(self) -> None:
            self.many.turn()
            self.assert_right()
            self.wait_for_a_check(after=self.many.last_success())
            self.services.wait_until("the web answers", lambda: self.answer() == 200)
            self.assert_all_run()

        def assert_all_run(self) -> None:
            """None of them has ended, so none has been started again."""
            lasting = [service for service in self.services.all if service.name in ("worker", "beat", "web")]
            self.assertEqual([service.is_running() for service in lasting], [True] * 3, self.services.said())

        def answer(self) -> int | None:
            """Return the status of a page that looks for a session in the database; None without an answer."""
            page = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                page.request("GET", "/admin/login/", headers={"Cookie": "sessionid=a-session-that-nobody-has"})
                return page.getresponse().status
            except OSError:
                return None
            finally:
                page.close()
