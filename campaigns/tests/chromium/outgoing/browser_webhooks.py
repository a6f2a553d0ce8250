"""An administrator adds an endpoint, sees its secret once, sends a test that fails, and sends it again."""

from __future__ import annotations

from django.test import override_settings
from playwright.sync_api import expect

from campaigns.models import Delivery, Endpoint
from campaigns.tests.chromium.case import PHONE, BrowserTestCase
from campaigns.tests.support.pages import page
from campaigns.tests.webhooks.receiving import OWN_NETWORKS, receiver, status


@override_settings(WEBHOOK_PRIVATE_NETWORKS=OWN_NETWORKS)
class Webhooks(BrowserTestCase):
    def test_an_endpoint_is_added_tested_and_its_delivery_sent_again(self) -> None:
        server = self.enterContext(receiver(500))
        self.open(page(Endpoint, "changelist"))
        expect(self.page.get_by_text("Add the address of a program")).to_be_visible()
        self.look()
        self.open(page(Endpoint, "add"))
        self.look()
        self.page.get_by_label("Name").fill("Bids")
        self.page.get_by_label("URL").fill("https://10.0.0.1/hook")
        self.page.get_by_label("Campaigns pause or resume").check()
        self.proceed("Save")
        expect(self.page.get_by_text("URL: The host has a private")).to_be_visible()
        self.look()
        self.page.get_by_label("URL").fill(server.url)
        self.proceed("Save")
        expect(self.page.get_by_role("region", name="Secret")).to_contain_text("whsec_")
        self.look()
        self.follow(self.page.get_by_role("link", name="Continue to the endpoint"))
        expect(self.page.get_by_text("Nothing has been sent yet.")).to_be_visible()
        self.look()
        self.proceed("Send test")
        expect(self.page.get_by_text("The receiver answered 500 after")).to_be_visible()
        expect(self.page.get_by_role("region", name="Attempts").first).to_contain_text("The receiver answered 500.")
        self.look()
        server.answering = status(200)
        self.proceed("Send again")
        expect(self.page.get_by_text("The receiver answered 200 after")).to_be_visible()
        expect(self.page.get_by_role("region", name="Attempts").first).to_contain_text("Delivered.")
        self.look()
        self.open(page(Delivery, "changelist"))
        expect(self.page.get_by_role("cell", name="delivered").first).to_be_visible()
        self.look()
        self.open(page(Endpoint, "change", Endpoint.objects.get().pk))
        self.look()
        self.proceed("Replace secret")
        expect(self.page.get_by_role("region", name="Secret")).to_contain_text("whsec_")
        self.look()
        self.open(page(Endpoint, "delete", Endpoint.objects.get().pk))
        self.look()


class WebhooksOnADarkPhone(Webhooks):
    viewport = PHONE
    colours = "dark"
