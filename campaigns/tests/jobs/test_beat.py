"""Beat outlives a database that is away when it reads its schedule anew, and reads it when the database is back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from celery.beat import Service
from celery.signals import beat_init
from django.db import DatabaseError, connection
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import SCHEDULE_SYNC_MAX_INTERVAL, DatabaseScheduler

from budget_manager.celery import app
from campaigns.services.jobs.schedule import CHECK, DAILY
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.outside import SQLITE

make_scheduler: Any = DatabaseScheduler  # it has no types


@contextmanager
def no_database() -> Iterator[None]:
    """Let new connections fail, and end the one that is open."""
    setting, nowhere = ("NAME", "/nowhere/at/all.sqlite3") if SQLITE else ("PORT", "1")
    there = connection.settings_dict[setting]
    connection.close()
    connection.settings_dict[setting] = nowhere
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict[setting] = there


class DatabaseAway(CommittedTestCase):
    def setUp(self) -> None:
        super().setUp()
        # A minute after midnight, when the scheduler looks at the jobs of midnight too.
        self.clock = self.enterContext(time_machine.travel(datetime(2026, 3, 3, 0, 1, tzinfo=UTC), tick=False))
        self.beat = Service(app, scheduler_cls=DatabaseScheduler)
        self.scheduler = self.beat.scheduler
        beat_init.send(sender=self.beat)

    def test_it_keeps_its_schedule_and_reads_the_next_one_when_the_database_is_back(self) -> None:
        before = set(self.scheduler.schedule)
        self.assertTrue({CHECK.name, DAILY.name} <= before)
        PeriodicTask.objects.filter(name=DAILY.name).update(enabled=False)
        with (
            no_database(),
            self.assertLogs("budget_manager.patches.beat_scheduler", "WARNING"),
            self.assertLogs("django_celery_beat"),
        ):
            self.clock.shift(timedelta(seconds=SCHEDULE_SYNC_MAX_INTERVAL))
            self.assertEqual(set(self.scheduler.schedule), before)
            self.assertEqual(set(self.scheduler.schedule), before)
        self.assertEqual(set(self.scheduler.schedule), before - {DAILY.name})

    def test_the_scheduler_alone_would_end(self) -> None:
        """If this fails, the scheduler has learned it, and budget_manager.patches.beat_scheduler may go."""
        alone = make_scheduler(app)
        with no_database(), self.assertLogs("django_celery_beat"), self.assertRaises(DatabaseError):
            self.clock.shift(timedelta(seconds=SCHEDULE_SYNC_MAX_INTERVAL))
            _ = alone.schedule
