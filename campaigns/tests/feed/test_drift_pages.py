"""What was applied and drift, on the campaign's page, on home and in the list."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import time_machine
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from campaigns.models import BrandAssignment, Campaign, StatusChange
from campaigns.services.feed.publish import last_position
from campaigns.tests.feed.links import ACTIVE, PAUSED, acknowledge, make_link, see
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.checking import enforce_at
from campaigns.tests.support.factories import make_brand, make_campaign, zone_at_noon

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
LIST = reverse("admin:campaigns_campaign_changelist")


class DriftPages(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign(make_brand(name="Alpine", timezone=zone_at_noon()), name="Search")
        self.link = make_link(self.campaign, name="Search DE")
        start = last_position()
        acknowledge(self.link, start, ACTIVE, timezone.now(), received=timezone.now())
        Campaign.objects.filter(pk=self.campaign.pk).update(enabled=False)
        enforce_at(timezone.now())
        self.change = last_position()
        self.paused_at = StatusChange.objects.get().recorded_at

    def applied(self, after: timedelta) -> None:
        at = self.paused_at + after
        acknowledge(self.link, self.change, PAUSED, at, received=at)

    def page(self, path: str, after: timedelta, user: User | None = None) -> str:
        with time_machine.travel(self.paused_at + after, tick=False):
            self.client.force_login(user or self.user)
            return " ".join(self.client.get(path).content.decode().split())

    def campaign_page(self, after: timedelta) -> str:
        return self.page(reverse("admin:campaigns_campaign_change", args=[self.campaign.pk]), after)

    def clock(self, at: datetime) -> str:
        return f"{at.astimezone(ZoneInfo(self.campaign.brand.timezone)):%H:%M:%S}"

    def test_the_campaign_says_when_it_was_paused_and_when_that_was_applied(self) -> None:
        self.applied(23 * SECOND)
        page = self.campaign_page(MINUTE)
        paused, applied = self.clock(self.paused_at), self.clock(self.paused_at + 23 * SECOND)
        self.assertIn(f"Paused here {paused}, applied on Google Ads {applied}.", page)
        self.assertIn("campaign Search DE", page)
        self.assertNotIn(">drift<", page)

    def test_it_says_that_it_is_not_applied_yet_and_then_that_it_is_drift(self) -> None:
        sentence = f"Paused here {self.clock(self.paused_at)}, not applied on Google Ads yet."
        page = self.campaign_page(MINUTE)
        self.assertIn(sentence, page)
        self.assertNotIn(">drift<", page)
        page = self.campaign_page(6 * MINUTE)
        self.assertIn(sentence, page)
        self.assertIn(">drift<", page)
        self.assertIn("Drift: the pause hasn&#x27;t been applied.", page)

    def test_a_campaign_without_reports_says_nothing_of_platforms(self) -> None:
        self.link.delete()
        page = self.campaign_page(6 * MINUTE)
        self.assertNotIn("Google Ads", page)

    def test_home_and_the_list_show_drift(self) -> None:
        label = "paused here, but not on its platform"
        self.assertNotIn(label, self.page(reverse("admin:index"), MINUTE))
        self.assertIn(f"<strong>1</strong> <span>{label}</span>", self.page(reverse("admin:index"), 6 * MINUTE))
        for value, found in (("any", True), ("late", True), ("running", False), ("other", True)):
            self.assertEqual("Search</a>" in self.page(f"{LIST}?drift={value}", 6 * MINUTE), found, value)
        self.assertNotIn("Search</a>", self.page(f"{LIST}?drift=any", MINUTE))

    def test_a_campaign_seen_running_is_found(self) -> None:
        self.applied(SECOND)
        for seconds in (2, 3):
            at = self.paused_at + seconds * SECOND
            see(self.link, ACTIVE, at, received=at)
        self.assertIn("Search</a>", self.page(f"{LIST}?drift=running", MINUTE))
        self.assertNotIn("Search</a>", self.page(f"{LIST}?drift=late", MINUTE))
        page = self.campaign_page(MINUTE)
        self.assertIn("Drift: it was seen running after the pause was applied.", page)
        self.assertIn("Last seen running there", page)

    def test_people_see_the_drift_of_their_brands(self) -> None:
        user = User.objects.create(username="limited", is_staff=True)
        names = ("only_assigned_brands", "view_campaign", "view_brand")
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        self.assertNotIn("on its platform", self.page(reverse("admin:index"), 6 * MINUTE, user))
        BrandAssignment.objects.create(user=user, brand=self.campaign.brand)
        self.assertIn("on its platform", self.page(reverse("admin:index"), 6 * MINUTE, user))
