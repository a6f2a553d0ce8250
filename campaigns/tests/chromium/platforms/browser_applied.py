"""Somebody sees on home that a platform doesn't follow a pause, and finds the campaign and what the connector said."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Campaign
from campaigns.services.feed.publish import last_position
from campaigns.services.jobs.full_check import run_full_check
from campaigns.tests.chromium.case import PHONE, BrowserTestCase
from campaigns.tests.feed.links import ACTIVE, PAUSED, acknowledge, make_link, see
from campaigns.tests.support.factories import make_brand, make_campaign


class Applied(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        brand = make_brand(name="Alpine", currency="EUR", timezone="Europe/Paris", daily_budget=100)
        self.campaign = make_campaign(brand, name="Search")
        link, other = make_link(self.campaign, name="Search DE"), make_link(self.campaign, name="Search AT")
        start, now = last_position(), timezone.now()
        for each in (link, other):
            acknowledge(each, start, ACTIVE, now, received=now)
        Campaign.objects.update(enabled=False)
        run_full_check("check_budgets", clock=timezone.now)
        change, now = last_position(), timezone.now()
        acknowledge(link, change, PAUSED, now, received=now)
        for seconds in (1, 2):
            at = now + timedelta(seconds=seconds)
            see(link, ACTIVE, at, received=at)
        acknowledge(other, change, PAUSED, now, received=now, problem="The token has expired.")

    def test_drift_leads_from_home_to_the_campaign(self) -> None:
        shown = self.open(reverse("admin:index"))
        link = shown.get_by_role("link", name="1 paused here, but not on its platform")
        expect(link).to_be_visible()
        self.look()
        self.follow(link)
        expect(shown.get_by_role("link", name="Search", exact=True)).to_be_visible()
        self.follow(shown.get_by_role("link", name="Search", exact=True))
        self.check_campaign()

    def check_campaign(self) -> None:
        lines = self.page.get_by_role("list", name="On the platforms")
        expect(lines).to_contain_text("applied on Google Ads")
        expect(lines).to_contain_text("Drift: it was seen running after the pause was applied.")
        expect(lines).to_contain_text("The connector says: The token has expired.")
        self.look()


class AppliedOnAPhone(Applied):
    viewport = PHONE
    colours = "dark"
