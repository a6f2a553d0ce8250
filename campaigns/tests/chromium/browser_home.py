"""A morning at an agency: which brands need attention, how one is pacing, pausing and resuming it."""

from __future__ import annotations

import re

from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Brand, Campaign
from campaigns.services.jobs.full_check import run_full_check
from campaigns.tests.chromium.case import PHONE, BrowserTestCase, on_every_screen
from campaigns.tests.support.factories import make_brand, make_campaign, make_profile, spend


@on_every_screen
class Morning(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="Alpine", currency="EUR", daily_budget=100, monthly_budget=3000)
        self.campaigns = [make_campaign(self.brand, name=name) for name in ("Search", "Video")]
        spend(self.campaigns[0], 120)
        calm = make_campaign(make_brand(name="Calm", monthly_budget=1000), name="Display")
        spend(calm, 1)
        run_full_check("check_budgets", clock=timezone.now)

    def test_from_a_number_to_the_brand_that_is_paused_and_resumed(self) -> None:
        self.open("/admin/")
        self.look()
        risks = self.page.get_by_role("region", name="Brands by risk")
        risks.get_by_role("link", name="1 today daily budget reached").click()
        expect(self.page).to_have_url(re.compile(r"risk=reached_today"))
        rows = self.page.locator("#result_list tbody tr")
        expect(rows).to_have_count(1)
        rows.get_by_role("link", name="Alpine").click()
        self.read_the_pictures()
        self.look()
        self.pause()
        self.resume()

    def read_the_pictures(self) -> None:
        month = self.page.get_by_role("region", name="This month")
        expect(month.get_by_role("img", name=re.compile("120.00 of 3,000.00 EUR so far"))).to_be_visible()
        expect(month.get_by_role("table")).to_be_hidden()
        month.get_by_text("Show month as table").click()
        expect(month.get_by_role("row").last).to_contain_text("(so far)")
        expect(month.get_by_role("row").last).to_contain_text("120.00")
        today = self.page.get_by_role("region", name="Today")
        expect(today.get_by_role("img")).to_be_visible()
        today.get_by_text("Show hours as table").click()
        expect(today.get_by_role("row").last).to_contain_text("120.00")
        drawn = (
            "canvas => { const c = canvas.getContext('2d'), d = c.getImageData(0, 0, canvas.width, canvas.height).data;"
        )
        self.assertTrue(month.locator("canvas").evaluate(f"{drawn} return d.some(value => value > 0) }}"))

    def pause(self) -> None:
        Brand.objects.filter(pk=self.brand.pk).update(daily_budget=None)
        run_full_check("check_budgets", clock=timezone.now)
        self.page.reload(wait_until="load")
        self.page.get_by_role("link", name="Pause brand").click()
        expect(self.page.get_by_text("This pauses 2 running campaigns of “Alpine” immediately")).to_be_visible()
        self.look()
        self.page.get_by_role("button", name="Pause now").click()
        expect(self.page.get_by_text("2 campaigns paused:")).to_be_visible()
        self.assertEqual(set(self.statuses()), {"paused"})

    def resume(self) -> None:
        self.page.get_by_role("link", name="Resume brand").click()
        self.look()
        self.page.get_by_role("button", name="Resume now").click()
        expect(self.page.get_by_text("2 campaigns resumed:")).to_be_visible()
        self.look()
        self.assertEqual(set(self.statuses()), {"active"})

    def statuses(self) -> list[str]:
        return list(Campaign.objects.filter(brand=self.brand).values_list("status", flat=True))


class OnThePhone(BrowserTestCase):
    viewport = PHONE

    def test_what_needs_attention_comes_first_and_the_rest_is_folded(self) -> None:
        slow = make_brand(name="Slow", currency="EUR", monthly_budget=100_000)
        spend(make_campaign(slow), 1)
        run_full_check("check_budgets", clock=timezone.now)
        make_profile(slow, timezone.now().date(), 1)
        self.open("/admin/")
        line = self.page.locator(".home-under")
        expect(line).to_contain_text("1 brand this month: Slow")
        row = self.page.locator("#home-under-pacing .home-row")
        expect(row).to_be_hidden()
        money = self.page.get_by_role("region", name="Spend against budgets")
        expect(money.get_by_role("listitem")).to_have_count(0)
        self.look()
        line.get_by_role("link", name="Show below").click()
        expect(row).to_be_visible()
        money.get_by_role("heading").click()
        expect(money.get_by_role("listitem")).to_be_visible()
        self.look()


class FirstMorning(BrowserTestCase):
    def test_an_empty_system_says_what_to_do_first(self) -> None:
        self.open("/admin/")
        self.assert_accessible()
        self.assert_fits()
        self.page.get_by_role("link", name="Add the first brand").click()
        expect(self.page.get_by_label("Name")).to_be_visible()
