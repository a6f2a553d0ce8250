"""The database guards alerts: one row an identity, one message a person, one digest a day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import TestCase

from campaigns.models import Alert, AlertEmail, AlertMessage, AlertPreference, AlertRule
from campaigns.tests.support.factories import make_brand, make_campaign, utc

NOW = utc("2026-11-28T12:00")


class AlertGuardTests(TestCase):
    def setUp(self) -> None:
        self.rule = AlertRule.objects.create(kind="budget_month", threshold=80)
        self.person = User.objects.create_user("anna")

    def refuse(self, model: Any, **fields: Any) -> None:
        with self.assertRaises(IntegrityError), transaction.atomic():
            model.objects.create(**fields)

    def alert(self, **fields: Any) -> dict[str, Any]:
        values = {"rule": self.rule, "kind": "budget_month", "subject": "brand 1", "period": "2026-11"}
        return values | {"threshold": 80, "budget": Decimal(100), "opened_at": NOW, "headline": "Spent"} | fields

    def email(self, **fields: Any) -> dict[str, Any]:
        return {"person": self.person, "message_id": "<1@example.com>", "subject": "Alert"} | fields

    def test_an_identity_is_there_once(self) -> None:
        Alert.objects.create(**self.alert())
        self.refuse(Alert, **self.alert())
        for other in ({"period": "2026-12"}, {"threshold": 100}, {"budget": Decimal(101)}, {"subject": "brand 2"}):
            Alert.objects.create(**self.alert(**other))

    def test_an_alert_resolves_after_it_fired(self) -> None:
        Alert.objects.create(**self.alert(resolved_at=NOW))
        self.refuse(Alert, **self.alert(period="", resolved_at=NOW - timedelta(seconds=1)))

    def test_what_webhooks_were_told_is_known(self) -> None:
        Alert.objects.create(**self.alert(posted=2))
        for wrong in (-1, 3):
            self.refuse(Alert, **self.alert(period="", posted=wrong))

    def test_a_person_has_one_message_of_an_alert(self) -> None:
        alert = Alert.objects.create(**self.alert())
        AlertMessage.objects.create(alert=alert, person=self.person, due_at=NOW)
        self.refuse(AlertMessage, alert=alert, person=self.person, due_at=NOW)

    def test_a_person_has_one_reminder_a_day(self) -> None:
        day = date(2026, 11, 28)
        AlertEmail.objects.create(**self.email(reminder_day=day, digest_day=day))
        self.refuse(AlertEmail, **self.email(message_id="<2@example.com>", reminder_day=day))
        AlertEmail.objects.create(**self.email(message_id="<3@example.com>", reminder_day=date(2026, 11, 29)))

    def test_a_person_has_one_digest_a_day(self) -> None:
        day = date(2026, 11, 28)
        AlertEmail.objects.create(**self.email(digest_day=day))
        self.refuse(AlertEmail, **self.email(message_id="<2@example.com>", digest_day=day))
        for number in (3, 4):
            AlertEmail.objects.create(**self.email(message_id=f"<{number}@example.com>"))

    def test_the_state_of_an_email_is_known(self) -> None:
        self.refuse(AlertEmail, **self.email(state="gone"))

    def test_a_rules_threshold_and_delivery_are_in_range(self) -> None:
        AlertRule.objects.create(kind="budget_month", threshold=100_000)
        self.refuse(AlertRule, kind="budget_month", threshold=100_001)
        self.refuse(AlertRule, kind="budget_month", threshold=80, delivery="never")

    def test_a_persons_hours_and_frequency_are_in_range(self) -> None:
        for wrong in ({"digest_hour": 24}, {"quiet_from": 24}, {"quiet_until": 24}, {"frequency": "hourly"}):
            with self.subTest(wrong):
                self.refuse(AlertPreference, user=self.person, **wrong)
        AlertPreference.objects.create(user=self.person, digest_hour=23, quiet_from=23, quiet_until=23)

    def test_rows_refer_to_rows_that_are_there(self) -> None:
        brand = make_brand()
        campaign = make_campaign(brand)
        alert = Alert.objects.create(**self.alert(brand=brand, campaign=campaign, acknowledged_by=self.person))
        email = AlertEmail.objects.create(**self.email())
        message = AlertMessage.objects.create(alert=alert, person=self.person, email=email, due_at=NOW)
        preference = AlertPreference.objects.create(user=self.person)
        for row, columns in (
            (alert, ("rule_id", "brand_id", "campaign_id", "acknowledged_by_id")),
            (email, ("person_id",)),
            (message, ("alert_id", "person_id", "email_id")),
            (preference, ("user_id",)),
            (self.rule, ("group_id",)),
        ):
            for column in columns:
                name = f"{type(row).__name__}.{column}"
                with self.subTest(name), self.assertRaises(IntegrityError), transaction.atomic():
                    type(row).objects.filter(pk=row.pk).update(**{column: 999_999_999})
                    connection.check_constraints()
