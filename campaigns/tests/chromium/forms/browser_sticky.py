"""The row of buttons and the list of errors stay in sight without covering what somebody is at."""

from __future__ import annotations

from django.urls import reverse
from playwright.sync_api import expect

from campaigns.models import Brand, Campaign
from campaigns.tests.chromium.case import BrowserTestCase, on_every_screen
from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.support.pages import page as address_of

BUTTONS, ERRORS = "#submit-row", ".campaigns-wrong"
# Whether an element that sticks lies over the focused one, by more than a line of pixels.
COVERED = """selector => {
    const focused = document.activeElement, sticky = document.querySelector(selector);
    const [a, b] = [focused, sticky].map((element) => element.getBoundingClientRect());
    const isOver = a.bottom > b.top + 2 && a.top < b.bottom - 2 && a.right > b.left && a.left < b.right;
    return isOver && focused !== document.body && !sticky.contains(focused) ? focused.outerHTML : "";
}"""
STEPS = 70


@on_every_screen
class Sticky(BrowserTestCase):
    def walk(self, key: str, selector: str) -> None:
        """Press a key many times, and fail where what has the focus is covered."""
        covered = set()
        for _ in range(STEPS):
            self.page.keyboard.press(key)
            covered.add(self.page.evaluate(COVERED, selector))
        self.assertEqual(covered, {""})

    def test_what_has_the_focus_is_in_sight_on_every_form(self) -> None:
        brand = make_brand(name="Alpine", currency="EUR", daily_budget=100)
        campaign = make_campaign(brand, name="Search")
        addresses = (
            address_of(Brand, "change", brand.pk),
            address_of(Campaign, "change", campaign.pk),
            address_of(Brand, "add"),
            reverse("admin:auth_user_add"),
        )
        for address in addresses:
            for key in ("Tab", "Shift+Tab"):
                with self.subTest(address, key=key):
                    self.open(address)
                    self.walk(key, BUTTONS)

    def test_after_a_refused_save_what_has_the_focus_and_the_message_are_in_sight(self) -> None:
        page = self.open(address_of(Brand, "change", make_brand(name="Alpine", currency="EUR").pk))
        page.get_by_role("textbox", name="Daily budget").fill("abc")
        self.proceed("Save")
        wrong = page.get_by_role("textbox", name="Daily budget")
        expect(wrong).to_be_in_viewport(ratio=1)
        expect(page.get_by_text("“abc”: Enter a number").last).to_be_in_viewport(ratio=1)
        for key in ("Tab", "Shift+Tab"):
            self.walk(key, ERRORS)
        wrong.focus()
        self.assertEqual(page.evaluate(COVERED, BUTTONS), "")
        self.look()

    def test_the_message_after_a_save_is_in_sight(self) -> None:
        campaign = make_campaign(name="Search")
        page = self.open(address_of(Campaign, "change", campaign.pk))
        page.get_by_role("textbox", name="Daily spend limit").fill("90")
        self.proceed("Save")
        expect(page.get_by_text("Saved “Search”")).to_be_in_viewport(ratio=1)
