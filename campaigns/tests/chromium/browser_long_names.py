"""The longest names in a browser: they wrap, so that no column and no message runs out of the window."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.tests.chromium.case import PHONE, BrowserTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend

LISTS = ("brand", "campaign", "spendrecord", "brandperiod", "statuschange")
# Texts that are cut: wider than the box that hides what doesn't fit.
CUT = """() => [...document.querySelectorAll("#result_list td, #result_list th, main [role=alert], .home-box")]
    .filter((box) => box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflow !== "visible"
        || box.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .filter((box) => box.checkVisibility({ visibilityProperty: true }) && box.offsetWidth > 1)
    .map((box) => box.className + ": " + box.textContent.trim().slice(0, 60))"""


class LongNames(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(
            name="W" * 200,
            currency="EUR",
            daily_budget=10,
            monthly_budget=1_000_000,
            timezone="America/Argentina/ComodRivadavia",
        )
        tomorrow = timezone.now().date() + timedelta(days=2)
        campaign = make_campaign(self.brand, name="M" * 200, starts_on=tomorrow)
        spend(campaign, 5_000, external_id="https://ads.example/click?id=abcdefghijklmnopqrstuvwxyz0123456789")
        run_full_check(CHECK_BUDGETS, clock=timezone.now)

    def test_lists_show_all_columns(self) -> None:
        for name in LISTS:
            with self.subTest(name):
                page = self.open(reverse(f"admin:campaigns_{name}_changelist"))
                self.assertEqual(page.evaluate(CUT), [])
                self.assert_fits()

    def test_messages_and_home_hold_them(self) -> None:
        page = self.open(reverse("admin:campaigns_brand_change", args=[self.brand.pk]))
        page.get_by_role("textbox", name="Daily budget").fill("12,000")
        self.proceed("Save")
        self.assertIn("12,000.00 EUR", page.locator("main").inner_text())
        self.assert_fits()
        self.open(reverse("admin:index"))
        self.assertEqual(page.evaluate(CUT), [])
        self.assert_fits()


class LongNamesOnADarkPhone(LongNames):
    viewport = PHONE
    colours = "dark"
