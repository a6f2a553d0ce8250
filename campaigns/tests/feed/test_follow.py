"""A client that lists, then follows, ends with the state of the table: whatever writes, hangs, dies or is pruned."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar
from unittest import skipUnless

import psycopg
from django.db import OperationalError, connection, connections, transaction
from django.utils import timezone

from campaigns.database.connection import is_busy
from campaigns.models import Campaign, FeedBatch, StatusChange
from campaigns.services.feed.pages import UnknownPosition, follow, read_page
from campaigns.services.feed.publish import last_position, publish
from campaigns.services.ledger.prune import prune_history
from campaigns.services.scope import Scope
from campaigns.tests.feed.client import Client
from campaigns.tests.support.checking import enforce_at
from campaigns.tests.support.factories import make_brand, make_campaign, utc
from campaigns.tests.support.outside import POSTGRESQL, SQLITE, OutsideTestCase, open_client
from campaigns.tests.support.processes import BASE_DIR, GOOD_KEY, environment
from campaigns.tests.support.services_running import database_url
from campaigns.tests.support.together import Crew, meanwhile, pause

NOON = utc("2026-11-20 12:00")
WRITERS = 4 if POSTGRESQL else 2


def switch(campaign: Campaign, *, on: bool) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(enabled=on)
    enforce_at(NOON, Scope.of_brands([campaign.brand_id]))


class FollowTestCase(OutsideTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client_of_feed = Client()

    def assert_follows(self) -> None:
        self.client_of_feed.follow()
        self.assertEqual(self.client_of_feed.differences(), {})

    def run_tool(self, name: str, *options: str, database: str = "", given: str | None = None) -> str:
        """Run one of PostgreSQL's own programs on this database or another one, and return what it prints."""
        settings = connection.settings_dict
        address = ["--host", settings["HOST"], "--port", str(settings["PORT"]), "--username", settings["USER"]]
        done = subprocess.run(
            [name, *address, *options, database or settings["NAME"]],
            env=os.environ | {"PGPASSWORD": settings["PASSWORD"] or ""},
            input=given,
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


@skipUnless(POSTGRESQL, "SQLite has one writer")
class SlowTransactions(FollowTestCase):
    def test_a_transaction_that_commits_late_is_not_missed(self) -> None:
        first, second = make_campaign(), make_campaign()
        self.assert_follows()

        def later() -> None:
            switch(second, on=False)
            self.client_of_feed.follow()

        with transaction.atomic():
            switch(first, on=False)
            meanwhile(later)  # its lines have higher ids, and are published and read
            self.assertEqual(self.client_of_feed.paused, {first.pk: False, second.pk: True})
        self.assert_follows()
        self.assertEqual(self.client_of_feed.paused, {first.pk: True, second.pk: True})
        self.assertEqual(self.client_of_feed.lists, 1)

    def test_open_transactions_of_others_hold_nothing_back(self) -> None:
        """In this database, with locks and a transaction id, and in another one of the cluster."""
        campaign = make_campaign()
        self.assert_follows()
        settings = connection.settings_dict
        with psycopg.connect(
            dbname="postgres", user=settings["USER"], host=settings["HOST"], port=settings["PORT"]
        ) as elsewhere:
            elsewhere.execute("SELECT pg_current_xact_id()")
            self.run_sql("BEGIN")
            self.run_sql("SELECT pg_current_xact_id()")
            self.run_sql("SELECT id FROM campaigns_feedbatch FOR SHARE")
            switch(campaign, on=False)
            self.assert_follows()
            self.assertTrue(self.client_of_feed.paused[campaign.pk])
            self.run_sql("ROLLBACK")

    def test_a_publisher_that_hangs_holds_back_nobody_for_longer(self) -> None:
        """Others read what is published, and publish when its transaction ends."""
        campaign = make_campaign()
        self.assert_follows()
        switch(campaign, on=False)
        with transaction.atomic():
            self.assertEqual(publish(), 1)
            meanwhile(self.client_of_feed.follow)
            self.assertFalse(self.client_of_feed.paused[campaign.pk])
            transaction.set_rollback(True)
        self.assert_follows()

    def test_a_reader_never_sees_a_later_batch_without_an_earlier_one(self) -> None:
        """Two publishers at once: each batch gets its positions once, and all are in order."""
        make_campaign()
        self.client_of_feed.follow()
        crew = Crew()
        for _ in range(3):
            crew.start(lambda: [publish() for _ in range(200)])
        for number in range(40):
            switch(Campaign.objects.get(), on=bool(number % 2))
            self.client_of_feed.follow()
        crew.finish()
        self.assert_follows()
        rows = FeedBatch.objects.filter(first_line__gt=0).order_by("pk").values_list("first_position", "first_line")
        self.assertEqual(list(rows), sorted(rows))
        self.assertEqual(len(rows), 40)

    def test_one_notification_for_a_transaction_that_changes_statuses(self) -> None:
        with open_client() as listener:
            assert isinstance(listener, psycopg.Connection)
            listener.execute("LISTEN budget_status")
            make_campaign()
            self.assertEqual(list(listener.notifies(timeout=0.2)), [])
            campaign = Campaign.objects.get()
            with transaction.atomic():
                for on in (False, True):
                    switch(campaign, on=on)
            (notify,) = listener.notifies(timeout=5, stop_after=1)
            self.assertEqual((notify.channel, notify.payload), ("budget_status", ""))
            self.insert_spend(campaign, 5)
            enforce_at(NOON)
            self.assertEqual(list(listener.notifies(timeout=0.2)), [])


class ManyWriters(FollowTestCase):
    seconds: ClassVar[int] = 4

    def setUp(self) -> None:
        super().setUp()
        for _ in range(8):
            brand = make_brand()
            for _ in range(6):
                make_campaign(brand)
        self.random = random.Random(7)

    @contextmanager
    def writers(self) -> Iterator[list[subprocess.Popen[bytes]]]:
        running: list[subprocess.Popen[bytes]] = []
        try:
            running += (self.writer(seed) for seed in range(WRITERS))
            yield running
        finally:
            for process in running:
                process.kill()
                process.wait()

    def writer(self, seed: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "campaigns.tests.feed.client", str(seed)],
            cwd=BASE_DIR,
            env=environment(DATABASE_URL=database_url(), SECRET_KEY=GOOD_KEY),
        )

    def follow_while_they_write(self, running: list[subprocess.Popen[bytes]]) -> None:
        """Follow, while writers are killed at any moment and others begin."""
        seed, end = WRITERS, time.monotonic() + self.seconds
        while time.monotonic() < end or StatusChange.objects.count() < 60:
            self.client_of_feed.follow(pages=20)
            pause(self.random.uniform(0, 0.02))
            if self.random.random() < 0.01:
                victim = running.pop(self.random.randrange(len(running)))
                os.kill(victim.pid, signal.SIGKILL)
                victim.wait()
                running.append(self.writer(seed))
                seed += 1

    def test_it_ends_with_the_tables_state(self) -> None:
        self.client_of_feed.follow()
        with self.writers() as running:
            self.follow_while_they_write(running)
        self.assert_follows()
        self.assertEqual(self.client_of_feed.lists, 1)
        self.assertGreater(StatusChange.objects.count(), 50)
        # Another that follows from the beginning, and one that lists only now, know the same.
        late = Client()
        late.follow()
        self.assertEqual(late.differences(), {})

    def test_it_does_beside_pruning(self) -> None:
        crew, over = Crew(), time.monotonic() + self.seconds

        def prune() -> None:
            while time.monotonic() < over:
                try:
                    prune_history(before=timezone.now() - timedelta(seconds=0.3), on_batch=lambda pruned: None)
                except OperationalError as error:
                    if not is_busy(error):  # SQLite's only writer may be another for long; operators prune again
                        raise
                pause(0.1)

        with self.writers() as running:
            crew.start(prune)
            while time.monotonic() < over:
                self.client_of_feed.follow(pages=20)
                pause(self.random.choice((0, 0.01, 0.6)))  # sometimes longer than what is kept
            crew.finish()
            self.assertTrue(running)
        self.assert_follows()


