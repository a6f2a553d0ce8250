"""The pages of endpoints and deliveries: what administrators enter, see and send; and that secrets are shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.forms.models import model_to_dict
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone
from standardwebhooks import Webhook

from campaigns.admin.outgoing.endpoint_form import EndpointForm
from campaigns.admin.outgoing.endpoints import EndpointAdmin
from campaigns.models import Delivery, DeliveryAttempt, Endpoint, EndpointBrand, OutboxMessage
from campaigns.models.outgoing.webhooks import MAX_ENDPOINTS
from campaigns.services.webhooks.endpoints import replace_secret
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_brand
from campaigns.tests.support.pages import page
from campaigns.tests.webhooks.receiving import OWN_NETWORKS, make_delivery, make_endpoint, receiver

ADD = page(Endpoint, "add")
LIST_QUERIES = 10


@override_settings(WEBHOOK_PRIVATE_NETWORKS=OWN_NETWORKS)
class Endpoints(AdminTestCase):
    def enter(self, **fields: Any) -> Any:
        defaults = {"name": "Bids", "kind": "generic", "url": "https://example.com/", "enabled": "on"}
        return self.client.post(ADD, {**defaults, "status_changed": "on", **fields})

    def post(self, name: str, endpoint: Endpoint) -> Any:
        return self.client.post(reverse(f"admin:campaigns_endpoint_{name}", args=[endpoint.pk]))

    def test_a_new_endpoint_shows_its_secret_once(self) -> None:
        brand = make_brand()
        answer = self.enter(brands=[brand.pk])
        endpoint = Endpoint.objects.get()
        self.assertRegex(endpoint.secret, r"^whsec_[A-Za-z0-9+/]{43}=$")
        self.assertContains(answer, endpoint.secret)
        self.assertIn("no-store", answer["Cache-Control"])
        self.assertEqual([row.brand for row in EndpointBrand.objects.all()], [brand])
        pages = [page(Endpoint, name, endpoint.pk) for name in ("change", "history", "delete")]
        for address in (*pages, page(Endpoint, "changelist"), reverse("admin:index")):
            self.assertNotContains(self.client.get(address), endpoint.secret[6:20])

    def test_it_says_what_is_wrong(self) -> None:
        make_endpoint("https://example.com/", name="Taken")
        for fields, sentence in (
            ({"url": "https://10.0.0.1/"}, "The host has a private, local or reserved address."),
            ({"url": "ftp://example.com/"}, "Enter a URL that starts with https://."),
            ({"status_changed": ""}, "Choose at least one event."),
            ({"name": "Taken"}, "Another endpoint has this name. Choose a different one."),
        ):
            with self.subTest(sentence):
                self.assertContains(self.enter(**fields), sentence)
        for _ in range(MAX_ENDPOINTS - 1):
            make_endpoint("https://example.com/")
        self.assertContains(self.enter(), "There are 50 endpoints already.")
        self.assertEqual(Endpoint.objects.count(), MAX_ENDPOINTS)

    def test_a_replaced_secret_is_shown_once_and_both_sign(self) -> None:
        with receiver() as server:
            endpoint = make_endpoint(server.url)
            self.assertEqual(self.post("secret", endpoint).status_code, 200)
            former = endpoint.secret
            endpoint.refresh_from_db()
            self.post("test", endpoint)
        (request,) = server.received
        for secret in (former, endpoint.secret):
            Webhook(secret).verify(request.body, request.headers)
        self.assertContains(self.client.get(page(Endpoint, "change", endpoint.pk)), "The former secret signs until")
        (entry,) = LogEntry.objects.all()
        self.assertNotIn("whsec_", f"{entry.change_message}{entry.object_repr}")

    def test_a_form_that_was_open_meanwhile_keeps_a_new_secret(self) -> None:
        endpoint = make_endpoint("https://example.com/", failing_since=timezone.now())
        stale = Endpoint.objects.get()
        secret = replace_secret(endpoint.pk, now=timezone.now())
        form = EndpointForm({**model_to_dict(stale), "name": "Renamed", "enabled": ""}, instance=stale)
        self.assertTrue(form.is_valid(), form.errors)
        EndpointAdmin(Endpoint, admin.site).save_model(None, form.save(commit=False), form, True)  # type: ignore[arg-type]
        endpoint.refresh_from_db()
        self.assertEqual((endpoint.name, endpoint.enabled, endpoint.secret), ("Renamed", False, secret))
        self.assertIsNone(endpoint.failing_since)

    def test_a_test_shows_the_answer(self) -> None:
        for code, shown in ((200, "The receiver answered 200 after"), (500, "The receiver answered 500 after")):
            with receiver(code) as server:
                answer = self.post("test", make_endpoint(server.url))
            delivery = Delivery.objects.latest("pk")
            self.assertRedirects(answer, page(Delivery, "change", delivery.pk), fetch_redirect_response=False)
            self.assertContains(self.client.get(answer["Location"]), shown)
            self.assertEqual(server.received[0].data["type"], "test")

    def test_an_endpoint_that_is_busy_gets_its_test_later(self) -> None:
        endpoint = make_endpoint("https://example.com/")
        now = timezone.now()
        make_delivery(endpoint, now=now, state="sending", lease_until=now + timedelta(minutes=1))
        shown = self.client.get(self.post("test", endpoint)["Location"])
        self.assertContains(shown, "The test follows in a moment.")

    def test_the_page_of_an_endpoint_lists_its_latest_deliveries(self) -> None:
        endpoint = make_endpoint("https://example.com/services/T0/secret")
        address = page(Endpoint, "change", endpoint.pk)
        self.assertContains(self.client.get(address), "Nothing has been sent yet.")
        make_delivery(endpoint, now=timezone.now(), problem="No answer in time.")
        self.assertContains(self.client.get(address), "No answer in time.")
        shown = self.client.get(page(Endpoint, "changelist"))
        self.assertContains(shown, "example.com")
        self.assertNotContains(shown, "T0/secret")

    def test_a_deleted_endpoint_takes_its_deliveries_with_it(self) -> None:
        one, other = make_endpoint("https://example.com/"), make_endpoint("https://example.com/")
        shared = make_delivery(one, now=timezone.now())
        Delivery.objects.create(
            message=shared.message, endpoint=other, created_at=timezone.now(), next_attempt_at=timezone.now()
        )
        DeliveryAttempt.objects.create(delivery=shared, number=1, at=timezone.now(), milliseconds=1, status=500)
        make_delivery(one, now=timezone.now())
        address = page(Endpoint, "delete", one.pk)
        self.assertContains(self.client.get(address), "eliveries: 2")
        self.client.post(address, {"post": "yes"})
        self.assertEqual(list(Endpoint.objects.all()), [other])
        self.assertEqual(list(OutboxMessage.objects.all()), [shared.message])

    def test_only_superusers_get_there(self) -> None:
        endpoint = make_endpoint("https://example.com/")
        delivery = make_delivery(endpoint, now=timezone.now())
        person = User.objects.create(username="somebody", is_staff=True)
        person.user_permissions.set(Permission.objects.exclude(codename="only_assigned_brands"))
        self.client.force_login(person)
        for name in ("test", "secret"):
            self.assertEqual(self.post(name, endpoint).status_code, 403)
        again = reverse("admin:campaigns_delivery_again", args=[delivery.pk])
        self.assertEqual(self.client.post(again).status_code, 403)
        self.assertEqual(Delivery.objects.count(), 1)


@override_settings(WEBHOOK_PRIVATE_NETWORKS=OWN_NETWORKS)
class Deliveries(AdminTestCase):
    def test_a_delivery_is_sent_again_with_the_same_id(self) -> None:
        with receiver(410) as server:
            delivery = make_delivery(make_endpoint(server.url), now=timezone.now())
            again = reverse("admin:campaigns_delivery_again", args=[delivery.pk])
            self.client.post(again)
            shown = self.client.get(self.client.post(again)["Location"])
        self.assertContains(shown, "The receiver answered 410 after")
        self.assertContains(shown, delivery.message.message_id)
        first, second = server.received
        self.assertEqual(first.headers["webhook-id"], second.headers["webhook-id"])
        self.assertEqual(DeliveryAttempt.objects.filter(delivery=delivery, status=410).count(), 2)
        self.assertEqual(self.client.get(again).status_code, 403)

    def test_empty_lists_say_where_rows_come_from(self) -> None:
        self.assertContains(self.client.get(page(Endpoint, "changelist")), "Add the address of a program")
        self.assertContains(self.client.get(page(Delivery, "changelist")), "once an endpoint is added")

    def test_the_list_takes_as_many_queries_for_many_as_for_one(self) -> None:
        endpoint = make_endpoint("https://example.com/")
        counts = []
        for number in (1, 30):
            for _ in range(number):
                make_delivery(endpoint, now=timezone.now())
            with self.subTest(number), self.assertNumQueries(LIST_QUERIES):
                counts.append(self.client.get(page(Delivery, "changelist")).status_code)
        self.assertEqual(counts, [200, 200])
