"""Archive, notes, owners, saved filters and forgotten passwords in a browser: readable, fitting, and usable."""

from __future__ import annotations

import os
from pathlib import Path

from django.test import override_settings
from django.urls import reverse
from playwright.sync_api import expect

from campaigns.models import Campaign, Note, SavedFilter
from campaigns.tests.chromium.case import BrowserTestCase, on_every_screen
from campaigns.tests.support.factories import make_brand, make_campaign, spend

PICTURES = os.environ.get("PICTURES", "")


@on_every_screen
class TeamWork(BrowserTestCase):
    def see(self, name: str) -> None:
        self.look()
        if PICTURES:
            self.page.screenshot(path=Path(PICTURES) / f"{type(self).__name__}-{name}.png", full_page=True)

    def test_a_lost_client_is_archived_and_restored(self) -> None:
        brand = make_brand(name="Alpine", monthly_budget=100, owner=self.user)
        campaign = make_campaign(brand, name="Search")
        spend(campaign, 12)
        page = self.open(reverse("admin:index"))
        expect(page.get_by_role("heading", name="My brands")).to_be_visible()
        self.see("home")
        self.open(reverse("admin:campaigns_brand_change", args=[brand.pk]))
        self.follow(page.get_by_role("link", name="Archive brand"))
        self.see("archive")
        self.proceed("Archive 1 brand")
        expect(page.get_by_text("Archived 1 brand:")).to_be_visible()
        self.open(reverse("admin:campaigns_brand_change", args=[brand.pk]))
        self.see("archived-brand")
        self.open(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
        self.see("campaign-of-archived-brand")
        self.assertEqual(Campaign.objects.not_archived().count(), 0)
        self.open(reverse("admin:campaigns_brand_change", args=[brand.pk]))
        self.follow(page.get_by_role("link", name="Restore brand"))
        self.proceed("Restore 1 brand")
        brand.refresh_from_db()
        self.assertEqual((brand.archived_at, brand.enabled), (None, False))

    def test_notes_are_written_and_deleted(self) -> None:
        page = self.open(reverse("admin:campaigns_campaign_change", args=[make_campaign(name="Search").pk]))
        page.get_by_label("New note on this campaign").fill("Client asked for a pause in August.\nCall Maja first.")
        self.proceed("Add note")
        expect(page.get_by_text("Call Maja first.")).to_be_visible()
        self.see("notes")
        self.follow(page.get_by_role("button", name="Delete the note of amara"))
        self.assertFalse(Note.objects.exists())

    def test_a_list_is_saved_and_opened_again(self) -> None:
        make_brand(name="Alpine")
        make_brand(name="Kawabe")
        page = self.open(reverse("admin:campaigns_brand_changelist", query={"q": "alp"}))
        page.get_by_text("Save this filter").click()
        page.get_by_label("Name", exact=True).fill("Mountains")
        page.get_by_label("Share with the team").check()
        self.see("save-filter")
        self.proceed("Save")
        self.open(reverse("admin:campaigns_brand_changelist"))
        self.follow(page.get_by_role("link", name="Mountains"))
        expect(page.get_by_role("link", name="Kawabe")).to_have_count(0)
        self.see("saved-filter")
        self.follow(page.get_by_role("button", name="Delete the filter Mountains"))
        self.assertFalse(SavedFilter.objects.exists())

    @override_settings(EMAIL_IS_SET_UP=True)
    def test_a_forgotten_password_is_asked_for(self) -> None:
        self.page.context.clear_cookies()
        page = self.open(reverse("admin:login"))
        self.see("sign-in")
        self.follow(page.get_by_role("link", name="Forgotten password"))
        self.see("forgotten")
        page.get_by_label("E-mail address").fill("zofia@example.com")
        self.proceed("Send link")
        expect(page.get_by_text("If an account has this e-mail address")).to_be_visible()
        self.see("sent")
