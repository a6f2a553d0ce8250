"""Finding a brand or a campaign: the search over everything, lists, and the way from one to the other."""

from __future__ import annotations

import re

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, expect

from campaigns.models import Brand, Campaign
from campaigns.services.jobs.full_check import run_full_check
from campaigns.tests.chromium.case import PHONE, BrowserTestCase, on_every_screen
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend


class FindTestCase(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = Brand.objects.create(id=7_001, name="Sabiá Viagens", currency="BRL")
        self.campaign = Campaign.objects.create(id=8_001, brand=self.brand, name="Verão")
        make_campaign(make_brand(name="Straße & Söhne"), name="Übergrößen")


class PaletteTests(FindTestCase):
    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog", name="Search everything")

    def ask(self, text: str) -> Locator:
        box = self.dialog.get_by_role("combobox")
        box.fill(text)
        return self.dialog.get_by_role("option")

    def test_by_keyboard_to_a_campaign(self) -> None:
        self.open("/admin/")
        self.page.keyboard.press("Control+k")
        expect(self.dialog.get_by_role("combobox")).to_be_focused()
        options = self.ask("sabia")
        expect(options).to_have_count(2)
        expect(options.nth(0)).to_have_text(re.compile(r"Sabiá Viagens\s+Brand\s+#7001"))
        expect(options.nth(1)).to_have_text(re.compile(r"Verão\s+Campaign · Sabiá Viagens\s+#8001"))
        expect(options.nth(0)).to_have_attribute("aria-selected", "true")
        expect(self.dialog.get_by_role("status")).to_have_text("2 results")
        self.page.keyboard.press("ArrowDown")
        expect(options.nth(1)).to_have_attribute("aria-selected", "true")
        active = str(options.nth(1).get_attribute("id"))
        expect(self.dialog.get_by_role("combobox")).to_have_attribute("aria-activedescendant", active)
        self.assert_accessible(within="#palette")
        self.page.keyboard.press("Enter")
        expect(self.page).to_have_url(re.compile(r"/admin/campaigns/campaign/8001/change/"))

    def test_enter_waits_for_what_is_searched(self) -> None:
        self.open("/admin/")
        self.page.keyboard.press("Control+k")
        self.page.keyboard.type("#7001")
        self.page.keyboard.press("Enter")
        expect(self.page).to_have_url(re.compile(r"/admin/campaigns/brand/7001/change/"))

    def test_from_a_field_of_a_form_and_back(self) -> None:
        self.open(reverse("admin:campaigns_brand_change", args=[7_001]))
        name = self.page.get_by_label("Name", exact=False).first
        name.focus()
        self.page.keyboard.press("Control+k")
        expect(self.ask("strasse")).to_have_count(2)
        self.page.keyboard.press("Escape")
        expect(self.dialog).to_be_hidden()
        expect(name).to_be_focused()

    def test_by_mouse(self) -> None:
        self.open("/admin/")
        self.page.get_by_role("button", name="Search", exact=True).click()
        self.ask("ubergrossen").click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("Übergrößen")

    def test_nothing_found_is_said(self) -> None:
        self.open("/admin/")
        self.page.keyboard.press("Control+k")
        expect(self.ask("zzz")).to_have_count(0)
        expect(self.dialog.get_by_role("status")).to_have_text("No brand, campaign or page matches.")
        expect(self.dialog.get_by_role("combobox")).to_have_attribute("aria-expanded", "false")
        self.dialog.click(position={"x": 5, "y": -40}, force=True)
        expect(self.dialog).to_be_hidden()


class PaletteOnADarkPhone(PaletteTests):
    viewport = PHONE
    colours = "dark"

    def test_by_mouse(self) -> None:
        self.open("/admin/")
        self.page.get_by_role("button", name="Menu").last.click()
        self.page.get_by_role("button", name="Search", exact=True).click()
        self.ask("ubergrossen").click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("Übergrößen")


@on_every_screen
class WayTests(FindTestCase):
    """Names are the links; a brand leads to its campaigns, and a campaign back to its brand."""

    def test_a_campaign_is_added_on_its_brands_page(self) -> None:
        self.open(reverse("admin:campaigns_brand_change", args=[7_001]))
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("ID 7001")
        self.look()
        self.follow(self.page.get_by_role("link", name="Add campaign").first)
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("Sabiá Viagens")
        self.look()
        self.page.get_by_label("Name").fill("Inverno")
        self.proceed("Save")
        expect(self.page).to_have_url(re.compile(r"/brand/7001/change/"))
        campaign = Campaign.objects.get(name="Inverno")
        self.assertEqual(campaign.brand_id, 7_001)
        row = self.page.get_by_role("region", name="Campaigns").get_by_role("row").filter(has_text="Inverno")
        expect(row).to_contain_text(str(campaign.pk))
        self.follow(row.get_by_role("link", name="Inverno"))
        crumbs = self.page.get_by_role("heading", level=1)
        expect(crumbs).to_contain_text(f"ID {campaign.pk}")
        self.look()
        self.follow(crumbs.get_by_role("link", name="Sabiá Viagens"))
        expect(self.page).to_have_url(re.compile(r"/brand/7001/change/"))

    def test_lists_link_names_and_show_ids(self) -> None:
        self.open(reverse("admin:campaigns_campaign_changelist") + "?q=verao")
        row = self.page.locator("#result_list tbody tr")
        expect(row).to_have_count(1)
        expect(row).to_contain_text("8001")
        self.assertEqual(row.get_by_role("link").all_inner_texts(), ["Verão", "Sabiá Viagens"])
        self.look()
        self.follow(row.get_by_role("link", name="Sabiá Viagens"))
        expect(self.page).to_have_url(re.compile(r"/brand/7001/change/"))


class SmallWindowTests(FindTestCase):
    """The columns of a list fit at 1366 pixels, the last one is the id."""

    viewport = {"width": 1366, "height": 768}

    def test_all_columns_are_in_sight(self) -> None:
        Brand.objects.update(daily_budget=700, enabled=False)
        Campaign.objects.update(daily_spend_limit=1_000, ends_on="2026-01-31")
        make_window(self.campaign, 31, "08:00", "18:00")
        spend(self.campaign, 701)
        run_full_check("check_budgets", clock=timezone.now)
        for name in ("campaign", "brand"):
            with self.subTest(name):
                self.open(reverse(f"admin:campaigns_{name}_changelist"))
                beyond = "table => table.scrollWidth - table.parentElement.clientWidth"
                self.assertLessEqual(self.page.locator("#result_list").evaluate(beyond), 0)
                expect(self.page.get_by_role("columnheader", name="ID", exact=True)).to_be_in_viewport(ratio=1)
