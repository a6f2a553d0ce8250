"""The database itself guards endpoints, the outbox and deliveries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone

from campaigns.models import Delivery, DeliveryAttempt, Endpoint, EndpointBrand, OutboxMessage
from campaigns.models.outgoing.webhooks import MAX_ATTEMPTS, MAX_DATA
from campaigns.tests.support.factories import make_brand
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase
from campaigns.tests.webhooks.receiving import make_endpoint


class OutgoingGuards(OutsideTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = timezone.now()
        self.endpoint = make_endpoint("https://example.com/")
        self.message = OutboxMessage.objects.create(event="test", data="{}", created_at=self.now)

    def assert_update_refused(self, rule: str, row: Model, **fields: Any) -> None:
        """Assert that an update without validation is refused, and by which constraint or columns."""
        with self.assertRaisesRegex(IntegrityError, rule), transaction.atomic():
            type(row)._base_manager.filter(pk=row.pk).update(**fields)

    def delivery(self, **fields: Any) -> Delivery:
        defaults = {"message": self.message, "created_at": self.now, "next_attempt_at": self.now}
        return Delivery.objects.create(**defaults | ({} if "user" in fields else {"endpoint": self.endpoint}) | fields)

    def message_of(self, **fields: Any) -> OutboxMessage:
        return OutboxMessage.objects.create(**{"event": "test", "data": "{}", "created_at": self.now} | fields)

    def test_an_endpoint_has_a_known_kind_a_url_and_a_secret(self) -> None:
        self.assert_update_refused("endpoint_kind_known", self.endpoint, kind="pager")
        for url in ("", "ftp://example.com/", "javascript:alert(1)", " https://example.com/"):
            self.assert_update_refused("endpoint_url_is_http_or_https", self.endpoint, url=url)
        self.assert_update_refused("endpoint_has_a_secret", self.endpoint, secret="")

    def test_endpoints_have_different_names(self) -> None:
        with self.assertRaises(IntegrityError), transaction.atomic():
            make_endpoint("https://example.com/", name=self.endpoint.name)

    def test_messages_have_different_numbers(self) -> None:
        with self.assertRaises(IntegrityError), transaction.atomic():
            self.message_of(number=self.message.number)

    def test_a_former_secret_has_an_end(self) -> None:
        rule = "endpoint_former_secret_has_an_end"
        self.assert_update_refused(rule, self.endpoint, former_secret="whsec_b")
        self.assert_update_refused(rule, self.endpoint, former_secret_until=self.now)
        Endpoint.objects.update(former_secret="whsec_b", former_secret_until=self.now)

    def test_an_endpoint_has_a_brand_once(self) -> None:
        brand = make_brand()
        EndpointBrand.objects.create(endpoint=self.endpoint, brand=brand)
        with self.assertRaises(IntegrityError), transaction.atomic():
            EndpointBrand.objects.create(endpoint=self.endpoint, brand=brand)

    def test_a_message_has_a_known_event_and_a_bounded_object_as_data(self) -> None:
        self.assert_update_refused("outbox_message_event_known", self.message, event="brand.deleted")
        for data in ("", "{", "[]", '"{}"', "{" + "x" * MAX_DATA):
            self.assert_update_refused("outbox_message_data_in_range", self.message, data=data)
        OutboxMessage.objects.update(data="{" + "x" * (MAX_DATA - 1))

    def test_a_message_goes_to_each_receiver_once(self) -> None:
        user = User.objects.create(username="amara")
        self.delivery()
        self.delivery(user=user)
        for again in ({"endpoint": self.endpoint}, {"user": user}):
            with self.assertRaises(IntegrityError), transaction.atomic():
                self.delivery(**again)

    def test_a_delivery_goes_to_an_endpoint_or_to_a_user(self) -> None:
        delivery = self.delivery()
        rule = "delivery_to_an_endpoint_or_a_user"
        self.assert_update_refused(rule, delivery, endpoint=None)
        self.assert_update_refused(rule, delivery, user=User.objects.create(username="amara"))

    def test_an_endpoint_has_one_request_at_a_time(self) -> None:
        sending = {"state": "sending", "lease_until": self.now}
        self.delivery(**sending)
        with self.assertRaises(IntegrityError), transaction.atomic():
            self.delivery(message=self.message_of(), **sending)
        self.delivery(message=self.message_of())

    def test_a_state_comes_with_its_times(self) -> None:
        delivery, later = self.delivery(), self.now + timedelta(minutes=1)
        rule = "delivery_state_with_its_times"
        self.assert_update_refused(rule, delivery, state="lost")
        self.assert_update_refused(rule, delivery, next_attempt_at=None)
        self.assert_update_refused(rule, delivery, lease_until=later)
        self.assert_update_refused(rule, delivery, ended_at=later)
        self.assert_update_refused(rule, delivery, state="sending")
        self.assert_update_refused(rule, delivery, state="sending", lease_until=later, next_attempt_at=None)
        self.assert_update_refused(rule, delivery, state="sending", lease_until=later, ended_at=later)
        for state in ("delivered", "failed", "cancelled"):
            ended = {"state": state, "ended_at": later, "next_attempt_at": None}
            self.assert_update_refused(rule, delivery, **ended | {"ended_at": None})
            self.assert_update_refused(rule, delivery, **ended | {"next_attempt_at": later})
            self.assert_update_refused(rule, delivery, **ended | {"lease_until": later})
            Delivery.objects.update(**ended)

    def test_attempts_are_bounded_and_numbered(self) -> None:
        delivery = self.delivery(attempts=MAX_ATTEMPTS)
        self.assert_update_refused("delivery_attempts_in_range", delivery, attempts=MAX_ATTEMPTS + 1)
        first = {"delivery": delivery, "number": 1, "at": self.now, "milliseconds": 1}
        attempt = DeliveryAttempt.objects.create(**first, status=200)
        with self.assertRaises(IntegrityError), transaction.atomic():
            DeliveryAttempt.objects.create(**first, status=200)
        self.assert_update_refused("delivery_attempt_has_a_status_or_a_problem", attempt, status=None)

    if POSTGRESQL:

        def test_no_row_refers_to_one_that_is_gone(self) -> None:
            user, brand = User.objects.create(username="amara"), make_brand()
            EndpointBrand.objects.create(endpoint=self.endpoint, brand=brand)
            message = self.message_of(brand=make_brand())
            delivery = self.delivery(message=message)
            self.delivery(user=user)
            DeliveryAttempt.objects.create(delivery=delivery, number=1, at=self.now, milliseconds=1, status=200)
            other = make_endpoint("https://example.com/other")
            EndpointBrand.objects.create(endpoint=other, brand=brand)
            alone = make_endpoint("https://example.com/alone")
            self.delivery(endpoint=alone, message=message)
            for table, pk in (
                ("campaigns_brand", brand.pk),
                ("campaigns_brand", message.brand_id),
                ("campaigns_endpoint", other.pk),
                ("campaigns_endpoint", alone.pk),
                ("campaigns_outboxmessage", self.message.pk),
                ("auth_user", user.pk),
                ("campaigns_delivery", delivery.pk),
            ):
                with self.subTest(table):
                    self.assert_refused("foreign key", f"DELETE FROM {table} WHERE id = %s", pk)
