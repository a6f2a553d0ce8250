"""Sending e-mails about alerts: a mail server that is slow or silent, and what has changed since they were written."""

from __future__ import annotations

import socket
from datetime import datetime, timedelta

from django.contrib.auth.models import Group
from django.db import transaction
from django.test import TestCase, override_settings

from campaigns.models import (
    Alert,
    AlertEmail,
    AlertMessage,
    AlertPreference,
    AlertRule,
    Brand,
    BrandAssignment,
)
from campaigns.services.alerts.handling import acknowledge, snooze
from campaigns.services.alerts.kinds import DRIFT
from campaigns.services.alerts.outgoing import send_alerts
from campaigns.services.alerts.sending import BUSY, LEASE, RETRIES, send_waiting
from campaigns.tests.alerts.test_messages import NOW, Alerting, at, person
from campaigns.tests.people.mail_server import MailServer
from campaigns.tests.support.factories import utc


class WaitingTests(TestCase):
    def setUp(self) -> None:
        self.anna = person("anna")

    def write(self, number: int) -> None:
        """Write so many digests."""
        for each in range(number):
            self.add(f"<{each}@example.com>", digest_day=NOW.date() - timedelta(days=each))

    def add(self, message_id: str, **fields: object) -> AlertEmail:
        written = {"subject": message_id, "text": "x", "html": "x", "next_attempt_at": NOW} | fields
        return AlertEmail.objects.create(person=self.anna, message_id=message_id, **written)

    def test_a_silent_mail_server_ends_the_run(self) -> None:
        """The others aren't tried, so a worker with one process is free for its checks again."""
        self.write(3)
        with MailServer() as server, socket.create_server(("127.0.0.1", 0)) as silent:
            with (
                override_settings(EMAIL_PORT=silent.getsockname()[1]),
                self.assertLogs("campaigns.services.alerts.sending", "WARNING"),
            ):
                self.assertEqual(send_waiting(clock=at(), seconds=0.2), 0)
            attempts = AlertEmail.objects.order_by("pk").values_list("attempts", flat=True)
            self.assertEqual(list(attempts), [1, 0, 0])
            self.assertEqual(send_waiting(clock=at()), 2)
            self.assertEqual(len(server.messages), 2)

    def test_an_e_mail_that_cannot_be_sent_keeps_none_from_leaving(self) -> None:
        broken = self.add("<broken@example.com>", subject="Acme\nShop", digest_day=NOW.date() - timedelta(days=9))
        self.write(1)
        with MailServer(), self.assertLogs("campaigns.services.alerts.sending", "WARNING"):
            self.assertEqual(send_waiting(clock=at()), 1)
        broken.refresh_from_db()
        self.assertEqual((broken.state, broken.attempts, broken.next_attempt_at), ("waiting", 1, NOW + RETRIES[0]))
        self.assertIn("BadHeaderError", broken.problem)

    def test_one_run_sends_at_a_time(self) -> None:
        """Or runs that wait for a silent mail server would take all processes of a worker."""
        self.write(1)
        busy = self.add("<busy@example.com>", problem=AlertEmail.SENDING, attempts=1, next_attempt_at=NOW + LEASE)
        with MailServer() as server:
            self.assertEqual(send_waiting(clock=at()), 0)
            # The other one was killed.
            self.assertEqual(send_waiting(clock=at(NOW + BUSY + timedelta(seconds=1))), 1)
            self.assertEqual([message["Subject"] for message in server.messages], ["<0@example.com>"])
        busy.refresh_from_db()
        self.assertEqual(busy.attempts, 1)


class SubjectTests(Alerting):
    def test_a_line_break_in_a_name_is_a_space_in_the_subject(self) -> None:
        Brand.objects.filter(pk=self.brand.pk).update(name="Acme\r\n\x1bShop")
        self.cross()
        ((_, subject),) = self.send()
        self.assertTrue(subject.startswith("Acme Shop has spent 90.00"), subject)


