"""What a form says of an entry that it refuses: the value, and what to do."""

from __future__ import annotations

from decimal import Decimal

from django.urls import reverse

from campaigns.models import Brand
from campaigns.tests.support.browser import AdminTestCase, open_form
from campaigns.tests.support.factories import make_brand


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
            "1,5",
            "1_000",
            "1e5",
            "0x10",
            "１００",
            "٣",
            "--1",
            "1 000",
            "$5",
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
        for entry, amount in ((" 100 ", "100"), ("+1", "1"), (".5", "0.5"), ("7.", "7"), ("007.250000", "7.25")):
            form = open_form(self.client, address, "brand_form") | {"daily_budget": entry}
            self.assertEqual(self.client.post(address, form).status_code, 302, entry)
            self.assertEqual(Brand.objects.get(pk=brand.pk).daily_budget, Decimal(amount))
