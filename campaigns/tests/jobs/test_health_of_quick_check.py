"""A quick check that is late or missing is a warning: the check does its work, later."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.migrations.recorder import MigrationRecorder
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from campaigns.models import JobRun
from campaigns.services.jobs.health import Health, health
from campaigns.services.jobs.quick_check import JOB
from campaigns.services.jobs.schedule import QUICK
from campaigns.tests.jobs.test_health_of_jobs import NOW, SECOND, HealthTestCase, change, succeeded

MISSED = "quick_check is late: until it runs, only the full check enforces budgets, schedules and dates."
IN_TIME = timedelta(minutes=1, seconds=10)


class AQuickPass(HealthTestCase):
    def at(self, now: datetime) -> Health:
        self.seen(NOW)
        return health(now=now)

    def test_it_may_come_a_minute_after_its_turn(self) -> None:
        succeeded(JOB, NOW - IN_TIME)
        self.assert_well(NOW)
        succeeded(JOB, NOW - IN_TIME - SECOND)
        self.assertEqual(self.warning(NOW), MISSED)

    def test_it_is_not_late_before_its_first_turn_after_installing(self) -> None:
        migrations = MigrationRecorder.Migration.objects.filter(app="campaigns")
        migrations.update(applied=NOW - IN_TIME)
        self.assert_well(NOW)
        migrations.update(applied=NOW - IN_TIME - SECOND)
        self.assertEqual(self.warning(NOW), MISSED)

    def test_it_is_expected_by_the_interval_that_staff_chose(self) -> None:
        change(QUICK, interval=IntervalSchedule.objects.create(every=2, period="minutes"))
        succeeded(JOB, NOW - timedelta(minutes=3))
        self.assert_well(NOW)
        succeeded(JOB, NOW - timedelta(minutes=3) - SECOND)
        self.assertEqual(self.warning(NOW), MISSED)

    def test_one_that_is_switched_off_or_missing_is_a_warning(self) -> None:
        succeeded(JOB, NOW)
        change(QUICK, enabled=False)
        self.assertEqual(
            self.warning(NOW),
            "The periodic task of quick_check is switched off: enable it in the admin, under Periodic tasks.",
        )
        PeriodicTask.objects.filter(task=QUICK.task).delete()
        self.assertEqual(
            self.warning(NOW), "No periodic task runs quick_check: run `manage.py migrate`, which adds it."
        )

    def test_one_that_begins_and_never_succeeds_is_a_warning(self) -> None:
        JobRun.objects.update_or_create(name=JOB, defaults={"started_at": NOW, "succeeded_at": None})
        self.assertEqual(self.warning(NOW), MISSED)
