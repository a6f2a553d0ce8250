"""Somebody finds spend that counts for no budget, assigns it, and decides on a decrease that is held."""

from __future__ import annotations

import os
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import CampaignLink, PlatformAccount, SpendTotal
from campaigns.services.jobs.full_check import run_full_check
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.tests.chromium.case import PHONE, BrowserTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, zone_at_noon
from campaigns.tests.support.pages import page


class Unassigned(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        zone = zone_at_noon()
        self.brand = make_brand(name="Alpine", currency="EUR", timezone=zone, daily_budget=100)
        self.search = make_campaign(self.brand, name="Search")
        self.today = timezone.localdate(timezone=ZoneInfo(zone))
        account = PlatformAccount.objects.create(
            source="google_ads",
            external_id="1234567890",
            name="Alpine Outdoor GmbH",
            currency="EUR",
            timezone=zone,
            brand=self.brand,
            reported_until=timezone.now() - timedelta(hours=4),
        )
        for external_id, name, total in (("12345678901", "Search", "120.5"), ("12345678902", "Vidéo", "30")):
            CampaignLink.objects.create(account=account, external_id=external_id, name=name)
            SpendTotal.objects.create(
                source="google_ads", account="1234567890", campaign=external_id, day=self.today, total=total
            )
        run_quick_check(clock=timezone.now)

    def test_spend_is_found_on_home_and_assigned(self) -> None:
        self.open(reverse("admin:index"))
        self.look()
        self.follow(self.page.get_by_role("link", name="150.50 EUR"))
        self.look()
        self.page.get_by_role("checkbox", name="Search").check()
        self.page.get_by_role("checkbox", name="Vidéo").check()
        self.shoot("unassigned")
        self.proceed("Assign or ignore the chosen")
        expect(self.page.get_by_label("Brand", exact=True)).to_have_value(str(self.brand.pk))
        self.look()
        self.shoot("assign")
        self.page.get_by_text("The same; add the missing ones").click()
        self.proceed("Continue")
        expect(self.page.get_by_text("Nothing has been changed yet.")).to_be_visible()
        expect(self.page.get_by_role("region", name="Status changes: 2").first).to_contain_text("daily budget reached")
        self.look()
        self.shoot("preview")
        self.proceed("Assign spend")
        expect(self.page.get_by_text("Assigned 2 platform campaigns to “Alpine”")).to_be_visible()
        run_quick_check(clock=timezone.now)
        self.open(page(type(self.brand), "change", self.brand.pk))
        expect(self.page.get_by_role("region", name="Platforms").first).to_contain_text("silent")
        self.look()
        self.shoot("brand")
        for model in (PlatformAccount, CampaignLink, SpendTotal):
            self.open(page(model, "changelist"))
            self.look()
            self.shoot(model.__name__)
        self.open(page(CampaignLink, "change", CampaignLink.objects.get(external_id="12345678901").pk))
        self.look()
        self.shoot("link")

    def test_a_held_decrease_is_released(self) -> None:
        old = self.today - timedelta(days=2)
        CampaignLink.objects.filter(name="Search").update(campaign=self.search)
        keys = {"source": "google_ads", "account": "1234567890", "campaign": "12345678901", "day": old}
        SpendTotal.objects.create(**keys, total=1000)
        run_quick_check(clock=timezone.now)
        SpendTotal.objects.filter(**keys).update(total=100)
        run_full_check("check_budgets", clock=timezone.now)
        self.open(reverse("admin:index"))
        self.follow(self.page.get_by_role("link", name="1 account day"))
        expect(self.page.get_by_text("now reported 100.00 EUR: 900.00 EUR less")).to_be_visible()
        self.look()
        self.shoot("held")
        self.proceed("Release: book the decrease")
        expect(self.page.get_by_text("No decrease is held.")).to_be_visible()

    def shoot(self, name: str) -> None:
        if folder := os.environ.get("SHOOT"):
            width = (self.viewport or {}).get("width")
            self.page.screenshot(path=f"{folder}/{name}-{width}-{self.colours}.png", full_page=True)


class DarkUnassigned(Unassigned):
    colours = "dark"


class PhoneUnassigned(Unassigned):
    viewport = PHONE
