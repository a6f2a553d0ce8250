"""Before a brand's time zone changes, its page says what becomes of today's and this month's spend, and of statuses."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import time_machine

from campaigns.admin.exchange.table import import_preview
from campaigns.models import Brand, Campaign, StatusChange
from campaigns.services.exchange.columns import Kind
from campaigns.services.exchange.imports import preview_import
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.tests.support.browser import FormTestCase, ShownForm
from campaigns.tests.support.exchanging import ExchangeTestCase, csv_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

# In Tokyo this day, and the month, began at 15:00 UTC of the day before.
NOW = utc("2026-12-01 12:00")


def words(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html)))


def make_spending_brand() -> Brand:
    """Make a brand that spent 80 yesterday evening and 30 today, by UTC; in Tokyo all of it is today's."""
    brand = make_brand(name="Kawabe", currency="JPY", daily_budget=100)
    campaign = make_campaign(brand, name="Commuters")
    spend(campaign, 80, "2026-11-30 20:00")
    spend(campaign, 30, "2026-12-01 10:00")
    return brand


@time_machine.travel(NOW, tick=False)
class Asking(FormTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_spending_brand()
        run_full_check(CHECK_BUDGETS, clock=lambda: NOW)

    def ask(self, **entered: str) -> Any:
        answer = self.client.post(self.address(self.brand), self.form(self.brand) | entered)
        self.assertEqual(answer.status_code, 200, self.errors_of(answer))
        return answer

    def confirm(self, answer: Any) -> Any:
        posted = dict(ShownForm(answer.content.decode(), "zone_confirm").values)
        return self.client.post(self.address(self.brand), posted, follow=True)

    def test_it_says_what_becomes_of_the_spend_and_changes_nothing(self) -> None:
        changes = StatusChange.objects.count()
        told = words(self.ask(timezone="Asia/Tokyo").content.decode())
        self.assertIn("Change the time zone of Kawabe from UTC to Asia/Tokyo?", told)
        self.assertIn("Now After Today 30 JPY 110 JPY This month 30 JPY 110 JPY", told)
        self.assertRegex(told, r"campaign pauses 1 ")
        self.assertRegex(told, r"Kawabe Commuters active → becomes brand's daily budget reached")
        self.brand.refresh_from_db()
        self.assertEqual(self.brand.timezone, "UTC")
        self.assertEqual((Campaign.objects.get().status, StatusChange.objects.count()), ("active", changes))

    def test_what_is_confirmed_is_saved_with_all_that_was_entered(self) -> None:
        answer = self.confirm(self.ask(timezone="Asia/Tokyo", name="Kawabe Foods", _continue=""))
        self.assertContains(answer, "time zone Asia/Tokyo")
        self.assertEqual(answer.request["PATH_INFO"], self.address(self.brand))
        self.brand.refresh_from_db()
        self.assertEqual((self.brand.timezone, self.brand.name), ("Asia/Tokyo", "Kawabe Foods"))
        self.assertEqual(Campaign.objects.get().status, "paused")

    def test_it_counts_on_the_other_changes_of_the_form(self) -> None:
        told = words(self.ask(timezone="Asia/Tokyo", daily_budget="200").content.decode())
        self.assertIn("No campaign pauses or resumes.", told)

    def test_spend_that_stays_is_shown_too(self) -> None:
        told = words(self.ask(timezone="Europe/London").content.decode())
        self.assertIn("Today 30 JPY 30 JPY This month 30 JPY 30 JPY", told)

    def test_the_answer_to_one_zone_is_none_to_another(self) -> None:
        asked = self.ask(timezone="Asia/Tokyo", _zone_confirmed="Europe/London")
        self.assertIn("Today 30 JPY 110 JPY", words(asked.content.decode()))
        self.brand.refresh_from_db()
        self.assertEqual(self.brand.timezone, "UTC")

    def test_a_zone_that_was_unknown_had_no_spend_of_now(self) -> None:
        Brand.objects.update(timezone="Mars/Olympus")
        told = words(self.ask(timezone="Asia/Tokyo").content.decode())
        self.assertRegex(told, r"Today [0–]+( JPY)? 110 JPY")

    def test_other_changes_are_saved_without_asking(self) -> None:
        self.save(self.brand, self.form(self.brand) | {"daily_budget": "500"})
        self.brand.refresh_from_db()
        self.assertEqual(self.brand.daily_budget, 500)

    def test_what_somebody_else_changed_meanwhile_is_still_told(self) -> None:
        answer = self.ask(timezone="Asia/Tokyo")
        Brand.objects.update(timezone="Europe/Paris")
        refused = self.confirm(answer)
        self.assertContains(refused, "Someone else changed “time zone” to “Europe/Paris” while you were editing.")

    def test_what_is_wrong_in_the_form_is_told_first(self) -> None:
        sentence = "Enter a number like 1250"
        self.refused(self.brand, self.form(self.brand) | {"timezone": "Asia/Tokyo", "daily_budget": "x"}, sentence)


class Files(ExchangeTestCase):
    def test_the_preview_of_a_file_says_it_too(self) -> None:
        make_spending_brand()
        make_brand(name="Beside")
        run_full_check(CHECK_BUDGETS, clock=lambda: NOW)
        rows = (["name", "timezone"], ["Kawabe", "Asia/Tokyo"], ["Beside", "UTC"])
        draft = self.keep(Kind.BRANDS, csv_of(*rows))
        shown = import_preview(preview_import(draft, person=self.person, clock=lambda: NOW))
        tables = {title: words(html) for title, html in shown.tables}
        self.assertRegex(
            tables["Spend in the new time zone: 1"],
            r"Kawabe UTC → becomes Asia/Tokyo 30 → becomes 110 JPY 30 → becomes 110 JPY",
        )
        self.assertEqual(Brand.objects.get(name="Kawabe").timezone, "UTC")
