"""The three jobs of the full check: thin callers, each good for everything (R4, R6)."""

from __future__ import annotations

from decimal import Decimal

import time_machine
from django.test import TestCase
from django.utils import timezone

from budget_manager.celery import app
from campaigns.models import BrandPeriod, JobRun
from campaigns.rules.reasons import PauseReason
from campaigns.services.jobs import full_check as jobs
from campaigns.tasks import check_budgets, reset_daily_spend, reset_monthly_spend
from campaigns.tests.support.checking import ACTIVE, campaign_spent, history, period, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

TASKS = {
    jobs.CHECK_BUDGETS: check_budgets,
    jobs.RESET_DAILY_SPEND: reset_daily_spend,
    jobs.RESET_MONTHLY_SPEND: reset_monthly_spend,
}
DAY_REACHED, MONTH_REACHED = PauseReason.BRAND_DAILY_BUDGET, PauseReason.BRAND_MONTHLY_BUDGET


class Tasks(TestCase):
    def test_a_worker_finds_each_by_its_name(self) -> None:
        for name, task in TASKS.items():
            self.assertEqual(app.tasks[f"campaigns.tasks.{name}"].name, task.name)

    def test_each_enforces_everything_by_the_real_clock(self) -> None:
        for name, task in TASKS.items():
            with self.subTest(name):
                campaign = make_campaign(make_brand(daily_budget=10))
                spend(campaign, 10)
                before = timezone.now()
                task()
                self.assertEqual(reasons_of(campaign), DAY_REACHED)
                line = campaign.status_changes.get()
                self.assertEqual(line.actor, name)
                self.assertTrue(before <= line.at <= timezone.now())

    def test_each_folds_and_closes_what_has_ended(self) -> None:
        at = utc("2026-03-05 12:00")
        for name, task in TASKS.items():
            with self.subTest(name), time_machine.travel(at, tick=False):
                brand = make_brand(created_at=utc("2026-02-10"), daily_budget=10)
                spend(make_campaign(brand), 7, "2026-02-20 12:00")
                task()
                closed = period(brand, "day", "2026-02-20")
                self.assertEqual((closed.spend, closed.spend_at_close, closed.closed_at), (7, 7, at))

    def test_each_notes_its_run(self) -> None:
        for name, task in TASKS.items():
            with self.subTest(name):
                spend(make_campaign(make_brand(daily_budget=10)), 10)
                before = timezone.now()
                task()
                run = JobRun.objects.get(name=name)
                assert run.started_at and run.succeeded_at
                self.assertTrue(before <= run.started_at <= run.succeeded_at <= timezone.now())
                self.assertIn("1 paused, 0 resumed", run.summary)
                self.assertEqual(run.problem, "")

    def test_each_logs_what_it_did(self) -> None:
        for name, task in TASKS.items():
            with self.subTest(name), self.assertLogs("campaigns.tasks", "INFO") as logs:
                task()
                self.assertEqual(logs.output, [f"INFO:campaigns.tasks:{name}: 0 paused, 0 resumed, 0 changed"])


