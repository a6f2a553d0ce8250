"""The e-mails about alerts, in text and HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.urls import reverse

from campaigns.models import Alert, AlertEmail, AlertPreference
from campaigns.rules.periods import find_zone
from campaigns.rules.times import format_time
from campaigns.services.alerts.kinds import HELD, SILENT, UNASSIGNED, label_of

# Alerts that are named in one e-mail; the others are counted.
MOST_NAMED = 50
# A subject is one line: names of accounts come from platforms, and may have line breaks.
SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")

PLATFORM_PAGES = {
    UNASSIGNED: "admin:campaigns_campaignlink_unassigned",
    HELD: "admin:campaigns_spendtotal_held",
    SILENT: "admin:campaigns_platformaccount_changelist",
}


def zone_of(choice: AlertPreference) -> ZoneInfo:
    """Return the zone of the times in the person's e-mails, as on the person's page."""
    return find_zone(choice.timezone) or ZoneInfo("UTC")


def alert_email(person: User, alerts: Sequence[Alert], zone: ZoneInfo, **fields: Any) -> AlertEmail:
    """Return an unsaved e-mail about alerts, the worst first."""
    first = alerts[0]
    subject = first.headline if len(alerts) == 1 else f"{len(alerts):,} alerts: {first.headline}"
    return _email(person, subject, {"alerts": alerts, "is_digest": False}, zone, **fields)


def digest_email(person: User, subject: str, context: dict[str, Any], zone: ZoneInfo, **fields: Any) -> AlertEmail:
    return _email(person, subject, context | {"is_digest": True}, zone, **fields)


def _email(person: User, subject: str, context: dict[str, Any], zone: ZoneInfo, **fields: Any) -> AlertEmail:
    subject = SPACES.sub(" ", subject).strip()
    named = [_shown(alert, zone) for alert in context["alerts"][:MOST_NAMED]]
    shown = context | {
        "subject": subject,
        "named": named,
        "more": len(context["alerts"]) - len(named),
        "page": f"{settings.SITE_URL}{reverse('admin:campaigns_alert_changelist')}",
        "history": f"{settings.SITE_URL}{reverse('admin:campaigns_statuschange_changelist')}",
        "choices": f"{settings.SITE_URL}{reverse('admin:campaigns_alert_mine')}",
    }
    return AlertEmail(
        person=person,
        address=person.email,
        message_id=f"<{uuid4()}@{settings.SITE_URL.partition('://')[2].partition(':')[0]}>",
        subject=subject if len(subject) <= 200 else f"{subject[:199]}…",
        text=render_to_string("campaigns/email/alerts.txt", shown),
        html=render_to_string("campaigns/email/alerts.html", shown),
        **fields,
    )


def address_of(alert: Alert) -> str:
    """Return the address of the page where a person looks at what the alert is about."""
    page = platform_page(alert) or reverse("admin:campaigns_alert_changelist")
    if alert.campaign_id:
        page = reverse("admin:campaigns_campaign_change", args=[alert.campaign_id])
    elif alert.brand_id:
        page = reverse("admin:campaigns_brand_change", args=[alert.brand_id])
    return f"{settings.SITE_URL}{page}"


def platform_page(alert: Alert) -> str:
    """Return the page of what is reported by the account that the alert is about; "" for other alerts."""
    if alert.kind not in PLATFORM_PAGES:
        return ""
    page = reverse(PLATFORM_PAGES[alert.kind])
    return f"{page}?{urlencode({'q': alert.subject.split()[-1]})}" if alert.kind == SILENT else page


def _shown(alert: Alert, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "alert": alert,
        "kind": label_of(alert.kind),
        "since": format_time(alert.opened_at, zone, seconds=False),
        "address": address_of(alert),
    }
