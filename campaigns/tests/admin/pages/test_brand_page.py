"""The page of a brand: how its month and day go, in every odd case, and the button that stops it or lets it go on."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from campaigns.models import Brand, PaceError
from campaigns.services.insight import brand_month as service
from campaigns.tests.admin.pages.brand_case import NOW, BrandTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, make_profile, spend, utc


class MonthTests(BrandTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(daily_budget=100, monthly_budget=3000, currency="EUR")
        self.campaign = make_campaign(self.brand)

    def charts(self) -> list[dict[str, Any]]:
        return [json.loads(html.unescape(data)) for data in re.findall(r'data-value="([^"]+)"', self.page(self.brand))]

    def test_days_and_today_add_up_to_the_month_folded_or_not(self) -> None:
        for amount, at in (
            (40, "2026-11-01 10:00"),
            (60, "2026-11-24 23:59"),
            (7, "2026-11-25 00:00"),
            (9, "2026-10-31"),
        ):
            spend(self.campaign, amount, at)
        self.check()
        spend(self.campaign, 3, NOW)
        month = self.month(self.brand)
        self.assertEqual((month.day.spend, month.month.spend), (10, 110))
        self.assertEqual(len(month.finished), 24)
        self.assertEqual((month.finished[0][1], month.finished[1][1], month.finished[23][1]), (40, 0, 60))

    def test_the_hours_of_today_add_up_to_its_spend(self) -> None:
        for amount, at in ((1, "00:00"), (2, "00:59:59"), (4, "01:00"), (-1, "01:30"), (8, "23:45")):
            spend(self.campaign, amount, f"2026-11-25 {at}")
        spend(self.campaign, 100, "2026-11-24 23:59:59")
        spend(make_campaign(), 100, NOW)
        month = self.month(self.brand)
        found = {number: hour.spend for number, hour in enumerate(month.hours) if hour.spend}
        self.assertEqual(found, {0: 3, 1: 3, 23: 8})
        self.assertEqual((len(month.hours), month.spend_without_hour), (24, 0))

    def test_hours_come_from_the_newest_records_and_the_rest_is_told(self) -> None:
        for amount in (1, 2, 4):
            spend(self.campaign, amount, NOW)
        with patch.object(service, "MAX_LATEST_RECORDS", 2):
            month = self.month(self.brand)
            self.assertEqual((month.hours[12].spend, month.spend_without_hour), (6, 1))
            self.assertIn("1.00 EUR of today’s spend isn’t shown by hour", self.page(self.brand))
        self.assertNotIn("isn’t shown by hour", self.page(self.brand))

    def test_it_tells_pace_projection_and_what_lands_on_the_budget(self) -> None:
        for day in range(1, 25):
            spend(self.campaign, 80 + 10 * (day % 2), f"2026-11-{day:02} 10:00")
        spend(self.campaign, 75, NOW - timedelta(hours=1))
        self.check()
        page = self.page(self.brand)
        page = self.page(self.brand)
        found = Brand.objects.with_pace(NOW).get()
        self.assertIn(f"<dt>Pace</dt><dd><strong>{found.pace:.2f}</strong>", page)
        self.assertEqual(found.pace_verdict, "under")
        self.assertIn("under-pacing", page)
        self.assertIn("won’t be reached this month", page)
        self.assertIn(f"<strong>{found.projected_spend:,.2f} EUR</strong>", page)
        self.assertIn("80 % likely between", page)
        self.assertIn("2,115.00 of 3,000.00 EUR", page)
        # 25 today, and 100 on each of 5 days.
        self.assertIn("daily budget allows at most 525.00 of the 885.00 left; it would take 160.90 per day", page)
        self.assertIn("25.00 EUR", page)
        Brand.objects.update(daily_budget=None)
        page = self.page(self.brand)
        self.assertIn("160.90 EUR per day", page)  # 3000 - 2115 over 5.5 days, rounded down
        self.assertIn("average so far 85.00 per day", page)

    def test_an_over_pacing_month_says_when_it_runs_out(self) -> None:
        make_profile(self.brand, NOW.date(), 100)
        spend(self.campaign, 2700, "2026-11-03 10:00")
        page = self.page(self.brand)
        # 50 by midnight, 150 by the end of the 26th, 250 by that of the 27th, 350 by that of the 28th.
        self.assertIn("runs out around Sat 28 Nov", page)
        self.assertIn("over-pacing", page)
        self.assertIn("<strong>3,250.00 EUR</strong>", page)
        # Without the daily budget of 100 up to 3,360.
        self.assertIn("80 % likely between 3,195.00 and 3,300.00 EUR, if nothing pauses", page)

    def test_it_says_how_often_such_ranges_were_right(self) -> None:
        make_profile(self.brand, NOW.date(), 100)
        self.assertIn("Too few closed months yet to say how often such ranges are right.", self.page(self.brand))
        PaceError.objects.create(month="2026-10-01", volatility=0, days_left=0, errors=1200, low=-1, high=1, held=948)
        self.assertIn("In closed months, 79 % of 1,200 such ranges were right.", self.page(self.brand))

    def test_a_brand_of_a_minute_is_not_told_to_spend_more_than_its_daily_budget(self) -> None:
        Brand.objects.update(daily_budget=500, monthly_budget=10_000)
        spend(self.campaign, 60, NOW)
        page = self.page(self.brand)
        self.assertIn("too early to project", page)
        self.assertIn("<strong>not possible</strong>", page)
        self.assertIn("the daily budget allows at most 2,940.00 of the 9,940.00 left", page)
        self.assertNotIn("per day</strong>", page)

    def test_a_young_brand_has_a_mean_and_no_range(self) -> None:
        for day in range(20, 25):
            spend(self.campaign, 60, f"2026-11-{day} 10:00")
        self.check()
        page = self.page(self.brand)
        self.assertIn("<strong>630.00 EUR</strong> <span>no range with less than 14 days of history", page)

    def test_the_pictures_say_what_their_tables_say(self) -> None:
        for day in range(1, 25):
            spend(self.campaign, 40, f"2026-11-{day:02} 10:00")
        spend(self.campaign, 5, NOW)
        self.check()
        month, hours = [
            json.loads(html.unescape(data)) for data in re.findall(r'data-value="([^"]+)"', self.page(self.brand))
        ]
        lines = {line["label"]: line["data"] for line in month["datasets"]}
        self.assertEqual(len(month["labels"]), 31)
        # Midday of the 25th has its place between two midnights, or the lines would have a kink there.
        self.assertEqual(month["labels"], [*range(25), 24.5, *range(26, 31)])
        self.assertEqual((lines["Spent"][0], lines["Spent"][1], lines["Spent"][-1]), (0, 40, 965))
        self.assertEqual(lines["Expected"][-1], 3000)
        self.assertEqual(lines["Expected"][25], 2450)
        self.assertEqual({len(line) for label, line in lines.items() if label != "Spent"}, {31})
        self.assertEqual(lines["Projection"][:25], [None] * 25)
        self.assertEqual(lines["Projection"][25], 965)
        self.assertEqual(lines["Projection"][-1], 965 + 20 + 5 * 40)
        self.assertEqual(hours["datasets"][0]["data"][12], 5)
        self.assertIn("<summary>Show month as table</summary>", self.page(self.brand))

    def test_the_band_widens_up_to_the_bounds_that_are_told(self) -> None:
        for day in range(1, 25):
            spend(self.campaign, 60 + 40 * (day % 2), f"2026-11-{day:02} 10:00")
        self.check()
        month = self.month(self.brand)
        assert month.pace and month.pace.low and month.pace.high
        chart, _ = self.charts()
        lines = {line["label"]: line["data"] for line in chart["datasets"]}
        self.assertAlmostEqual(lines["High"][-1], float(month.pace.high), 2)
        self.assertAlmostEqual(lines["Low"][-1], float(month.pace.low), 2)
        self.assertEqual(lines["Low"][25], lines["High"][25])
        widths = [high - low for high, low in zip(lines["High"][25:], lines["Low"][25:], strict=True)]
        self.assertEqual(widths, sorted(widths))


class OddBrandTests(BrandTestCase):
    def test_every_odd_brand_has_a_page(self) -> None:
        odd: tuple[dict[str, Any], ...] = (
            {},
            {"daily_budget": 0, "monthly_budget": 0},
            {"daily_budget": Decimal("0.000001"), "monthly_budget": Decimal("999999999.999999")},
            {"timezone": "Mars/Olympus", "daily_budget": 5},
            {"timezone": "Australia/Lord_Howe", "daily_budget": 5},
            {"timezone": "Asia/Kathmandu", "monthly_budget": 5},
            {"enabled": False, "monthly_budget": 5},
        )
        for fields in odd:
            for amount in (None, -5, 3, 5, 999_999_999):
                brand = make_brand(**fields)
                if amount:
                    campaign = make_campaign(brand)
                    spend(campaign, amount, NOW - timedelta(hours=1))
                    spend(campaign, amount, utc("2026-11-03 10:00"))
                with self.subTest(fields=fields, amount=amount):
                    self.page(brand)

    def test_a_budget_of_0_is_reached_and_none_has_no_pace(self) -> None:
        page = self.page(make_brand(daily_budget=0))
        self.assertIn("limit is 0", page)
        self.assertIn("no budget set", page)

    def test_a_zone_that_is_unknown_is_told(self) -> None:
        self.assertIn("Unknown time zone “Mars/Olympus”", self.page(make_brand(timezone="Mars/Olympus")))

    def test_a_month_that_is_spent_is_projected_no_further(self) -> None:
        brand = make_brand(monthly_budget=5)
        spend(make_campaign(brand), 6, NOW)
        make_profile(brand, NOW.date(), 1)
        page = self.page(brand)
        self.assertNotIn("Projected", page)
        self.assertIn("all campaigns are paused", page)

    def test_a_stopped_brand_has_no_pace(self) -> None:
        brand = make_brand(daily_budget=100, monthly_budget=100, enabled=False)
        make_profile(brand, NOW.date(), 1)
        page = self.page(brand)
        self.assertIn("nothing more is expected this month", page)
        self.assertNotIn("80 % likely", page)
        self.assertEqual(page.count("the brand is paused"), 1)
        self.assertNotIn("under-pacing", page)

    def test_what_is_expected_today_is_what_is_spent_and_the_rest(self) -> None:
        brand = make_brand(currency="EUR", monthly_budget=10_000)
        make_profile(brand, NOW.date(), 150)
        spend(make_campaign(brand), "150.891234", NOW)
        self.assertIn("225.89 EUR spent so far, and the rest as on recent Wednesdays", self.expected_today(brand))
        brand.daily_budget = Decimal(200)
        brand.save()
        self.assertIn("200.00 EUR limited by the daily budget", self.expected_today(brand))

    def test_nothing_more_is_expected_today_of_a_paused_brand_or_one_whose_budget_is_used_up(self) -> None:
        for fields in ({"enabled": False}, {"daily_budget": Decimal("3.50")}, {"monthly_budget": 100}):
            brand = make_brand(currency="EUR", **{"monthly_budget": 10_000, **fields})
            make_profile(brand, NOW.date(), 150)
            spend(make_campaign(brand), "884.89", NOW)
            self.assertIn("884.89 EUR nothing more is expected today", self.expected_today(brand))

    def expected_today(self, brand: Brand) -> str:
        shown = html.unescape(re.sub(r"<[^>]+>", " ", self.page(brand)))
        return " ".join(shown.split("Expected today")[1].split())[:200]

    def test_the_picture_of_a_paused_brand_projects_nothing_either(self) -> None:
        brand = make_brand(monthly_budget=100)
        make_profile(brand, NOW.date(), 1)
        self.assertIn("Projection", self.page(brand))
        Brand.objects.update(enabled=False)
        self.assertNotIn("Projection", self.page(brand))

    def test_one_campaign_is_running(self) -> None:
        brand = make_brand(monthly_budget=100)
        make_campaign(brand)
        make_campaign(brand, enabled=False)
        self.check()
        self.assertIn("1 of 2 campaigns is running.", self.page(brand))

    def test_a_refused_form_leaves_what_stands_around_it_as_it_is(self) -> None:
        brand = make_brand(name="Aster", currency="EUR", timezone="Europe/Paris", monthly_budget=100)
        spend(make_campaign(brand), 40, NOW)
        entered = {"name": "Aster", "currency": "JPY", "timezone": "Asia/Tokyo", "daily_budget": "-5"}
        response = self.client.post(self.address(brand), entered)
        self.assertContains(response, "40.00 of 100.00 EUR")
        self.assertContains(response, "Wednesday 2026-11-25 13:00 CET (Europe/Paris)")
        self.assertContains(response, "Pause brand")
        self.assertNotContains(response, "(JPY)")
