"""Whether the jobs do their work: the last success against the schedule that staff gave, on both sides of a limit."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.migrations.recorder import MigrationRecorder
from django.test import TestCase
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from campaigns.models import AccountingTimeZone, Heartbeat, JobRun, PendingSpend
from campaigns.services.jobs.full_check import CHECK_BUDGETS, RESET_DAILY_SPEND, RESET_MONTHLY_SPEND, run_full_check
from campaigns.services.jobs.health import Health, JobHealth, health, in_words, late_check
from campaigns.services.jobs.processes import note_heartbeat
from campaigns.services.jobs.quick_check import JOB as QUICK_PASS
from campaigns.services.jobs.schedule import CHECK, DAILY, MONTHLY, Job
from campaigns.tests.support.factories import make_campaign, spend, utc

INSTALLED = utc("2026-11-01 12:00")
NOW = utc("2026-11-23 14:05:03")
SECOND = timedelta(seconds=1)
DOWN = "and no run has begun since: start beat, worker and broker, or see their logs."


class HealthTestCase(TestCase):
    """Everything is well at NOW: what a test is about, it makes worse."""

    def setUp(self) -> None:
        MigrationRecorder.Migration.objects.filter(app="campaigns").update(applied=INSTALLED)
        succeeded(CHECK_BUDGETS, NOW)
        succeeded(RESET_DAILY_SPEND, utc("2026-11-23 00:00:02"))
        succeeded(RESET_MONTHLY_SPEND, utc("2026-11-01 00:00:02"))
        self.seen(NOW)

    def seen(self, at: datetime) -> None:
        Heartbeat.objects.all().delete()
        for kind in Heartbeat.Kind.values:
            Heartbeat.objects.create(kind=kind, name="host", seen_at=at)

    def at(self, now: datetime) -> Health:
        """Return the health with beat and worker there, and a quick check just done."""
        self.seen(now)
        succeeded(QUICK_PASS, now)
        return health(now=now)

    def assert_well(self, now: datetime) -> None:
        found = self.at(now)
        self.assertEqual((found.problems, found.warnings), ([], []))

    def problem(self, now: datetime) -> str:
        (problem,) = self.at(now).problems
        return problem

    def warning(self, now: datetime) -> str:
        found = self.at(now)
        self.assertEqual(found.problems, [])
        (warning,) = found.warnings
        return warning


def succeeded(name: str, at: datetime) -> None:
    JobRun.objects.update_or_create(name=name, defaults={"started_at": at - SECOND, "succeeded_at": at})


def change(job: Job, **fields: object) -> None:
    PeriodicTask.objects.filter(task=job.task).update(**fields)


class Check(HealthTestCase):
    def test_it_may_come_five_minutes_after_its_turn(self) -> None:
        self.assert_well(utc("2026-11-23 14:15:00"))
        self.assertEqual(
            self.problem(utc("2026-11-23 14:15:01")),
            f"check_budgets last succeeded 9 minutes ago, at 2026-11-23 14:05 UTC, {DOWN}",
        )

    def test_it_tells_of_a_run_that_began_and_did_not_succeed(self) -> None:
        JobRun.objects.filter(name=CHECK_BUDGETS).update(started_at=utc("2026-11-23 14:20:01"))
        self.assertEqual(
            self.problem(utc("2026-11-23 14:24:00")),
            "check_budgets last succeeded 18 minutes ago, at 2026-11-23 14:05 UTC; a run began at 2026-11-23 14:20 UTC"
            " and did not succeed: see the worker's log.",
        )

    def test_it_is_expected_by_the_crontab_that_staff_chose(self) -> None:
        hours = CrontabSchedule.objects.create(minute="0,30", hour="8-18", timezone="America/New_York")
        change(CHECK, crontab=hours)
        self.assert_well(utc("2026-11-23 14:35:00"))
        self.problem(utc("2026-11-23 14:35:01"))
        succeeded(CHECK_BUDGETS, utc("2026-11-23 23:30:10"))
        succeeded(RESET_DAILY_SPEND, utc("2026-11-24 00:00:02"))
        self.assert_well(utc("2026-11-24 13:05:00"))
        self.problem(utc("2026-11-24 13:05:01"))

    def test_it_is_expected_by_the_interval_that_staff_chose(self) -> None:
        change(CHECK, crontab=None, interval=IntervalSchedule.objects.create(every=1, period="minutes"))
        self.assert_well(NOW + timedelta(minutes=6))
        self.problem(NOW + timedelta(minutes=6) + SECOND)

    def test_the_soonest_of_two_tasks_counts(self) -> None:
        hourly = CrontabSchedule.objects.create(minute="0", hour="*", timezone="UTC")
        PeriodicTask.objects.create(name="Another check", task=CHECK.task, crontab=hourly)
        self.problem(utc("2026-11-23 14:15:01"))

    def test_a_fresh_installation_is_not_late_before_its_first_turn(self) -> None:
        JobRun.objects.all().delete()
        MigrationRecorder.Migration.objects.filter(app="campaigns").update(applied=utc("2026-11-23 14:02"))
        self.assert_well(utc("2026-11-23 14:10:00"))
        self.assertEqual(
            self.problem(utc("2026-11-23 14:10:01")),
            f"check_budgets has never succeeded, and should have by 2026-11-23 14:10 UTC, {DOWN}",
        )

    def test_it_tells_of_a_first_run_that_did_not_succeed(self) -> None:
        JobRun.objects.filter(name=CHECK_BUDGETS).update(succeeded_at=None)
        self.assertIn("a run began at 2026-11-23 14:05 UTC and did not succeed", self.problem(NOW))

    def test_a_success_that_is_still_to_come_is_none(self) -> None:
        succeeded(CHECK_BUDGETS, NOW + timedelta(minutes=5))
        self.assert_well(NOW)
        succeeded(CHECK_BUDGETS, utc("2036-11-23 14:05"))
        self.assertEqual(
            self.problem(NOW),
            "check_budgets last succeeded at 2036-11-23 14:05 UTC, by a clock that was ahead: since it was set right,"
            f" no run has succeeded, {DOWN}",
        )

    def test_after_the_next_check_nothing_is_dated_ahead(self) -> None:
        for job in (CHECK_BUDGETS, RESET_DAILY_SPEND, RESET_MONTHLY_SPEND):
            succeeded(job, utc("2036-11-23 14:05"))
        run_full_check(CHECK_BUDGETS, clock=lambda: NOW)
        self.assert_well(NOW)

    def test_it_names_a_task_that_is_missing(self) -> None:
        PeriodicTask.objects.filter(task=CHECK.task).delete()
        self.assertEqual(
            self.problem(NOW), "No periodic task runs check_budgets: run `manage.py migrate`, which adds it."
        )

    def test_it_names_a_task_that_is_switched_off(self) -> None:
        change(CHECK, enabled=False)
        self.assertEqual(
            self.problem(NOW),
            "The periodic task of check_budgets is switched off: enable it in the admin, under Periodic tasks.",
        )

    def test_it_names_a_task_that_beat_does_not_repeat(self) -> None:
        sentence = (
            "The periodic task of check_budgets has ended, hasn't begun, or has no schedule that repeats: correct it in"
            " the admin, under Periodic tasks."
        )
        for wrong, right in (
            ({"expires": NOW}, {"expires": NOW + SECOND}),
            ({"start_time": NOW + SECOND}, {"start_time": NOW}),
            ({"one_off": True}, {"one_off": False}),
        ):
            with self.subTest(wrong):
                change(CHECK, **wrong)
                self.assertEqual(self.problem(NOW), sentence)
                change(CHECK, **right)
                self.assert_well(NOW)
        change(CHECK, crontab=None)
        self.assertEqual(self.problem(NOW), sentence)

    def test_a_task_that_is_switched_off_is_late_by_its_original_schedule(self) -> None:
        change(CHECK, enabled=False)
        self.assertIn(" switched off: ", self.problem(utc("2026-11-23 14:15:01")))
        self.assertIn(" last succeeded 9 minutes ago", self.problem(utc("2026-11-23 14:15:01")))

    def test_it_names_a_crontab_that_never_comes(self) -> None:
        for fields in ({"day_of_month": "31", "month_of_year": "2"}, {"hour": "noon"}):
            with self.subTest(fields):
                change(CHECK, crontab=CrontabSchedule.objects.create(**fields))
                self.assertIn("or has no schedule that repeats", self.problem(NOW))

    def test_it_warns_of_what_a_check_could_not_do_without_saying_what(self) -> None:
        JobRun.objects.filter(name=CHECK_BUDGETS).update(problem="Unknown time zone 'Acme/Corp'")
        self.assertEqual(self.warning(NOW), "check_budgets finished with errors: see Jobs in the admin.")


class Resets(HealthTestCase):
    """The check does the work of a reset that didn't come: a warning, never a problem."""

    def test_a_daily_reset_that_did_not_come_is_a_warning(self) -> None:
        succeeded(CHECK_BUDGETS, utc("2026-11-24 00:05:00"))
        self.assert_well(utc("2026-11-24 00:05:00"))
        self.assertEqual(
            self.warning(utc("2026-11-24 00:05:01")),
            "reset_daily_spend missed its turn: the next check does its work.",
        )

    def test_so_is_a_monthly_one(self) -> None:
        self.assert_well(NOW)
        now = utc("2026-12-01 00:05:01")
        succeeded(CHECK_BUDGETS, now)
        succeeded(RESET_DAILY_SPEND, now)
        self.assertEqual(self.warning(now), "reset_monthly_spend missed its turn: the next check does its work.")

    def test_so_is_one_that_is_missing_or_switched_off(self) -> None:
        PeriodicTask.objects.filter(task=DAILY.task).delete()
        self.assertIn("No periodic task runs reset_daily_spend", self.warning(NOW))
        change(MONTHLY, enabled=False)
        self.assertIn("The periodic task of reset_monthly_spend is switched off", self.at(NOW).warnings[1])

    def test_one_that_never_came_is_not_missed_before_its_first_turn(self) -> None:
        JobRun.objects.exclude(name=CHECK_BUDGETS).delete()
        MigrationRecorder.Migration.objects.filter(app="campaigns").update(applied=utc("2026-11-23 00:00:01"))
        self.assert_well(NOW)


