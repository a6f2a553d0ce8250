"""Sending e-mails about alerts: a mail server that is slow or silent, and what has changed since they were written."""

from __future__ import annotations

import socket
from datetime import timedelta

from django.test import TestCase, override_settings

from campaigns.models import Alert, AlertEmail, AlertMessage, Brand
from campaigns.services.alerts.outgoing import send_alerts
from campaigns.services.alerts.sending import BUSY, LEASE, RETRIES, SENDING, send_waiting
from campaigns.tests.alerts.test_messages import NOW, Alerting, at, person
from campaigns.tests.people.mail_server import MailServer


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
        busy = self.add("<busy@example.com>", problem=SENDING, attempts=1, next_attempt_at=NOW + LEASE)
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

    def fail(self) -> None:
        with MailServer(refuses=True), self.assertLogs("campaigns.services.alerts.sending", "WARNING"):
            send_alerts(clock=at())

    def retry(self) -> list[tuple[str, str]]:
        return self.send(NOW + RETRIES[0])

    def test_what_has_resolved_is_not_sent_at_a_retry(self) -> None:
        self.cross()
        self.fail()
        self.cross("-20")
        self.assertEqual(self.retry(), [])
        self.assertEqual(AlertEmail.objects.get().state, "failed")
        self.cross("20")
        self.assertEqual(self.send(NOW + RETRIES[1]), [])

    def test_the_threshold_that_still_holds_is_sent_at_a_retry(self) -> None:
        self.cross("100")
        self.fail()
        message_id = AlertEmail.objects.get().message_id
        self.cross("-10")
        self.assertEqual([subject for _, subject in self.retry()], [Alert.objects.get(threshold=80).headline])
        self.assertEqual(AlertEmail.objects.get().message_id, message_id)
        told = AlertMessage.objects.exclude(email=None).values_list("alert__threshold", flat=True)
        self.assertEqual(list(told), [80])
