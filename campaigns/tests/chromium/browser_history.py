"""Somebody reads what changed in a brand and a campaign, who did it and why, and takes it away as a file."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Brand, Campaign
from campaigns.services.history.record import Channel, Source, differences, record_changes
from campaigns.services.history.settings import read_settings
from campaigns.services.jobs.full_check import run_full_check
from campaigns.services.notes import add_note
from campaigns.tests.chromium.case import BrowserTestCase, on_every_screen
from campaigns.tests.support.factories import make_brand, make_campaign, spend
from campaigns.tests.support.pages import page


@on_every_screen
class ChangeHistory(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="Alpine", currency="EUR", timezone="Europe/Paris", daily_budget=100)
        self.campaigns = [make_campaign(self.brand, name=f"Search {number}") for number in range(3)]
        spend(self.campaigns[0], 120)
        run_full_check("check_budgets", clock=timezone.now)
        add_note(self.brand, "Client asked for a break", person=self.user)
        self.change(Campaign, Channel.BULK, daily_spend_limit=Decimal("1250.5"))
        self.change(Brand, Channel.API, daily_budget=Decimal(500))
        run_full_check("check_budgets", clock=lambda: timezone.now() + timedelta(days=1))

    def change(self, model: type[Brand] | type[Campaign], channel: Channel, **values: Decimal) -> None:
        ids = list(model.objects.values_list("pk", flat=True))
        before = read_settings(model, ids)
        model.objects.update(**values)
        record_changes(differences(before, read_settings(model, ids)), Source("amara", channel), at=timezone.now())

    def test_it_is_read_filtered_and_taken_as_a_file(self) -> None:
        shown = self.open(page(Brand, "history", self.brand.pk))
        expect(shown.get_by_text("Times and days in Europe/Paris")).to_be_visible()
        lines = shown.get_by_role("region", name="Changes", exact=True)
        expect(lines).to_contain_text("daily spend limit of 3 campaigns, for example: no limit → 1,250.50 EUR")
        expect(lines).to_contain_text("100.00 EUR → 500.00 EUR")
        expect(lines).to_contain_text("amara (API)")
        expect(lines).to_contain_text("Client asked for a break")
        expect(lines).to_contain_text("Check budgets (job)")
        self.look()
        shown.get_by_label("Show", exact=True).select_option("settings")
        self.proceed("Show")
        expect(lines).not_to_contain_text("Client asked for a break")
        with shown.expect_download() as file:
            shown.get_by_role("link", name="CSV").click()
        self.assertTrue(file.value.suggested_filename.endswith(".csv"))
        self.follow(shown.get_by_role("link", name="Show each"))
        expect(lines.get_by_text("no limit → 1,250.50 EUR")).to_have_count(3)
        self.look()

    def test_a_campaign_shows_its_own(self) -> None:
        shown = self.open(page(Campaign, "history", self.campaigns[1].pk))
        lines = shown.get_by_role("region", name="Changes", exact=True)
        expect(lines).to_contain_text("no limit → 1,250.50 EUR")
        expect(lines).not_to_contain_text("Still paused")
        self.look()
