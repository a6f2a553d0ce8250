from __future__ import annotations

from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from campaigns.models import AlertPreference
from campaigns.services.alerts.reminders import write_reminders


class ReminderDueTests(TestCase):
    def test_alerts_are_not_read_for_people_who_may_not_be_told(self) -> None:
        person = User.objects.create_user("ann", "ann@example.com", is_staff=True)
        AlertPreference.objects.create(user=person, reminders=True, timezone="UTC", digest_hour=8)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            self.assertEqual(write_reminders(clock=lambda: datetime(2026, 3, 2, 12, tzinfo=UTC)), 0)
        self.assertFalse([each for each in queries if 'FROM "campaigns_alert"' in each["sql"]])
