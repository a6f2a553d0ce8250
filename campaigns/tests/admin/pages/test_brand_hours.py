"""The page of a brand at the edges of its day and month."""

from __future__ import annotations

from datetime import datetime

from campaigns.tests.admin.pages.brand_case import BrandTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc


class LastHoursTests(BrandTestCase):
    now = utc("2026-11-30 21:00")

    def test_on_the_last_day_it_tells_what_is_left_and_no_figure_a_day(self) -> None:
        brand = make_brand(monthly_budget=100)
        spend(make_campaign(brand), 40, self.now)
        page = self.page(brand)
        self.assertIn("<dt>To use the full budget</dt><dd><strong>60.00 USD</strong> <span>today", page)
        self.assertIn("60.00 USD", page)
        self.assertNotIn("per day</strong>", page)


class ClockTests(BrandTestCase):
    """The night on which the clocks of Paris go back: 02:00 comes twice."""

    now = utc("2026-10-25 12:00")

    def test_a_day_of_25_hours_has_25(self) -> None:
        brand = make_brand(timezone="Europe/Paris", daily_budget=25)
        campaign = make_campaign(brand)
        spend(campaign, 1, "2026-10-25 00:30")
        spend(campaign, 2, "2026-10-25 01:30")
        hours = self.month(brand).hours
        self.assertEqual((len(hours), hours[2].spend, hours[3].spend), (25, 1, 2))
        page = self.page(brand)
        self.assertIn("02:00 CEST", page)
        self.assertIn("02:00 CET", page)


class FirstInstantTests(BrandTestCase):
    now: datetime = utc("2026-11-01 00:00")

    def test_the_first_instant_of_a_month_says_that_it_is_too_early(self) -> None:
        brand = make_brand(daily_budget=100, monthly_budget=100)
        spend(make_campaign(brand), 5, self.now)
        page = self.page(brand)
        self.assertIn("too early to project", page)
        self.assertIn("100.00", page)
