"""What administrators do with endpoints: replace a secret, send a test, delete one with its deliveries."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from campaigns.models import Delivery, DeliveryAttempt, Endpoint, OutboxMessage
from campaigns.models.outgoing.webhooks import Event
from campaigns.services.webhooks.outbox import write
from campaigns.services.webhooks.signatures import new_secret

# How long the former secret signs too.
ROTATION = timedelta(hours=24)
CHUNK = 1_000


@transaction.atomic
def replace_secret(pk: int, *, now: datetime) -> str:
    """Give the endpoint a new secret and return it; the former one signs too for a day."""
    endpoint = Endpoint.objects.select_for_update(no_key=True).get(pk=pk)
    endpoint.former_secret, endpoint.former_secret_until = endpoint.secret, now + ROTATION
    endpoint.secret = new_secret()
    endpoint.save(update_fields=["secret", "former_secret", "former_secret_until"])
    return endpoint.secret


def write_test(endpoint: Endpoint, *, now: datetime) -> Delivery:
    """Write a test message to the endpoint, whatever events it wants."""
    message = write(Event.TEST, {"endpoint": endpoint.name}, now=now, endpoints=[endpoint])
    return Delivery.objects.get(message=message)


@transaction.atomic
def delete_endpoints(pks: Collection[int]) -> None:
    """Delete endpoints, their deliveries, and the messages that nobody else gets."""
    deliveries = Delivery.objects.filter(endpoint__in=pks)
    messages = list(deliveries.values_list("message_id", flat=True))
    DeliveryAttempt.objects.filter(delivery__in=deliveries).delete()
    deliveries.delete()
    for start in range(0, len(messages), CHUNK):
        alone = ~Exists(Delivery.objects.filter(message=OuterRef("pk")))
        OutboxMessage.objects.filter(alone, pk__in=messages[start : start + CHUNK]).delete()
    Endpoint.objects.filter(pk__in=pks).delete()
