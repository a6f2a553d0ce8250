"""Amounts have the decimals of their currency on every page and in every sentence: none for yen, three for dinars."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from html import unescape
from io import StringIO

import time_machine
from django.core.management import call_command
from django.utils import timezone

from campaigns.management.commands.verify_spend import describe
from campaigns.models import Brand, BrandPeriod, Campaign, SpendRecord, StatusChange
from campaigns.services.bulk.operations import Adjustment, ChangeLimit, OperationRefused
from campaigns.services.exchange.columns import Kind, export_table
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.services.ledger.verify import Difference
from campaigns.tests.support.browser import AdminTestCase, FormTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.pages import page

AFTERNOON = utc("2026-11-20 15:00")


@time_machine.travel(AFTERNOON, tick=False)
class Pages(AdminTestCase):
    """A brand in a currency, with budgets, limits and spend of three days that reaches some of them."""

    def fill(self, currency: str) -> None:
        self.brand = make_brand(name="Kawabe", currency=currency, daily_budget=5_000, monthly_budget=90_000)
        self.campaign = make_campaign(self.brand, name="Commuters", daily_spend_limit=4_000)
        make_campaign(make_brand(name="Beside", currency=currency), name="Free")
        for days in range(3):
            spend(self.campaign, 4_321, timezone.now() - timedelta(days=days))
        spend(Campaign.objects.get(name="Free"), 77, timezone.now())
        run_full_check(CHECK_BUDGETS, clock=timezone.now)

    def addresses(self) -> Iterator[str]:
        yield "/admin/"
        for model in (Brand, Campaign, BrandPeriod, StatusChange, SpendRecord):
            yield page(model, "changelist")
        yield page(Brand, "change", self.brand.pk)
        yield page(Campaign, "change", self.campaign.pk)
        yield page(Brand, "spend", self.brand.pk)
        yield page(Campaign, "spend", self.campaign.pk)
        for model in (BrandPeriod, StatusChange, SpendRecord):
            yield page(model, "change", model._base_manager.order_by("pk")[0].pk)

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield what each page says, and what of it only is read aloud."""
        for address in self.addresses():
            html = self.client.get(address).content.decode()
            spoken = re.findall(r'aria-label="([^"]*)"', html)
            shown = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL)
            yield address, self.money_of(unescape(" ".join([shown, *spoken])))

    def test_yen_have_none(self) -> None:
        self.fill("JPY")
        for address, text in self.texts():
            self.assertRegex(text, r"4,321|4,398|12,963|77")
            self.assertEqual(re.findall(r"[\d,]+\.\d+", text), [], address)

    def money_of(self, text: str) -> str:
        """Leave out what isn't money: the pace, days that are left, percentages."""
        return re.sub(r"Pace\s+[\d.]+|[\d.,]+ %|1\.00 = on pace|[\d.]+ days left", " ", text)

    def test_dinars_have_three(self) -> None:
        self.fill("KWD")
        for address, text in self.texts():
            figures = re.findall(r"[\d,]+\.\d+", text)
            self.assertTrue(figures, address)
            self.assertEqual([each for each in figures if not re.fullmatch(r"[\d,]+\.\d{3}", each)], [], address)

    def test_records_have_all_their_decimals_and_figures_those_of_the_currency(self) -> None:
        self.fill("JPY")
        spend(self.campaign, "100.5", timezone.now())
        self.assertContains(self.client.get(page(SpendRecord, "changelist")), "100.5 JPY")
        self.assertContains(self.client.get(page(Brand, "changelist")), "4,422 of 5,000 JPY")

    def test_the_charts_are_drawn_with_the_decimals_of_the_currency(self) -> None:
        self.fill("KWD")
        html = self.client.get(page(Brand, "change", self.brand.pk)).content.decode()
        found = [json.loads(unescape(text)) for text in re.findall(r'data-options="([^"]*)"', html)]
        digits = {"minimumFractionDigits": 3, "maximumFractionDigits": 6}
        self.assertEqual([options["scales"]["y"]["ticks"]["format"] for options in found], [digits] * 2)
        html = self.client.get(page(Campaign, "change", self.campaign.pk)).content.decode()
        (day,) = (json.loads(unescape(text)) for text in re.findall(r'data-day="([^"]*)"', html))
        self.assertEqual((day["currency"], day["decimals"]), ("KWD", 3))

    def test_a_currency_that_is_unknown_is_shown_with_two(self) -> None:
        self.fill("ZZZ")
        self.assertContains(self.client.get(page(Brand, "changelist")), "4,321.00 of 5,000.00 ZZZ")

    def test_files_keep_exact_values(self) -> None:
        self.fill("JPY")
        Brand.objects.filter(pk=self.brand.pk).update(daily_budget=Decimal("5000.123456"))
        columns, rows = export_table(Kind.BRANDS, [self.brand.pk], now=timezone.now())
        row = dict(zip(columns, rows[0], strict=True))
        self.assertEqual((row["daily_budget"], row["monthly_budget"]), (Decimal("5000.123456"), Decimal(90000)))


class Sentences(FormTestCase):
    def test_a_conflict_between_two_people_is_told_in_the_currency(self) -> None:
        brand = make_brand(currency="JPY", daily_budget=5_000)
        form = self.form(brand) | {"daily_budget": "7000"}
        Brand.objects.filter(pk=brand.pk).update(daily_budget=6_000)
        self.refused(brand, form, "Someone else changed “daily budget” to “6,000” while you were editing.")

    def test_a_change_of_many_rows_is_told_in_the_currency(self) -> None:
        change = ChangeLimit("daily_budget", Adjustment.RAISE, Decimal(10))
        self.assertEqual(change.format_value(change.after(Decimal(50), "JPY"), "JPY"), "60 JPY")
        with self.assertRaisesMessage(OperationRefused, "999,999,999 + 10 JPY is too large"):
            change.after(Decimal(999_999_999), "JPY")

    def test_commands_tell_amounts_in_the_currency(self) -> None:
        campaign = make_campaign(make_brand(currency="JPY"), daily_spend_limit=100)
        spend(campaign, 120)
        message = StringIO()
        call_command("enforce", "--dry-run", stdout=message)
        self.assertIn("(120 of 100)", message.getvalue())
        lacks = Difference("brand day", "Kawabe (brand 1)", timezone.localdate(), Decimal(120), "JPY")
        self.assertTrue(describe(lacks).endswith("is 120 JPY too low"))
