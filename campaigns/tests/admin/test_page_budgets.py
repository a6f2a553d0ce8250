"""What a page asks the database doesn't grow: as many queries for 10,000 campaigns as for a page of them."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Brand, Campaign, DaypartingSchedule, SpendRecord
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.pages import every_model, page

# Campaigns: more than a page of a list, or the page of a brand, shows.
OF_A_BRAND = 60

# None asks for more. Home asks for 15 at most.
QUERIES = 25


def add_brands(number: int) -> None:
    """Add brands with budgets, campaigns with limits and windows, spend that reaches some, and enforce them."""
    first = Brand.objects.count()
    brands = Brand.objects.bulk_create(
        Brand(name=f"Brand {first + n}", timezone="UTC", daily_budget=100, monthly_budget=1_000) for n in range(number)
    )
    campaigns = Campaign.objects.bulk_create(
        Campaign(brand=brand, name=f"Campaign {n}", daily_spend_limit=10) for brand in brands for n in range(OF_A_BRAND)
    )
    DaypartingSchedule.objects.bulk_create(DaypartingSchedule(campaign=campaign) for campaign in campaigns)
    SpendRecord.objects.bulk_create(
        SpendRecord(brand_id=campaign.brand_id, campaign=campaign, amount=n % 12 + 1)
        for n, campaign in enumerate(campaigns)
    )
    run_full_check(CHECK_BUDGETS, clock=timezone.now)


class PageBudgets(AdminTestCase):
    def addresses(self) -> Iterator[str]:
        yield reverse("admin:index")
        for model in every_model():
            if model._meta.app_label == "campaigns":
                yield page(model, "changelist")
        yield page(Brand, "change", Brand.objects.order_by("pk")[0].pk)
        yield page(Campaign, "change", Campaign.objects.order_by("pk")[0].pk)

    def queries(self) -> dict[str, int]:
        counts = {}
        for address in self.addresses():
            with CaptureQueriesContext(connection) as captured:
                self.assertEqual(self.client.get(address).status_code, 200, address)
            counts[address] = len(captured)
        return counts

    def test_no_page_asks_more_when_there_are_more_campaigns(self) -> None:
        add_brands(3)
        self.queries()  # fills what Django remembers
        few = self.queries()
        add_brands(164)
        self.assertGreater(Campaign.objects.count(), 10_000)
        self.assertEqual(self.queries(), few)
        self.assertLessEqual(few[reverse("admin:index")], 20)
        self.assertLessEqual(max(few.values()), QUERIES, few)
