"""The stored profile of brands, the annotations that lists sort by, and the constraints that guard the profile."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from campaigns.admin.shared.charts import month_chart
from campaigns.database.connection import execute
from campaigns.models import Brand, BrandPace, BrandPeriod, Campaign
from campaigns.models.pace import WEEKDAYS
from campaigns.rules.money import to_micros
from campaigns.rules.pace import Verdict, days_from
from campaigns.rules.periods import ONE_DAY
from campaigns.services.insight.brand_month import brand_month
from campaigns.services.jobs.full_check import run_full_check
from campaigns.services.pace import refresh
from campaigns.services.pace.refresh import refresh_pace
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, make_profile, make_window, spend, utc
from campaigns.tests.support.outside import POSTGRESQL
from campaigns.tests.support.together import meanwhile

# A Wednesday: 24 of 30 days are finished, and half of the 25th.
NOW = utc("2026-11-25 12:00")
TODAY = date(2026, 11, 25)


class PaceTestCase(TestCase):
    now: datetime = NOW

    def brand(self, *, days: int = 56, a_day: int = 100, weekend: int | None = None, **fields: Any) -> Brand:
        """Make a brand that has spent so much on each of its days, which are closed, and its campaign."""
        brand = make_brand(**fields)
        make_campaign(brand)
        self.spent(brand, {day: self.amount(day, a_day, weekend) for day in days_from(TODAY - days * ONE_DAY, TODAY)})
        return brand

    def amount(self, day: date, a_day: int, weekend: int | None) -> int:
        return a_day if weekend is None or day.weekday() < 5 else weekend

    def spent(self, brand: Brand, days: dict[date, int]) -> None:
        """Store totals of days and months, as folding and closing would."""
        months: dict[date, int] = {}
        for day, amount in days.items():
            months[day.replace(day=1)] = months.get(day.replace(day=1), 0) + amount
        for kind, amounts in (("day", days), ("month", months)):
            BrandPeriod.objects.bulk_create(
                BrandPeriod(brand=brand, kind=kind, starts_on=first, spend=amount) for first, amount in amounts.items()
            )

    def refreshed(self, brand: Brand) -> BrandPace:
        refresh_pace(now=self.now)
        return BrandPace.objects.get(brand=brand)

    def figures(self, brand: Brand) -> Any:
        refresh_pace(now=self.now)
        return Brand.objects.filter(pk=brand.pk).with_pace(self.now).get()


class RefreshTests(PaceTestCase):
    def test_a_brand_is_refreshed_once_a_local_day(self) -> None:
        brand = self.brand(timezone="Asia/Tokyo")
        self.assertEqual(refresh_pace(now=NOW), 1)
        self.assertEqual(refresh_pace(now=NOW), 0)
        self.assertEqual(BrandPace.objects.get().day, TODAY)
        self.assertEqual(refresh_pace(now=utc("2026-11-25 14:59:59")), 0)
        self.assertEqual(refresh_pace(now=utc("2026-11-25 15:00")), 1)
        self.assertEqual(BrandPace.objects.get(brand=brand).day, TODAY + ONE_DAY)

    def test_the_full_check_refreshes_after_it_has_closed_the_day(self) -> None:
        campaign = make_campaign()
        for day in range(1, 25):
            spend(campaign, 50, f"2026-11-{day:02} 10:00")
        run_full_check("check_budgets", clock=lambda: NOW)
        row = BrandPace.objects.get()
        self.assertEqual((row.days, row.first_day, row.monday), (24, date(2026, 11, 1), 50))

    def test_a_check_refreshes_some_and_the_next_the_others(self) -> None:
        for _ in range(3):
            self.brand(days=3)
        self.assertEqual([refresh_pace(now=NOW, most=2) for _ in range(3)], [2, 1, 0])

    def test_it_begins_no_further_batch_when_its_time_is_over(self) -> None:
        for _ in range(5):
            self.brand(days=3)
        with patch.object(refresh, "BATCH_BRANDS", 2):
            late = [refresh_pace(now=NOW, sure=1, seconds=0) for _ in range(3)]
            self.assertEqual(late, [2, 2, 1])
            tomorrow = NOW + ONE_DAY
            self.assertEqual(refresh_pace(now=tomorrow, sure=4, seconds=0), 4)
            self.assertEqual(refresh_pace(now=tomorrow, sure=0, seconds=60), 1)

    def test_a_check_with_nothing_new_asks_two_short_questions(self) -> None:
        self.brand()
        refresh_pace(now=NOW)
        with CaptureQueriesContext(connection) as captured:
            refresh_pace(now=NOW)
        self.assertEqual(len(captured), 2)

    def test_many_brands_cost_no_more_statements_than_one(self) -> None:
        counts: list[int] = []
        for number in (1, 20):
            for _ in range(number):
                self.brand(days=20)
            with CaptureQueriesContext(connection) as captured:
                self.assertEqual(refresh_pace(now=NOW + len(counts) * ONE_DAY), 1 if number == 1 else 21)
            counts.append(len(captured))
        # The first of them stores the errors of the last month.
        self.assertLess(counts[1], counts[0])

    def test_a_brand_in_an_unknown_zone_is_left_out(self) -> None:
        make_brand(timezone="Mars/Olympus")
        self.assertEqual(refresh_pace(now=NOW), 0)

    def test_weekdays_are_learned(self) -> None:
        row = self.refreshed(self.brand(a_day=100, weekend=20))
        # Between their own mean and that of all days, which has the weight of two more Mondays.
        self.assertAlmostEqual(row.monday, Decimal(95), delta=1)
        self.assertAlmostEqual(row.sunday, Decimal(31), delta=1)
        self.assertEqual((row.days, row.first_day), (56, TODAY - 56 * ONE_DAY))

    def test_a_weekday_without_spend_or_without_windows_has_nothing_expected(self) -> None:
        self.assertEqual(self.refreshed(self.brand(weekend=0)).saturday, 0)
        brand = self.brand()
        make_window(brand.campaigns.get(), days=0b0011111)
        BrandPace.objects.all().delete()
        row = self.refreshed(brand)
        self.assertEqual((row.friday, row.saturday), (100, 0))

    def test_campaigns_that_are_off_or_over_open_nothing(self) -> None:
        brand = self.brand()
        Campaign.objects.update(enabled=False)
        make_campaign(brand, ends_on=TODAY - ONE_DAY)
        make_campaign(brand, starts_on=date(2026, 12, 1))
        self.assertEqual(self.refreshed(brand).monday, 0)
        make_campaign(brand, starts_on=date(2026, 11, 30))
        BrandPace.objects.all().delete()
        self.assertEqual(self.refreshed(brand).monday, 100)

    def test_it_counts_the_last_days_on_which_the_daily_budget_was_reached(self) -> None:
        brand = self.brand(daily_budget=100)
        days = BrandPeriod.objects.filter(kind="day", starts_on__gte=TODAY - 11 * ONE_DAY)
        days.update(closed_at=NOW, spend_at_close=100, budget_at_close=100)
        self.assertEqual(self.refreshed(brand).reached_days, 10)
        others: tuple[dict[str, Any], ...] = ({"spend_at_close": 99}, {"budget_at_close": 0}, {"budget_at_close": None})
        for day, changes in enumerate(others, start=1):
            days.filter(starts_on=TODAY - day * ONE_DAY).update(**changes)
        days.filter(starts_on=TODAY - 4 * ONE_DAY).update(closed_at=None)
        BrandPace.objects.all().delete()
        self.assertEqual(self.refreshed(brand).reached_days, 6)

    def test_days_on_which_the_month_was_used_up_are_left_out(self) -> None:
        brand = self.brand(monthly_budget=1000)
        october = BrandPeriod.objects.filter(kind="month", starts_on=date(2026, 10, 1))
        october.update(closed_at=NOW, spend_at_close=0, budget_at_close=1500)
        # 30 September, 14 days of October, 9 of November.
        self.assertEqual(self.refreshed(brand).days, 24)


class LockTests(CommittedTestCase):
    def setUp(self) -> None:
        super().setUp()
        campaign = make_campaign()
        for day in range(1, 25):
            spend(campaign, 50, f"2026-11-{day:02} 10:00")
        run_full_check("check_budgets", clock=lambda: NOW)

    def test_a_brand_that_is_deleted_leaves_no_profile(self) -> None:
        brand = make_brand()
        refresh_pace(now=NOW)
        brand.delete()
        self.assertFalse(BrandPace.objects.filter(pk=brand.pk).exists())

    if POSTGRESQL:

        def test_a_profile_that_somebody_holds_is_left_to_the_next_check(self) -> None:
            tomorrow = NOW + ONE_DAY
            with patch("campaigns.services.ledger.locks.LEDGER_WAIT", 0.1), transaction.atomic():
                BrandPace.objects.select_for_update().get()
                refreshed: list[int] = []
                meanwhile(lambda: refreshed.append(refresh_pace(now=tomorrow)))
            self.assertEqual(refreshed, [0])
            self.assertEqual(refresh_pace(now=tomorrow), 1)


class AnnotationTests(PaceTestCase):
    def test_without_a_profile_it_is_too_early_to_project(self) -> None:
        brand = make_brand(monthly_budget=100)
        for found in (self.figures(brand), Brand.objects.with_pace(NOW).get()):
            self.assertEqual((found.projected_spend, found.over_or_under, found.pace), (None, None, None))
            self.assertEqual((found.pace_verdict, found.percent_used), (Verdict.EARLY, 0))

    def test_a_steady_brand_lands_where_its_days_lead(self) -> None:
        found = self.figures(self.brand(monthly_budget=3000))
        # 24 days of 100, and 5.5 that are left: today has spent nothing, and half of it is over.
        self.assertEqual((found.spend_this_month, found.projected_spend, found.over_or_under), (2400, 2950, -50))
        self.assertEqual(found.percent_used, 80)
        self.assertAlmostEqual(found.pace, 2400 / 2450)
        self.assertEqual(found.pace_verdict, Verdict.ON_PACE)

    def test_over_and_under_begin_beyond_a_tolerance_that_narrows(self) -> None:
        # 5 of 30 days are left after today: 2 % and 8 % · 5 / 30 are 3.3 %.
        make_profile(self.brand(), TODAY, 100, range_low=0, range_high=0)
        for budget, verdict in (("2855.76", "on"), ("2855.75", "over"), ("3050.67", "on"), ("3050.68", "under")):
            Brand.objects.update(monthly_budget=budget)
            self.assertEqual(Brand.objects.with_pace(NOW).get().pace_verdict, verdict, budget)

    def test_a_budget_within_the_range_is_on_pace(self) -> None:
        brand = self.brand()
        # 550 are expected of the rest; 2,950 in all.
        for low, high, budget, verdict in (
            (-200, 100, "2840", "on"),
            (-200, 100, "2839.99", "over"),
            (-100, 300, "3115", "on"),
            (-100, 300, "3115.01", "under"),
            (None, None, "2785", "on"),
            (None, None, "2784.99", "over"),
            (None, None, "3115.01", "under"),
        ):
            make_profile(brand, TODAY, 100, range_low=low, range_high=high)
            Brand.objects.update(monthly_budget=budget)
            self.assertEqual(Brand.objects.with_pace(NOW).get().pace_verdict, verdict, budget)

    def test_no_projected_day_is_above_the_daily_budget(self) -> None:
        brand = self.brand(monthly_budget=3000, daily_budget=60)
        found = self.figures(brand)
        self.assertEqual(found.projected_spend, 2400 + 30 + 5 * 60)
        Brand.objects.update(daily_budget=0)
        self.assertEqual(self.figures(brand).projected_spend, 2400)

    def test_the_rest_of_today_is_within_what_the_daily_budget_leaves(self) -> None:
        brand = self.brand(monthly_budget=3000, daily_budget=90)
        spend(brand.campaigns.get(), 80, NOW - timedelta(hours=1))
        self.assertEqual(self.figures(brand).projected_spend, 2400 + 80 + 10 + 5 * 90)

    def test_a_budget_that_often_runs_out_is_expected_to_do_so_today(self) -> None:
        brand = self.brand(monthly_budget=3000, daily_budget=100)
        spend(brand.campaigns.get(), 20, NOW)
        # By the hours that are left: half of 100.
        for reached_days, hour, today in ((5, 12, 70), (6, 12, 100), (10, 18, 70), (10, 6, 100)):
            now = NOW.replace(hour=hour)
            make_profile(brand, TODAY, 100, reached_days=reached_days)
            found = Brand.objects.with_pace(now).get()
            self.assertEqual(found.projected_spend, 2400 + today + 5 * 100, (reached_days, hour))
        # Where the budget isn't what limits the day, the hours count.
        for budget, day in ((None, 100), (120, 100)):
            Brand.objects.update(daily_budget=budget)
            self.assertEqual(Brand.objects.with_pace(NOW).get().projected_spend, 2400 + 70 + 5 * day, budget)

    def test_no_range_reaches_above_what_the_daily_budget_allows(self) -> None:
        brand = self.brand(monthly_budget=3000, daily_budget=101)
        make_profile(brand, TODAY, 100, range_low=-100, range_high=500)
        spend(brand.campaigns.get(), 50, NOW - timedelta(hours=1))
        with time_machine.travel(NOW, tick=False):
            for budget, high in ((101, 2450 + 51 + 5 * 101), (10, 2450 + 5 * 10), (None, 2450 + 550 + 275)):
                Brand.objects.update(daily_budget=budget)
                month = brand_month(Brand.objects.get(), now=NOW)
                assert month and month.pace
                self.assertEqual(month.pace.high, high, budget)
                assert month.pace.low is not None
                self.assertLessEqual(month.pace.low, month.pace.projected)
                drawn = json.loads(month_chart(month))["datasets"]
                self.assertEqual(drawn[-1]["data"][-1], high)

    def test_a_month_that_the_daily_budget_holds_back_is_under_pacing(self) -> None:
        # 2,906 can be reached, and no range leads to more.
        brand = self.brand(monthly_budget=3100, daily_budget=101)
        make_profile(brand, TODAY, 100, range_low=-100, range_high=500)
        self.assertEqual(Brand.objects.with_pace(NOW).get().pace_verdict, Verdict.UNDER)

    def test_today_counts_by_the_open_hours_of_its_campaigns(self) -> None:
        brand = self.brand(monthly_budget=2990)
        make_window(brand.campaigns.get(), start="18:00", end="00:00")
        found = self.figures(brand)
        # Nothing of today was due by noon: it is exactly on plan.
        self.assertEqual(found.projected_spend, 3000)
        self.assertAlmostEqual(found.pace, 2400 / (2990 * 24 / 30))

    def test_a_month_counts_from_the_brands_first_day(self) -> None:
        brand = self.brand(days=20, monthly_budget=2500)
        found = self.figures(brand)
        self.assertEqual((found.spend_this_month, found.projected_spend), (2000, 2550))
        self.assertAlmostEqual(found.pace, (2000 / 2500) / (20.5 / 26))

    def test_nothing_more_is_expected_of_a_paused_brand_or_a_used_budget(self) -> None:
        paused = self.figures(self.brand(monthly_budget=3000, enabled=False))
        self.assertEqual((paused.projected_spend, paused.pace_verdict), (2400, None))
        reached = self.figures(self.brand(monthly_budget=2400))
        self.assertEqual((reached.projected_spend, reached.over_or_under, reached.pace_verdict), (2400, 0, None))

    def test_no_budget_has_no_pace_but_a_projection(self) -> None:
        for budget in (None, 0):
            found = self.figures(self.brand(monthly_budget=budget))
            self.assertEqual((found.pace, found.percent_used, found.pace_verdict), (None, None, None))
        self.assertEqual(self.figures(self.brand()).projected_spend, 2950)

    def test_a_profile_of_yesterday_serves_until_it_is_refreshed(self) -> None:
        brand = self.brand(monthly_budget=3000)
        refresh_pace(now=NOW)
        later = Brand.objects.filter(pk=brand.pk).with_pace(utc("2026-11-26 06:00")).get()
        self.assertEqual(later.projected_spend, 2400 + 75 + 4 * 100)

    def test_lists_are_sorted_by_it_in_one_statement(self) -> None:
        slow, fast = self.brand(monthly_budget=9000), self.brand(monthly_budget=2500)
        refresh_pace(now=NOW)
        with self.assertNumQueries(2):  # the first finds the time zones
            found = list(Brand.objects.with_pace(NOW).order_by("-pace"))
        self.assertEqual(found, [fast, slow])
        over = Brand.objects.with_pace(NOW).filter(pace_verdict="over", percent_used__gte=90)
        self.assertEqual(list(over), [fast])

    def test_weekdays_of_every_month_are_counted_as_the_calendar_has_them(self) -> None:
        brand = make_brand(monthly_budget=10**8)
        profile = dict(zip(WEEKDAYS, (1, 10, 100, 1000, 10_000, 100_000, 1_000_000), strict=True))
        make_profile(brand, TODAY, 0, **profile)
        for month in range(1, 13):
            for now in (utc(f"2026-{month:02}-01"), utc(f"2026-{month:02}-17"), utc(f"2026-{month:02}-28")):
                ends = (now.date().replace(day=1) + timedelta(days=32)).replace(day=1)
                expected = sum(10 ** day.weekday() for day in days_from(now.date(), ends))
                found = Brand.objects.with_pace(now).get()
                self.assertEqual(found.projected_spend, expected, now)


class GuardTests(PaceTestCase):
    def refused(self, constraint: str, **changes: str) -> None:
        for column, value in changes.items():
            with self.subTest(f"{column} = {value}"), self.assertRaises(IntegrityError) as caught, transaction.atomic():
                execute(f"UPDATE campaigns_brandpace SET {column} = {value}")
            self.assertIn(constraint, str(caught.exception))

    def setUp(self) -> None:
        super().setUp()
        self.refreshed(self.brand())

    def test_days_and_volatility_are_in_range(self) -> None:
        self.refused("brand_pace_days_in_range", days="57")
        self.refused("brand_pace_days_in_range", volatility="3")
        execute("UPDATE campaigns_brandpace SET days = 56, volatility = 2")

    def test_reached_days_are_in_range(self) -> None:
        self.refused("brand_pace_reached_days_in_range", reached_days="11")
        execute("UPDATE campaigns_brandpace SET reached_days = 10")

    def test_what_is_expected_is_in_range(self) -> None:
        most = to_micros(10**9)
        for name in WEEKDAYS:
            self.refused("brand_pace_expected_in_range", **{name: "-1"})
            self.refused("brand_pace_expected_in_range", **{name: str(most + 1)})
        execute(f"UPDATE campaigns_brandpace SET monday = {most}")

    def test_open_minutes_are_digits(self) -> None:
        for text in (f"'{'0' * 99}x'", f"'{'0' * 99}'", "''"):
            self.refused("brand_pace_open_minutes_are_digits", open_minutes=text)

    def test_a_range_has_two_ends_in_order(self) -> None:
        for low, high in (("1", "0"), ("NULL", "0"), ("0", "NULL"), ("-1001", "0"), ("0", "9001")):
            self.refused("brand_pace_range_is_in_order", range_high=f"{high}, range_low = {low}")
        execute("UPDATE campaigns_brandpace SET range_high = NULL, range_low = NULL")
