"""Dates in a browser: a list asks with the browser's own fields, and the calendar of a form writes ISO dates."""

from __future__ import annotations

from django.urls import reverse
from playwright.sync_api import expect

from campaigns.models import BrandPeriod, Campaign
from campaigns.services.ledger.close_periods import close_periods
from campaigns.tests.chromium.case import BrowserTestCase, on_every_screen
from campaigns.tests.support.factories import make_campaign, spend, utc
from campaigns.tests.support.pages import page as address_of


@on_every_screen
class Dates(BrowserTestCase):
    def test_statements_are_narrowed_to_a_range_of_days(self) -> None:
        campaign = make_campaign()
        for day in ("2026-10-12", "2026-12-10"):
            spend(campaign, 5, f"{day} 12:00")
        close_periods(now=utc("2027-02-01"))
        page = self.open(address_of(BrandPeriod, "changelist") + "?kind__exact=day")
        page.get_by_text("Filters").first.click()
        page.get_by_label("From", exact=True).fill("2026-12-01")
        page.get_by_label("To", exact=True).fill("2026-12-31")
        self.look()
        self.follow(page.get_by_role("button", name="Apply Filters"))
        expect(page.get_by_text("2026-12-10")).to_be_visible()
        expect(page.get_by_text("2026-10-12")).to_have_count(0)

    def test_the_calendar_of_a_form_writes_what_the_form_reads(self) -> None:
        campaign = make_campaign()
        page = self.open(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
        field = page.get_by_label("Starts on")
        field.fill("10/12/2026")
        self.proceed("Save")
        expect(page.get_by_role("alert").get_by_text("“10/12/2026”: Enter a date like 2026-12-31")).to_be_visible()
        page.locator("#calendarlink0").click()
        page.locator("#calendarbox0").get_by_role("link", name="Today").click()
        shown = field.input_value()
        self.proceed("Save")
        self.assertEqual(str(Campaign.objects.get().starts_on), shown)
