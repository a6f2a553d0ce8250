"""Somebody opens the alerts in the morning, reads the local mail, acknowledges, snoozes, and sees one resolve."""

from __future__ import annotations

import os
from decimal import Decimal

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import AlertEmail, AlertRule
from campaigns.services.alerts.outgoing import send_alerts
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.tests.chromium.case import DESKTOP, LAPTOP, PHONE, BrowserTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend
from campaigns.tests.support.pages import page

ALERTS = "admin:campaigns_alert_changelist"


class Alerts(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.alpine = make_brand(name="Alpine", currency="EUR", monthly_budget=Decimal(1000))
        self.search = make_campaign(self.alpine, name="Search")
        other = make_campaign(make_brand(name="Nordlicht Optik", currency="EUR", monthly_budget=Decimal(1000)))
        spend(self.search, 1020)
        spend(other, 870)
        self.check()

    def check(self) -> None:
        run_quick_check(clock=timezone.now)
        send_alerts(clock=timezone.now)

    def test_an_alert_fires_arrives_is_acknowledged_and_resolves(self) -> None:
        self.open(reverse("admin:index"))
        expect(self.page.get_by_role("region", name="Alerts")).to_contain_text("Alpine has spent 1,020.00 EUR")
        self.look()
        self.shoot("home")
        self.follow(self.page.get_by_role("link", name="2 open"))
        self.look()
        self.shoot("open")
        self.page.get_by_role("checkbox", name="Choose: Nordlicht").check()
        self.proceed("Snooze until tomorrow")
        expect(self.page.get_by_text("Enter a note that says why it can wait.")).to_be_visible()
        kept = self.page.get_by_role("checkbox", name="Choose: Nordlicht")
        expect(kept).to_be_checked()
        kept.uncheck()
        self.page.get_by_role("checkbox", name="Choose: Alpine").check()
        self.page.get_by_label("Note", exact=True).fill("Asked the client for more budget")
        self.proceed("Acknowledge the chosen")
        expect(self.page.get_by_text("Acknowledged 1 alert.")).to_be_visible()
        self.look()
        self.shoot("acknowledged")
        self.follow(self.page.get_by_role("link", name="Local mail"))
        self.look()
        self.shoot("mail")
        self.open(page(AlertEmail, "change", AlertEmail.objects.earliest("pk").pk))
        expect(self.page.locator("main, #content, body").first).to_contain_text("All campaigns are paused until")
        self.look()
        self.shoot("message")
        spend(self.search, -900)
        self.check()
        self.open(reverse(ALERTS))
        self.follow(self.page.get_by_role("link", name="Resolved"))
        expect(self.page.get_by_text("Alpine has spent 1,020.00 EUR").first).to_be_visible()
        self.look()
        self.shoot("resolved")

    def test_the_pages_at_other_sizes_and_in_the_dark(self) -> None:
        addresses = {
            "open": reverse(ALERTS),
            "mine": reverse("admin:campaigns_alert_mine"),
            "home": reverse("admin:index"),
            "brand": page(type(self.alpine), "change", self.alpine.pk),
            "rules": page(AlertRule, "changelist"),
            "rule": page(AlertRule, "change", AlertRule.objects.earliest("pk").pk),
        }
        for size in (DESKTOP, LAPTOP, PHONE):
            for colours in ("light", "dark"):
                context = self.open_browser(viewport=size, color_scheme=colours)
                self.page = context.new_page()
                for name, address in addresses.items():
                    with self.subTest(f"{name} {size['width']} {colours}"):
                        self.open(address)
                        self.look()
                        self.shoot(f"{name}-{size['width']}-{colours}")
                context.close()
        self.page = self.open_browser().new_page()

    def test_the_html_mail_on_a_phone(self) -> None:
        self.page.set_viewport_size(PHONE)
        self.page.set_content(AlertEmail.objects.earliest("pk").html)
        width = self.page.evaluate("document.documentElement.scrollWidth")
        self.assertLessEqual(width, PHONE["width"])
        self.shoot("mail-html")

    def shoot(self, name: str) -> None:
        """Keep a picture where SHOOT names a folder."""
        if folder := os.environ.get("SHOOT"):
            self.page.screenshot(path=f"{folder}/alerts-{name}.png", full_page=True)
