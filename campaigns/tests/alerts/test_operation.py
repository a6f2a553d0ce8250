"""Alerts about pauses that aren't applied and deliveries that fail: at once, to operators."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import Group, User
from django.test import TestCase
from django.utils import timezone

from budget_manager.watch.look import _of_jobs
from campaigns.models import Alert, AlertEmail, BrandAssignment, Delivery, Endpoint
from campaigns.models.outgoing.webhooks import Event
from campaigns.services.alerts.evaluate import evaluate
from campaigns.services.alerts.messages import route
from campaigns.services.webhooks.outbox import write
from campaigns.services.webhooks.overdue import failing_emails_warning, overdue
from campaigns.tests.alerts.test_messages import person
from campaigns.tests.feed.test_drift import MINUTE, SECOND, DriftTestCase
from campaigns.tests.webhooks.receiving import make_endpoint


def open_kinds() -> list[str]:
    return list(Alert.objects.filter(resolved_at__isnull=True).values_list("kind", flat=True))


class DriftAlertTests(DriftTestCase):
    def setUp(self) -> None:
        super().setUp()
        User.objects.create_superuser("root", "root@example.com", "x")
        self.changed_at = timezone.now()
        self.ack(self.start, paused=False, after=SECOND)
        self.change = self.switch(on=False)

    def look(self, after: timedelta) -> list[str]:
        evaluate(None, now=self.changed_at + after)
        return open_kinds()

    def test_a_pause_that_is_not_applied_fires_once_and_resolves(self) -> None:
        self.assertEqual(self.look(4 * MINUTE), [])
        self.assertEqual(self.look(6 * MINUTE), ["drift"])
        self.look(7 * MINUTE)
        alert = Alert.objects.get()
        name, brand = self.campaign.name, self.campaign.brand.name
        since = f"{self.changed_at:%Y-%m-%d %H:%M} UTC"
        self.assertEqual(
            alert.headline,
            f"{name} ({brand}) is paused here since {since}, but the pause hasn't been applied on Google Ads account"
            f" {self.link.account}",
        )
        self.assertEqual((alert.campaign_id, alert.is_bad), (self.campaign.pk, True))
        self.ack(self.change, paused=True, after=8 * MINUTE)
        self.assertEqual(self.look(9 * MINUTE), [])

    def test_operators_are_told_and_not_the_people_of_the_brand(self) -> None:
        anna, oscar = person("anna", "Brand managers"), person("oscar", "Operators")
        BrandAssignment.objects.create(user=anna, brand=self.campaign.brand)
        self.look(6 * MINUTE)
        alert = Alert.objects.get()
        self.assertEqual(alert.rule.group, Group.objects.get(name="Operators"))
        route(clock=lambda: self.changed_at + 6 * MINUTE)
        self.assertEqual(list(alert.messages.values_list("person", flat=True)), [oscar.pk])


class DeliveryAlertTests(DriftTestCase):
    def test_a_receiver_that_nothing_reaches_fires_once_and_resolves(self) -> None:
        now = timezone.now()
        make_endpoint("https://example.com/hook", name="Warehouse", failing_since=now - timedelta(minutes=29))
        evaluate(None, now=now)
        self.assertEqual(open_kinds(), [])
        for minutes in (1, 6):
            evaluate(None, now=now + timedelta(minutes=minutes))
        alert = Alert.objects.get()
        since = now - timedelta(minutes=29)
        self.assertEqual(alert.headline, f"Nothing has reached the webhook Warehouse since {since:%Y-%m-%d %H:%M} UTC")
        Endpoint.objects.update(failing_since=None)
        evaluate(None, now=now + timedelta(minutes=11))
        self.assertEqual(open_kinds(), [])

    def test_a_later_failure_is_a_new_alert(self) -> None:
        now = timezone.now()
        make_endpoint("https://example.com/hook", failing_since=now - timedelta(hours=1))
        evaluate(None, now=now)
        Endpoint.objects.update(failing_since=now)
        evaluate(None, now=now + timedelta(hours=1))
        self.assertEqual(Alert.objects.count(), 2)


class WithoutAWorkerTests(TestCase):
    """No worker serves the queue of deliveries: nothing has failed, and nothing leaves."""

    def setUp(self) -> None:
        self.now = timezone.now().replace(microsecond=0)
        self.endpoint = make_endpoint("https://example.com/hook")
        write(Event.ALERT_FIRED, {"title": "x"}, now=self.now, endpoints=[self.endpoint])

    def problems(self, minutes: int) -> list[str]:
        now = self.now + timedelta(minutes=minutes)
        evaluate(None, now=now)
        leaving = overdue(now=now)
        found = [each for each in (leaving.delivery_problem, leaving.email_problem) if each]
        alerts = Alert.objects.filter(kind="deliveries", resolved_at__isnull=True)
        self.assertEqual(sorted(alerts.values_list("headline", flat=True)), sorted(found))
        return found

    def test_waiting_deliveries_are_a_problem_after_ten_minutes(self) -> None:
        self.assertEqual(self.problems(9), [])
        (problem,) = self.problems(11)
        since = f"{self.now:%Y-%m-%d %H:%M} UTC"
        self.assertIn(f"Deliveries to webhooks have waited since {since}, and nothing sends them", problem)
        Endpoint.objects.update(enabled=False)
        self.assertEqual(self.problems(12), [])

    def test_a_receiver_that_fails_is_another_alert(self) -> None:
        Endpoint.objects.update(failing_since=self.now)
        self.assertEqual(self.problems(11), [])

    def test_waiting_e_mails_are_a_problem(self) -> None:
        Delivery.objects.all().delete()
        root = User.objects.create_superuser("root", "root@example.com", "x")
        AlertEmail.objects.create(
            person=root, message_id="1", subject="x", text="x", html="x", next_attempt_at=self.now
        )
        self.assertEqual(self.problems(9), [])
        (problem,) = self.problems(11)
        self.assertIn("E-mails about alerts have waited since", problem)

    def test_e_mails_behind_one_that_is_tried_are_in_time(self) -> None:
        """A mail server that doesn't answer takes ten seconds of each."""
        Delivery.objects.all().delete()
        root = User.objects.create_superuser("root", "root@example.com", "x")
        fields = {"person": root, "subject": "x", "text": "x", "html": "x"}
        AlertEmail.objects.create(message_id="1", next_attempt_at=self.now, **fields)
        tried_until = self.now + timedelta(minutes=13)
        AlertEmail.objects.create(message_id="2", next_attempt_at=tried_until, attempts=1, **fields)
        self.assertEqual(self.problems(11), [])
        # The worker ended while it sent that one.
        self.assertEqual(len(self.problems(24)), 1)

    def test_e_mails_that_the_mail_server_refuses_are_a_warning(self) -> None:
        root = User.objects.create_superuser("root", "root@example.com", "x")
        email = AlertEmail.objects.create(
            person=root, message_id="1", text="x", html="x", written_at=self.now, problem="refused"
        )
        later = self.now + timedelta(minutes=31)
        self.assertEqual(failing_emails_warning(now=self.now + timedelta(minutes=29)), "")
        self.assertIn("E-mails about alerts can’t be sent, 1 so far", failing_emails_warning(now=later))
        AlertEmail.objects.filter(pk=email.pk).update(problem=AlertEmail.SENDING)
        self.assertEqual(failing_emails_warning(now=later), "")
        AlertEmail.objects.filter(pk=email.pk).update(problem="", state=AlertEmail.State.SENT, sent_at=later)
        self.assertEqual(failing_emails_warning(now=later), "")

    def test_watch_has_a_key_for_each(self) -> None:
        sentence = "Deliveries wait."
        body = {"problems": [sentence], "jobs": {}, "deliveries": {"status": sentence}}
        self.assertEqual(list(_of_jobs(body)), [("deliveries", sentence)])
