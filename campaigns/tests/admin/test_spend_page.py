"""The page “Spend” of a brand and a campaign: any range of days, the period before, and its files."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl.reader.excel import load_workbook

from campaigns.models import BrandPeriod, CampaignDay
from campaigns.services.insight.spend_range import Range
from campaigns.services.jobs.full_check import run_full_check
from campaigns.tests.admin.test_access import make_brand_manager
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend

# In New York it is 10 March, 20:00.
NOW = datetime(2026, 3, 11, 0, 0, tzinfo=UTC)


@time_machine.travel(NOW, tick=False)
class SpendPageTests(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="Alpine", currency="USD", timezone="America/New_York", daily_budget=100)
        self.search = make_campaign(self.brand, name="Search")
        self.social = make_campaign(self.brand, name="=Social")
        spend(self.search, "10.5", "2026-03-09 03:30")  # 8 March, before clocks go forward there for the day's rest
        spend(self.search, "20.25", "2026-03-09 15:00")
        spend(self.social, "5", "2026-03-08 15:00")
        spend(self.search, "1", "2026-03-06 15:00")
        run_full_check("check_budgets", clock=lambda: NOW)
        # Not folded yet.
        spend(self.social, "30.000001", "2026-03-10 16:00")
        spend(self.search, "7", "2026-03-06 16:00")

    def address(self, row: Any, **query: Any) -> str:
        name = f"admin:campaigns_{row._meta.model_name}_spend"
        return reverse(name, args=[row.pk], query={"first": "2026-03-08", "last": "2026-03-10"} | query)

    def rows(self, row: Any, file: str, **query: Any) -> list[list[str]]:
        answer = self.client.get(self.address(row, file=file, **query))
        self.assertEqual(answer.status_code, 200)
        return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))

    def test_a_brands_days_beside_the_days_before(self) -> None:
        head, *days = self.rows(self.brand, "days.csv")
        self.assertEqual(head[:3], ["day (America/New_York)", "spend (USD)", "daily budget"])
        self.assertEqual(
            [(day[0], Decimal(day[1]), day[3], Decimal(day[4])) for day in days],
            [
                ("2026-03-08", Decimal("15.5"), "2026-03-05", 0),
                ("2026-03-09", Decimal("20.25"), "2026-03-06", 8),
                ("2026-03-10", Decimal("30.000001"), "2026-03-07", 0),
            ],
        )

    def test_ranges_end_before_today_and_weeks_on_sunday(self) -> None:
        page = self.client.get(reverse("admin:campaigns_brand_spend", args=[self.brand.pk]))
        ranges = {each["title"]: each["address"].partition("?")[2] for each in page.context["presets"]}
        self.assertEqual(
            ranges,
            {
                "Last 7 days": "first=2026-03-03&last=2026-03-09",
                "Last week": "first=2026-03-02&last=2026-03-08",
                "Last 30 days": "first=2026-02-08&last=2026-03-09",
                "This month": "first=2026-03-01&last=2026-03-10",
                "Last month": "first=2026-02-01&last=2026-02-28",
                "Last 90 days": "first=2025-12-10&last=2026-03-09",
            },
        )
        for each in page.context["presets"]:
            shown = self.client.get(each["address"])
            self.assertNotContains(shown, 'role="alert"')
            partly = "today isn’t over yet"
            (self.assertContains if each["title"] == "This month" else self.assertNotContains)(shown, partly)

    def test_days_of_a_month_are_beside_the_same_days_of_the_month_before(self) -> None:
        spend(self.search, "3", "2026-02-10 15:00")
        spend(self.search, "4", "2026-02-11 15:00")  # between the periods
        page = self.client.get(self.address(self.brand, first="2026-03-01"))
        self.assertContains(page, "2026-02-01 to 2026-02-10")
        self.assertContains(page, "3.00 USD")
        _, search = sorted(self.rows(self.brand, "campaigns.csv", first="2026-03-01")[1:], key=lambda row: row[1])
        self.assertEqual([Decimal(amount) for amount in search[2:4]], [Decimal("38.75"), 3])

    def test_a_shorter_month_before_ends_at_its_last_day(self) -> None:
        for first, last, before in (
            ("2026-03-01", "2026-03-31", ("2026-02-01", "2026-02-28")),
            ("2026-11-01", "2026-11-29", ("2026-10-01", "2026-10-29")),
            ("2026-01-01", "2026-01-31", ("2025-12-01", "2025-12-31")),
            ("2026-01-01", "2026-02-28", ("2025-11-03", "2025-12-31")),
            ("2026-03-02", "2026-03-03", ("2026-02-28", "2026-03-01")),
        ):
            period = Range(date.fromisoformat(first), date.fromisoformat(last))
            self.assertEqual(tuple(map(str, period.before)), before)
            self.assertEqual(len(period.pairs), len(period.days))
        self.assertEqual(
            Range(date(2026, 3, 1), date(2026, 3, 31)).pairs[27:29],
            [
                (date(2026, 3, 28), date(2026, 2, 28)),
                (date(2026, 3, 29), None),
            ],
        )

    def test_the_average_is_of_the_days_since_the_brands_first(self) -> None:
        page = self.client.get(self.address(self.brand, first="2026-02-20", last="2026-03-09"))
        # 43.75 USD from 6 to 9 March.
        self.assertContains(page, "10.94 USD")
        self.assertContains(page, "over 4 days, since the brand’s first on 2026-03-06")
        self.assertContains(self.client.get(self.address(self.social, first="2026-03-01")), "over 5 days, since")
        self.assertContains(self.client.get(self.address(make_campaign(), last="2026-03-08")), "over 1 day")

    def test_the_campaigns_add_up_to_the_days(self) -> None:
        _, *rows = self.rows(self.brand, "campaigns.csv")
        found = {row[1]: (Decimal(row[2]), Decimal(row[3])) for row in rows}
        self.assertEqual(found, {"'=Social": (Decimal("35.000001"), 0), "Search": (Decimal("30.75"), 8)})

    def test_a_campaigns_days(self) -> None:
        _, *days = self.rows(self.search, "days.csv")
        self.assertEqual([Decimal(day[1]) for day in days], [Decimal("10.5"), Decimal("20.25"), 0])
        self.assertEqual([Decimal(day[3]) for day in days], [0, 8, 0])

    def test_a_workbook_has_dates_and_numbers(self) -> None:
        answer = self.client.get(self.address(self.brand, file="days.xlsx"))
        rows = list(load_workbook(io.BytesIO(answer.content)).worksheets[0].values)
        self.assertEqual(rows[0][0], "day (America/New_York)")
        first: Any = rows[1]
        self.assertEqual((first[0].date(), first[1], first[2], first[5]), (date(2026, 3, 8), 15.5, 100, 15.5))

    def test_the_page_shows_totals_and_the_change(self) -> None:
        page = self.client.get(self.address(self.brand))
        for text in ("65.75 USD", "8.00 USD", "+57.75 USD", "+721.9 %", "2026-03-05 to 2026-03-07"):
            self.assertContains(page, text)
        self.assertContains(page, self.address(self.search).partition("?")[0])
        with self.assertNumQueries(11):
            self.client.get(self.address(self.brand))

    def test_a_file_by_day_sums_no_campaigns(self) -> None:
        for file, sums in (("days.csv", 0), ("campaigns.csv", 1), ("else.csv", 1)):
            with CaptureQueriesContext(connection) as queries:
                self.client.get(self.address(self.brand, file=file))
            read = [query for query in queries if "UNION ALL" in query["sql"] and "campaignday" in query["sql"]]
            self.assertEqual(len(read), sums, file)

    def test_the_table_by_campaign_is_sorted_by_its_columns(self) -> None:
        for order, names in (
            ("spend", ["'=Social", "Search"]),
            ("before", ["Search", "'=Social"]),
            ("change", ["'=Social", "Search"]),
            ("name", ["'=Social", "Search"]),
            ("pk", ["'=Social", "Search"]),
        ):
            with self.subTest(order):
                _, *rows = self.rows(self.brand, "campaigns.csv", sort=order)
                self.assertEqual([row[1] for row in rows], names)
        page = self.client.get(self.address(self.brand, sort="before")).content.decode()
        table = page.partition('id="spend-campaigns"')[2]
        self.assertLess(table.index(">Search<"), table.index("=Social"))
        self.assertIn('sort=before" title="Sort by this" aria-current="true"', table)

    def test_changes_are_in_percent_too(self) -> None:
        _, search = sorted(self.rows(self.brand, "campaigns.csv")[1:], key=lambda row: row[1])
        self.assertEqual(search[-2:], ["22.750000", "284.4"])
        page = self.client.get(self.address(self.brand))
        self.assertContains(page, "+284.4 %")
        self.assertContains(page, "Daily budget")

    def test_a_change_that_rounds_to_nothing_is_one(self) -> None:
        steady = make_campaign(self.brand, name="Steady")
        spend(steady, "100", "2026-03-05 15:00")
        spend(steady, "100.02", "2026-03-08 15:00")
        page = self.client.get(self.address(steady))
        self.assertContains(page, "+0.02")
        self.assertContains(page, "0.0 %")

    def test_a_campaign_has_its_limit_beside(self) -> None:
        self.assertContains(self.client.get(self.address(self.search)), "no limit")
        self.search.daily_spend_limit = Decimal(45)
        self.search.save()
        self.assertContains(self.client.get(self.address(self.search)), "45.00 USD")

    def test_a_final_day_keeps_its_budget(self) -> None:
        self.brand.daily_budget = Decimal(50)
        self.brand.save()
        self.assertTrue(BrandPeriod.objects.filter(starts_on="2026-03-08", closed_at__isnull=False).exists())
        _, *days = self.rows(self.brand, "days.csv")
        self.assertEqual([Decimal(day[2]) for day in days], [100, 100, 50])

    def test_days_count_whose_records_are_gone(self) -> None:
        CampaignDay.objects.create(campaign_id=self.search.pk, day=date(2025, 1, 2), spend=Decimal(40))
        _, *days = self.rows(self.search, "days.csv", first="2025-01-02", last="2025-01-02")
        self.assertEqual(Decimal(days[0][1]), 40)

    def test_it_says_what_is_wrong_with_a_range(self) -> None:
        for first, last, told in (
            ("2026-03-08", "2026-03-11", "2026-03-11 is in the future. Enter 2026-03-10 or an earlier day."),
            ("2026-03-09", "2026-03-08", "2026-03-09 is after 2026-03-08."),
            ("2025-03-09", "2026-03-10", "more than 366 days. Enter 2025-03-10 or a later day."),
            ("2000-01-01", "2000-01-02", "2000-01-01 is too early."),
            ("x", "2026-03-08", "Enter a valid date."),
        ):
            with self.subTest(first):
                page = self.client.get(self.address(self.brand, first=first, last=last, file="days.csv"))
                self.assertContains(page, told)

    def test_without_a_range_it_shows_the_last_30_days(self) -> None:
        page = self.client.get(self.address(self.brand).partition("?")[0])
        self.assertContains(page, "2026-02-08 to 2026-03-09")

    def test_others_brands_are_not_shown(self) -> None:
        other = make_brand(name="Boreal")
        self.client.force_login(make_brand_manager(other))
        for row in (self.brand, self.search):
            self.assertEqual(self.client.get(self.address(row)).status_code, 302)
        self.assertEqual(self.client.get(self.address(other)).status_code, 200)

    def test_it_needs_the_permission_to_view(self) -> None:
        self.client.force_login(User.objects.create(username="nobody", is_staff=True))
        for row in (self.brand, self.search):
            self.assertEqual(self.client.get(self.address(row)).status_code, 403)

    def test_both_pages_lead_to_it(self) -> None:
        for row in (self.brand, self.search):
            page = self.client.get(reverse(f"admin:campaigns_{row._meta.model_name}_change", args=[row.pk]))
            self.assertContains(page, f'href="{self.address(row).partition("?")[0]}"')
