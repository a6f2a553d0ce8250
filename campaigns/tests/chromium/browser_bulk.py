"""Changing many campaigns at once, as a person does it: select, choose, preview, confirm, see what came of it."""

from __future__ import annotations

from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Brand, Campaign
from campaigns.services.jobs.full_check import run_full_check
from campaigns.tests.chromium.case import PHONE, BrowserTestCase, on_every_screen
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend
from campaigns.tests.support.pages import page as address_of


@on_every_screen
class ChangingMany(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        brand = make_brand(name="Alpine", currency="EUR", daily_budget=500, monthly_budget=9_000)
        self.search = make_campaign(brand, name="Search", daily_spend_limit=100)
        self.video = make_campaign(brand, name="Video", daily_spend_limit=80)
        make_campaign(brand, name="Always on")
        spend(self.search, 60)
        run_full_check("check_budgets", clock=timezone.now)

    def choose(self, model: type[Brand] | type[Campaign], action: str) -> None:
        """Select every row of the list and run an action."""
        self.open(address_of(model, "changelist"))
        self.page.check("#action-toggle")
        self.page.select_option("select[name=action]", label=action)
        self.follow(self.page.get_by_role("button", name="Run"))

    def test_limits_are_lowered_by_percent(self) -> None:
        self.choose(Campaign, "Change daily spend limit…")
        self.look()
        self.page.select_option("[name=how]", label="Lower by percent")
        self.page.get_by_label("Amount").fill("40")
        self.proceed("Preview")
        self.look()
        row = self.page.get_by_role("row").filter(has=self.page.get_by_role("link", name="Search"))
        expect(row).to_contain_text("60.00 EUR")
        expect(row).to_contain_text("daily spend limit reached")
        if self.viewport == PHONE:
            self.assert_read_before_it_is_confirmed()
        expect(self.page.get_by_text("No daily spend limit to lower.")).to_be_visible()
        self.proceed("Change 2 campaigns")
        expect(self.page.get_by_text("Changed the daily spend limit of 2 campaigns.")).to_be_visible()
        self.search.refresh_from_db()
        self.assertEqual((self.search.daily_spend_limit, self.search.status), (60, "paused"))

    def assert_read_before_it_is_confirmed(self) -> None:
        """Each cell of the preview is inside the window, and the button that confirms is below them, in sight."""
        cells = self.page.locator(".campaigns-preview td").all()
        self.assertTrue(cells)
        for box in [cell.bounding_box() for cell in cells]:
            assert box
            self.assertLessEqual(box["x"] + box["width"], PHONE["width"], "a cell is cut")
        confirm = self.page.get_by_role("button", name="Change 2 campaigns")
        expect(confirm).to_be_in_viewport()
        self.page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
        expect(confirm).to_be_in_viewport()
        ends = [part.bounding_box() for part in (self.page.locator(".campaigns-panel").last, confirm)]
        assert ends[0] and ends[1]
        self.assertLess(ends[0]["y"] + ends[0]["height"], ends[1]["y"], "the button is above the tables")

    def test_an_amount_is_asked_for_only_where_one_is_needed(self) -> None:
        self.choose(Campaign, "Change daily spend limit…")
        expect(self.page.get_by_label("Amount")).to_be_visible()
        self.page.select_option("[name=how]", label="Remove the limit")
        expect(self.page.get_by_label("Amount")).to_be_hidden()

    def test_a_schedule_is_copied_from_another_campaign(self) -> None:
        make_window(self.video, 31, "08:30", "17:15")
        self.choose(Campaign, "Apply a schedule…")
        self.look()
        self.page.get_by_label("Same as another campaign").check()
        self.page.locator(".campaigns-field-campaign .select2-selection").click()
        self.page.locator(".select2-search__field").fill("Vid")
        self.page.locator(".select2-results__option").filter(has_text="Video").click()
        self.proceed("Preview")
        self.look()
        self.proceed("Change 2 campaigns")
        expect(self.page.get_by_text("Changed the schedule of 2 campaigns.")).to_be_visible()
        self.assertEqual([str(window) for window in self.search.windows.all()], ["Mon–Fri 08:30–17:15"])

    def test_brands_are_switched_off_and_on(self) -> None:
        self.choose(Brand, "Pause…")
        self.look()
        expect(self.page.get_by_text("campaigns pause")).to_be_visible()
        self.proceed("Pause 1 brand")
        expect(self.page.get_by_text("Paused 1 brand:")).to_be_visible()
        self.choose(Brand, "Resume…")
        self.proceed("Resume 1 brand")
        expect(self.page.get_by_text("3 campaigns resumed:")).to_be_visible()

    def test_a_preview_may_be_left_without_a_change(self) -> None:
        self.choose(Brand, "Pause…")
        self.follow(self.page.get_by_role("link", name="Cancel"))
        self.assertTrue(Brand.objects.get().enabled)
