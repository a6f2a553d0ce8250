"""A campaign's page as account staff use it: read why it is paused and until when, and paint its schedule."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from campaigns.models import BrandAssignment, Campaign, DaypartingSchedule
from campaigns.services.permissions import ONLY_ASSIGNED_BRANDS
from campaigns.tests.chromium.case import on_every_screen
from campaigns.tests.chromium.forms.campaign_page import CampaignPageTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend

SHORT = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@on_every_screen
class StatusTests(CampaignPageTestCase):
    def setUp(self) -> None:
        super().setUp()
        Campaign.objects.filter(pk=self.campaign.pk).update(daily_spend_limit=Decimal(110))
        spend(self.campaign, "110.32", timezone.now())
        self.enforce()

    def test_it_says_in_a_sentence_why_it_is_paused_and_until_when(self) -> None:
        page = self.open_campaign()
        story = page.locator(".campaigns-story")
        expect(story).to_contain_text("Paused since ")
        expect(story).to_contain_text(": daily spend limit of 110.00 EUR reached at 110.32.")
        expect(story).to_contain_text("To let it run now: raise the daily spend limit above 110.32 EUR.")
        expect(story).to_contain_text("Resumes tonight at 00:00 (Europe/Paris), when the new day begins.")

    def test_the_day_is_there_as_a_curve_and_as_tables(self) -> None:
        page = self.open_campaign()
        canvas = page.locator("canvas[data-day]")
        expect(canvas).to_have_attribute("aria-label", "Today’s spend as a curve: " + self.sentence(page))
        drawn = "canvas => Chart.getChart(canvas).data.datasets.map(set => set.data.length)"
        self.assertEqual(canvas.evaluate(drawn)[1], 2)
        page.get_by_text("Show as table").click()
        expect(page.get_by_role("cell", name="daily spend limit reached").first).to_be_visible()
        expect(page.get_by_role("cell", name="110.32").first).to_be_visible()

    def test_the_curve_is_drawn_in_the_font_of_the_page(self) -> None:
        page = self.open_campaign()
        page.wait_for_function("() => document.fonts.check('12px Inter')")
        # The labels are as wide as in that font, not as in the one that was there before it came.
        widths = """canvas => {
            const axis = Chart.getChart(canvas).scales.y, context = document.createElement("canvas").getContext("2d");
            context.font = "12px Inter";
            const widest = Math.max(...axis.ticks.map((tick) => context.measureText(tick.label).width));
            return Math.abs(axis._getLabelSizes().widest.width - widest);
        }"""
        self.assertLess(page.locator("canvas[data-day]").evaluate(widths), 0.5)

    def sentence(self, page: Page) -> str:
        text = page.locator(".campaigns-day figcaption p").inner_text()
        self.assertRegex(
            text, r"110\.32 EUR spent by \d\d:\d\d; the limit is 110\.00 EUR; paused for less than a minute\."
        )
        return text.partition(" Times in")[0]

    def test_it_is_accessible_and_fits_with_everything_open(self) -> None:
        page = self.open_campaign()
        for summary in ("Show as table", "Edit as list"):
            page.get_by_text(summary, exact=True).click()
        self.assert_accessible()
        self.assert_fits()


class CopyTests(CampaignPageTestCase):
    def test_the_schedule_of_another_campaign_is_copied(self) -> None:
        other = make_campaign(make_brand(name="Kawabe"), name="Commuters")
        make_window(other, 31, "06:00", "11:00")
        make_window(other, 31, "17:30", "00:00")
        page = self.open_campaign()
        page.get_by_label("Copy from another campaign").fill("commut")
        self.press("Copy")
        expect(page.locator(".campaigns-week [aria-live]")).to_have_text("Copied from Kawabe / Commuters")
        self.save()
        self.assertEqual(self.windows(), ["Mon–Fri 06:00–11:00", "Mon–Fri 17:30–00:00"])

    def test_a_server_that_does_not_answer_is_told_and_changes_nothing(self) -> None:
        page = self.open_campaign()
        page.route("**/schedules/**", lambda route: route.fulfill(body="<p>Sign in</p>"))
        page.get_by_label("Copy from another campaign").fill("commut")
        self.press("Copy")
        expect(page.get_by_text("Couldn’t load campaigns")).to_be_visible()

    def test_campaigns_that_the_person_does_not_see_are_not_offered(self) -> None:
        make_window(make_campaign(make_brand(name="Kawabe"), name="Commuters"), 31, "06:00", "11:00")
        bela = User.objects.create(username="bela", is_staff=True)
        codes = ("view_campaign", "change_campaign", "view_brand", ONLY_ASSIGNED_BRANDS.partition(".")[2])
        bela.user_permissions.set(Permission.objects.filter(codename__in=codes))
        BrandAssignment.objects.create(user=bela, brand=self.brand)
        page = self.open_browser(bela).new_page()
        self.open_campaign(page)
        page.get_by_label("Copy from another campaign").fill("commut")
        page.get_by_role("button", name="Copy", exact=True).click()
        expect(page.get_by_text("No other campaign has that name.")).to_be_visible()


class CarefulTests(CampaignPageTestCase):
    """What nobody painted unchanged, and what two people changed is told (R5)."""

    def rows(self) -> list[tuple[Any, ...]]:
        return list(
            DaypartingSchedule.objects.order_by("pk").values_list("pk", "days_of_week", "start_time", "end_time")
        )

    def test_opening_looking_and_saving_changes_nothing(self) -> None:
        for days, start, end in (
            (31, "09:10", "11:00"),
            (1, "10:00", "12:00"),
            (2, "10:00", "12:00"),
            (16, "22:00", "02:00"),
        ):
            make_window(self.campaign, days, start, end)
        before = self.rows()
        page = self.open_campaign()
        self.press("¼ h")
        self.cell("Sun", "12:15").click()
        self.press("Undo")
        posted = (
            "form => Array.from(new FormData(form).entries()).filter(([name]) => name.startsWith('windows-')).join()"
        )
        now = page.locator("#campaign_form").evaluate(posted)
        self.press("Evenings")
        self.press("Discard changes")
        self.assertEqual(page.locator("#campaign_form").evaluate(posted), now)
        self.save()
        self.assertEqual(self.rows(), before)

    def test_rows_beside_the_paint_stay_untouched(self) -> None:
        for days, start, end in ((31, "09:10", "11:00"), (1, "10:00", "12:00"), (32, "10:00", "12:00")):
            make_window(self.campaign, days, start, end)
        before = self.rows()
        self.open_campaign()
        self.cell("Sat", "12:00").click()
        self.save()
        self.assertEqual(self.rows()[:2], before[:2])
        self.assertEqual([str(row) for row in DaypartingSchedule.objects.filter(days_of_week=32)], ["Sat 10:00–13:00"])

    def test_two_people_who_change_the_same_window_are_told(self) -> None:
        make_window(self.campaign, 31, "09:00", "18:00")
        page = self.open_campaign()
        DaypartingSchedule.objects.update(start_time="08:00")
        self.drag(self.cell("Mon", "09:00"), self.cell("Fri", "09:00"))
        page.get_by_role("button", name="Save and continue editing").click()
        expect(page.locator("body")).to_contain_text("Someone else changed “from” to “08:00” while you were editing.")
        self.assertEqual(self.windows(), ["Mon–Fri 08:00–18:00"])
        expect(self.cell("Mon", "09:00")).to_have_attribute("aria-selected", "false")
        self.save()
        self.assertEqual(self.windows(), ["Mon–Fri 10:00–18:00"])

    def test_who_may_only_look_sees_the_grid(self) -> None:
        make_window(self.campaign, 16, "22:00", "02:00")
        viewer = User.objects.create(username="vera", is_staff=True)
        viewer.user_permissions.set(Permission.objects.filter(codename__in=["view_campaign", "view_brand"]))
        page = self.open_browser(viewer).new_page()
        self.open_campaign(page)
        expect(self.cell("Sat", "01:00", page)).to_have_attribute("aria-selected", "true")
        self.cell("Sat", "03:00", page).click()
        expect(self.cell("Sat", "03:00", page)).to_have_attribute("aria-selected", "false")
        expect(page.get_by_role("button", name="Always")).to_have_count(0)
        self.assert_accessible(page)


class NewCampaignTests(CampaignPageTestCase):
    def test_a_new_campaign_is_painted_too(self) -> None:
        page = self.open(reverse("admin:campaigns_campaign_add") + f"?brand={self.brand.pk}")
        page.get_by_label("Name").fill("Evening films")
        self.press("Evenings")
        with page.expect_navigation():
            page.get_by_role("button", name="Save", exact=True).click()
        made = Campaign.objects.get(name="Evening films")
        self.assertEqual([str(window) for window in made.windows.all()], ["every day 18:00–23:00"])


class WithoutScriptTests(CampaignPageTestCase):
    javascript = False

    def test_the_plain_rows_are_there(self) -> None:
        make_window(self.campaign, 31, "09:00", "18:00")
        page = self.open_campaign()
        expect(page.locator("[role=grid]")).to_be_hidden()
        page.locator("[name=windows-0-end_time]").fill("17:10")
        page.get_by_role("button", name="Save", exact=True).click()
        self.assertEqual(self.windows(), ["Mon–Fri 09:00–17:10"])
