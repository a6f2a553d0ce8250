"""Pages that say as of when their figures are, and read them again; times in the viewer's zone."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from campaigns.models import Brand, Campaign, SpendRecord
from campaigns.services.jobs.full_check import run_full_check
from campaigns.tests.chromium.case import PHONE, BrowserTestCase, on_every_screen
from campaigns.tests.support.factories import make_brand, make_campaign, spend
from campaigns.tests.support.pages import page as address_of

AS_OF = re.compile(r"^As of \d\d:\d\d:\d\d [A-Z]+")
A_MINUTE = 60_000
REFRESHED = "this page shows what it has read"
SAY_SO = f'() => document.addEventListener("campaigns:refreshed", () => console.debug("{REFRESHED}"), {{ once: true }})'


class RefreshingCase(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="Alpine", currency="EUR", daily_budget=100, monthly_budget=3_000)
        self.campaign = make_campaign(self.brand, name="Search", daily_spend_limit=80)
        self.spent_at = timezone.now()
        spend(self.campaign, 20, self.spent_at)
        run_full_check("check_budgets", clock=timezone.now)
        self.page.clock.install()

    def wait(self) -> None:
        """Let the next refresh of the page happen."""
        self.page.clock.fast_forward(A_MINUTE)

    def refresh(self) -> None:
        """Let the page be read again, and wait until it shows what was read."""
        self.page.evaluate(SAY_SO)
        with self.page.expect_console_message(lambda message: message.text == REFRESHED):
            self.wait()

    def refuse_to_refresh(self) -> None:
        """Fail if the page is read again within the time of some refreshes."""
        asked: list[str] = []

        def note(request: Any) -> None:
            asked.append(request.url)

        self.page.on("request", note)
        for _ in range(3):
            self.wait()
            self.page.wait_for_timeout(100)
        self.page.remove_listener("request", note)
        self.assertEqual(asked, [])

    def open_with_time(self, address: str) -> Page:
        page = self.open(address)
        expect(page.locator("[data-as-of]")).to_have_text(AS_OF)
        return page


@on_every_screen
class Refreshing(RefreshingCase):
    def test_home_follows_the_spend(self) -> None:
        page = self.open_with_time("/admin/")
        if self.viewport == PHONE:
            # Folded there; once it's open, a refresh keeps it so.
            page.get_by_role("heading", name="Spend against budgets").click()
        expect(page.get_by_text("20.00 of 100.00 EUR").first).to_be_visible()
        spend(self.campaign, 13)
        self.refresh()
        expect(page.get_by_text("33.00 of 100.00 EUR").first).to_be_visible()
        self.look()

    def test_a_brand_follows_the_spend_in_figures_charts_and_open_tables(self) -> None:
        page = self.open_with_time(address_of(Brand, "change", self.brand.pk))
        today = page.get_by_role("region", name="Today")
        today.get_by_text("Show hours as table").click()
        drawn = today.locator("canvas")
        before = drawn.evaluate("canvas => canvas.toDataURL()")
        spend(self.campaign, 13, self.spent_at)  # in the same hour
        self.refresh()
        expect(today.get_by_text("33.00 of 100.00 EUR")).to_be_visible()
        expect(today.get_by_role("row").last).to_contain_text("33.00")
        expect(today.get_by_text("Show hours as table")).to_be_focused()
        self.assertIn(33, drawn.evaluate("canvas => Chart.getChart(canvas).data.datasets[0].data"))
        self.assertNotEqual(drawn.evaluate("canvas => canvas.toDataURL()"), before)
        self.look()

    def test_a_campaign_follows_its_status_and_curve(self) -> None:
        page = self.open_with_time(address_of(Campaign, "change", self.campaign.pk))
        expect(page.get_by_text("Active since").first).to_be_visible()
        spend(self.campaign, 70)
        run_full_check("check_budgets", clock=timezone.now)
        self.refresh()
        expect(page.locator(".campaigns-story")).to_contain_text("Paused since")
        curve = "canvas => Chart.getChart(canvas).data.datasets[0].data.at(-1).y"
        self.assertEqual(page.locator("canvas[data-day]").evaluate(curve), 90)
        expect(page.get_by_role("region", name="Status changes").get_by_role("row")).to_have_count(2)
        self.look()

    def test_a_list_follows_its_rows_and_keeps_its_actions(self) -> None:
        page = self.open_with_time(address_of(Campaign, "changelist"))
        spend(self.campaign, 70)
        run_full_check("check_budgets", clock=timezone.now)
        self.refresh()
        expect(page.locator("#result_list")).to_contain_text("90.00 of 80.00 EUR")
        expect(page.locator("#result_list")).to_contain_text("daily spend limit reached")
        page.locator("input.action-select").check()
        expect(page.get_by_text("1 of 1 selected")).to_be_visible()

    def test_a_list_shows_new_rows(self) -> None:
        page = self.open_with_time(address_of(SpendRecord, "changelist"))
        expect(page.locator("tr.data-row")).to_have_count(1)
        spend(self.campaign, 3)
        self.refresh()
        expect(page.locator("tr.data-row")).to_have_count(2)

    def test_nothing_is_read_while_somebody_edits_selects_or_has_a_menu_open(self) -> None:
        page = self.open_with_time(address_of(Brand, "change", self.brand.pk))
        page.get_by_role("textbox", name="Daily budget").fill("120")
        page.get_by_role("heading", name="Today").click()
        self.refuse_to_refresh()
        expect(page.locator("[data-refresh-status]")).to_have_text("Refresh paused while you have unsaved changes.")
        page = self.open_with_time(address_of(Campaign, "changelist"))
        page.locator("input.action-select").check()
        self.refuse_to_refresh()
        page.locator("input.action-select").uncheck()
        page.get_by_text("Filters").first.click()
        expect(page.locator("#changelist-filter")).to_be_visible()
        self.refuse_to_refresh()

    def test_it_stops_and_says_so_once_the_person_is_signed_out(self) -> None:
        page = self.open_with_time("/admin/")
        Session.objects.all().delete()
        self.wait()
        status = page.locator("[data-refresh-status]")
        expect(status).to_have_text("This page no longer updates: sign in again, or reload it.")
        self.refuse_to_refresh()
        self.assert_accessible()


@on_every_screen
class ViewersTime(BrowserTestCase):
    def test_lists_are_in_the_viewers_zone_with_the_brands_time_beneath(self) -> None:
        paris = make_campaign(make_brand(name="Alpine", timezone="Europe/Paris"), name="Search")
        tokyo = make_campaign(make_brand(name="Kawabe", timezone="Asia/Tokyo"), name="Commuters")
        spend(paris, 5, "2026-11-20 12:00:00")
        spend(tokyo, 6, "2026-11-20 12:00:00")
        with self.open_browser(timezone_id="Europe/Paris") as browser:
            page = browser.new_page()
            page.goto(reverse("admin:campaigns_spendrecord_changelist"), wait_until="load")
            spent = page.locator("tr.data-row .field-spent_at")
            expect(spent.nth(0)).to_contain_text("2026-11-20 13:00:00 CET")
            expect(spent.nth(0).get_by_text("brand: 2026-11-20 21:00:00 JST")).to_be_visible()
            expect(spent.nth(1)).to_contain_text("2026-11-20 13:00:00 CET")
            expect(spent.nth(1).locator("small")).to_be_hidden()
            self.assert_accessible(page)
            self.assert_fits(page)
        self.open(reverse("admin:campaigns_spendrecord_changelist"))

    def test_zones_without_an_abbreviation_have_their_offset(self) -> None:
        campaign = make_campaign(make_brand(timezone="America/Sao_Paulo"))
        spend(campaign, 5, "2026-11-20 12:00:00")
        with self.open_browser(timezone_id="Asia/Kathmandu") as browser:
            page = browser.new_page()
            page.goto(reverse("admin:campaigns_spendrecord_changelist"), wait_until="load")
            spent = page.locator("tr.data-row .field-spent_at")
            expect(spent.locator("time")).to_have_text("2026-11-20 17:45:00 UTC+5:45")
            expect(spent.locator("small")).to_have_text("brand: 2026-11-20 09:00:00 UTC-3")

    def test_without_scripts_they_are_in_the_applications_zone(self) -> None:
        spend(make_campaign(make_brand(timezone="Asia/Tokyo")), 5, "2026-11-20 12:00:00")
        with self.open_browser(java_script_enabled=False) as browser:
            page = browser.new_page()
            page.goto(reverse("admin:campaigns_spendrecord_changelist"), wait_until="load")
            spent = page.locator("tr.data-row .field-spent_at")
            expect(spent.locator("time")).to_have_text("2026-11-20 12:00:00 UTC")
            expect(spent.locator("small")).to_have_text("brand: 2026-11-20 21:00:00 JST")
