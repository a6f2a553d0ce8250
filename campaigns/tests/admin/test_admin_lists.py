"""The admin's lists: how they are read, and what their columns and filters show."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign, SpendRecord, StatusChange
from campaigns.services.jobs.full_check import run_full_check
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend

LISTS = ("brand", "campaign", "brandperiod", "statuschange", "spendrecord", "jobrun")


def address(name: str, **query: Any) -> str:
    return reverse(f"admin:campaigns_{name}_changelist", query=query or None)


def some_brands(number: int) -> None:
    """Make brands, each with two campaigns, windows, spend, history and books."""
    for _ in range(number):
        brand = make_brand(daily_budget=5)
        for _ in range(2):
            campaign = make_campaign(brand)
            make_window(campaign, days=1, end="08:00")
            make_window(campaign, days=2, end="08:00")
            spend(campaign, 3)
    run_full_check("check_budgets", clock=timezone.now)


class QueryTests(AdminTestCase):
    def queries(self, name: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            response = self.client.get(address(name))
        self.assertEqual(response.status_code, 200)
        return len(captured)

    def test_lists_take_the_same_queries_for_3_and_for_30_brands(self) -> None:
        some_brands(3)
        before = {name: self.queries(name) for name in LISTS}
        some_brands(27)
        self.assertEqual({name: self.queries(name) for name in LISTS}, before)
        self.assertLessEqual(max(before.values()), 12)

    @override_settings(DATABASE_CLOCK=True)
    def test_no_list_reads_the_clock_for_each_row(self) -> None:
        """In production every look at PostgreSQL's clock is a query."""
        some_brands(1)
        before = {name: self.queries(name) for name in LISTS}
        some_brands(2)
        self.assertEqual({name: self.queries(name) for name in LISTS}, before)

    def test_lists_of_spend_and_history_count_nothing(self) -> None:
        some_brands(1)
        for name in ("spendrecord", "statuschange"):
            with CaptureQueriesContext(connection) as captured:
                self.client.get(address(name))
            self.assertNotIn("COUNT(", str(captured.captured_queries))


class BrandListTests(AdminTestCase):
    def test_bars_have_their_text(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=80, currency="EUR"))
        spend(campaign, "60.5")
        page = self.client.get(address("brand"))
        self.assertContains(page, "60.50 of 80.00 EUR")
        self.assertContains(
            page, 'value="75" aria-label="75 % of the daily budget" aria-valuetext="75 % of the daily budget"'
        )
        self.assertContains(page, "no limit")

    def test_a_budget_is_100_percent_only_when_it_is_reached(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=80))
        spend(campaign, "79.999999")
        self.assertContains(self.client.get(address("brand")), "99 %")
        spend(campaign, "0.000001")
        self.assertContains(self.client.get(address("brand")), "100 %")

    def test_far_beyond_a_budget_it_is_in_percent_too(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=80))
        spend(campaign, "799.999999")
        self.assertContains(self.client.get(address("brand")), "999 %")
        spend(campaign, "120445.6")
        page = self.client.get(address("brand"))
        self.assertContains(page, '<small aria-hidden="true">151,556 %</small>')
        self.assertContains(page, 'value="100" aria-label="151,556 % of the daily budget, reached"')

    def test_a_budget_of_0_is_said_and_full(self) -> None:
        make_brand(daily_budget=0)
        page = self.client.get(address("brand"))
        self.assertContains(page, "limit is 0")
        self.assertContains(page, 'value="100"')

    def test_it_counts_active_and_paused_campaigns(self) -> None:
        brand = make_brand()
        make_campaign(brand)
        make_campaign(brand)
        Campaign.objects.create(brand=brand, name="off", enabled=False, pause_reasons=1)
        page = self.client.get(address("brand"))
        self.assertContains(page, "2 active")
        self.assertContains(page, "1 paused")

    def test_it_filters_and_searches(self) -> None:
        make_brand(name="Alpine", currency="CHF")
        make_brand(name="Blue", enabled=False)
        for query, shown in (
            ({"q": "alp"}, "Alpine"),
            ({"enabled__exact": 0}, "Blue"),
            ({"currency": "CHF"}, "Alpine"),
        ):
            page = self.client.get(address("brand", **query))
            self.assertEqual([str(row) for row in page.context["cl"].result_list], [shown])


