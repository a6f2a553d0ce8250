"""Sending what is in the outbox: to real receivers, at the times and in the order that they need."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from threading import Thread
from unittest import mock

from django.db import connections
from django.test import override_settings
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from campaigns.models import Delivery, DeliveryAttempt, Endpoint, OutboxMessage
from campaigns.models.outgoing.webhooks import MAX_ATTEMPTS
from campaigns.services.webhooks import deliveries as service
from campaigns.services.webhooks.client import Answer
from campaigns.services.webhooks.deliveries import LEASE, RETRIES, claim, failing, note, prune, send_again
from campaigns.services.webhooks.sender import Sender, send_one
from campaigns.services.webhooks.signatures import new_secret
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.webhooks.receiving import (
    OWN_NETWORKS,
    Answering,
    hang,
    make_delivery,
    make_endpoint,
    raw,
    receiver,
    status,
)

State = Delivery.State
NO_LINGER = timedelta(0)


@override_settings(WEBHOOK_PRIVATE_NETWORKS=OWN_NETWORKS)
class DeliveryTestCase(CommittedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = timezone.now()

    def send(self) -> int:
        return Sender(timezone.now, linger=NO_LINGER).run()

    def reload(self, delivery: Delivery) -> Delivery:
        delivery.refresh_from_db()
        return delivery


class Sending(DeliveryTestCase):
    def test_a_delivery_arrives_signed_and_is_noted(self) -> None:
        with receiver(tls=False) as server:
            endpoint = make_endpoint(server.url)
            delivery = make_delivery(endpoint, now=self.now)
            self.assertEqual(self.send(), 1)
        (request,) = server.received
        payload = Webhook(endpoint.secret).verify(request.body, request.headers)
        timestamp = self.now.astimezone(UTC).isoformat().replace("+00:00", "Z")
        self.assertEqual(payload, {"type": "test", "timestamp": timestamp, "data": {"test": True}})
        self.assertEqual(request.headers["webhook-id"], delivery.message.message_id)
        self.assertEqual(request.headers["content-type"], "application/json")
        self.reload(delivery)
        self.assertEqual((delivery.state, delivery.status, delivery.attempts), (State.DELIVERED, 200, 1))
        (attempt,) = DeliveryAttempt.objects.all()
        self.assertEqual((attempt.number, attempt.status, attempt.problem), (1, 200, ""))

    def test_a_changed_body_id_or_time_has_no_valid_signature(self) -> None:
        with receiver() as server:
            endpoint = make_endpoint(server.url)
            make_delivery(endpoint, now=self.now)
            self.send()
        (request,) = server.received
        webhook, sent = Webhook(endpoint.secret), int(request.headers["webhook-timestamp"])
        for body, changed in (
            (request.body + b" ", {}),
            (request.body, {"webhook-id": "msg_other"}),
            (request.body, {"webhook-timestamp": str(sent + 1)}),
        ):
            with self.assertRaises(WebhookVerificationError):
                webhook.verify(body, request.headers | changed)
        with self.assertRaises(WebhookVerificationError):
            Webhook(new_secret()).verify(request.body, request.headers)

    def test_two_secrets_sign_while_one_is_replaced(self) -> None:
        former, until = new_secret(), self.now + timedelta(hours=1)
        with receiver() as server:
            endpoint = make_endpoint(server.url, former_secret=former, former_secret_until=until)
            make_delivery(endpoint, now=self.now)
            self.send()
            Endpoint.objects.update(former_secret_until=self.now - timedelta(seconds=1))
            make_delivery(endpoint, now=self.now)
            self.send()
        both, one = server.received
        for secret in (endpoint.secret, former):
            Webhook(secret).verify(both.body, both.headers)
        Webhook(endpoint.secret).verify(one.body, one.headers)
        with self.assertRaises(WebhookVerificationError):
            Webhook(former).verify(one.body, one.headers)
        prune(now=self.now)
        self.assertEqual(Endpoint.objects.get().former_secret, "")

    def test_an_endpoint_gets_one_request_at_a_time_in_order(self) -> None:
        def slow(handler: object) -> None:
            time.sleep(0.05)
            status(200)(handler)  # type: ignore[arg-type]

        with receiver(slow) as server:
            endpoint = make_endpoint(server.url)
            made = [make_delivery(endpoint, now=self.now + timedelta(milliseconds=n)) for n in range(5)]
            time.sleep(0.01)
            self.assertEqual(self.send(), 5)
        self.assertEqual(server.most_open, 1)
        sent = [request.headers["webhook-id"] for request in server.received]
        self.assertEqual(sent, [each.message.message_id for each in made])

    def test_a_receiver_that_hangs_delays_no_other(self) -> None:
        with receiver(hang) as dead, receiver() as alive:
            for _ in range(3):
                make_delivery(make_endpoint(dead.url), now=self.now)
            good = make_endpoint(alive.url)
            for _ in range(20):
                make_delivery(good, now=self.now)
            begun = time.monotonic()
            sender = Sender(timezone.now, linger=NO_LINGER)
            while len(alive.received) < 20:
                sender.start()
                sender.collect()
                self.assertLess(time.monotonic() - begun, 9)
            self.assertLess(time.monotonic() - begun, 5)
            self.assertEqual(len(dead.received), 3)

    def test_two_senders_send_each_delivery_once_and_one_at_a_time(self) -> None:
        def sender() -> None:
            try:
                Sender(timezone.now, linger=NO_LINGER).run()
            finally:
                connections.close_all()

        with receiver() as server:
            for endpoint in [make_endpoint(f"{server.url}/{number}") for number in range(3)]:
                for _ in range(10):
                    make_delivery(endpoint, now=self.now)
            threads = [Thread(target=sender) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
        self.assertEqual(len(server.received), 30)
        self.assertEqual(len({request.headers["webhook-id"] for request in server.received}), 30)
        self.assertLessEqual(server.most_open, 3)
        self.assertEqual(set(Delivery.objects.values_list("state", "attempts")), {(State.DELIVERED, 1)})

    def test_a_claim_in_a_traceback_shows_no_secret(self) -> None:
        endpoint = make_endpoint("https://example.com/services/T0/token")
        make_delivery(endpoint, now=self.now)
        (claimed,) = claim(now=self.now, most=1)
        self.assertIn("token", claimed.url)
        for hidden in (endpoint.secret, "token"):
            self.assertNotIn(hidden, f"{claimed!r} {endpoint!r}")

    def test_slack_and_teams_get_messages_for_people_without_a_signature(self) -> None:
        data = '{"title":"<!here> 80 % & more","text":"Alpine","link":"https://budget.example.com/1"}'
        with receiver() as server:
            for kind in ("slack", "teams"):
                delivery = make_delivery(make_endpoint(server.url, kind=kind), now=self.now)
                OutboxMessage.objects.filter(pk=delivery.message_id).update(data=data, event="alert.fired")
            self.send()
        slack, teams = sorted((request.data for request in server.received), key=lambda data: "type" in data)
        self.assertEqual(
            slack, {"text": "*&lt;!here&gt; 80 % &amp; more*\nAlpine\n<https://budget.example.com/1|Open>"}
        )
        (attachment,) = teams["attachments"]
        self.assertEqual(attachment["contentType"], "application/vnd.microsoft.card.adaptive")
        card = attachment["content"]
        self.assertEqual([block["text"] for block in card["body"]], ["<!here> 80 % & more", "Alpine"])
        self.assertEqual(card["actions"][0]["url"], "https://budget.example.com/1")
        self.assertTrue(all("webhook-signature" not in request.headers for request in server.received))

    def test_nothing_is_sent_to_an_endpoint_that_is_off(self) -> None:
        with receiver() as server:
            make_delivery(make_endpoint(server.url, enabled=False), now=self.now)
            self.assertEqual((self.send(), server.received), (0, []))

    def test_one_is_sent_at_once_for_a_person_who_waits(self) -> None:
        with receiver(204) as server:
            delivery = make_delivery(make_endpoint(server.url), now=self.now + timedelta(hours=1))
            answer = send_one(delivery.pk, clock=timezone.now)
        assert answer
        self.assertEqual((answer.status, self.reload(delivery).state), (204, State.DELIVERED))

    def test_whatever_a_receiver_does_the_delivery_waits_for_the_next_attempt_or_has_failed(self) -> None:
        """And what another endpoint gets meanwhile arrives. One that hangs is below."""
        behaviours: tuple[tuple[Answering, State, int | None], ...] = (
            (status(302, Location="https://example.com/"), State.WAITING, 302),
            (status(410), State.FAILED, 410),
            (status(429, Retry_After="7200"), State.WAITING, 429),
            (status(500), State.WAITING, 500),
            (raw(b"HTTP/1.1 500 Oh\r\n\r\n" + b"x" * 3_000_000), State.WAITING, 500),
            (raw(b"\x00\xff garbage\r\n\r\n"), State.WAITING, None),
        )
        servers = [self.enterContext(receiver(answering)) for answering, *_ in behaviours]
        good = self.enterContext(receiver())
        sent = [make_delivery(make_endpoint(server.url), now=self.now) for server in servers]
        arrived = make_delivery(make_endpoint(good.url), now=self.now)
        self.send()
        for delivery, (_, state, code) in zip(sent, behaviours, strict=True):
            with self.subTest(code):
                self.reload(delivery)
                problem = f"The receiver answered {code}." if code else "The answer isn't valid HTTP."
                self.assertEqual((delivery.state, delivery.status, delivery.problem), (state, code, problem))
                self.assertEqual(delivery.next_attempt_at is None, state == State.FAILED)
        self.assertEqual(self.reload(arrived).state, State.DELIVERED)


class Failing(DeliveryTestCase):
    """By a clock of the test's own, without waiting."""

    def answer(self, delivery: Delivery, answer: Answer, at: datetime) -> Delivery:
        (claimed,) = claim(now=at, most=9)
        self.assertEqual(claimed.delivery, delivery.pk)
        self.assertTrue(note(claimed, answer, now=at))
        return self.reload(delivery)

    def test_it_tries_again_after_longer_and_longer_times_and_gives_up(self) -> None:
        delivery, at = make_delivery(make_endpoint("https://example.com/"), now=self.now), self.now
        for number, wait in enumerate(RETRIES, start=1):
            self.answer(delivery, Answer(500), at)
            self.assertEqual((delivery.state, delivery.failures, delivery.status), (State.WAITING, number, 500))
            assert delivery.next_attempt_at
            waits = delivery.next_attempt_at - at
            self.assertTrue(wait <= waits <= wait * 1.1, waits)
            self.assertEqual(claim(now=delivery.next_attempt_at - timedelta(seconds=1), most=9), [])
            at = delivery.next_attempt_at
        self.answer(delivery, Answer(problem="No answer in time."), at)
        self.assertEqual((delivery.state, delivery.attempts), (State.FAILED, len(RETRIES) + 1))
        self.assertEqual(delivery.problem, "No answer in time.")
        total = timedelta(days=3, hours=3)
        self.assertTrue(total < at - self.now < total * 1.12, at - self.now)

    def test_gone_for_good_ends_it_at_once(self) -> None:
        delivery = make_delivery(make_endpoint("https://example.com/"), now=self.now)
        self.answer(delivery, Answer(410), self.now)
        self.assertEqual((delivery.state, delivery.problem), (State.FAILED, "The receiver answered 410."))

    def test_retry_after_holds_back_the_whole_endpoint(self) -> None:
        endpoint = make_endpoint("https://example.com/")
        delivery = make_delivery(endpoint, now=self.now)
        make_delivery(endpoint, now=self.now)
        wait = timedelta(minutes=10)
        self.answer(delivery, Answer(429, retry_after=wait), self.now)
        self.assertEqual(delivery.next_attempt_at, self.now + wait)
        self.assertEqual(claim(now=self.now + wait - timedelta(seconds=1), most=9), [])
        self.assertEqual(len(claim(now=self.now + wait, most=9)), 1)

    def test_a_short_retry_after_shortens_nothing(self) -> None:
        delivery = make_delivery(make_endpoint("https://example.com/"), now=self.now)
        self.answer(delivery, Answer(503, retry_after=timedelta(0)), self.now)
        assert delivery.next_attempt_at
        self.assertGreaterEqual(delivery.next_attempt_at - self.now, RETRIES[0])

    def test_a_lasting_failure_is_noted_until_something_arrives(self) -> None:
        endpoint = make_endpoint("https://example.com/")
        delivery = make_delivery(endpoint, now=self.now)
        self.answer(delivery, Answer(500), self.now)
        later = self.now + timedelta(minutes=40)
        self.answer(delivery, Answer(500), later)
        self.assertEqual(Endpoint.objects.get().failing_since, self.now)
        self.assertEqual(list(failing(now=self.now + timedelta(minutes=29))), [])
        self.assertEqual(list(failing(now=later)), [endpoint])
        self.answer(delivery, Answer(200), later + timedelta(hours=1))
        self.assertEqual((delivery.state, list(failing(now=later + timedelta(days=1)))), (State.DELIVERED, []))

    def test_a_person_sends_it_again_with_all_retries_before_it(self) -> None:
        delivery = make_delivery(make_endpoint("https://example.com/"), now=self.now)
        self.answer(delivery, Answer(410), self.now)
        self.assertTrue(send_again(delivery.pk, now=self.now))
        self.answer(delivery, Answer(500), self.now)
        self.assertEqual((delivery.state, delivery.failures, delivery.attempts), (State.WAITING, 1, 2))
        Delivery.objects.update(attempts=MAX_ATTEMPTS)
        self.assertFalse(send_again(delivery.pk, now=self.now))

    def test_a_lost_sender_is_replaced_after_its_lease_and_its_late_answer_ignored(self) -> None:
        delivery = make_delivery(make_endpoint("https://example.com/"), now=self.now)
        (lost,) = claim(now=self.now, most=9)
        self.assertEqual(claim(now=self.now + LEASE - timedelta(seconds=1), most=9), [])
        (second,) = claim(now=self.now + LEASE, most=9)
        self.assertEqual((second.message_id, second.attempt), (lost.message_id, 2))
        self.assertFalse(note(lost, Answer(500), now=self.now))
        self.assertTrue(note(second, Answer(200), now=self.now + LEASE))
        self.assertEqual(self.reload(delivery).state, State.DELIVERED)

    def test_delivered_ones_go_after_thirty_days_with_their_messages(self) -> None:
        endpoint = make_endpoint("https://example.com/")
        old, young = make_delivery(endpoint, now=self.now), make_delivery(endpoint, now=self.now)
        waiting = make_delivery(endpoint, now=self.now + timedelta(days=99))
        self.answer(old, Answer(200), self.now)
        self.answer(young, Answer(200), self.now + timedelta(seconds=1))
        with mock.patch.object(service, "PRUNE_AT_ONCE", 1):
            self.assertEqual(prune(now=self.now + timedelta(days=30)), 1)
            self.assertEqual(prune(now=self.now + timedelta(days=30)), 0)
        self.assertEqual(set(Delivery.objects.all()), {young, waiting})
        self.assertEqual(OutboxMessage.objects.count(), 2)
        self.assertEqual([attempt.delivery_id for attempt in DeliveryAttempt.objects.all()], [young.pk])
