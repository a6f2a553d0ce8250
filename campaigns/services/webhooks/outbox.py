"""Writing messages to the outbox, in the transaction of the change that they report; senders send them afterwards.

Events that only say "look again" are merged: while one for an endpoint hasn't been sent, a newer one is added to it. So
a midnight sends each endpoint a handful of deliveries, however many campaigns and brands change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from campaigns.models import Delivery, Endpoint, EndpointBrand, OutboxMessage
from campaigns.models.outgoing.webhooks import Event

# Seconds between two events of an endpoint that are merged.
MERGE_FOR = timedelta(seconds=5)
# Ids of brands in one message. It then says how many there are, and receivers read all.
MAX_BRANDS = 500

FIELDS = {
    Event.STATUS_CHANGED: "status_changed",
    Event.ALERT_FIRED: "alert_fired",
    Event.ALERT_RESOLVED: "alert_resolved",
    Event.PERIOD_CLOSED: "period_closed",
}
Data = dict[str, Any]
State = Delivery.State


def receivers(event: Event) -> QuerySet[Endpoint]:
    """Return the endpoints that want an event, in order of id."""
    wanted: dict[str, Any] = {FIELDS[event]: True}
    return Endpoint.objects.filter(enabled=True, **wanted).order_by("pk")


def write(
    event: Event,
    data: Data,
    *,
    now: datetime,
    brand: int | None = None,
    endpoints: Iterable[Endpoint] | None = None,
    users: Iterable[int] = (),
) -> OutboxMessage | None:
    """Write a message to these endpoints and users; by default to all endpoints that want it for its brand.

    Call it in the transaction of the change. Return None where nobody is to get it.
    """
    if endpoints is None:
        given = Q(brand_rows__isnull=True) | (Q(brand_rows__brand=brand) if brand is not None else Q())
        endpoints = receivers(event).filter(given).distinct()
    to: list[dict[str, Any]] = [{"endpoint": endpoint} for endpoint in endpoints]
    to += [{"user_id": user} for user in users]
    if not to:
        return None
    with transaction.atomic():
        message = _message(event, data, brand, now)
        Delivery.objects.bulk_create(
            Delivery(message=message, created_at=now, next_attempt_at=now, **receiver) for receiver in to
        )
    return message


def status_changed(position: int, *, now: datetime) -> None:
    """Report the feed's newest position, in the transaction that gives it out.

    At most one for an endpoint in five seconds, and none while one waits: its receiver will read the feed from its own
    cursor to the end, and so finds this change too. Positions aren't of one brand: an endpoint limited to some brands
    gets them all.
    """
    for endpoint in receivers(Event.STATUS_CHANGED):
        _merge(
            Event.STATUS_CHANGED,
            endpoint,
            key=Event.STATUS_CHANGED,
            data={"position": position},
            into=lambda old: {"position": max(position, old["position"])},
            retried=True,
            now=now,
        )


def wants_closed_periods() -> bool:
    return receivers(Event.PERIOD_CLOSED).exists()


def periods_closed(periods: Iterable[tuple[int, str, str]], *, now: datetime) -> None:
    """Report closed periods, in the transaction that closes them: brand, kind and first day in ISO form of each."""
    found: dict[tuple[str, str], list[int]] = {}
    for brand, kind, starts_on in periods:
        found.setdefault((kind, str(starts_on)), []).append(brand)
    if not found:
        return
    endpoints = list(receivers(Event.PERIOD_CLOSED))
    limited = brands_of(endpoints)
    for endpoint in endpoints:
        for (kind, starts_on), brands in sorted(found.items()):
            given = limited.get(endpoint.pk)
            own = sorted(brands if given is None else given.intersection(brands))
            if own:
                _report_closed(endpoint, kind, starts_on, own, now)


def _report_closed(endpoint: Endpoint, kind: str, starts_on: str, brands: list[int], now: datetime) -> None:
    def into(old: Data) -> Data:
        every = [*old["brands"], *brands]
        return old | {"count": old["count"] + len(brands), "brands": every[:MAX_BRANDS]}

    empty: Data = {"kind": kind, "starts_on": starts_on, "count": 0, "brands": []}
    key = f"{Event.PERIOD_CLOSED} {kind} {starts_on}"
    _merge(Event.PERIOD_CLOSED, endpoint, key=key, data=into(empty), into=into, now=now)


def brands_of(endpoints: Iterable[Endpoint]) -> dict[int, set[int]]:
    """Return the brands of each endpoint that is limited to some."""
    found: dict[int, set[int]] = {}
    rows = EndpointBrand.objects.filter(endpoint__in=[endpoint.pk for endpoint in endpoints])
    for endpoint, brand in rows.values_list("endpoint", "brand"):
        found.setdefault(endpoint, set()).add(brand)
    return found


@transaction.atomic
def _merge(
    event: Event,
    endpoint: Endpoint,
    *,
    key: str,
    data: Data,
    into: Callable[[Data], Data],
    now: datetime,
    retried: bool = False,
) -> None:
    """Add to the endpoint's waiting message of this key, or write one that leaves five seconds after the last.

    The waiting row is locked: a sender that claimed it meanwhile would send it before this change can be read. What has
    been sent once keeps its data; retried says that it needn't be repeated all the same.
    """
    same = Delivery.objects.filter(endpoint=endpoint, merge_key=key)
    waiting = same.filter(state=State.WAITING).select_for_update(of=("self",)).select_related("message")
    for delivery in waiting.order_by("-pk")[:1]:
        if delivery.attempts == 0:
            delivery.message.data = _encode(into(json.loads(delivery.message.data)))
            delivery.message.save(update_fields=["data"])
        if delivery.attempts == 0 or retried:
            return
    last = same.order_by("-pk").values_list("created_at", "ended_at").first()
    leaves = max(now, (last[1] or now) + MERGE_FOR) if last else now
    if event == Event.PERIOD_CLOSED:
        leaves = now + MERGE_FOR  # the next batch of the same check will be merged
    message = _message(event, data, None, now)
    Delivery.objects.create(message=message, endpoint=endpoint, merge_key=key, created_at=now, next_attempt_at=leaves)


def _message(event: Event, data: Data, brand: int | None, now: datetime) -> OutboxMessage:
    return OutboxMessage.objects.create(event=event, data=_encode(data), brand_id=brand, created_at=now)


def _encode(data: Data) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
