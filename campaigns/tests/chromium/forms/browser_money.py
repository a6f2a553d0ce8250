"""Amounts in forms in a browser: text with separators, and the currency beside it that follows the form."""

from __future__ import annotations

import re
from decimal import Decimal

from django.urls import reverse
from playwright.sync_api import expect

from campaigns.models import Campaign
from campaigns.tests.chromium.case import BrowserTestCase, on_every_screen
from campaigns.tests.support.factories import make_brand, make_campaign


@on_every_screen
class Amounts(BrowserTestCase):
    def test_an_amount_is_text_with_separators_that_arrow_keys_leave_alone(self) -> None:
        brand = make_brand(currency="EUR", daily_budget=1_500)
        page = self.open(reverse("admin:campaigns_brand_change", args=[brand.pk]))
        amount = page.get_by_role("textbox", name="Daily budget")
        expect(amount).to_have_value("1,500.00")
        expect(amount).to_have_attribute("inputmode", "decimal")
        expect(amount).to_have_accessible_description(re.compile("EUR"))
        amount.press("ArrowUp")
        expect(amount).to_have_value("1,500.00")
        amount.fill("2 345,50")
        self.proceed("Save and continue editing")
        expect(page.get_by_role("textbox", name="Daily budget")).to_have_value("2,345.50")
        self.look()

    def test_the_currency_beside_the_budgets_follows_the_currency_of_the_brand(self) -> None:
        page = self.open(reverse("admin:campaigns_brand_add"))
        beside = page.locator(".campaigns-currency")
        expect(beside).to_have_text(["USD", "USD"])
        page.get_by_label("Currency").fill("jpy")
        expect(beside).to_have_text(["JPY", "JPY"])
        page.get_by_label("Currency").fill("euro")
        expect(beside).to_have_text(["EUR", "EUR"])
        page.get_by_label("Currency").fill("unknown")
        expect(beside).to_have_text(["", ""])

    def test_the_currency_beside_the_limit_follows_the_brand_of_the_campaign(self) -> None:
        yen = make_brand(name="Kawabe", currency="JPY")
        make_brand(name="Alpine", currency="EUR")
        make_campaign(yen, name="Commuters", daily_spend_limit=12_000)
        page = self.open(reverse("admin:campaigns_campaign_add"))
        beside = page.locator(".campaigns-currency")
        expect(beside).to_have_text("")
        for name, code in (("Kawabe", "JPY"), ("Alpine", "EUR")):
            page.locator(".field-brand .select2-selection").click()
            page.get_by_role("option", name=name).click()
            expect(beside).to_have_text(code)
        page.get_by_label("Name").fill("Search")
        page.get_by_label("Daily spend limit").fill("1,234.50")
        self.proceed("Save and continue editing")
        expect(beside).to_have_text("EUR")
        self.assertEqual(Campaign.objects.get(name="Search").daily_spend_limit, Decimal("1234.50"))
        self.look()
