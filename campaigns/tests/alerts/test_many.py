"""Digests and reminders of one person where others have many alerts: what is theirs doesn't count."""

from __future__ import annotations

from decimal import Decimal
from unittest.mock import patch

from campaigns.models import AlertMessage, AlertPreference, BrandAssignment
from campaigns.services.alerts import digests, recipients, reminders
from campaigns.tests.alerts.test_messages import NOW, Alerting, person
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

MORNING = utc("2026-11-29T08:00")


@patch.object(recipients, "BATCH", 2)
class ManyTests(Alerting):
    """Anna has one alert; five newer ones are of a brand that only superusers get."""

    def setUp(self) -> None:
        super().setUp()
        self.anna = person("anna", "Brand managers")
        BrandAssignment.objects.create(user=self.anna, brand=self.brand)
        AlertPreference.objects.create(user=self.root, timezone="UTC", frequency="never")
        self.cross()
        for _ in range(5):
            spend(make_campaign(make_brand(monthly_budget=Decimal(100))), "90", NOW)
        self.cross("0.01")

    @patch.object(digests, "MOST", 3)
    def test_a_digest_has_the_persons_alert(self) -> None:
        AlertPreference.objects.create(user=self.anna, timezone="UTC", frequency="daily")
        self.assertEqual(self.send(MORNING), [("anna@example.com", "1 alert in the last 24 hours, 1 open")])

    @patch.object(digests, "MOST", 3)
    def test_a_digest_has_no_more_than_the_newest(self) -> None:
        AlertPreference.objects.create(user=self.anna, timezone="UTC", frequency="never")
        AlertPreference.objects.filter(user=self.root).update(frequency="daily")
        self.assertEqual(self.send(MORNING), [("root@example.com", "3 alerts in the last 24 hours, 3 open")])
        self.assertEqual(AlertMessage.objects.filter(person=self.root).count(), 3)

    @patch.object(reminders, "MOST", 3)
    def test_a_reminder_has_the_persons_alert(self) -> None:
        AlertPreference.objects.create(user=self.anna, timezone="UTC", frequency="never", reminders=True)
        reminder = ("anna@example.com", "Reminder: 1 open alert not acknowledged")
        self.assertEqual(self.send(MORNING), [reminder])