class Pending(HealthTestCase):
    def pend(self, at: datetime) -> None:
        campaign = make_campaign()
        spend(campaign, 1)
        PendingSpend.objects.filter(campaign=campaign).update(recorded_at=at)

    def test_nothing_is_pending(self) -> None:
        self.assertIsNone(health(now=NOW).pending.oldest_at)

    def test_it_knows_when_a_row_arrived(self) -> None:
        spend(make_campaign(), 1)
        oldest = PendingSpend.objects.get().recorded_at
        self.assertEqual(health(now=oldest).pending.oldest_at, oldest)

    def test_a_row_is_folded_by_the_next_check_and_five_minutes(self) -> None:
        self.pend(utc("2026-11-23 13:56:00"))
        self.pend(utc("2026-11-23 14:04:00"))
        self.assert_well(utc("2026-11-23 14:05:00"))
        self.assertEqual(
            self.problem(utc("2026-11-23 14:05:01")), "Pending spend waits 9 minutes for a check to fold it."
        )

    def test_a_row_that_can_not_be_booked_is_a_warning(self) -> None:
        self.pend(utc("2026-11-23 10:00"))
        self.unknown_zone()
        self.pend(utc("2026-11-23 14:04:00"))
        self.assertEqual(
            self.warning(NOW),
            "Pending spend waits 4 hours for a brand in an unknown time zone: correct it in the admin.",
        )

    def test_it_finds_the_row_behind_it_that_can_be_booked(self) -> None:
        self.pend(utc("2026-11-23 10:00"))
        self.unknown_zone()
        self.pend(utc("2026-11-23 13:30:00"))
        self.assertEqual(self.problem(NOW), "Pending spend waits 35 minutes for a check to fold it.")

    def unknown_zone(self) -> None:
        """Only SQL can do this: the brand is booked in an unknown zone."""
        AccountingTimeZone.objects.update(timezone="Mars/Olympus")


