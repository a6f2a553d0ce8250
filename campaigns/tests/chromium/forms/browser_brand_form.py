"""A brand's currency and time zone in a browser: what is offered, what is fixed, and what is asked before a change."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from campaigns.models import Brand
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.tests.chromium.case import BrowserTestCase, on_every_screen
from campaigns.tests.support.factories import make_brand, make_campaign, spend


@on_every_screen
class BrandForm(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="Kawabe", currency="JPY", daily_budget=1_000, monthly_budget=90_000)

    def open_brand(self) -> Page:
        return self.open(reverse("admin:campaigns_brand_change", args=[self.brand.pk]))

    def test_the_currency_is_chosen_by_its_code_while_nothing_was_spent(self) -> None:
        page = self.open_brand()
        field = page.get_by_label("Currency")
        expect(field).to_be_editable()
        self.assertEqual(
            page.locator(f"#{field.get_attribute('list')} option[value=KWD]").inner_text(), "Kuwaiti Dinar"
        )
        field.fill("kwd")
        self.proceed("Save")
        self.brand.refresh_from_db()
        self.assertEqual(self.brand.currency, "KWD")

    def test_the_currency_is_read_only_once_something_was_spent(self) -> None:
        spend(make_campaign(self.brand), 120)
        page = self.open_brand()
        expect(page.get_by_label("Currency")).not_to_be_editable()
        expect(page.get_by_text("The brand has spend or final statements in this currency")).to_be_visible()
        self.look()

    def test_another_time_zone_is_confirmed_after_its_effect_was_shown(self) -> None:
        campaign = make_campaign(self.brand, name="Commuters")
        for hours in range(60):
            spend(campaign, 40, timezone.now() - timedelta(hours=hours))
        run_full_check(CHECK_BUDGETS, clock=timezone.now)
        page = self.open_brand()
        page.get_by_label("Time zone").fill("Pacific/Kiritimati")
        self.proceed("Save")
        expect(
            page.get_by_role("heading", name="Change the time zone of Kawabe from UTC to Pacific/Kiritimati?")
        ).to_be_visible()
        expect(page.get_by_role("columnheader", name="After")).to_be_visible()
        self.look()
        self.assertEqual(Brand.objects.get().timezone, "UTC")
        self.proceed("Change time zone")
        self.assertEqual(Brand.objects.get().timezone, "Pacific/Kiritimati")

    def test_cancelling_goes_back_to_the_brand_as_it_is(self) -> None:
        page = self.open_brand()
        page.get_by_label("Time zone").fill("Asia/Tokyo")
        self.proceed("Save")
        self.follow(page.get_by_role("link", name="Cancel"))
        expect(page.get_by_label("Time zone")).to_have_value("UTC")
