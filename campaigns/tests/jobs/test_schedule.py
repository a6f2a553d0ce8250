"""What beat fires and how workers take it: the periodic tasks and the options of celery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.management import call_command
from django.test import SimpleTestCase, TestCase, override_settings
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from budget_manager.celery import app
from campaigns.models import JobZone
from campaigns.services.jobs.schedule import CHECK, DAILY, JOBS, MONTHLY, QUICK, Job

CRONTABS = (CHECK, DAILY, MONTHLY)
RESETS = (DAILY, MONTHLY)
NEW_YORK, PARIS = "America/New_York", "Europe/Paris"


def of(job: Job) -> PeriodicTask:
    return PeriodicTask.objects.get(task=job.task)


def crontab_of(job: Job) -> CrontabSchedule:
    crontab = of(job).crontab
    assert crontab
    return crontab


def zone_of(job: Job) -> str:
    return str(crontab_of(job).timezone)


def migrate() -> None:
    call_command("migrate", verbosity=0)


class PeriodicTasks(TestCase):
    def test_all_are_there_after_migrate(self) -> None:
        ours = PeriodicTask.objects.filter(task__startswith="campaigns.").order_by("name")
        self.assertEqual(
            list(ours.values_list("name", "task", "enabled")),
            [
                ("Check budgets", "campaigns.tasks.check_budgets", True),
                ("Deliver webhooks", "campaigns.tasks.deliver", True),
                ("Quick check", "campaigns.tasks.quick_check", True),
                ("Reset daily spend", "campaigns.tasks.reset_daily_spend", True),
                ("Reset monthly spend", "campaigns.tasks.reset_monthly_spend", True),
                ("Send alerts", "campaigns.tasks.send_alerts", True),
            ],
        )

    def test_they_run_every_five_minutes_at_midnight_and_on_the_1st(self) -> None:
        def cron(job: Job) -> tuple[str, ...]:
            at = crontab_of(job)
            return at.minute, at.hour, at.day_of_month, at.month_of_year, at.day_of_week

        self.assertEqual(cron(CHECK), ("*/5", "*", "*", "*", "*"))
        self.assertEqual(cron(DAILY), ("0", "0", "*", "*", "*"))
        self.assertEqual(cron(MONTHLY), ("0", "0", "1", "*", "*"))

    def test_the_quick_check_runs_every_ten_seconds(self) -> None:
        interval = of(QUICK).interval
        assert interval
        self.assertEqual((interval.every, interval.period, of(QUICK).crontab), (10, "seconds", None))

    def test_resets_go_by_the_clock_of_the_applications_zone_and_the_check_by_utc(self) -> None:
        for job in CRONTABS:
            self.assertEqual(str(crontab_of(job).timezone), settings.TIME_ZONE)
        PeriodicTask.objects.all().delete()
        with override_settings(TIME_ZONE=NEW_YORK):
            migrate()
        self.assertEqual([zone_of(job) for job in CRONTABS], ["UTC", NEW_YORK, NEW_YORK])

    def test_each_expires_by_its_next_turn(self) -> None:
        turns = {CHECK: timedelta(minutes=5), DAILY: timedelta(days=1), MONTHLY: timedelta(days=28)}
        for job, turn in turns.items():
            expires = of(job).expire_seconds
            assert expires
            self.assertTrue(timedelta(0) < timedelta(seconds=expires) < turn)

    def test_a_quick_check_leaves_room_for_clocks_that_differ_and_piles_up_for_a_minute_at_most(self) -> None:
        self.assertEqual(of(QUICK).expire_seconds, 60)

    def test_beat_knows_the_tasks_that_they_name(self) -> None:
        app.loader.import_default_modules()  # as beat and worker do when they start
        for job in JOBS:
            self.assertIn(job.task, app.tasks)

    def test_the_daily_job_is_due_at_midnight(self) -> None:
        schedule = crontab_of(DAILY).schedule
        last = datetime(2026, 3, 2, 0, 0, 1, tzinfo=UTC)
        schedule.nowfun = lambda: datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)
        self.assertFalse(schedule.is_due(last).is_due)
        schedule.nowfun = lambda: datetime(2026, 3, 3, 0, 0, 0, tzinfo=UTC)
        self.assertTrue(schedule.is_due(last).is_due)


class WhatStaffChanged(TestCase):
    """The schedule belongs to staff: a later migrate adds what is missing and touches nothing else."""

    def test_a_task_that_is_switched_off_stays_off(self) -> None:
        PeriodicTask.objects.filter(task=DAILY.task).update(enabled=False)
        migrate()
        self.assertFalse(of(DAILY).enabled)

    def test_another_schedule_and_expiry_stay(self) -> None:
        choice = IntervalSchedule.objects.create(every=2, period=IntervalSchedule.MINUTES)
        tasks = PeriodicTask.objects.filter(task=CHECK.task)
        tasks.update(crontab=None, interval=choice, expire_seconds=90)
        migrate()
        self.assertEqual(tasks.values_list("crontab", "interval", "expire_seconds").get(), (None, choice.pk, 90))

    def test_an_edited_crontab_stays(self) -> None:
        CrontabSchedule.objects.filter(pk=crontab_of(CHECK).pk).update(minute="*/10")
        migrate()
        self.assertEqual(crontab_of(CHECK).minute, "*/10")

    def test_another_name_stays_and_makes_no_second_one(self) -> None:
        PeriodicTask.objects.filter(task=CHECK.task).update(name="Budgets, often")
        migrate()
        self.assertEqual(of(CHECK).name, "Budgets, often")
        self.assertFalse(PeriodicTask.objects.filter(name=CHECK.name).exists())

    def test_a_task_of_theirs_with_our_name_stays_theirs(self) -> None:
        PeriodicTask.objects.filter(task=CHECK.task).update(task=DAILY.task)
        migrate()
        self.assertEqual(PeriodicTask.objects.get(name=CHECK.name).task, DAILY.task)
        self.assertEqual(of(CHECK).name, CHECK.task)

    def test_a_deleted_one_comes_back_as_it_was(self) -> None:
        was = of(MONTHLY)
        PeriodicTask.objects.filter(pk=was.pk).delete()
        migrate()
        self.assertEqual((of(MONTHLY).name, of(MONTHLY).crontab), (was.name, was.crontab))

    def test_migrating_again_makes_no_second_schedule(self) -> None:
        before = CrontabSchedule.objects.count(), IntervalSchedule.objects.count()
        PeriodicTask.objects.all().delete()
        migrate()
        self.assertEqual((CrontabSchedule.objects.count(), IntervalSchedule.objects.count()), before)

    def test_an_expiry_of_theirs_stays_and_one_of_an_earlier_version_follows(self) -> None:
        quick = PeriodicTask.objects.filter(task=QUICK.task)
        quick.update(expire_seconds=15)
        migrate()
        self.assertEqual(of(QUICK).expire_seconds, 15)
        quick.update(expire_seconds=10)
        migrate()
        self.assertEqual(of(QUICK).expire_seconds, 60)
        quick.update(expire_seconds=10, interval=IntervalSchedule.objects.create(every=20, period="seconds"))
        migrate()
        self.assertEqual(of(QUICK).expire_seconds, 10)

    def test_a_slower_quick_check_stays(self) -> None:
        minute = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.MINUTES)
        PeriodicTask.objects.filter(task=QUICK.task).update(interval=minute, expire_seconds=60)
        migrate()
        self.assertEqual((of(QUICK).interval, of(QUICK).expire_seconds), (minute, 60))


class AnotherTimeZone(TestCase):
    """TIME_ZONE is another than at installation: the next migrate, or start of beat, corrects what nobody changed."""

    def migrate(self, zone: str) -> None:
        with override_settings(TIME_ZONE=zone):
            migrate()

    def choose(self, job: Job, zone: str) -> None:
        minute, hour, day_of_month = job.cron or ("0", "0", "*")
        fields = {"minute": minute, "hour": hour, "day_of_month": day_of_month, "timezone": zone}
        PeriodicTask.objects.filter(task=job.task).update(crontab=CrontabSchedule.objects.create(**fields))

    def test_the_resets_follow_again_and_again(self) -> None:
        for zone in (NEW_YORK, PARIS, "UTC", PARIS):
            self.migrate(zone)
            self.assertEqual([zone_of(job) for job in RESETS], [zone, zone])
            self.assertEqual(zone_of(CHECK), "UTC")

    def test_a_zone_that_staff_chose_stays(self) -> None:
        self.choose(DAILY, "Asia/Tokyo")
        self.migrate(PARIS)
        self.migrate(NEW_YORK)
        self.assertEqual((zone_of(DAILY), zone_of(MONTHLY)), ("Asia/Tokyo", NEW_YORK))

    def test_so_does_a_crontab_at_another_hour(self) -> None:
        CrontabSchedule.objects.filter(pk=crontab_of(DAILY).pk).update(hour="1")
        self.migrate(PARIS)
        self.assertEqual((crontab_of(DAILY).hour, zone_of(DAILY)), ("1", "UTC"))

    def test_what_an_earlier_version_made_follows(self) -> None:
        JobZone.objects.all().delete()
        self.choose(DAILY, "Asia/Tokyo")
        self.choose(CHECK, "Asia/Tokyo")
        CrontabSchedule.objects.filter(pk=crontab_of(CHECK).pk).update(minute="*/5", hour="*")
        self.migrate(PARIS)
        self.assertEqual([zone_of(job) for job in CRONTABS], ["UTC", PARIS, PARIS])
        self.choose(DAILY, "Asia/Tokyo")
        self.migrate(PARIS)
        self.assertEqual(zone_of(DAILY), "Asia/Tokyo")

    def test_a_crontab_of_every_hour_is_read_in_utc_where_that_is_the_same(self) -> None:
        for minute, hour, zone in (("*/15", "*", "UTC"), ("*/10", "*", PARIS), ("*/5", "8-18", PARIS)):
            crontab = CrontabSchedule.objects.create(minute=minute, hour=hour, timezone=PARIS)
            PeriodicTask.objects.filter(task=CHECK.task).update(crontab=crontab)
            migrate()
            self.assertEqual((crontab_of(CHECK).minute, crontab_of(CHECK).hour, zone_of(CHECK)), (minute, hour, zone))

    def test_another_task_keeps_the_crontab_that_it_shares(self) -> None:
        shared = crontab_of(DAILY)
        theirs = PeriodicTask.objects.create(name="Mail", task="mail.send", crontab=shared)
        self.migrate(PARIS)
        theirs.refresh_from_db()
        self.assertEqual(theirs.crontab, shared)
        self.assertEqual(str(shared.timezone), "UTC")


class Celery(SimpleTestCase):
    def test_a_task_whose_worker_is_killed_runs_again(self) -> None:
        self.assertTrue(app.conf.task_acks_late)
        self.assertTrue(app.conf.task_reject_on_worker_lost)

    def test_a_worker_reserves_one_task_at_a_time_and_keeps_no_results(self) -> None:
        self.assertEqual(app.conf.worker_prefetch_multiplier, 1)
        self.assertTrue(app.conf.task_ignore_result)
        self.assertIsNone(app.conf.result_backend)

    def test_time_limits_lie_below_the_turn_of_the_most_frequent_job(self) -> None:
        self.assertTrue(0 < app.conf.task_soft_time_limit < app.conf.task_time_limit < 300)

    def test_an_unacknowledged_task_is_not_given_away_while_it_may_run(self) -> None:
        self.assertGreater(app.conf.broker_transport_options["visibility_timeout"], app.conf.task_time_limit)

    def test_it_waits_for_a_broker_that_is_away_and_never_for_a_dead_peer(self) -> None:
        self.assertTrue(app.conf.broker_connection_retry_on_startup)
        self.assertIsNone(app.conf.broker_connection_max_retries)
        options = app.conf.broker_transport_options
        self.assertTrue(options["socket_keepalive"])
        self.assertTrue(0 < options["socket_connect_timeout"] <= options["socket_timeout"] <= 60)

    def test_beat_reads_the_database_and_no_schedule_in_code_overwrites_it(self) -> None:
        self.assertEqual(app.conf.beat_scheduler, "django_celery_beat.schedulers:DatabaseScheduler")
        self.assertEqual(app.conf.beat_schedule, {})

    def test_tasks_have_a_queue_of_their_own_on_a_broker_that_others_use_too(self) -> None:
        self.assertEqual(app.conf.task_default_queue, "budget_manager")

    def test_tasks_are_never_run_eagerly(self) -> None:
        self.assertFalse(app.conf.task_always_eager)
