"""What people who use a keyboard or a phone meet on every page: a way past the menu, names, cards, Save in sight."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from campaigns.models import Brand, Campaign
from campaigns.tests.chromium.case import PHONE, BrowserTestCase
from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.support.pages import page


class Keyboard(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign(brand=make_brand(name="Alpine"), name="Boots")

    def test_the_first_stop_skips_the_menu(self) -> None:
        shown = self.open(page(Campaign, "changelist"))
        shown.keyboard.press("Tab")
        skip = shown.get_by_role("banner").get_by_role("link", name="Skip to content")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()
        shown.keyboard.press("Enter")
        shown.keyboard.press("Tab")
        expect(shown.locator("main :focus")).to_have_count(1)

    def test_filters_take_the_focus_keep_it_and_give_it_back(self) -> None:
        shown = self.open(page(Campaign, "changelist"))
        opener = shown.locator("main").get_by_role("button", name="Filters", exact=True)
        opener.focus()
        shown.keyboard.press("Enter")
        box = shown.get_by_role("dialog", name="Filters")
        first = box.locator(".select2-selection").first
        last = box.get_by_role("button", name="Apply Filters")
        expect(first).to_be_focused()
        shown.keyboard.press("Shift+Tab")
        expect(last).to_be_focused()
        shown.keyboard.press("Tab")
        expect(first).to_be_focused()
        shown.keyboard.press("Escape")
        expect(opener).to_be_focused()
        expect(box).to_be_hidden()

    def test_the_menu_is_folded_by_keyboard(self) -> None:
        shown = self.open(page(Campaign, "changelist"))
        menu = shown.get_by_role("button", name="Menu")
        menu.focus()
        expect(shown.get_by_role("link", name="Statements", exact=True)).to_be_visible()
        shown.keyboard.press("Enter")
        expect(shown.get_by_role("link", name="Statements", exact=True)).to_be_hidden()
        shown.keyboard.press("Space")
        expect(shown.get_by_role("link", name="Statements", exact=True)).to_be_visible()

    def test_the_switch_shows_that_it_has_the_focus(self) -> None:
        shown = self.open(page(Campaign, "change", self.campaign.pk))
        switch = shown.get_by_role("checkbox", name="On", exact=True)
        shown.get_by_label("Name").focus()
        shown.keyboard.press("Tab")
        expect(switch).to_be_focused()
        expect(switch).to_have_css("outline-style", "solid")

    def test_deleting_is_not_the_strongest_button(self) -> None:
        shown = self.open(page(Campaign, "change", self.campaign.pk))
        delete = shown.locator("#submit-row").get_by_role("link", name="Delete campaign")
        expect(delete).to_have_css("background-color", "rgba(0, 0, 0, 0)")
        expect(shown.get_by_role("main")).to_have_count(1)


class Phone(BrowserTestCase):
    viewport = PHONE

    def setUp(self) -> None:
        super().setUp()
        brand = make_brand(name="Alpine", daily_budget=100, monthly_budget=1000)
        for number in range(10):
            self.campaign = make_campaign(brand=brand, name=f"Boots {number}", daily_spend_limit=10)

    def test_save_is_in_sight_and_delete_is_in_the_menu(self) -> None:
        shown = self.open(page(Campaign, "change", self.campaign.pk))
        row = shown.locator("#submit-row")
        expect(row.get_by_role("button", name="Save", exact=True)).to_be_in_viewport()
        expect(row.get_by_role("link", name="Delete campaign")).to_be_hidden()
        delete = shown.locator("header, #header-inner").get_by_role("link", name="Delete campaign")
        shown.get_by_role("link", name="More").click()
        expect(delete).to_be_visible()
        self.follow(delete)
        expect(shown).to_have_url(re.compile("/delete/$"))

    def test_a_list_is_made_of_short_cards(self) -> None:
        shown = self.open(page(Campaign, "changelist"))
        card = shown.locator("#result_list tr.data-row").first
        self.assertLess(self.height_of(card), 150)
        expect(card.get_by_text("always")).to_be_hidden()
        self.assertEqual(shown.locator("h1").inner_text().strip(), "Campaigns")
        self.assert_nothing_is_cut(card)
        shown = self.open(page(Campaign, "change", self.campaign.pk))
        self.assertEqual(shown.locator("h1").inner_text().split("\n")[:2], ["Alpine", self.campaign.name])
        self.assert_nothing_is_cut(shown.locator("h1"))
        shown = self.open(page(Brand, "changelist"))
        self.assert_nothing_is_cut(shown.locator("#result_list tr.data-row").first)

    def height_of(self, part: Locator) -> float:
        box = part.bounding_box()
        assert box
        return box["height"]

    def assert_nothing_is_cut(self, card: Locator) -> None:
        script = """row => [...row.querySelectorAll("td, th, span, div")]
            .filter((part) => part.clientWidth && part.scrollWidth > part.clientWidth + 1)
            .map((part) => part.textContent.trim())"""
        self.assertEqual(card.evaluate(script), [])
