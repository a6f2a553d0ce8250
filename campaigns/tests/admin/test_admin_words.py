"""What a form says of an entry that it refuses: the value, and what to do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Brand, BrandPeriod
from campaigns.services.jobs.full_check import run_full_check
from campaigns.tests.support.browser import AdminTestCase, open_form
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

WRITTEN = (
    *((" 100 ", "100"), ("+1", "1"), (".5", "0.5"), ("7.", "7"), ("007.250000", "7.25"), ("1,5", "1.5")),
    *(("1,234.56", "1234.56"), ("1 234,56", "1234.56"), ("1.234,56", "1234.56"), ("1234.5", "1234.5")),
    *(("1,234", "1234"), ("0.125", "0.125"), ("1.2000", "1.2"), ("1,20", "1.2"), ("0,125", "0.125"), ("-0", "0")),
    *(("1.250,50 $", "1250.5"), ("$ 99", "99"), ("USD 1,250", "1250"), ("12.50US$", "12.5")),
    *(("1'234.50", "1234.5"), ("1\u202f234", "1234"), ("12,345,678", "12345678"), ("1.234.567", "1234567")),
)


class WhatAFormSaysOfAnEntry(AdminTestCase):
    def assert_refused(self, field: str, entry: str, sentence: str) -> None:
        brand = make_brand(daily_budget=5)
        address = reverse("admin:campaigns_brand_change", args=[brand.pk])
        form = open_form(self.client, address, "brand_form") | {field: entry}
        self.assertContains(self.client.post(address, form), sentence)
        self.assertEqual(Brand.objects.get(pk=brand.pk).daily_budget, 5)

    def test_it_names_what_is_not_a_number(self) -> None:
        for entry in (
            "abc",
            "NaN",
            "Infinity",
            "1_000",
            "1e5",
            "0x10",
            "１００",
            "٣",
            "--1",
            "1,0,0",
            "€5€",
        ):
            self.assert_refused("daily_budget", entry, f"“{entry}”: Enter a number like 1250")

    def test_it_names_what_is_finer_than_six_decimals(self) -> None:
        self.assert_refused("daily_budget", "0.0000001", "“0.0000001”: Enter at most six decimals.")

    def test_it_names_what_is_negative(self) -> None:
        self.assert_refused("daily_budget", "-1", "-1 is below 0: enter 0 or more")

    def test_it_names_a_zone_that_is_unknown(self) -> None:
        self.assert_refused("timezone", "Mars/Olympus", "“Mars/Olympus” isn’t a time zone we know")

    def test_it_takes_a_number_however_people_write_it(self) -> None:
        brand = make_brand()
        address = reverse("admin:campaigns_brand_change", args=[brand.pk])
        for entry, amount in WRITTEN:
            form = open_form(self.client, address, "brand_form") | {"daily_budget": entry}
            self.assertEqual(self.client.post(address, form).status_code, 302, entry)
            self.assertEqual(Brand.objects.get(pk=brand.pk).daily_budget, Decimal(amount))

    def test_it_asks_what_a_point_before_three_digits_means(self) -> None:
        self.assert_refused("daily_budget", "3.500", "“3.500” can mean 3,500 or 3.5: write 3500 or 3.50.")
        self.assert_refused("monthly_budget", "$ 1.255", "“$ 1.255” can mean 1,255 or 1.255: write 1255 or 1.2550.")

    def test_it_does_not_ask_about_an_amount_that_it_showed_itself(self) -> None:
        brand = make_brand(daily_budget=Decimal("3.125"))
        address = reverse("admin:campaigns_brand_change", args=[brand.pk])
        form = open_form(self.client, address, "brand_form")
        self.assertEqual(form["daily_budget"], ["3.125"])
        self.assertEqual(self.client.post(address, form | {"monthly_budget": "99"}).status_code, 302)
        brand.refresh_from_db()
        self.assertEqual((brand.daily_budget, brand.monthly_budget), (Decimal("3.125"), 99))
        self.assertContains(
            self.client.post(address, open_form(self.client, address, "brand_form") | {"daily_budget": "3.500"}),
            "“3.500” can mean 3,500 or 3.5",
        )

    def test_a_point_before_three_digits_is_the_decimal_point_of_a_currency_with_three_decimals(self) -> None:
        brand = make_brand(currency="KWD")
        address = reverse("admin:campaigns_brand_change", args=[brand.pk])
        form = open_form(self.client, address, "brand_form") | {"daily_budget": "3.500"}
        self.assertEqual(self.client.post(address, form).status_code, 302)
        self.assertEqual(Brand.objects.get(pk=brand.pk).daily_budget, Decimal("3.5"))

    def test_it_refuses_the_sign_of_another_currency(self) -> None:
        sentence = "isn’t in USD, the currency of this amount: enter the number in USD."
        for entry in ("€ 99", "99 EUR", "R$ 3,50"):
            self.assert_refused("daily_budget", entry, f"“{entry}” {sentence}")

    def test_it_names_groups_that_are_not_of_three_digits(self) -> None:
        for entry in ("1,2345,678", "1,234,56", "1234,567,890", "12,34.50"):
            self.assert_refused("daily_budget", entry, f"“{entry}”: Enter a number like 1250")

    def test_it_takes_six_decimals_in_any_currency(self) -> None:
        for brand in (make_brand(), make_brand(currency="JPY")):
            address = reverse("admin:campaigns_brand_change", args=[brand.pk])
            form = open_form(self.client, address, "brand_form") | {"daily_budget": "500.000001"}
            self.assertEqual(self.client.post(address, form).status_code, 302)
            self.assertEqual(Brand.objects.get(pk=brand.pk).daily_budget, Decimal("500.000001"))
        self.assert_refused("daily_budget", "500.0000001", "decimal")

    def test_a_comma_before_three_digits_separates_thousands_as_the_field_shows_them(self) -> None:
        for brand in (make_brand(daily_budget=15), make_brand(currency="JPY"), make_brand(currency="KWD")):
            address = reverse("admin:campaigns_brand_change", args=[brand.pk])
            form = open_form(self.client, address, "brand_form") | {"daily_budget": "1,234"}
            self.assertEqual(self.client.post(address, form).status_code, 302)
            brand.refresh_from_db()
            self.assertEqual(brand.daily_budget, 1_234)

    def test_an_amount_that_nobody_touched_stays_in_another_currency(self) -> None:
        brand = make_brand(currency="JPY", daily_budget=1_500, monthly_budget=Decimal("0.001"))
        address = reverse("admin:campaigns_brand_change", args=[brand.pk])
        form = open_form(self.client, address, "brand_form") | {"currency": "eur"}
        self.assertEqual(self.client.post(address, form).status_code, 302)
        brand.refresh_from_db()
        self.assertEqual((brand.currency, brand.daily_budget), ("EUR", 1_500))
        self.assertEqual(brand.monthly_budget, Decimal("0.001"))

    def test_a_time_zone_is_understood_by_its_city_and_in_any_case(self) -> None:
        brand = make_brand()
        address = reverse("admin:campaigns_brand_change", args=[brand.pk])
        for entry, zone in (("Paris", "Europe/Paris"), ("new  york", "America/New_York"), ("asia/tokyo", "Asia/Tokyo")):
            form = open_form(self.client, address, "brand_form") | {"timezone": entry, "_zone_confirmed": zone}
            self.assertEqual(self.client.post(address, form).status_code, 302)
            self.assertEqual(Brand.objects.get().timezone, zone)
        self.assert_refused("timezone", "Istanbul", "Try Asia/Istanbul or Europe/Istanbul.")


class WhatAReaderSees(AdminTestCase):
    def test_amounts_have_their_currency(self) -> None:
        brand = make_brand(currency="EUR", daily_budget=200)
        campaign = make_campaign(brand, daily_spend_limit="1250.5")
        reader = User.objects.create(username="reader", is_staff=True)
        codes = ("view_brand", "view_campaign")
        reader.user_permissions.set(Permission.objects.filter(codename__in=codes))
        self.client.force_login(reader)
        page = self.client.get(reverse("admin:campaigns_brand_change", args=[brand.pk]))
        self.assertEqual(self.read_only(page), {"daily budget": "200.00 EUR", "monthly budget": "–"})
        page = self.client.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
        self.assertEqual(self.read_only(page), {"daily spend limit": "1,250.50 EUR"})

    def test_a_final_statement_leads_back_and_offers_no_closing(self) -> None:
        spend(make_campaign(), 5, utc("2026-11-20 12:00"))
        run_full_check("check_budgets", clock=timezone.now)
        period = BrandPeriod.objects.filter(kind="day").get()
        page = self.client.get(reverse("admin:campaigns_brandperiod_change", args=[period.pk]))
        row = page.content.decode().partition('id="submit-row"')[2]
        self.assertRegex(row, r"<a [^>]*>\s*Back\s*</a>")
        self.assertNotRegex(row, r">\s*Close\s*<")

    def test_spend_beside_a_budget_has_the_decimals_of_the_currency(self) -> None:
        brand = make_brand(currency="EUR", monthly_budget=73_000)
        spend(make_campaign(brand), "73001.4876")
        run_full_check("check_budgets", clock=timezone.now)
        for name in ("statuschange", "brandperiod"):
            page = self.client.get(reverse(f"admin:campaigns_{name}_changelist"))
            self.assertContains(page, "73,001.49")
            self.assertNotContains(page, "73,001.4876")

    def read_only(self, page: Any) -> dict[str, str]:
        """Return the amounts on the page's form."""
        fields = [field for fieldset in page.context["adminform"] for line in fieldset for field in line]
        shown = {str(field.field["label"]): field.contents() for field in fields}
        return {label: text for label, text in shown.items() if "budget" in label or "limit" in label}
