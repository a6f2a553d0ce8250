"""Unsaved work in a browser: it is asked for before it is left, and a refused save leads to what is wrong."""

from __future__ import annotations

import re

from django.urls import reverse
from playwright.sync_api import Dialog, Locator, Page, expect

from campaigns.models import Brand
from campaigns.tests.chromium.case import BrowserTestCase, on_every_screen
from campaigns.tests.support.factories import make_brand, make_campaign, make_window


@on_every_screen
class UnsavedWork(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.asked: list[str] = []
        self.page.on("dialog", self._stay)

    def _stay(self, dialog: Dialog) -> None:
        self.asked.append(dialog.type)
        dialog.dismiss()

    def leave(self) -> None:
        """Try to close the page, as somebody does who follows a link or closes the tab."""
        before = self.page.url
        self.page.evaluate("setTimeout(() => { window.location.href = '/admin/?left' })")
        self.page.wait_for_timeout(700)
        self.assertEqual(self.page.url == before, bool(self.asked))

    def open_campaign(self) -> Page:
        campaign = make_campaign(make_brand(name="Alpine", currency="EUR"), name="Search", daily_spend_limit=100)
        make_window(campaign, 31, "08:00", "18:00")
        return self.open(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))

    def test_an_untouched_form_is_left_at_once(self) -> None:
        page = self.open_campaign()
        page.get_by_role("textbox", name="Daily spend limit").click()
        self.leave()
        self.assertEqual(self.asked, [])

    def test_an_edited_field_asks(self) -> None:
        page = self.open_campaign()
        page.get_by_role("textbox", name="Daily spend limit").fill("120")
        self.leave()
        self.assertEqual(self.asked, ["beforeunload"])

    def test_a_field_that_is_set_back_does_not_ask(self) -> None:
        page = self.open_campaign()
        page.get_by_role("textbox", name="Daily spend limit").fill("120")
        page.get_by_role("textbox", name="Daily spend limit").fill("100.00")
        self.leave()
        self.assertEqual(self.asked, [])

    def test_an_edited_week_asks(self) -> None:
        page = self.open_campaign()
        page.get_by_role("button", name="Weekends").click()
        self.leave()
        self.assertEqual(self.asked, ["beforeunload"])

    def test_a_save_does_not_ask_and_says_what_it_changed(self) -> None:
        page = self.open_campaign()
        page.get_by_role("textbox", name="Daily spend limit").fill("1,234.50")
        page.get_by_role("button", name="Weekends").click()
        self.proceed("Save and continue editing")
        self.assertEqual(self.asked, [])
        expect(page.get_by_text("daily spend limit 1,234.50 EUR; schedule Sat, Sun")).to_be_visible()
        self.look()
        self.proceed("Save and continue editing")
        expect(page.get_by_text("Nothing changed in “Search”.")).to_be_visible()

    def test_a_refused_form_asks_too(self) -> None:
        page = self.open_campaign()
        page.get_by_role("textbox", name="Daily spend limit").fill("1,2345,6")
        self.proceed("Save")
        self.leave()
        self.assertEqual(self.asked, ["beforeunload"])


@on_every_screen
class RefusedSave(BrowserTestCase):
    def assert_in_sight(self, element: Locator) -> None:
        box, size = element.bounding_box(), self.page.viewport_size
        assert box and size
        self.assertGreaterEqual(box["y"], 0)
        self.assertLessEqual(box["y"] + box["height"], size["height"])

    def test_the_message_and_the_first_wrong_field_are_in_sight(self) -> None:
        brand = make_brand(name="Alpine", currency="EUR", daily_budget=100)
        make_campaign(brand)
        page = self.open(reverse("admin:campaigns_brand_change", args=[brand.pk]))
        page.get_by_role("textbox", name="Daily budget").fill("1,2345,6")
        page.get_by_role("textbox", name="Monthly budget").fill("a lot")
        self.proceed("Save")
        summary = page.locator(".campaigns-wrong")
        expect(summary).to_be_focused()
        expect(summary).to_contain_text("Nothing was saved.")
        expect(summary).to_contain_text("Daily budget: “1,2345,6”: Enter a number like 1250")
        daily = page.get_by_role("textbox", name="Daily budget")
        page.wait_for_timeout(300)
        self.assert_in_sight(summary)
        self.assert_in_sight(daily)
        self.look()
        summary.get_by_role("link", name="Monthly budget").click()
        monthly = page.get_by_role("textbox", name="Monthly budget")
        expect(monthly).to_be_focused()
        expect(monthly).to_have_value("a lot")
        self.assert_in_sight(summary)
        self.assert_in_sight(monthly)
        daily.fill("1234")
        monthly.fill("")
        self.proceed("Save")
        expect(page.get_by_text("daily budget 1,234.00 EUR")).to_be_visible()
        self.assertEqual(Brand.objects.get().daily_budget, 1234)

    def test_a_wrong_row_of_the_schedule_is_shown_in_the_list(self) -> None:
        campaign = make_campaign(make_brand(name="Alpine"), name="Search")
        make_window(campaign, 31, "08:00", "18:00")
        page = self.open(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
        page.get_by_text("Edit as list").click()
        page.locator("[name=windows-0-end_time]").fill("25:00")
        self.proceed("Save")
        summary = page.locator(".campaigns-wrong")
        expect(summary).to_be_focused()
        summary.get_by_role("link", name=re.compile("^Schedule, row 1")).click()
        wrong = page.locator("[name=windows-0-end_time]")
        expect(wrong).to_be_focused()
        self.assert_in_sight(summary)
        self.assert_in_sight(wrong)
        self.assert_accessible()

    def test_nothing_is_said_about_the_servers_time(self) -> None:
        with self.open_browser(timezone_id="Asia/Tokyo") as browser:
            page = browser.new_page()
            page.goto(reverse("admin:campaigns_campaign_add"), wait_until="load")
            expect(page.locator(".vDateField").first).to_be_visible()
            expect(page.get_by_text("server time").first).to_be_attached()
            expect(page.get_by_text("server time").filter(visible=True)).to_have_count(0)
