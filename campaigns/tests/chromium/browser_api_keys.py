"""A superuser makes an API key, copies it, uses it and revokes it; and the page that describes the API."""

from __future__ import annotations

from django.urls import reverse
from playwright.sync_api import expect

from campaigns.models import ApiKey
from campaigns.services.api_keys import FORM
from campaigns.tests.api.requests import SPEND, post, spend_row
from campaigns.tests.chromium.case import PHONE, BrowserTestCase
from campaigns.tests.support.factories import make_brand, make_campaign


class Keys(BrowserTestCase):
    def test_a_key_is_made_copied_used_and_revoked(self) -> None:
        campaign = make_campaign(make_brand(name="Alpine"))
        self.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = self.open(reverse("admin:campaigns_apikey_changelist"))
        self.look()
        self.follow(page.locator(f"a[href^='{reverse('admin:campaigns_apikey_add')}']").first)
        self.look()
        page.get_by_label("Name").fill("Airbyte")
        page.get_by_label("Send spend records (spend:write)").check()
        page.locator("#id_brands + .select2").click()
        page.locator(".select2-search__field").last.fill("alp")
        page.get_by_role("option", name="Alpine").click()
        page.get_by_label("Expires").select_option(label="In 90 days")
        self.proceed("Save")
        self.look()
        page.get_by_role("button", name="Copy the key").click()
        expect(page.get_by_text("Copied.")).to_be_visible()
        key = page.evaluate("navigator.clipboard.readText()")
        self.assertTrue(FORM.fullmatch(key))
        self.assertEqual(post(SPEND, [spend_row(campaign.pk)], key).status_code, 200)

        self.follow(page.get_by_role("link", name="All API keys"))
        self.look()
        expect(page.get_by_text(key)).to_have_count(0)
        self.follow(page.get_by_role("link", name="Airbyte"))
        self.look()
        self.follow(page.locator("#content").get_by_role("link", name="Revoke"))
        self.look()
        self.proceed("Revoke")
        expect(page.get_by_text("Airbyte is revoked.")).to_be_visible()
        self.assertEqual(post(SPEND, [], key).status_code, 401)
        self.assertEqual(ApiKey.objects.get().revoked_by, "amara")


class KeysOnAPhone(Keys):
    viewport = PHONE
    colours = "dark"


class Description(BrowserTestCase):
    def test_it_is_readable(self) -> None:
        page = self.open(reverse("api_docs"))
        self.look()
        page.get_by_role("link", name="POST /api/v1/totals").click()
        expect(page.get_by_role("heading", name="POST /api/v1/totals")).to_be_in_viewport()


class DescriptionOnAPhone(Description):
    viewport = PHONE
    colours = "dark"
