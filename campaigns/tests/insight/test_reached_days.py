"""How often a brand reached its daily budget on the last closed days, and at which local time in the median."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import Brand, BrandPeriod, Campaign, StatusChange
from campaigns.rules.periods import ONE_DAY
from campaigns.rules.reasons import PauseReason
from campaigns.services.insight import reached_days as module
from campaigns.services.insight.reached_days import ReachedDays, reached_days
from campaigns.services.jobs.full_check import run_full_check
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

# In New York it is 19 November, 22:00.
NOW = utc("2026-11-20 03:00")
TODAY = date(2026, 11, 19)
NEW_YORK = "America/New_York"
REACHED, OTHER = int(PauseReason.BRAND_DAILY_BUDGET), int(PauseReason.OUTSIDE_SCHEDULE)


class ReachedDaysTests(TestCase):
    def setUp(self) -> None:
        self.brand = make_brand(timezone=NEW_YORK, daily_budget=100)
        self.campaign = make_campaign(self.brand)

    def day(self, before: int, *, spent: int = 100, budget: int | None = 100, brand: Brand | None = None) -> None:
        """Close the day so many days before today."""
        BrandPeriod.objects.create(
            brand=brand or self.brand,
            kind="day",
            starts_on=TODAY - ONE_DAY * before,
            spend=spent,
            closed_at=NOW,
            spend_at_close=spent,
            budget_at_close=budget,
        )

    def pause(self, at: str, *, before: int = 0, after: int = REACHED, campaign: Campaign | None = None) -> None:
        StatusChange.objects.create(
            campaign=campaign or self.campaign,
            at=utc(at),
            reasons_before=before,
            reasons_after=after,
            actor="check_budgets",
            campaign_spend=0,
            brand_day_spend=0,
            brand_month_spend=0,
        )

    def found(self, brand: Brand | None = None) -> ReachedDays | None:
        asked = brand or self.brand
        return reached_days({asked.pk: asked.timezone}, now=NOW).get(asked.pk)

    def test_fewer_than_three_days_are_chance(self) -> None:
        self.day(1)
        self.day(2)
        self.assertIsNone(self.found())
        self.day(3)
        self.assertEqual(self.found(), ReachedDays(3, None))

    def test_the_last_ten_days_count_and_neither_today_nor_earlier_ones(self) -> None:
        for before in range(13):
            self.day(before)
        found = self.found()
        self.assertEqual(found and found.days, 10)

    def test_the_tenth_day_before_today_is_the_first_that_counts(self) -> None:
        for before in (1, 2, 11):
            self.day(before)
        self.assertIsNone(self.found())
        self.day(10)
        self.assertEqual(self.found(), ReachedDays(3, None))

    def test_a_day_counts_whose_budget_was_reached_when_it_was_closed(self) -> None:
        for before, figures in enumerate(((99, 100), (0, 0), (500, None), (100, 100), (101, 100), (40, 40)), start=1):
            self.day(before, spent=figures[0], budget=figures[1])
        self.assertEqual(self.found(), ReachedDays(3, None))
        # Later spend is an adjustment, and an open day isn't known yet.
        BrandPeriod.objects.filter(starts_on=TODAY - ONE_DAY).update(spend=200)
        BrandPeriod.objects.filter(starts_on=TODAY - ONE_DAY * 4).update(closed_at=None)
        self.assertIsNone(self.found())

    def test_the_time_is_the_brands_and_the_lower_one_of_an_even_number(self) -> None:
        for before in range(1, 5):
            self.day(before)
        # 14:00, 16:00, 9:30 and 23:15 in New York; the last is the next day in UTC.
        for at in ("2026-11-15 19:00", "2026-11-16 21:00", "2026-11-17 14:30", "2026-11-19 04:15"):
            self.pause(at)
        self.assertEqual(self.found(), ReachedDays(4, time(14)))

    def test_the_first_pause_of_a_day_counts_and_only_of_days_that_count(self) -> None:
        for before in (1, 2, 3):
            self.day(before)
        self.pause("2026-11-10 15:00")  # a day that didn't reach its budget in the end
        for day in ("16", "17", "18"):
            self.pause(f"2026-11-{day} 15:00")
            self.pause(f"2026-11-{day} 16:00", before=REACHED, after=0)
            self.pause(f"2026-11-{day} 20:00")
        self.assertEqual(self.found(), ReachedDays(3, time(10)))

    def test_only_the_beginning_of_the_daily_budget_is_a_time(self) -> None:
        for before in (1, 2, 3):
            self.day(before)
        self.pause("2026-11-18 08:00", after=OTHER)
        self.pause("2026-11-18 18:00", before=OTHER, after=OTHER | REACHED)
        self.pause("2026-11-18 19:00", before=OTHER | REACHED, after=REACHED)
        self.assertEqual(self.found(), ReachedDays(3, time(13)))

    def test_the_clock_is_that_of_each_day_when_clocks_are_put_back(self) -> None:
        now = utc("2026-11-03 12:00")  # clocks went back on 1 November
        for day in (31, 32, 33):
            first = date(2026, 10, 1) + timedelta(days=day - 1)
            self.day((TODAY - first).days)
        self.pause("2026-10-31 18:00")
        self.pause("2026-11-01 19:00")
        self.pause("2026-11-02 19:00")
        found = reached_days({self.brand.pk: NEW_YORK}, now=now)
        self.assertEqual(found[self.brand.pk], ReachedDays(3, time(14)))

    def test_an_archived_campaign_tells_no_times(self) -> None:
        for before in (1, 2, 3):
            self.day(before)
        self.pause("2026-11-18 15:00")
        second = make_campaign(self.brand)
        self.pause("2026-11-18 16:00", campaign=second)
        Campaign.objects.filter(pk=self.campaign.pk).update(enabled=False, archived_at=timezone.now())
        self.assertEqual(self.found(), ReachedDays(3, time(11)))

    def test_a_long_history_is_read_from_its_end(self) -> None:
        for before in (1, 2, 3):
            self.day(before)
        self.pause("2026-11-18 15:00")
        for minute in range(3):
            self.pause(f"2026-11-18 16:{minute:02}", before=OTHER, after=0)
        with CaptureQueriesContext(connection) as queries:
            self.assertEqual(self.found(), ReachedDays(3, time(10)))
        self.assertEqual(len(queries), 1)
        real = module.MAX_CHANGES
        self.addCleanup(setattr, module, "MAX_CHANGES", real)
        module.MAX_CHANGES = 2
        self.assertEqual(self.found(), ReachedDays(3, None))

    def test_each_brand_has_its_own_in_one_query(self) -> None:
        other, unknown = make_brand(timezone="Asia/Tokyo"), make_brand()
        for before in (1, 2, 3):
            for brand in (self.brand, other, unknown):
                self.day(before, brand=brand)
        self.day(4, brand=other)
        self.pause("2026-11-17 15:00")
        self.pause("2026-11-17 01:00", campaign=make_campaign(other))
        zones = {self.brand.pk: NEW_YORK, other.pk: "Asia/Tokyo", unknown.pk: "Mars/Olympus"}
        with self.assertNumQueries(1):
            found = reached_days(zones, now=NOW)
        self.assertEqual(found, {self.brand.pk: ReachedDays(3, time(10)), other.pk: ReachedDays(4, time(10))})
        with self.assertNumQueries(0):
            self.assertEqual(reached_days({}, now=NOW), {})

    def test_it_says_so_in_words(self) -> None:
        self.assertEqual(ReachedDays(8, time(14, 5)).words, "reached on 8 of the last 10 days, at 14:05 in the median")
        self.assertEqual(ReachedDays(3, None).words, "reached on 3 of the last 10 days")

    def test_the_checks_write_what_it_reads(self) -> None:
        self.at("2026-11-15 12:00")
        for day in ("16", "17", "18"):
            spend(self.campaign, 120, f"2026-11-{day} 15:00")
            self.at(f"2026-11-{day} 15:00")
            self.at(f"2026-11-{int(day) + 1} 05:30")
        self.at("2026-11-20 03:00")
        self.assertEqual(self.found(), ReachedDays(3, time(10)))

    def at(self, moment: str) -> Any:
        instant: datetime = utc(moment)
        return run_full_check("check_budgets", clock=lambda: instant)
