"""Alerts about accounts of platforms: spend that waits, held decreases, silence; and the pages where they lead."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.test import TestCase
from django.urls import reverse

from campaigns.models import Alert
from campaigns.services.alerts.compose import address_of
from campaigns.services.alerts.evaluate import evaluate
from campaigns.services.totals.holds import release
from campaigns.tests.alerts.test_operation import open_kinds
from campaigns.tests.support.factories import make_campaign, utc
from campaigns.tests.totals.reports import DAY, NOON, full_booking, make_account, make_link, report, total_of

NOW = utc(NOON)


class PlatformAlertTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(User.objects.create_superuser("root", "root@example.com", "x"))
        self.account = make_account(name="Alpine", reported_until=NOW)
        self.link = make_link(make_campaign(name="Search"), account=self.account)

    def look(self, after: timedelta = timedelta()) -> list[str]:
        evaluate(None, now=NOW + after)
        return open_kinds()

    def assert_leads_to(self, address: str, title: str) -> None:
        """The e-mail's link and that of the page of alerts."""
        alert = Alert.objects.get(resolved_at__isnull=True)
        self.assertTrue(address_of(alert).endswith(address), address_of(alert))
        listed = self.client.get(reverse("admin:campaigns_alert_changelist"))
        self.assertContains(listed, f'<a class="text-link" href="{address}">{title}</a>', html=True)
        self.assertContains(self.client.get(address), "Alpine")

    def test_spend_that_waits_fires_once_a_month_and_account(self) -> None:
        report("7.1", "2")
        make_link(None, "2", account=self.account)
        full_booking()
        self.assertEqual((self.look(), self.look()), (["unassigned"],) * 2)
        alert = Alert.objects.get()
        self.assertEqual((alert.period, alert.rule.delivery), ("2024-11", "at_once"))
        self.assertEqual(alert.headline, "7.10 USD of Google Ads account Alpine aren’t assigned: 1 campaign")
        self.assert_leads_to(reverse("admin:campaigns_campaignlink_unassigned"), "Unassigned spend")

    def test_a_held_decrease_fires_until_it_is_released(self) -> None:
        report(500)
        full_booking()
        report(0, as_of="2024-11-28 01:00")
        full_booking("2024-11-28 01:00")
        self.assertEqual(self.look(), ["held"])
        self.assertEqual(Alert.objects.get().headline, f"Google Ads account Alpine reports 500.00 USD less for {DAY}")
        self.assert_leads_to(reverse("admin:campaigns_spendtotal_held"), "Held decreases")
        total = total_of()
        release(total.source, total.account, total.day, clock=lambda: NOW)
        self.assertEqual(self.look(), [])

    def test_an_account_that_falls_silent_fires_until_it_reports(self) -> None:
        self.assertEqual(self.look(timedelta(hours=3)), [])
        self.assertEqual(self.look(timedelta(hours=3, seconds=1)), ["silent"])
        self.assertEqual(
            Alert.objects.get().headline,
            "Google Ads account Alpine has reported no spend since 2024-11-27 12:00 UTC",
        )
        accounts = reverse("admin:campaigns_platformaccount_changelist")
        self.assert_leads_to(f"{accounts}?q={self.account.external_id}", "Account")
        self.account.reported_until = NOW + timedelta(hours=1)
        self.account.save()
        self.assertEqual(self.look(timedelta(hours=4)), [])
