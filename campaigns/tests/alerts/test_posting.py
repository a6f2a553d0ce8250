"""Alerts reach webhooks, Slack and Teams: once when they fire, once when they resolve (R19)."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.test import TestCase

from campaigns.models import Alert, AlertRule, Brand, Delivery, Endpoint, EndpointBrand
from campaigns.services.alerts.outgoing import send_alerts
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.services.webhooks.bodies import body_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.webhooks.receiving import make_endpoint

NOW = "2026-11-20 12:00"


class AlertsAreSent(TestCase):
    def setUp(self) -> None:
        self.now = utc(NOW)
        self.endpoint = make_endpoint(
            "https://example.com/", status_changed=False, alert_fired=True, alert_resolved=True
        )

    def reach(self, percent: int, brands: int = 1) -> list[Brand]:
        made = [make_brand(monthly_budget=Decimal(100)) for _ in range(brands)]
        for brand in made:
            spend(make_campaign(brand), percent, NOW)
        self.look()
        return made

    def look(self) -> None:
        self.now += timedelta(minutes=1)
        run_quick_check(clock=lambda: self.now)
        send_alerts(clock=lambda: self.now)

    def sent(self, endpoint: Endpoint | None = None) -> list[tuple[str, dict[str, Any]]]:
        rows = Delivery.objects.filter(endpoint=endpoint or self.endpoint).order_by("pk").select_related("message")
        return [(row.message.event, json.loads(row.message.data)) for row in rows]

    def test_it_is_sent_once_with_what_it_is_about(self) -> None:
        (brand,) = self.reach(85)
        self.look()
        ((event, data),) = self.sent()
        alert = Alert.objects.get(threshold=80)
        self.assertEqual((event, data["title"], data["count"]), ("alert.fired", alert.headline, 1))
        self.assertEqual(data["alerts"][0]["brand"], brand.pk)
        self.assertIn(f"/brand/{brand.pk}/", data["link"])

    def test_of_several_thresholds_the_highest_is_sent(self) -> None:
        self.reach(120)
        self.assertEqual(Alert.objects.filter(kind="budget_month").count(), 2)
        ((_, data),) = self.sent()
        self.assertEqual([each["threshold"] for each in data["alerts"]], [100])

    def test_more_than_five_are_one_message(self) -> None:
        self.reach(85, brands=7)
        ((_, data),) = self.sent()
        self.assertEqual((data["title"], data["count"], len(data["alerts"])), ("7 alerts fired", 7, 7))

    def test_it_says_when_it_resolves_and_nothing_when_it_opens_again(self) -> None:
        (brand,) = self.reach(85)
        campaign = brand.campaigns.get()
        for amount in (-20, 20, -20):
            spend(campaign, amount, NOW)
            self.look()
        self.assertEqual([event for event, _ in self.sent()], ["alert.fired", "alert.resolved"])

    def test_one_that_opens_again_shows_the_figures_of_now(self) -> None:
        (brand,) = self.reach(85)
        for amount in (-20, 17):
            spend(brand.campaigns.get(), amount, NOW)
            self.look()
        alert = Alert.objects.get(threshold=80)
        self.assertIsNone(alert.resolved_at)
        self.assertIn("82.00", alert.headline)
        self.assertEqual([event for event, _ in self.sent()], ["alert.fired", "alert.resolved"])

    def test_every_threshold_that_was_sent_resolves(self) -> None:
        """Two thresholds fire in separate looks; a raised budget ends both."""
        (brand,) = self.reach(85)
        spend(brand.campaigns.get(), 20, NOW)
        self.look()
        Brand.objects.filter(pk=brand.pk).update(monthly_budget=Decimal(1000))
        run_full_check(CHECK_BUDGETS, clock=lambda: self.now)
        self.look()
        found = [(event, data["alerts"][0]["threshold"]) for event, data in self.sent()]
        self.assertEqual(found[:2], [("alert.fired", 80), ("alert.fired", 100)])
        self.assertEqual(sorted(found[2:]), [("alert.resolved", 80), ("alert.resolved", 100)])

    def test_a_threshold_that_was_not_sent_does_not_resolve(self) -> None:
        (brand,) = self.reach(120)
        spend(brand.campaigns.get(), -110, NOW)
        self.look()
        found = [(event, [each["threshold"] for each in data["alerts"]]) for event, data in self.sent()]
        self.assertEqual(found, [("alert.fired", [100]), ("alert.resolved", [100])])

    def test_what_resolves_before_it_is_sent_is_not_sent(self) -> None:
        brand = make_brand(monthly_budget=Decimal(100))
        campaign = make_campaign(brand)
        for amount in (85, -20):
            spend(campaign, amount, NOW)
            run_quick_check(clock=lambda: self.now)
        send_alerts(clock=lambda: self.now)
        self.assertTrue(Alert.objects.filter(resolved_at__isnull=False).exists())
        self.assertEqual(self.sent(), [])

    def test_an_endpoint_with_brands_gets_theirs(self) -> None:
        EndpointBrand.objects.create(endpoint=self.endpoint, brand=make_brand())
        every = make_endpoint("https://example.org/", status_changed=False, alert_fired=True)
        self.reach(85)
        self.assertEqual((len(self.sent()), len(self.sent(every))), (0, 1))

    def test_rules_of_the_digest_send_nothing(self) -> None:
        AlertRule.objects.update(delivery=AlertRule.Delivery.DIGEST)
        self.reach(85)
        self.assertEqual(self.sent(), [])

    def test_slack_and_teams_say_it_in_words(self) -> None:
        self.reach(85)
        message = Delivery.objects.get().message
        headline = Alert.objects.get(threshold=80).headline
        slack = json.loads(body_of(Endpoint.Kind.SLACK, message))
        self.assertIn(headline.split(" (")[0][:20], slack["text"])
        card = json.loads(body_of(Endpoint.Kind.TEAMS, message))["attachments"][0]["content"]
        self.assertEqual(card["body"][0]["text"], headline)
        self.assertTrue(card["actions"][0]["url"].startswith("http"))