class ResolvedTests(Alerting):
    """The mail server refuses the first attempt; a minute later it takes e-mails."""

    def refuse(self) -> None:
        with MailServer(refuses=True), self.assertLogs("campaigns.services.alerts.sending", "WARNING"):
            send_alerts(clock=at())

    def retry(self) -> list[tuple[str, str]]:
        return self.send(NOW + RETRIES[0])

    def test_what_has_resolved_is_not_sent_at_a_retry(self) -> None:
        self.cross()
        self.refuse()
        self.cross("-20")
        self.assertEqual(self.retry(), [])
        self.assertEqual(AlertEmail.objects.get().state, "failed")
        self.cross("20")
        self.assertEqual(self.send(NOW + RETRIES[1]), [])

    def test_the_threshold_that_still_holds_is_sent_at_a_retry(self) -> None:
        self.cross("100")
        self.refuse()
        message_id = AlertEmail.objects.get().message_id
        self.cross("-10")
        self.assertEqual([subject for _, subject in self.retry()], [Alert.objects.get(threshold=80).headline])
        self.assertEqual(AlertEmail.objects.get().message_id, message_id)
        told = AlertMessage.objects.exclude(email=None).values_list("alert__threshold", flat=True)
        self.assertEqual(list(told), [80])


class ChangedMeanwhileTests(Alerting):
    """An alert fires in Anna's quiet hours, which end at 13:00, or her e-mail is refused at first."""

    MORNING = utc("2026-11-28T13:00")

    def setUp(self) -> None:
        super().setUp()
        self.anna, self.bert = person("anna", "Brand managers"), person("bert", "Brand managers")
        self.given = BrandAssignment.objects.create(user=self.anna, brand=self.brand)
        self.choice = AlertPreference.objects.create(user=self.anna, timezone="UTC", quiet_from=11, quiet_until=13)

    def move(self) -> None:
        BrandAssignment.objects.filter(pk=self.given.pk).update(user=self.bert)

    def choose(self, **fields: object) -> None:
        AlertPreference.objects.filter(pk=self.choice.pk).update(**fields)

    def addresses(self, now: datetime) -> list[str]:
        return [to for to, _ in self.send(now)]

    def refuse(self, now: datetime = NOW) -> None:
        with MailServer(refuses=True), self.assertLogs("campaigns.services.alerts.sending", "WARNING"):
            send_alerts(clock=at(now))

    def test_who_has_the_brand_when_quiet_hours_end_is_told(self) -> None:
        self.cross()
        self.assertEqual(self.send(), [])
        self.move()
        self.assertEqual(self.addresses(self.MORNING), ["bert@example.com"])
        self.assertEqual(self.send(self.MORNING + timedelta(days=1)), [])

    def test_who_has_the_brand_at_a_retry_is_told(self) -> None:
        self.choose(quiet_until=11)
        self.cross()
        self.refuse()
        self.move()
        found = [self.addresses(NOW + RETRIES[0] + timedelta(seconds=10 * each)) for each in range(3)]
        self.assertEqual(found, [[], ["bert@example.com"], []])

    def test_who_has_chosen_no_e_mails_meanwhile_gets_none(self) -> None:
        self.cross()
        self.assertEqual(self.send(), [])
        self.choose(frequency="never")
        self.assertEqual(self.send(self.MORNING), [])
        self.assertEqual(self.send(self.MORNING + timedelta(days=1)), [])

    def test_who_has_chosen_no_e_mails_before_a_retry_gets_none(self) -> None:
        self.choose(quiet_until=11)
        self.cross()
        self.refuse()
        self.choose(frequency="never")
        self.assertEqual(self.send(NOW + RETRIES[0]), [])

    def test_a_retry_waits_for_quiet_hours_to_end(self) -> None:
        self.choose(quiet_until=11)
        self.cross()
        self.refuse()
        self.choose(quiet_until=13)
        self.assertEqual(self.send(NOW + RETRIES[0]), [])
        waiting = AlertEmail.objects.get()
        self.assertEqual((waiting.next_attempt_at, waiting.attempts), (self.MORNING, 1))
        self.assertIn("SMTP", waiting.problem)  # monitoring still warns of it
        self.assertEqual(self.addresses(self.MORNING), ["anna@example.com"])

    def test_a_retry_waits_past_midnight_in_the_person_s_zone(self) -> None:
        self.choose(timezone="Asia/Tokyo", quiet_from=22, quiet_until=7)  # it's 21:00 there
        self.cross()
        self.refuse()
        late = utc("2026-11-28T16:00")  # and 01:00 at the retry
        self.assertEqual(self.send(late), [])
        self.assertEqual(AlertEmail.objects.get().next_attempt_at, utc("2026-11-28T22:00"))

    def test_an_urgent_alert_does_not_wait_at_a_retry_nor_what_is_sent_with_it(self) -> None:
        AlertRule.objects.update(group=Group.objects.get(name="Brand managers"))
        self.choose(quiet_until=11)
        self.cross("100")
        self.refuse()
        self.choose(quiet_until=13)
        self.assertEqual(AlertMessage.objects.filter(email=AlertEmail.objects.get()).count(), 2)
        Alert.objects.filter(threshold=100).update(kind=DRIFT)
        self.assertEqual(self.addresses(NOW + RETRIES[0]), ["anna@example.com"])

    def test_a_retry_of_a_digest_or_reminder_waits_unless_its_own_hour_is_quiet(self) -> None:
        morning, noon = utc("2026-11-29T10:00"), utc("2026-11-29T11:30")
        for kind in ({"frequency": "daily"}, {"reminders": True}):
            for hour, sent in ((10, []), (12, ["anna@example.com"])):
                with self.subTest(kind=kind, hour=hour), transaction.atomic():
                    self.choose(digest_hour=10, **kind)
                    self.cross()
                    self.refuse(morning)
                    self.choose(digest_hour=hour)
                    self.assertEqual(self.addresses(noon), sent)
                    transaction.set_rollback(True)

    def test_who_has_chosen_a_digest_meanwhile_gets_it_there(self) -> None:
        self.cross()
        self.assertEqual(self.send(), [])
        self.choose(frequency="daily")
        self.assertEqual(self.send(self.MORNING), [])
        ((_, subject),) = self.send(utc("2026-11-29T08:00"))
        self.assertEqual(subject, "1 alert in the last 24 hours, 1 open")

    def test_what_was_acknowledged_or_snoozed_meanwhile_is_not_sent(self) -> None:
        self.cross()
        self.assertEqual(self.send(), [])
        snooze([Alert.objects.get().pk], "later", person=self.root, now=NOW)
        self.assertEqual(self.send(self.MORNING), [])

    def test_what_was_acknowledged_before_a_retry_is_not_sent(self) -> None:
        self.choose(quiet_until=11)
        self.cross()
        self.refuse()
        acknowledge([Alert.objects.get().pk], "", person=self.root, now=NOW)
        self.assertEqual(self.send(NOW + RETRIES[0]), [])

    def test_a_reminder_is_looked_at_again_at_a_retry(self) -> None:
        self.choose(quiet_until=11, digest_hour=8, reminders=True)
        self.cross()
        self.assertEqual(len(self.send()), 1)
        morning = utc("2026-11-29T08:00")
        self.refuse(morning)
        reminder = AlertEmail.objects.get(reminder_day__isnull=False)
        acknowledge([Alert.objects.get().pk], "", person=self.root, now=morning)
        self.assertEqual(self.send(morning + RETRIES[0]), [])
        reminder.refresh_from_db()
        self.assertEqual(reminder.state, "failed")

    def test_a_reminder_goes_to_nobody_who_has_lost_the_brand_before_a_retry(self) -> None:
        self.choose(quiet_until=11, digest_hour=8, reminders=True)
        self.cross()
        self.assertEqual(len(self.send()), 1)
        morning = utc("2026-11-29T08:00")
        self.refuse(morning)
        self.move()
        self.assertEqual(self.send(morning + RETRIES[0]), [])
