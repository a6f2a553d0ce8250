"""Heartbeats of worker and beat: one row a process, written seldom, and never in the way of its work."""

from __future__ import annotations

import socket
import sqlite3
from datetime import timedelta

from celery.beat import Service
from celery.signals import beat_init, heartbeat_sent
from django.db import connection
from django.test import TestCase
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from budget_manager import heartbeats
from budget_manager.celery import app
from campaigns.models import Heartbeat
from campaigns.services.jobs.processes import note_heartbeat
from campaigns.tests.jobs.test_health_probes import database_at, database_settings, nobody_listens
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import utc
from campaigns.tests.support.outside import SQLITE, open_client

NOW = utc("2026-11-23 14:05")


class Notes(TestCase):
    def test_it_keeps_one_row_for_each_process(self) -> None:
        note_heartbeat("worker", "one", now=NOW)
        note_heartbeat("worker", "two", now=NOW)
        note_heartbeat("beat", "one", now=NOW)
        note_heartbeat("worker", "one", now=NOW + timedelta(seconds=30))
        self.assertEqual(
            list(Heartbeat.objects.order_by("kind", "name").values_list("kind", "name", "seen_at")),
            [("beat", "one", NOW), ("worker", "one", NOW + timedelta(seconds=30)), ("worker", "two", NOW)],
        )

    def test_it_forgets_hosts_that_come_no_more(self) -> None:
        note_heartbeat("worker", "old", now=NOW - timedelta(days=7, seconds=1))
        note_heartbeat("worker", "older than it looks", now=NOW - timedelta(days=7))
        note_heartbeat("beat", "new", now=NOW)
        self.assertEqual(set(Heartbeat.objects.values_list("name", flat=True)), {"older than it looks", "new"})

    def test_it_takes_names_of_any_length(self) -> None:
        note_heartbeat("worker", "x" * 300, now=NOW)
        self.assertEqual(Heartbeat.objects.get().name, "x" * 255)


class Pulses(CommittedTestCase):
    def seen(self) -> list[str]:
        return list(Heartbeat.objects.values_list("name", flat=True))

    def test_it_notes_at_once_and_then_every_thirty_seconds(self) -> None:
        pulse = heartbeats.Pulse()
        before = timezone.now()
        pulse.beat("worker", "one")
        seen_at = Heartbeat.objects.get().seen_at
        self.assertTrue(before <= seen_at <= timezone.now())
        pulse.beat("worker", "one")
        self.assertEqual(Heartbeat.objects.get().seen_at, seen_at)
        assert pulse.recorded_at is not None
        pulse.recorded_at -= 30
        pulse.beat("worker", "one")
        self.assertGreater(Heartbeat.objects.get().seen_at, seen_at)

    def test_it_goes_on_without_a_database(self) -> None:
        with (
            nobody_listens() as port,
            database_settings(**database_at(port)),
            self.assertLogs("budget_manager.heartbeats", "WARNING") as logs,
        ):
            heartbeats.Pulse().beat("worker", "one")
        self.assertIn("couldn't record the heartbeat of this worker: ", logs.output[0])
        self.assertEqual(self.seen(), [])

    def test_it_does_not_wait_for_a_table_that_somebody_holds(self) -> None:
        outside = open_client()
        self.addCleanup(outside.close)
        if isinstance(outside, sqlite3.Connection):
            outside.execute("BEGIN IMMEDIATE")
        else:
            outside.execute("BEGIN")
            outside.execute("LOCK TABLE campaigns_heartbeat")
        with self.assertLogs("budget_manager.heartbeats", "WARNING") as logs:
            heartbeats.Pulse().beat("beat", "one")
        self.assertIn("locked" if SQLITE else "statement timeout", logs.output[0])
        outside.execute("ROLLBACK")
        self.assertEqual(self.seen(), [])

    def test_it_leaves_the_ordinary_connection_alone(self) -> None:
        ordinary = connection.connection
        heartbeats.Pulse().beat("worker", "one")
        self.assertIs(connection.connection, ordinary)
        self.assertEqual(self.seen(), ["one"])


class Signals(CommittedTestCase):
    """Celery's own signals, as its worker and its beat send them."""

    def setUp(self) -> None:
        super().setUp()
        heartbeats._pulse.recorded_at = None

    def test_a_worker_is_noted_by_its_name_at_its_heartbeat(self) -> None:
        class Sender:
            eventer = app.events.Dispatcher(enabled=False, hostname="celery@one")

        heartbeat_sent.send(sender=Sender())
        self.assertEqual(list(Heartbeat.objects.values_list("kind", "name")), [("worker", "celery@one")])

    def test_beat_is_noted_after_each_look_at_its_schedule(self) -> None:
        PeriodicTask.objects.update(enabled=False)  # or one may be due, and there is no broker
        service = Service(app=app, scheduler_cls=DatabaseScheduler)
        beat_init.send(sender=service)
        self.assertEqual(Heartbeat.objects.count(), 0)
        seconds = service.scheduler.tick()
        self.assertTrue(0 <= seconds <= 5)
        self.assertEqual(list(Heartbeat.objects.values_list("kind", "name")), [("beat", socket.gethostname())])
