"""A machine whose clock is ahead closes nothing that hasn't ended, and what one has closed is opened again."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO

import time_machine
from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings
from django.utils import timezone

from campaigns.database.clock import database_now, machine_ahead
from campaigns.models import AccountingTimeZone, Brand, BrandPeriod, JobRun
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement.saving import begin_change
from campaigns.services.jobs.full_check import CHECK_BUDGETS
from campaigns.services.jobs.quick_check import JOB as QUICK_PASS
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.verify import verify
from campaigns.tasks import check_budgets, quick_check
from campaigns.tests.support.checking import ACTIVE, brand_spent, check_at, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.ledger import change_brand
from campaigns.tests.support.outside import POSTGRESQL

NOW = "2026-11-20 12:00"
AHEAD = (timedelta(hours=24), timedelta(days=40), timedelta(days=365 * 20))
Statements = set[tuple[str, str, bool]]


def statements(brand: Brand) -> Statements:
    """Return the periods of the brand, each with whether it is closed."""
    rows = BrandPeriod.objects.filter(brand=brand).values_list("kind", "starts_on", "closed_at")
    return {(kind, f"{day}", closed_at is not None) for kind, day, closed_at in rows}


class ClosedTooEarly(TestCase):
    """What a check whose clock was ahead has closed, the next one opens, whatever the database."""

    def setUp(self) -> None:
        self.brand = make_brand(daily_budget=50, monthly_budget=500, created_at=utc("2026-11-18 09:00"))
        self.campaign = make_campaign(self.brand)
        spend(self.campaign, 5, "2026-11-19 10:00")
        spend(self.campaign, 7, "2026-11-20 10:00")
        spend(self.campaign, 9, "2026-11-21 10:00")
        check_at(NOW)
        self.right = statements(self.brand)

    def test_the_next_check_opens_it_and_empty_days_ahead_go(self) -> None:
        for ahead in AHEAD:
            with self.subTest(ahead=ahead):
                check_at(utc(NOW) + ahead)
                self.assertNotEqual(statements(self.brand), self.right)
                check = check_at(NOW)
                self.assertEqual(statements(self.brand), self.right)
                self.assertIn("periods reopened that were closed before their end", check.summary)
                self.assertEqual(verify(), [])
                self.assertEqual(check_at(NOW).reopened, 0)

    def test_later_spend_and_budgets_reach_the_statement(self) -> None:
        check_at(utc(NOW) + timedelta(days=40))
        check_at(NOW)
        spend(self.campaign, 3, "2026-11-20 13:00")
        Brand.objects.filter(pk=self.brand.pk).update(daily_budget=80, monthly_budget=800)
        check_at("2026-12-01 00:00")
        kept = BrandPeriod.objects.exclude(closed_at=None).order_by("kind", "starts_on")
        self.assertEqual(
            [(f"{row}", row.spend_at_close, row.budget_at_close, row.adjustment) for row in kept][1:4],
            [("2026-11-19", 5, 50, 0), ("2026-11-20", 10, 80, 0), ("2026-11-21", 9, 80, 0)],
        )
        month = kept.get(kind="month")
        self.assertEqual((month.spend_at_close, month.budget_at_close, month.adjustment), (24, 800, 0))

    def test_a_brand_that_was_made_while_the_clock_was_ahead_has_its_days(self) -> None:
        new = make_brand(daily_budget=10, created_at=utc("2026-11-20 11:00"))
        check_at(utc(NOW) + timedelta(days=40))
        check_at(NOW)
        check_at("2026-11-22 00:00")
        days = BrandPeriod.objects.filter(brand=new, kind="day").order_by("starts_on")
        self.assertEqual([f"{day}" for day in days], ["2026-11-20", "2026-11-21"])

    def test_a_zone_that_was_changed_while_the_clock_was_ahead_holds_from_now_on(self) -> None:
        spend(self.campaign, 2, "2026-11-20 03:00")  # the 19th in New York
        Brand.objects.filter(pk=self.brand.pk).update(timezone="America/New_York")
        check_at(utc(NOW) + timedelta(days=40))
        self.assertEqual(brand_spent(self.brand, NOW).day, 9)
        check_at(NOW)
        self.assertEqual(brand_spent(self.brand, NOW).day, 7)
        self.assertEqual(verify(), [])
        self.assertFalse(AccountingTimeZone.objects.filter(brand=self.brand, first__gt="2026-11-20").exists())

    def test_it_stays_open_for_saves_in_between(self) -> None:
        check_at(utc(NOW) + timedelta(days=40))
        begin_change([self.brand.pk], clock=lambda: utc(NOW))
        check_at(NOW)
        self.assertEqual(statements(self.brand), self.right)

    @time_machine.travel(utc(NOW), tick=False)
    def test_verify_spend_names_it_and_repairs_it(self) -> None:
        check_at(utc(NOW) + timedelta(days=1))
        with self.assertRaises(CommandError) as told:
            call_command("verify_spend")
        self.assertEqual(
            str(told.exception),
            f"Periods of 1 brand (“{self.brand.name}”) were closed before their end by the database's clock: run"
            " verify_spend --repair, or wait for the next check.",
        )
        out = StringIO()
        call_command("verify_spend", "--repair", stdout=out)
        self.assertIn("1 period reopened.", out.getvalue())
        self.assertEqual(statements(self.brand), self.right)

    def test_a_check_that_is_a_moment_early_at_midnight_ends_as_one_that_is_not(self) -> None:
        check_at("2026-11-21 00:00:00.2")
        check_at("2026-11-20 23:59:59.9")
        check_at("2026-11-21 00:00:05")
        self.assertIn(("day", "2026-11-20", True), statements(self.brand))
        self.assertIn(("day", "2026-11-21", False), statements(self.brand))


@override_settings(DATABASE_CLOCK=True)
class TheDatabasesClock(TestCase):
    """As in production: what counts is the database's clock, which on SQLite is the machine's."""

    def setUp(self) -> None:
        self.real = timezone.now()
        self.brand = make_brand(daily_budget=50, monthly_budget=500)
        self.campaign = make_campaign(self.brand)
        spend(self.campaign, 7)

    def nothing_closed(self) -> bool:
        return not BrandPeriod.objects.filter(brand=self.brand).exclude(closed_at=None).exists()

    def test_nothing_is_closed_beyond_it(self) -> None:
        for ahead in AHEAD:
            close_periods(now=self.real + ahead)
            self.assertTrue(self.nothing_closed())

    def test_a_moved_clock_closes_nothing_beyond_it(self) -> None:
        call_command(
            "enforce", at=(self.real + timedelta(days=40)).isoformat(), force=True, stdout=StringIO(), stderr=StringIO()
        )
        self.assertTrue(self.nothing_closed())

    def test_a_worker_whose_clock_is_ahead_decides_and_notes_by_it(self) -> None:
        if not POSTGRESQL:
            self.skipTest("SQLite has no clock but its machine's")
        Brand.objects.filter(pk=self.brand.pk).update(daily_budget=7)
        for task, job in ((check_budgets, CHECK_BUDGETS), (quick_check, QUICK_PASS)):
            for ahead in AHEAD:
                with time_machine.travel(self.real + ahead):
                    task()
                self.assertTrue(self.nothing_closed())
                self.assertEqual(reasons_of(self.campaign), PauseReason.BRAND_DAILY_BUDGET)
                run = JobRun.objects.get(name=job)
                assert run.started_at and run.succeeded_at
                self.assertTrue(self.real <= run.started_at <= run.succeeded_at <= timezone.now())

    def test_a_save_on_a_web_server_whose_clock_is_ahead_closes_nothing_beyond_it(self) -> None:
        if not POSTGRESQL:
            self.skipTest("SQLite has no clock but its machine's")
        with time_machine.travel(self.real + timedelta(days=40)):
            change_brand(self.brand, timezone.now(), daily_budget=60)
        self.assertTrue(self.nothing_closed())

    def test_a_machine_is_compared_with_it(self) -> None:
        self.assertLess(abs(machine_ahead()), timedelta(seconds=1))
        with time_machine.travel(self.real + timedelta(hours=1)):
            ahead, now = machine_ahead(), database_now()
        self.assertEqual(round(ahead / timedelta(minutes=1)), 60 if POSTGRESQL else 0)
        self.assertEqual(self.is_near(now), POSTGRESQL)

    def is_near(self, instant: datetime) -> bool:
        return abs(instant - self.real) < timedelta(minutes=1)

    def test_an_active_campaign_stays_active(self) -> None:
        check_budgets()
        self.assertEqual(reasons_of(self.campaign), ACTIVE)