class Resets(TestCase):
    """A reset is a new period: nothing is zeroed (R4)."""

    def test_the_daily_one_resumes_at_midnight_and_keeps_what_came_before_it_ran(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=100))
        spend(campaign, 100, "2026-03-02 18:00")
        with time_machine.travel(utc("2026-03-02 23:59:59"), tick=False):
            check_budgets()
        self.assertEqual(reasons_of(campaign), DAY_REACHED)

        spend(campaign, "0.75", "2026-03-03 00:00:00")
        with time_machine.travel(utc("2026-03-03 00:00:02"), tick=False):
            reset_daily_spend()
        self.assertEqual(reasons_of(campaign), ACTIVE)
        self.assertEqual(campaign_spent(campaign, "2026-03-03 00:00:02"), Decimal("0.75"))

    def test_what_came_between_midnight_and_the_job_may_reach_the_budget_again(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=100))
        spend(campaign, 100, "2026-03-02 18:00")
        spend(campaign, 100, "2026-03-03 00:00:01")
        with time_machine.travel(utc("2026-03-03 00:00:02"), tick=False):
            reset_daily_spend()
        self.assertEqual(reasons_of(campaign), DAY_REACHED)

    def test_the_monthly_one_resumes_on_the_1st(self) -> None:
        campaign = make_campaign(make_brand(monthly_budget=100))
        spend(campaign, 100, "2026-02-10 18:00")
        with time_machine.travel(utc("2026-02-28 23:59:59"), tick=False):
            check_budgets()
        self.assertEqual(reasons_of(campaign), MONTH_REACHED)

        spend(campaign, 30, "2026-03-01 00:00:00")
        with time_machine.travel(utc("2026-03-01 00:00:02"), tick=False):
            reset_monthly_spend()
        self.assertEqual(reasons_of(campaign), ACTIVE)
        self.assertEqual(campaign_spent(campaign, "2026-03-01 00:00:02"), 30)

    def test_the_check_alone_makes_up_for_missed_midnights(self) -> None:
        brand = make_brand(daily_budget=100, created_at=utc("2026-02-27"))
        campaign = make_campaign(brand)
        spend(campaign, 100, "2026-02-27 18:00")
        with time_machine.travel(utc("2026-02-27 18:05"), tick=False):
            check_budgets()
        with time_machine.travel(utc("2026-03-03 03:03"), tick=False):
            check_budgets()
        self.assertEqual(reasons_of(campaign), ACTIVE)
        days = BrandPeriod.objects.filter(brand=brand, kind="day", closed_at__isnull=False).order_by("starts_on")
        self.assertEqual([day.spend_at_close for day in days], [100, 0, 0, 0])


class Duplicates(TestCase):
    def test_five_deliveries_of_each_end_where_one_does(self) -> None:
        over, under = (make_campaign(make_brand(daily_budget=10)) for _ in range(2))
        spend(over, 10)
        spend(under, "9.999999")
        for _ in range(5):
            for task in TASKS.values():
                task()
        self.assertEqual((reasons_of(over), history(over)), (DAY_REACHED, [(ACTIVE, DAY_REACHED)]))
        self.assertEqual((reasons_of(under), history(under)), (ACTIVE, []))
        self.assertEqual(campaign_spent(over, timezone.now()), 10)


class UnknownZone(TestCase):
    """One bad row, written by SQL, stops nothing for the others and is reported (R6)."""

    def setUp(self) -> None:
        lost = make_brand(name="Lost", timezone="Mars/Olympus", daily_budget=10)
        self.lost, self.other = make_campaign(lost), make_campaign(make_brand(daily_budget=10))
        for campaign in (self.lost, self.other):
            spend(campaign, 10)

    def test_the_others_are_enforced_and_it_is_left_as_it_is(self) -> None:
        with self.assertLogs("campaigns.tasks", "ERROR"):
            check_budgets()
        self.assertEqual(reasons_of(self.other), DAY_REACHED)
        self.assertEqual((reasons_of(self.lost), history(self.lost)), (ACTIVE, []))

    def test_it_is_reported_in_the_run_and_in_the_log(self) -> None:
        with self.assertLogs("campaigns.tasks", "ERROR") as logs:
            check_budgets()
        run = JobRun.objects.get(name=jobs.CHECK_BUDGETS)
        self.assertIn("Unknown time zone 'Mars/Olympus'", run.problem)
        self.assertEqual(logs.output, [f"ERROR:campaigns.tasks:check_budgets: {run.problem}"])
        self.assertIsNotNone(run.succeeded_at)

    def test_it_is_enforced_and_no_longer_reported_once_the_zone_is_corrected(self) -> None:
        with self.assertLogs("campaigns.tasks", "ERROR"):
            check_budgets()
        self.lost.brand.timezone = "UTC"
        self.lost.brand.save(update_fields=["timezone"])
        check_budgets()
        self.assertEqual(reasons_of(self.lost), DAY_REACHED)
        self.assertEqual(JobRun.objects.get(name=jobs.CHECK_BUDGETS).problem, "")
