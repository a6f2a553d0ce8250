"""What beat sends after its clock was ahead, and when clocks of TIME_ZONE change: its scheduler, turn by turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import time_machine
from celery import Celery
from celery.beat import Service
from celery.signals import beat_init
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks
from django_celery_beat.schedulers import DatabaseScheduler

from budget_manager.celery import app
from campaigns.models import JobRun
from campaigns.services.jobs.full_check import CHECK_BUDGETS
from campaigns.services.jobs.health import health
from campaigns.services.jobs.periodic_tasks import ensure_periodic_tasks
from campaigns.services.jobs.quick_check import JOB as QUICK_PASS
from campaigns.services.jobs.schedule import CHECK, DAILY, MONTHLY, QUICK
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import utc
from campaigns.tests.support.outside import OutsideTestCase
from campaigns.tests.support.services_running import running_services

Base: Any = DatabaseScheduler  # it has no types
NOW = utc("2026-03-03 14:02")
NIGHT = utc("2026-03-01 00:02")
OURS = (CHECK, DAILY, MONTHLY, QUICK)
Sent = dict[str, list[datetime]]


class Noting(Base):  # type: ignore[misc]
    """The scheduler that notes what is due in place of sending it to a broker."""

    sent: Sent
    producer = None

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        self.sent.setdefault(entry.name, []).append(timezone.now())


class BeatTestCase(CommittedTestCase):
    def setUp(self) -> None:
        super().setUp()
        # The scheduler closes old connections at each turn, and here thousands of turns come in a few seconds.
        age = connection.settings_dict["CONN_MAX_AGE"]
        self.addCleanup(connection.close)
        self.addCleanup(connection.settings_dict.update, CONN_MAX_AGE=age)
        connection.close()
        connection.settings_dict["CONN_MAX_AGE"] = None

    def start(self, celery: Celery = app, *, turn: int = 5) -> Noting:
        """Start beat, as far as the loop of its turns, which come every so many seconds or more often."""
        Noting.sent = {}
        beat = Service(celery, max_interval=turn, scheduler_cls=Noting)
        scheduler = beat.scheduler
        assert isinstance(scheduler, Noting)
        self.addCleanup(scheduler._finalize.cancel)  # it would write when this process ends
        beat_init.send(sender=beat)
        return scheduler

    def turn(self, scheduler: Noting, clock: Any, until: datetime) -> Sent:
        """Let the scheduler take its turns up to an instant; what it sent by then."""
        while timezone.now() < until:
            clock.shift(timedelta(seconds=max(scheduler.tick(), 0.02)))
        return scheduler.sent


class AClockThatWasAhead(BeatTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock = self.enterContext(time_machine.travel(NOW, tick=False))
        PeriodicTask.objects.update(last_run_at=NOW, date_changed=NOW)

    def at_night(self) -> None:
        """Go to an hour for which the scheduler reads the resets too."""
        self.clock.move_to(NIGHT)
        PeriodicTask.objects.update(last_run_at=NIGHT, date_changed=NIGHT)

    def last_runs(self) -> list[datetime]:
        return [task.last_run_at for task in PeriodicTask.objects.all() if task.last_run_at]

    def test_after_a_restart_it_sends_our_jobs_at_once(self) -> None:
        for ahead in (timedelta(minutes=1), timedelta(days=1), timedelta(days=365)):
            with self.subTest(ahead=ahead):
                self.at_night()
                PeriodicTask.objects.update(last_run_at=timezone.now() + ahead)
                sent = self.turn(self.start(), self.clock, timezone.now() + timedelta(seconds=1))
                self.assertTrue({job.name for job in OURS} <= set(sent))

    def test_so_it_does_where_the_clock_is_put_back_while_it_runs(self) -> None:
        scheduler = self.start()
        self.clock.move_to(NOW + timedelta(days=365))
        self.turn(scheduler, self.clock, NOW + timedelta(days=365, minutes=10))
        scheduler.sent.clear()
        self.clock.move_to(NOW + timedelta(minutes=1))
        sent = self.turn(scheduler, self.clock, NOW + timedelta(minutes=1, seconds=1))
        self.assertTrue({CHECK.name, QUICK.name} <= set(sent))
        sent = self.turn(scheduler, self.clock, NOW + timedelta(minutes=10, seconds=1))
        self.assertGreaterEqual(len(sent[QUICK.name]), 50)
        checks = [at.replace(second=0, microsecond=0) for at in sent[CHECK.name]]
        self.assertEqual(checks, [NOW + timedelta(minutes=minutes) for minutes in (1, 3, 8)])
        self.assertEqual(max(self.last_runs() or [NOW]) <= timezone.now(), True)

    def test_it_notices_what_staff_change_then(self) -> None:
        PeriodicTasks.objects.update_or_create(ident=1, defaults={"last_update": NOW + timedelta(days=365)})
        scheduler = self.start()
        self.clock.move_to(NOW + timedelta(days=365))
        self.turn(scheduler, self.clock, NOW + timedelta(days=365, minutes=6))
        self.clock.move_to(NOW)
        self.turn(scheduler, self.clock, NOW + timedelta(seconds=20))
        PeriodicTask.objects.filter(name=QUICK.name).update(enabled=False)
        self.turn(scheduler, self.clock, NOW + timedelta(minutes=6))
        self.assertNotIn(QUICK.name, scheduler.schedule)

    def test_a_task_that_is_not_ours_comes_at_its_next_turn(self) -> None:
        hourly = IntervalSchedule.objects.create(every=20, period="minutes")
        PeriodicTask.objects.create(name="Mail", task="mail.send", interval=hourly)
        PeriodicTask.objects.filter(name="Mail").update(last_run_at=NOW + timedelta(days=365))
        sent = self.turn(self.start(), self.clock, NOW + timedelta(minutes=21))
        self.assertEqual([at.replace(microsecond=0) for at in sent["Mail"]], [NOW + timedelta(minutes=20)])

    def test_a_step_of_less_than_a_second_is_none(self) -> None:
        PeriodicTask.objects.update(last_run_at=NOW + timedelta(seconds=1))
        sent = self.turn(self.start(), self.clock, NOW + timedelta(seconds=2))
        self.assertFalse({job.name for job in OURS} & set(sent))


class AnotherTimeZone(BeatTestCase):
    """TIME_ZONE is another than at the last migrate."""

    @time_machine.travel(utc("2026-03-02 22:30"), tick=False)
    def test_beat_corrects_the_resets_when_it_starts_and_goes_by_it(self) -> None:
        with override_settings(TIME_ZONE="Europe/Paris"):
            scheduler = self.start()
            scheduler.tick()
        self.assertEqual(str(scheduler.schedule[DAILY.name].schedule.tz), "Europe/Paris")


class ClocksOfTheZoneChange(BeatTestCase):
    """The check comes at every instant divisible by five minutes; the resets come with the day, once."""

    def sent_in(self, zone: str, first: str, hours: int) -> Sent:
        celery = Celery("in another zone", set_as_current=False)
        celery.conf.update(timezone=zone, enable_utc=True, result_expires=None)
        begin = utc(first)
        with override_settings(TIME_ZONE=zone), time_machine.travel(begin, tick=False) as clock:
            ensure_periodic_tasks("default")
            PeriodicTask.objects.filter(interval__isnull=False).update(enabled=False)  # they go by no clock
            PeriodicTask.objects.update(last_run_at=begin, date_changed=begin)
            return self.turn(self.start(celery, turn=60), clock, begin + timedelta(hours=hours))

    def test_the_check_comes_every_five_minutes_when_clocks_change(self) -> None:
        for zone, first in (
            ("Europe/Paris", "2026-10-24 23:32"),
            ("Europe/Paris", "2026-03-28 23:32"),
            ("Australia/Lord_Howe", "2026-04-04 13:32"),
            ("America/Havana", "2026-11-01 03:32"),
        ):
            with self.subTest(zone, first=first):
                sent = self.sent_in(zone, first, hours=4)[CHECK.name]
                self.assertEqual({at.replace(second=0, microsecond=0).minute % 5 for at in sent}, {0})
                self.assertEqual(len(sent), 48)

    def test_resets_come_once_with_each_day_where_midnight_is_skipped_or_comes_twice(self) -> None:
        for zone, first, day in (
            ("Europe/Paris", "2026-10-24 21:30", "2026-10-24T22:00"),
            ("America/Havana", "2026-03-08 04:30", "2026-03-08T05:00"),  # no midnight: the day begins at 01:00
            ("America/Havana", "2026-11-01 03:30", "2026-11-01T04:00"),  # midnight twice
            ("Africa/Cairo", "2026-04-23 21:30", "2026-04-23T22:00"),
            ("Asia/Beirut", "2026-03-28 21:30", "2026-03-28T22:00"),
            ("America/Santiago", "2026-09-06 03:30", "2026-09-06T04:00"),
        ):
            with self.subTest(zone, first=first):
                sent = self.sent_in(zone, first, hours=3)[DAILY.name]
                self.assertEqual([f"{at.astimezone(UTC):%Y-%m-%dT%H:%M}" for at in sent], [day])
                self.assertEqual(utc(day).astimezone(ZoneInfo(zone)).day, int(first[8:10]) + (first[11:13] > "20"))

    def test_health_is_well_all_the_time(self) -> None:
        for zone, first in (("Europe/Paris", "2026-10-24 20:30"), ("America/Havana", "2026-03-08 02:30")):
            with self.subTest(zone), override_settings(TIME_ZONE=zone):
                sent = self.sent_in(zone, first, hours=6)
                for minutes in range(60, 360, 7):
                    self.assert_well(utc(first) + timedelta(minutes=minutes), sent, utc(first))

    def assert_well(self, now: datetime, sent: Sent, begin: datetime) -> None:
        for job in (CHECK, DAILY, MONTHLY):
            before = [at for at in [begin, *sent.get(job.name, [])] if at <= now]
            JobRun.objects.update_or_create(name=job.run_name, defaults={"succeeded_at": max(before)})
        late = [job.name for job in health(now=now).jobs if job.late and job.name != QUICK_PASS]
        self.assertEqual(late, [], now)

    def test_a_crontab_in_the_zone_itself_would_leave_out_an_hour(self) -> None:
        """If this fails, celery has learned it, and the check may go by any zone."""
        crontab = CrontabSchedule.objects.create(minute="*/7", hour="*", timezone="Europe/Paris")
        PeriodicTask.objects.create(name="In the zone", task="x", crontab=crontab)
        sent = self.sent_in("Europe/Paris", "2026-10-24 23:32", hours=4)["In the zone"]
        self.assertGreater(max(b - a for a, b in pairwise(sent)), timedelta(minutes=60))


class RealProcesses(OutsideTestCase):
    """Beat and a worker, after the clock of the machine was ahead by a year."""

    def test_they_go_on_at_once(self) -> None:
        ahead = timezone.now() + timedelta(days=365)
        PeriodicTask.objects.update(last_run_at=ahead)
        for job in OURS:
            JobRun.objects.update_or_create(name=job.run_name, defaults={"started_at": ahead, "succeeded_at": ahead})
        services = self.enterContext(running_services())
        with services.worker(), services.beat():
            services.wait_for("check and quick check have run", self.have_run)
            services.wait_for("health is well", lambda: not self.wrong())

    def have_run(self) -> bool:
        runs = JobRun.objects.in_bulk([CHECK_BUDGETS, QUICK_PASS])
        return all(run.succeeded_at and run.succeeded_at <= timezone.now() for run in runs.values())

    def wrong(self) -> list[str]:
        found = health(now=timezone.now())
        return [*found.problems, *found.warnings]
