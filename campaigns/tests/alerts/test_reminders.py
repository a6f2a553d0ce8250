"""Reminders of open alerts: once a local day, until somebody acknowledges or snoozes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from campaigns.models import Alert, AlertPreference, BrandAssignment
from campaigns.services.alerts.handling import acknowledge, snooze
from campaigns.services.alerts.outgoing import send_alerts
from campaigns.services.alerts.reminders import write_reminders
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.tests.alerts.test_messages import NOW, Alerting, at, person
from campaigns.tests.people.mail_server import MailServer
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.together import Crew


class ReminderTests(Alerting):
    """An alert fired on the 28th at noon; the reminders come at eight."""

    def setUp(self) -> None:
        super().setUp()
        AlertPreference.objects.create(user=self.root, timezone="UTC", digest_hour=8, reminders=True)
        self.cross()
        self.send()

    def remind(self, at: str) -> list[tuple[str, str]]:
        return self.send(utc(at))

    def test_it_comes_daily_at_the_persons_hour_until_somebody_acknowledges(self) -> None:
        sent = [("root@example.com", "Reminder: 1 open alert not acknowledged")]
        self.assertEqual(self.remind("2026-11-29T07:59"), [])
        self.assertEqual(self.remind("2026-11-29T08:00"), sent)
        self.assertEqual(self.remind("2026-11-29T08:01"), [])
        self.assertEqual(self.remind("2026-11-29T23:59"), [])
        self.assertEqual(self.remind("2026-11-30T08:00"), sent)
        acknowledge([Alert.objects.get().pk], "", person=self.root, now=NOW)
        self.assertEqual(self.remind("2026-12-01T08:00"), [])

    def test_a_snoozed_alert_is_left_out_until_the_snooze_ends(self) -> None:
        snooze([Alert.objects.get().pk], "later", person=self.root, now=utc("2026-11-29T01:00"))
        self.assertEqual(self.remind("2026-11-29T08:00"), [])
        self.assertEqual(len(self.remind("2026-11-30T08:00")), 1)

    def test_a_resolved_alert_is_left_out(self) -> None:
        self.cross("-50")
        self.assertEqual(self.remind("2026-11-29T08:00"), [])

    def test_what_has_just_fired_is_left_out(self) -> None:
        Alert.objects.update(opened_at=utc("2026-11-28T20:01"))
        self.assertEqual(self.remind("2026-11-29T08:00"), [])

    def test_who_does_not_want_it_gets_none(self) -> None:
        AlertPreference.objects.update(reminders=False)
        self.assertEqual(self.remind("2026-11-29T08:00"), [])

    def test_a_person_who_may_no_longer_see_the_brand_gets_none(self) -> None:
        anna = person("anna", "Brand managers")
        AlertPreference.objects.create(user=anna, timezone="UTC", digest_hour=8, reminders=True)
        given = BrandAssignment.objects.create(user=anna, brand=self.brand)
        given.delete()
        self.assertEqual([to for to, _ in self.remind("2026-11-29T08:00")], ["root@example.com"])

    def test_of_several_thresholds_the_highest_is_named(self) -> None:
        self.cross("15")
        Alert.objects.update(opened_at=NOW)
        self.assertEqual(
            [subject for _, subject in self.remind("2026-11-29T08:00") if subject.startswith("Reminder")],
            ["Reminder: 1 open alert not acknowledged"],
        )


class DueTests(TestCase):
    def test_alerts_are_not_read_for_people_who_may_not_be_told(self) -> None:
        person = User.objects.create_user("ann", "ann@example.com", is_staff=True)
        AlertPreference.objects.create(user=person, reminders=True, timezone="UTC", digest_hour=8)
        with CaptureQueriesContext(connection) as queries:
            self.assertEqual(write_reminders(clock=lambda: datetime(2026, 3, 2, 12, tzinfo=UTC)), 0)
        self.assertFalse([each for each in queries if 'FROM "campaigns_alert"' in each["sql"]])


class TwoWorkersTests(CommittedTestCase):
    def test_two_workers_remind_a_person_once(self) -> None:
        root = User.objects.create_superuser("root", "root@example.com", "x")
        AlertPreference.objects.create(user=root, timezone="UTC", digest_hour=8, reminders=True)
        spend(make_campaign(make_brand(monthly_budget=Decimal(100))), "90", NOW)
        run_quick_check(clock=at())
        with MailServer() as server:
            send_alerts(clock=at())
            crew = Crew()
            for _ in range(3):
                crew.start(lambda: send_alerts(clock=at(NOW + timedelta(days=1))))
            crew.finish()
            # One of them may have sent nothing because another one was sending.
            send_alerts(clock=at(NOW + timedelta(days=1)))
        subjects = [message["Subject"] for message in server.messages]
        self.assertEqual(sum(subject.startswith("Reminder") for subject in subjects), 1, subjects)
