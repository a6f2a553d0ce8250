"""Alerts for webhooks, Slack and Teams: each is written to the outbox once when it fires, and once when it resolves.

As e-mails, they leave after the check has committed. What has resolved before is not sent, and what opens again under
the same identity is shown and not sent again. Of several thresholds that were crossed together the highest fires, and
every alert that was sent as fired is sent as resolved. More than a few alerts for an endpoint are one message.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from campaigns.models import Alert, AlertRule, Endpoint
from campaigns.models.outgoing.webhooks import Event
from campaigns.rules.clock import Clock
from campaigns.services.alerts.compose import address_of
from campaigns.services.alerts.messages import MOST_APART, highest_thresholds
from campaigns.services.webhooks.bodies import utc_text
from campaigns.services.webhooks.outbox import brands_of, receivers, write

Posted = Alert.Posted

BATCH = 5_000
# Alerts that are listed in one message; it says how many there are.
MOST_LISTED = 50


def post(*, clock: Clock) -> int:
    """Write the messages of alerts that have fired or resolved; return how many alerts were looked at."""
    posted = 0
    while batch := _post_batch(clock()):
        posted += batch
    return posted


def _post_batch(now: datetime) -> int:
    waiting = Q(posted=Posted.NOTHING) | Q(posted=Posted.FIRED, resolved_at__isnull=False)
    with transaction.atomic():
        # Two workers may be here at once; on SQLite the transaction keeps the other one out.
        rows = Alert.objects.filter(waiting).order_by("pk").select_related("rule")
        alerts = list(rows.select_for_update(of=("self",), skip_locked=True)[:BATCH])
        resolved = [each for each in alerts if each.resolved_at is not None]
        fired = [each for each in alerts if each.resolved_at is None]
        # Those of digests aren't sent one by one.
        at_once = [each for each in alerts if each.rule.delivery == AlertRule.Delivery.AT_ONCE]
        groups = highest_thresholds([each for each in at_once if each.resolved_at is None])
        _write(Event.ALERT_FIRED, [group[0] for group in groups], now)
        ended_at_once = [each for each in at_once if each.resolved_at is not None and each.posted == Posted.FIRED]
        _write(Event.ALERT_RESOLVED, ended_at_once, now)
        # Lower thresholds of a group weren't sent as fired, so receivers needn't hear that they have resolved.
        lower = {each.pk for group in groups for each in group[1:]}
        ended = lower | {each.pk for each in resolved}
        Alert.objects.filter(pk__in={each.pk for each in fired} - lower).update(posted=Posted.FIRED)
        Alert.objects.filter(pk__in=ended).update(posted=Posted.RESOLVED)
    return len(alerts)


def _write(event: Event, alerts: Sequence[Alert], now: datetime) -> None:
    """Write to each endpoint what it wants of these alerts."""
    if not alerts:
        return
    endpoints = list(receivers(event))
    limited = brands_of(endpoints)
    for endpoint in endpoints:
        brands = limited.get(endpoint.pk)
        own = [each for each in alerts if brands is None or each.brand_id in brands]
        for part in [own] if len(own) > MOST_APART else [[each] for each in own]:
            if part:
                _write_one(event, endpoint, part, now)


def _write_one(event: Event, endpoint: Endpoint, alerts: Sequence[Alert], now: datetime) -> None:
    first, verb = alerts[0], "resolved" if event == Event.ALERT_RESOLVED else "fired"
    if len(alerts) == 1:
        title = f"Resolved: {first.headline}" if event == Event.ALERT_RESOLVED else first.headline
        text, link = first.meaning, address_of(first)
    else:
        title, text = f"{len(alerts):,} alerts {verb}", first.headline
        link = f"{settings.SITE_URL}{reverse('admin:campaigns_alert_changelist')}"
    data = {
        "title": title,
        "text": text,
        "link": link,
        "count": len(alerts),
        "alerts": [_shown(each) for each in alerts[:MOST_LISTED]],
    }
    write(event, data, now=now, endpoints=[endpoint])


def _shown(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.pk,
        "kind": alert.kind,
        "brand": alert.brand_id,
        "campaign": alert.campaign_id,
        "threshold": alert.threshold,
        "period": alert.period,
        "headline": alert.headline,
        "figures": alert.figures,
        "fired_at": utc_text(alert.opened_at),
        "resolved_at": utc_text(alert.resolved_at) if alert.resolved_at else None,
    }