class CampaignListTests(AdminTestCase):
    def names(self, **query: Any) -> list[str]:
        page = self.client.get(address("campaign", **query))
        self.assertEqual(page.status_code, 200)
        return sorted(row.name for row in page.context["cl"].result_list)

    def test_it_filters_by_status_reason_brand_and_switch(self) -> None:
        brand = make_brand()
        make_campaign(brand, name="runs")
        make_campaign(name="off", enabled=False, pause_reasons=1)
        make_campaign(name="off and limited", enabled=False, pause_reasons=33)
        self.assertEqual(self.names(status__exact="active"), ["runs"])
        self.assertEqual(self.names(reason="campaign_daily_limit"), ["off and limited"])
        self.assertEqual(self.names(reason="campaign_disabled"), ["off", "off and limited"])
        self.assertEqual(self.names(reason="nonsense"), ["off", "off and limited", "runs"])
        self.assertEqual(self.names(brand__id__exact=brand.pk), ["runs"])
        self.assertEqual(self.names(enabled__exact=0), ["off", "off and limited"])

    def test_it_searches_by_campaign_and_brand(self) -> None:
        make_campaign(make_brand(name="Alpine"), name="Search")
        make_campaign(make_brand(name="Blue"), name="Video")
        self.assertEqual(self.names(q="alp"), ["Search"])
        self.assertEqual(self.names(q="vid"), ["Video"])

    def test_it_says_why_and_until_when(self) -> None:
        campaign = make_campaign(daily_spend_limit=5)
        spend(campaign, 5)
        run_full_check("check_budgets", clock=timezone.now)
        page = self.client.get(address("campaign"))
        self.assertContains(page, "daily spend limit reached")
        tomorrow = timezone.localdate() + timedelta(days=1)
        self.assertContains(page, f">{tomorrow} 00:00 UTC</time>")
        self.assertContains(page, "5.00 of 5.00 USD")


class SpendListTests(AdminTestCase):
    def found(self, **query: Any) -> list[str | None]:
        page = self.client.get(address("spendrecord", **query))
        self.assertEqual(page.status_code, 200)
        return sorted(row.external_id for row in page.context["cl"].result_list)

    def test_it_searches_by_names_and_by_the_whole_external_id(self) -> None:
        spend(make_campaign(make_brand(name="Alpine"), name="Search"), 1, external_id="a-1")
        spend(make_campaign(make_brand(name="Blue"), name="Video"), 1, external_id="b-1")
        self.assertEqual(self.found(q="alp"), ["a-1"])
        self.assertEqual(self.found(q="vide"), ["b-1"])
        self.assertEqual(self.found(q="b-1"), ["b-1"])
        self.assertEqual(self.found(q="-1"), [])

    def records(self, count: int) -> list[int]:
        """Make records a-1, a-2, …, whose ids no brand or campaign has, and return their ids."""
        campaign = make_campaign(make_brand(name="Alpine"), name="Search")
        about = {"brand_id": campaign.brand_id, "campaign": campaign, "amount": 1}
        ids = [8_000_000 + number for number in range(1, count + 1)]
        for number, pk in enumerate(ids, start=1):
            SpendRecord.objects.create(pk=pk, external_id=f"a-{number}", **about)
        return ids

    def test_it_searches_by_the_id_of_the_record(self) -> None:
        first, second = self.records(2)
        self.assertEqual(self.found(q=str(first)), ["a-1"])
        self.assertEqual(self.found(q=f"#{second}"), ["a-2"])
        self.assertEqual(self.found(q="8999999"), [])

    def test_a_record_that_is_too_old_for_the_list_is_linked(self) -> None:
        old, *_ = self.records(3)
        with patch("campaigns.admin.shared.lists.NEWEST", 2):
            page = self.client.get(address("spendrecord", q=str(old)))
        self.assertEqual(len(page.context["cl"].result_list), 0)
        self.assertContains(page, f"Record {old} is older than this list: ")
        self.assertContains(page, reverse("admin:campaigns_spendrecord_change", args=[old]))

    def test_it_filters_by_time(self) -> None:
        campaign, now = make_campaign(), timezone.now()
        spend(campaign, 1, now, external_id="now")
        spend(campaign, 1, now - timedelta(days=10), external_id="old")
        self.assertEqual(self.found(since="week"), ["now"])
        self.assertEqual(self.found(since="month"), ["now", "old"])
        self.assertEqual(self.found(since="nonsense"), ["now", "old"])


class HistoryTests(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign(make_brand(daily_budget=5))
        spend(self.campaign, 6)
        run_full_check("check_budgets", clock=timezone.now)

    def test_the_list_shows_before_and_after_in_words_and_who_did_it(self) -> None:
        page = self.client.get(address("statuschange"))
        for text in ("active →", "brand&#x27;s daily budget reached", "Check budgets (job)", "6.00 of 5.00"):
            self.assertContains(page, text)

    def test_a_campaigns_page_shows_what_happened_why_and_who_did_it(self) -> None:
        page = self.client.get(reverse("admin:campaigns_campaign_change", args=[self.campaign.pk]))
        for text in (">Paused</span>", "brand&#x27;s daily budget reached: 6.00 of 5.00 USD", "Check budgets (job)"):
            self.assertContains(page, text)

    def test_a_campaigns_page_shows_the_last_20(self) -> None:
        campaign = make_campaign()
        for number in range(25):
            StatusChange.objects.create(
                campaign=campaign,
                at=timezone.now(),
                reasons_before=0,
                reasons_after=1,
                actor=f"person {number:02}",
                campaign_spend=Decimal(0),
                brand_day_spend=Decimal(0),
                brand_month_spend=Decimal(0),
            )
        page = self.client.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
        self.assertContains(page, "person 24")
        self.assertContains(page, "person 05")
        self.assertNotContains(page, "person 04")