class ProcessesTests(HealthTestCase):
    def test_one_that_has_not_been_seen_for_two_minutes_is_a_problem(self) -> None:
        self.assertEqual(health(now=NOW + timedelta(minutes=2)).problems, [])
        beat, worker = health(now=NOW + timedelta(minutes=2) + SECOND).problems
        self.assertEqual(
            beat,
            "No beat has been seen for two minutes (the last one: at 2026-11-23 14:05 UTC): start it with “celery -A"
            " budget_manager beat --scheduler django_celery_beat.schedulers:DatabaseScheduler”, or see its log.",
        )
        self.assertEqual(
            worker,
            "No worker has been seen for two minutes (the last one: at 2026-11-23 14:05 UTC): start it with “celery -A"
            " budget_manager worker”, or see its log.",
        )

    def test_one_of_two_is_enough(self) -> None:
        Heartbeat.objects.create(kind="worker", name="other", seen_at=NOW - timedelta(hours=1))
        Heartbeat.objects.create(kind="worker", name="third", seen_at=NOW - timedelta(minutes=1))
        beat, workers = health(now=NOW).processes
        self.assertEqual((beat.running, workers.running, workers.seen_at, workers.problem), (1, 2, NOW, ""))

    def test_a_fresh_installation_has_two_minutes_to_start_them(self) -> None:
        Heartbeat.objects.all().delete()
        MigrationRecorder.Migration.objects.filter(app="campaigns").update(applied=NOW - timedelta(minutes=2))
        self.assertEqual(health(now=NOW).problems, [])
        self.assertEqual(
            health(now=NOW + SECOND).problems[1],
            "No worker has been seen for two minutes (the last one: never): start it with “celery -A budget_manager"
            " worker”, or see its log.",
        )

    def test_a_fresh_installation_is_not_well_before_they_have_run(self) -> None:
        Heartbeat.objects.all().delete()
        MigrationRecorder.Migration.objects.filter(app="campaigns").update(applied=NOW - SECOND)
        succeeded(QUICK_PASS, NOW)
        found = health(now=NOW)
        self.assertEqual(
            found.warnings,
            [
                "No beat has run yet: start it with “celery -A budget_manager beat --scheduler"
                " django_celery_beat.schedulers:DatabaseScheduler”.",
                "No worker has run yet: start it with “celery -A budget_manager worker”.",
            ],
        )
        self.assertEqual([each.is_missing for each in found.processes], [True, True])
        self.seen(NOW)
        self.assertEqual([each.is_missing for each in health(now=NOW).processes], [False, False])


