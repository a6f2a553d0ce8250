"""A page that reads its figures again takes nothing away: focus, scrolling, selection, open parts, entered text."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, expect

from campaigns.models import Brand, Campaign, SpendRecord
from campaigns.services.jobs.full_check import run_full_check
from campaigns.services.notes import add_note
from campaigns.tests.chromium.browser_refresh import RefreshingCase
from campaigns.tests.chromium.case import on_every_screen
from campaigns.tests.support.factories import make_brand, make_campaign, spend
from campaigns.tests.support.pages import page as address_of

RELOAD = "This page has changed: reload it to see everything."
TOP = "element => element.getBoundingClientRect().top"


@on_every_screen
class NothingIsLost(RefreshingCase):
    def spend_more(self) -> None:
        spend(self.campaign, 70)
        run_full_check("check_budgets", clock=timezone.now)

    def test_a_link_keeps_the_focus_while_figures_change_around_it(self) -> None:
        spend(self.campaign, 90)
        for address, name in ((reverse("admin:index"), "Alpine"), (address_of(Campaign, "changelist"), "Search")):
            page = self.open_with_time(address)
            link = page.get_by_role("main").get_by_role("link", name=name, exact=True).first
            link.focus()
            spend(self.campaign, 1)
            self.refresh()
            expect(link).to_be_focused()

    def test_a_table_that_scrolls_keeps_focus_and_place(self) -> None:
        today = timezone.now().date()
        page = self.open_with_time(f"{address_of(Brand, 'spend', self.brand.pk)}?first={today}&last={today}")
        table = page.get_by_role("region", name="Spend by day")
        page.add_style_tag(content=".campaigns-table { max-width: 200px; overflow-x: auto; }")
        table.focus()
        table.evaluate("table => { table.scrollLeft = 40; }")
        spend(self.campaign, 13)
        self.refresh()
        expect(table).to_contain_text("33.00")
        expect(table).to_be_focused()
        self.assertEqual(table.evaluate("table => table.scrollLeft"), 40)

    def test_the_part_that_is_read_stays_where_it_is(self) -> None:
        page = self.open_with_time(reverse("admin:index"))
        page.set_viewport_size({"width": self.viewport["width"], "height": 400})
        read = page.get_by_role("region", name="Last 24 hours")
        read.evaluate("element => window.scrollTo(0, window.scrollY + element.getBoundingClientRect().top + 5)")
        before = read.evaluate(TOP)
        for number in range(8):
            risky = make_campaign(make_brand(name=f"Brand {number}", currency="EUR", daily_budget=100))
            spend(risky, 120)
        run_full_check("check_budgets", clock=timezone.now)
        self.refresh()
        expect(page.get_by_text("Brand 3").first).to_be_attached()
        self.assertAlmostEqual(read.evaluate(TOP), before, delta=1)

    def test_the_end_of_a_page_stays_in_sight(self) -> None:
        page = self.open_with_time(address_of(Campaign, "change", self.campaign.pk))
        page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
        last = page.get_by_role("region", name="Notes", exact=True)
        before = last.evaluate(TOP)
        spend(self.campaign, 1)
        self.refresh()
        self.assertAlmostEqual(last.evaluate(TOP), before, delta=1)

    def test_a_note_that_is_being_written_stays(self) -> None:
        page = self.open_with_time(address_of(Campaign, "change", self.campaign.pk))
        note = page.get_by_role("textbox", name="New note on this campaign")
        note.fill("Client asked for")
        page.get_by_role("heading", name="Notes").click()
        add_note(self.campaign, "Somebody else's", person=self.user)
        self.spend_more()
        self.refuse_to_refresh()
        expect(note).to_have_value("Client asked for")
        note.fill("")
        page.get_by_role("heading", name="Notes").click()
        self.refresh()
        expect(page.locator(".campaigns-story")).to_contain_text("Paused since")
        expect(page.get_by_text("Somebody else's")).to_be_visible()

    def test_entered_search_and_dates_stay(self) -> None:
        page = self.open_with_time(address_of(Campaign, "changelist"))
        search = page.locator("#searchbar")
        search.fill("boreal")
        page.evaluate("document.activeElement.blur()")
        make_campaign(self.brand, name="Video")
        self.refresh()
        expect(page.locator("[data-refresh-status]")).to_have_text(RELOAD)
        expect(search).to_have_value("boreal")
        page = self.open_with_time(address_of(Brand, "history", self.brand.pk))
        page.get_by_label("By", exact=True).fill("amara")
        page.get_by_label("Show", exact=True).select_option("settings")
        page.evaluate("document.activeElement.blur()")
        add_note(self.brand, "Called the client", person=self.user)
        self.refresh()
        expect(page.get_by_text("Called the client")).to_be_visible()
        expect(page.get_by_label("By", exact=True)).to_have_value("amara")
        expect(page.get_by_label("Show", exact=True)).to_have_value("settings")

    def test_a_selection_of_rows_stays_when_others_come(self) -> None:
        page = self.open_with_time(address_of(Campaign, "changelist"))
        box = page.locator("input.action-select")
        box.check()
        make_campaign(self.brand, name="Video")
        self.refuse_to_refresh()
        expect(box).to_be_checked()
        box.uncheck()
        self.refresh()
        expect(page.locator("[data-refresh-status]")).to_have_text(RELOAD)
        self.look()

    def test_the_focus_follows_its_row_when_the_order_changes(self) -> None:
        other = make_campaign(make_brand(name="Boreal", currency="EUR"), name="Video", daily_spend_limit=100)
        spend(other, 10)
        page = self.open_with_time(f"{address_of(Campaign, 'changelist')}?o=-6")
        boxes = page.locator("input.action-select")
        first = boxes.nth(0).get_attribute("value")
        boxes.nth(0).focus()
        order = page.locator("#result_list tr.data-row th").all_inner_texts()
        spend(other, 85)
        spend(self.campaign, -15)
        self.refresh()
        self.assertEqual(page.locator("#result_list tr.data-row th").all_inner_texts(), order[::-1])
        self.assertEqual(page.evaluate("document.activeElement.value"), first)

    def test_new_records_come_in_above_the_one_that_is_looked_at(self) -> None:
        for number in range(30):
            spend(self.campaign, 1, timezone.now() - timedelta(minutes=number))
        page = self.open_with_time(address_of(SpendRecord, "changelist"))
        rows = page.locator("tr.data-row")
        link = rows.nth(20).get_by_role("link").first
        link.evaluate("element => element.scrollIntoView({ block: 'start' })")
        link.focus()
        href, before = link.get_attribute("href"), link.evaluate(TOP)
        spend(self.campaign, 2)
        self.refresh()
        expect(rows).to_have_count(32)
        focused = page.locator(":focus")
        expect(focused).to_have_attribute("href", str(href))
        page.wait_for_function(
            "before => Math.abs(document.activeElement.getBoundingClientRect().top - before) <= 1", arg=before
        )

    def test_an_unused_list_shows_new_rows_by_itself_and_keeps_its_place(self) -> None:
        for number in range(30):
            make_campaign(self.brand, name=f"Video {number:02}")
        page = self.open_with_time(address_of(Campaign, "changelist"))
        page.evaluate("window.scrollTo(0, 300)")
        make_campaign(self.brand, name="Video 30")
        with page.expect_navigation(wait_until="load"):
            self.wait()
        expect(page.locator("tr.data-row")).to_have_count(32)
        self.assertEqual(page.evaluate("window.scrollY"), 300)

    def test_menus_stay_open(self) -> None:
        page = self.open_with_time(reverse("admin:index"))
        page.keyboard.press("Control+k")
        palette = page.get_by_role("dialog")
        palette.get_by_role("combobox").fill("alp")
        expect(palette.get_by_role("option", name="Alpine").first).to_be_visible()
        self.refuse_to_refresh()
        expect(palette.get_by_role("combobox")).to_have_value("alp")
        page = self.open_with_time(f"{address_of(Campaign, 'changelist')}?enabled__exact=1")
        details = page.locator(".campaigns-save-filter")
        details.locator("summary").click()
        details.get_by_label("Name").fill("Mine")
        page.evaluate("document.activeElement.blur()")
        make_campaign(self.brand, name="Video")
        self.refresh()
        expect(details.get_by_label("Name")).to_have_value("Mine")

    def test_a_click_that_has_begun_ends_where_it_began(self) -> None:
        page = self.open_with_time(address_of(Brand, "change", self.brand.pk))
        summary = page.get_by_role("region", name="Today").get_by_text("Show hours as table")
        self.press(summary)
        self.refuse_to_refresh()
        page.mouse.up()
        expect(page.get_by_role("region", name="Today").get_by_role("table")).to_be_visible()

    def press(self, element: Locator) -> None:
        element.scroll_into_view_if_needed()
        box = element.bounding_box()
        assert box
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.down()

    def test_selected_text_stays(self) -> None:
        page = self.open_with_time(address_of(Campaign, "change", self.campaign.pk))
        story = page.locator(".campaigns-story")
        story.evaluate("element => getSelection().selectAllChildren(element)")
        self.refuse_to_refresh()
        self.assertIn("Active", page.evaluate("getSelection().toString()"))
