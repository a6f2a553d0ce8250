"""What a receiver gets: thin signed JSON, or a message for people in Slack or Microsoft Teams.

A message for people shows "title", "text" and "link" of the event's data where there are any.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from campaigns.models import Endpoint, OutboxMessage
from campaigns.models.outgoing.webhooks import Event
from campaigns.services.webhooks.signatures import signed_headers

TITLES = {
    Event.STATUS_CHANGED: "Campaigns paused or resumed.",
    Event.ALERT_FIRED: "An alert fired.",
    Event.ALERT_RESOLVED: "An alert resolved.",
    Event.PERIOD_CLOSED: "A day or month closed.",
    Event.TEST: "This is a test of the Budget manager. The endpoint works.",
}


def body_of(kind: str, message: OutboxMessage) -> bytes:
    data = json.loads(message.data)
    if kind == Endpoint.Kind.SLACK:
        return _encode(_slack(*_words(message, data)))
    if kind == Endpoint.Kind.TEAMS:
        return _encode(_teams(*_words(message, data)))
    return _encode({"type": message.event, "timestamp": utc_text(message.created_at), "data": data})


def utc_text(instant: datetime) -> str:
    """Return an instant in ISO 8601, in UTC with Z."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def headers_of(kind: str, message_id: str, body: bytes, keys: tuple[str, ...], *, now: datetime) -> dict[str, str]:
    """Return the headers of an attempt. Slack and Teams check no signature: their address is the secret."""
    headers = {"Content-Type": "application/json", "User-Agent": "budget-manager-webhooks/1", "Connection": "close"}
    if kind == Endpoint.Kind.GENERIC:
        headers |= signed_headers(message_id, int(now.timestamp()), body, keys)
    return headers


def _words(message: OutboxMessage, data: dict[str, Any]) -> tuple[str, str, str]:
    title = str(data.get("title") or TITLES[Event(message.event)])
    return title, str(data.get("text") or ""), str(data.get("link") or "")


def _slack(title: str, text: str, link: str) -> dict[str, Any]:
    lines = [f"*{_escaped(title)}*", *([_escaped(text)] if text else []), *([f"<{link}|Open>"] if link else [])]
    return {"text": "\n".join(lines)}


def _escaped(text: str) -> str:
    """Slack's three control characters; without them names could mention people or fake links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(title: str, text: str, link: str) -> dict[str, Any]:
    blocks = [{"type": "TextBlock", "text": title, "weight": "Bolder", "wrap": True}]
    blocks += [{"type": "TextBlock", "text": text, "wrap": True}] if text else []
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    if link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": link}]
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def _encode(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