class Clocks(HealthTestCase):
    """The database's clock counts; a process whose own clock is another is named, for its messages may expire."""

    def warned(self, *, seconds_ahead: float, seen_at: datetime = NOW) -> list[str]:
        self.seen(NOW)
        Heartbeat.objects.filter(kind="worker").update(seconds_ahead=seconds_ahead, seen_at=seen_at)
        succeeded(QUICK_PASS, NOW)
        return health(now=NOW).warnings

    def test_one_that_differs_is_a_warning(self) -> None:
        self.assertEqual(
            self.warned(seconds_ahead=15),
            [
                "The clock of a worker is 15 seconds ahead of the database's: synchronize the clocks of all machines,"
                " or quick checks expire before they begin."
            ],
        )
        self.assertIn("a worker is 2 hours behind the database's", self.warned(seconds_ahead=-7200)[0])
        self.assertEqual(self.warned(seconds_ahead=5), [])
        self.assertEqual(self.warned(seconds_ahead=-5), [])

    def test_a_heartbeat_dated_ahead_tells_it_where_the_database_has_no_clock(self) -> None:
        warned = self.warned(seconds_ahead=0, seen_at=NOW + timedelta(seconds=15))
        self.assertIn("a worker is 15 seconds ahead", warned[0])

    def test_a_heartbeat_far_ahead_says_nothing_of_now(self) -> None:
        self.seen(utc("2036-11-23 14:05"))
        problems = health(now=NOW).problems
        self.assertIn("No beat has been seen for two minutes (the last one: never)", problems[0])
        self.assertIn("No worker has been seen for two minutes (the last one: never)", problems[1])

    def test_it_goes_with_the_next_one_of_any_process(self) -> None:
        self.seen(utc("2036-11-23 14:05"))
        note_heartbeat("worker", "host", now=NOW)
        self.assertEqual(list(Heartbeat.objects.values_list("kind", "seen_at")), [("worker", NOW)])


class Cost(HealthTestCase):
    def test_it_takes_five_queries(self) -> None:
        spend(make_campaign(), 1)
        PendingSpend.objects.update(recorded_at=NOW)
        with self.assertNumQueries(5):
            health(now=NOW)

    def test_it_takes_one_more_where_a_pending_row_is_overdue(self) -> None:
        spend(make_campaign(), 1)
        PendingSpend.objects.update(recorded_at=INSTALLED)
        with self.assertNumQueries(6):
            health(now=NOW)

    def test_a_page_asks_once_while_the_check_succeeds(self) -> None:
        with self.assertNumQueries(1):
            self.assertIsNone(late_check(now=NOW + timedelta(minutes=5)))

    def test_a_page_asks_thrice_otherwise(self) -> None:
        with self.assertNumQueries(3):
            self.assertIsNone(late_check(now=utc("2026-11-23 14:15:00")))
        with self.assertNumQueries(3):
            late = late_check(now=utc("2026-11-23 14:15:01"))
        assert isinstance(late, JobHealth)
        self.assertEqual(late.succeeded_at, NOW)


class Words(TestCase):
    def test_durations_in_words(self) -> None:
        for duration, words in (
            (timedelta(seconds=59), "0 minutes"),
            (timedelta(minutes=1), "1 minute"),
            (timedelta(minutes=119), "119 minutes"),
            (timedelta(minutes=120), "2 hours"),
            (timedelta(hours=47, minutes=59), "47 hours"),
            (timedelta(hours=48), "2 days"),
        ):
            self.assertEqual(in_words(duration), words)
