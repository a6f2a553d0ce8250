"""The page of a campaign in a browser, and what a person does on the grid of its week."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page

from campaigns.models import Campaign, DaypartingSchedule
from campaigns.services.enforcement.saving import begin_change, finish_change
from campaigns.services.scope import Scope
from campaigns.tests.chromium.case import BrowserTestCase
from campaigns.tests.support.factories import make_brand, make_campaign

SHORT = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class CampaignPageTestCase(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="Nordlicht", timezone="Europe/Paris", currency="EUR")
        self.campaign = make_campaign(self.brand, name="Autumn frames")

    def enforce(self) -> None:
        begin_change([self.brand.pk], clock=timezone.now)
        finish_change(Scope.of_brands([self.brand.pk]), clock=timezone.now, actor="check_budgets")

    def address(self, campaign: Campaign | None = None) -> str:
        return reverse("admin:campaigns_campaign_change", args=[(campaign or self.campaign).pk])

    def open_campaign(self, page: Page | None = None) -> Page:
        page = page or self.page
        page.goto(self.address(), wait_until="load")
        return page

    def cell(self, day: str, clock: str, page: Page | None = None) -> Locator:
        """Return the cell that begins at a time; the grid names it "Monday 09:00, on"."""
        names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
        return (page or self.page).locator(f'[role=gridcell][aria-label^="{names[SHORT.index(day)]} {clock},"]')

    def drag(self, start: Locator, end: Locator) -> None:
        start.scroll_into_view_if_needed()
        mouse = self.page.mouse
        for number, place in enumerate((start, end)):
            box = place.bounding_box()
            assert box is not None
            mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
            if number == 0:
                mouse.down()
        mouse.up()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def said(self) -> str:
        return self.page.locator(".campaigns-week [aria-live]").inner_text()

    def save(self, page: Page | None = None) -> None:
        page = page or self.page
        with page.expect_navigation():
            page.get_by_role("button", name="Save and continue editing").click()

    def windows(self) -> list[str]:
        return [str(window) for window in DaypartingSchedule.objects.filter(campaign=self.campaign)]