class PositionTests(FollowTestCase):
    def test_many_batches_that_wait_get_positions_of_their_own_in_order(self) -> None:
        for pk in range(2_000, 1_000, -1):  # their order in the table isn't that of their ids
            FeedBatch.objects.create(pk=pk, first_line=3 * pk, last_line=3 * pk + 2)
        self.assertEqual(publish(), 1_000)
        batches = FeedBatch.objects.order_by("pk")
        given = [batch.first_position or 0 for batch in batches]
        self.assertEqual(given, list(range(given[0], given[0] + 3_000, 3)))


class BackupTests(FollowTestCase):
    def test_a_copy_goes_on_where_the_original_was(self) -> None:
        first, second = make_campaign(), make_campaign()
        start = last_position()
        switch(first, on=False)
        middle = last_position()
        switch(second, on=False)  # not published yet when the copy is made
        with TemporaryDirectory() as directory:
            saved = Path(directory, "saved")
            self.dump(saved)
            switch(second, on=True)
            lost = last_position()
            switch(first, on=True)
            self.restore(saved)
        self.assertEqual([change.campaign_id for change in follow(start)], [first.pk, second.pk])
        self.assertEqual([change.campaign_id for change in follow(middle)], [second.pk])
        # What came after the copy has never been here, and its positions are never given again.
        for _ in range(3):
            with self.assertRaises(UnknownPosition):
                read_page(lost)
            switch(first, on=not Campaign.objects.get(pk=first.pk).enabled)
            last_position()
        self.client_of_feed.position = middle
        self.client_of_feed.paused = {first.pk: True}
        self.assert_follows()
        self.assertEqual(self.client_of_feed.lists, 0)

    def dump(self, file: Path) -> None:
        if SQLITE:
            with closing(sqlite3.connect(file)) as copy:
                self.sqlite().backup(copy)
            return
        options = ["--data-only", "--table=campaigns_feedbatch*", "--table=campaigns_statuschange*"]
        options += ["--table=campaigns_campaign", "--disable-triggers"]
        self.run_tool("pg_dump", *options, "--file", str(file))

    def restore(self, file: Path) -> None:
        """Put the copy in the place of the original."""
        if SQLITE:
            connections.close_all()
            with closing(sqlite3.connect(file)) as copy:
                copy.backup(self.sqlite())
            return
        self.run_sql("TRUNCATE campaigns_feedbatch, campaigns_statuschange, campaigns_campaign CASCADE")
        self.run_tool("psql", "--quiet", "--set=ON_ERROR_STOP=1", "--file", str(file))

    def sqlite(self) -> sqlite3.Connection:
        assert isinstance(self.outside, sqlite3.Connection)
        return self.outside
