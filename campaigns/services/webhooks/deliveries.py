"""Claiming due deliveries, and noting their answers: short transactions, none of which is open while a request runs.

A claim is a lease: a sender that dies lets it run out, and another one sends the message again with the same id. An
endpoint has one delivery in flight, which the database guarantees (delivery_one_request_at_a_time).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from campaigns.models import Delivery, DeliveryAttempt, Endpoint, OutboxMessage
from campaigns.models.outgoing.webhooks import MAX_ATTEMPTS
from campaigns.services.webhooks.bodies import body_of
from campaigns.services.webhooks.client import Answer

State = Delivery.State
RowT = TypeVar("RowT", Endpoint, Delivery)

# Longer than a request takes, with the time to note its answer.
LEASE = timedelta(seconds=40)
RETRIES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
# Retries come up to a tenth later, so that receivers that were down aren't asked by everybody at once.
JITTER = 0.1
# After a failure, other deliveries of the endpoint wait too.
PAUSE_AFTER_FAILURE = timedelta(seconds=5)
GONE = 410
KEEP = timedelta(days=30)
PRUNE_AT_ONCE = 1_000


@dataclass(frozen=True)
class Claim:
    """A delivery that this sender may send until its lease ends, with all that it needs."""

    delivery: int
    endpoint: int
    lease_until: datetime
    attempt: int
    kind: str
    message_id: str
    # Not in tracebacks and error reports: they let anybody write to the receiver.
    url: str = field(repr=False)
    keys: tuple[str, ...] = field(repr=False)
    body: bytes = field(repr=False)


def is_anything_due(now: datetime) -> bool:
    """Return whether a delivery could be claimed, or its sender was lost: two lookups in indexes."""
    ready = Q(endpoint__not_before__isnull=True) | Q(endpoint__not_before__lte=now)
    waiting = Delivery.objects.filter(ready, state=State.WAITING, next_attempt_at__lte=now, endpoint__enabled=True)
    return waiting.exists() or Delivery.objects.filter(state=State.SENDING, lease_until__lte=now).exists()


@transaction.atomic
def claim(*, now: datetime, most: int) -> list[Claim]:
    """Claim the oldest due delivery of each endpoint that has none in flight, at most so many."""
    lost = Delivery.objects.filter(state=State.SENDING, lease_until__lte=now)
    lost.update(state=State.WAITING, lease_until=None, problem="The sender stopped before it noted the answer.")
    waiting = Delivery.objects.filter(endpoint=OuterRef("pk"), state=State.WAITING, next_attempt_at__lte=now)
    ready = Endpoint.objects.filter(Q(not_before__isnull=True) | Q(not_before__lte=now), Exists(waiting), enabled=True)
    endpoints = list(_unlocked(ready.order_by("pk"))[:most])
    # In a new statement, after the locks: another sender may have claimed something before we had them.
    busy = set(
        Delivery.objects.filter(endpoint__in=endpoints, state=State.SENDING).values_list("endpoint_id", flat=True)
    )
    return [found for each in endpoints if each.pk not in busy for found in _claim_oldest(each, now)]


@transaction.atomic
def claim_one(pk: int, *, now: datetime) -> Claim | None:
    """Claim this delivery, whenever it is due; None if the endpoint has another in flight."""
    delivery = Delivery.objects.filter(pk=pk, state=State.WAITING).first()
    if delivery is None or delivery.endpoint_id is None:
        return None
    for endpoint in _unlocked(Endpoint.objects.filter(pk=delivery.endpoint_id)):
        if Delivery.objects.filter(endpoint=endpoint, state=State.SENDING).exists():
            return None
        for found in _unlocked(Delivery.objects.filter(pk=pk, state=State.WAITING)):
            return _lease(found, endpoint, now)
    return None


def _claim_oldest(endpoint: Endpoint, now: datetime) -> list[Claim]:
    waiting = Delivery.objects.filter(endpoint=endpoint, state=State.WAITING, next_attempt_at__lte=now)
    return [_lease(each, endpoint, now) for each in _unlocked(waiting.order_by("next_attempt_at", "pk"))[:1]]


def _unlocked(rows: QuerySet[RowT]) -> QuerySet[RowT]:
    """Lock rows, without those that somebody else has locked. SQLite has one writer, which this transaction is."""
    return rows.select_for_update(skip_locked=True, no_key=True)


def _lease(delivery: Delivery, endpoint: Endpoint, now: datetime) -> Claim:
    delivery.state = State.SENDING
    delivery.lease_until = now + LEASE
    delivery.attempts += 1
    delivery.save(update_fields=["state", "lease_until", "attempts"])
    message = OutboxMessage.objects.get(pk=delivery.message_id)
    former = [endpoint.former_secret] if (endpoint.former_secret_until or now) > now else []
    return Claim(
        delivery.pk,
        endpoint.pk,
        delivery.lease_until,
        delivery.attempts,
        endpoint.kind,
        message.message_id,
        endpoint.url,
        (endpoint.secret, *former),
        body_of(endpoint.kind, message),
    )


@transaction.atomic
def note(claim: Claim, answer: Answer, *, now: datetime) -> bool:
    """Note the answer to a claimed delivery; return False if its lease ran out and another sender has it."""
    mine = Delivery.objects.filter(pk=claim.delivery, state=State.SENDING, lease_until=claim.lease_until)
    delivery = mine.select_for_update(no_key=True).first()
    if delivery is None:
        return False
    problem = answer.problem or ("" if answer.is_success else f"The receiver answered {answer.status}.")
    delivery.status, delivery.problem, delivery.lease_until = answer.status, problem, None
    if answer.is_success:
        _end(delivery, State.DELIVERED, now)
    else:
        _retry(delivery, answer, now)
    delivery.save()
    DeliveryAttempt.objects.create(
        delivery=delivery,
        number=claim.attempt,
        at=now,
        milliseconds=answer.milliseconds,
        status=answer.status,
        problem=problem,
    )
    _note_health(claim.endpoint, answer, now)
    return True


def _retry(delivery: Delivery, answer: Answer, now: datetime) -> None:
    """Choose the next attempt; after the last one, or where the receiver is gone for good, give up."""
    delivery.failures += 1
    last = delivery.failures > len(RETRIES) or delivery.attempts >= MAX_ATTEMPTS
    if answer.status == GONE or last:
        _end(delivery, State.FAILED, now)
        return
    wait = RETRIES[delivery.failures - 1] * (1 + JITTER * random.random())  # noqa: S311  # no secret
    delivery.state = State.WAITING
    delivery.next_attempt_at = now + max(wait, answer.retry_after or wait)


def _end(delivery: Delivery, state: Delivery.State, now: datetime) -> None:
    delivery.state, delivery.ended_at, delivery.next_attempt_at = state, now, None


def _note_health(endpoint: int, answer: Answer, now: datetime) -> None:
    """Note since when an endpoint fails, and let it rest; a success ends both."""
    rows = Endpoint.objects.filter(pk=endpoint)
    if answer.is_success:
        rows.exclude(failing_since=None, not_before=None).update(failing_since=None, not_before=None)
        return
    rest = max(PAUSE_AFTER_FAILURE, answer.retry_after or PAUSE_AFTER_FAILURE)
    rows.update(failing_since=Coalesce(F("failing_since"), now), not_before=now + rest)


def failing(*, now: datetime, for_longer_than: timedelta = timedelta(minutes=30)) -> QuerySet[Endpoint]:
    """Return the endpoints in use to which nothing has arrived for this long, though something was sent."""
    return Endpoint.objects.filter(enabled=True, failing_since__lte=now - for_longer_than)


@transaction.atomic
def send_again(pk: int, *, now: datetime) -> bool:
    """Let a delivery that has ended, or waits for a retry, leave at once, with all its retries before it."""
    again = Delivery.objects.filter(pk=pk, attempts__lt=MAX_ATTEMPTS).exclude(state=State.SENDING)
    sent = again.update(state=State.WAITING, next_attempt_at=now, failures=0, lease_until=None, ended_at=None)
    Endpoint.objects.filter(deliveries=pk).update(not_before=None)
    return bool(sent)


def is_anything_old(now: datetime) -> bool:
    """Return whether prune() would find something."""
    return _expired_secrets(now).exists() or Delivery.objects.filter(ended_at__lte=now - KEEP).exists()


def prune(*, now: datetime) -> int:
    """Delete deliveries that ended 30 days ago, with messages that have no other, and former secrets; a batch."""
    _expired_secrets(now).update(former_secret="", former_secret_until=None)
    old = Delivery.objects.filter(ended_at__lte=now - KEEP).order_by("ended_at")
    found = list(old.values_list("pk", "message_id")[:PRUNE_AT_ONCE])
    if not found:
        return 0
    deliveries, messages = ({row[part] for row in found} for part in (0, 1))
    with transaction.atomic():
        DeliveryAttempt.objects.filter(delivery__in=deliveries).delete()
        Delivery.objects.filter(pk__in=deliveries).delete()
        without = ~Exists(Delivery.objects.filter(message=OuterRef("pk")))
        OutboxMessage.objects.filter(without, pk__in=messages).delete()
    return len(found)


def _expired_secrets(now: datetime) -> QuerySet[Endpoint]:
    return Endpoint.objects.filter(former_secret_until__lte=now)
