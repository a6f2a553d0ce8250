"""Somebody looks at a brand's spend of another range of days, and takes it away as a file."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Brand
from campaigns.services.jobs.full_check import run_full_check
from campaigns.tests.chromium.case import PHONE, BrowserTestCase, on_every_screen
from campaigns.tests.support.factories import make_brand, make_campaign, spend
from campaigns.tests.support.pages import page


@on_every_screen
class SpendOfARange(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="Alpine", currency="EUR", daily_budget=100)
        campaign = make_campaign(self.brand, name="Search")
        now = timezone.now()
        for days in range(40):
            spend(campaign, 10 + days, now - timedelta(days=days))
        run_full_check("check_budgets", clock=timezone.now)

    def test_a_range_is_chosen_and_taken_as_a_file(self) -> None:
        shown = self.open(page(Brand, "change", self.brand.pk))
        if self.viewport == PHONE:
            shown.get_by_role("link", name="More").click()
        self.follow(shown.get_by_role("link", name="Spend", exact=True))
        self.look()
        self.follow(shown.get_by_role("link", name="Last 7 days"))
        expect(shown.get_by_role("link", name="Last 7 days")).to_have_attribute("aria-current", "true")
        expect(shown.get_by_role("region", name="Total")).to_contain_text("98.00 EUR")
        expect(shown.get_by_role("region", name="Spend by day").get_by_role("row")).to_have_count(8)
        with shown.expect_download() as file:
            shown.get_by_role("link", name="XLSX, by day").click()
        self.assertTrue(file.value.suggested_filename.endswith(".xlsx"))
        shown.get_by_role("textbox", name="From").fill("2999-01-01")
        self.proceed("Show")
        expect(shown.get_by_role("alert")).to_contain_text("2999-01-01 is after")
        self.look()
