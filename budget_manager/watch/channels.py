"""How people are notified: by e-mail and by a webhook. Neither needs the database or the broker."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage

from budget_manager.observe.calls import CallFailed, call
from budget_manager.watch.notice import Notice

WEBHOOK_SECONDS = 10


class DeliveryFailed(Exception):
    """The message wasn't accepted; why, without passwords or addresses."""


def channels() -> dict[str, Callable[[Notice], None]]:
    """Return the channels that are set up, by name. Each raises DeliveryFailed."""
    found: dict[str, Callable[[Notice], None]] = {}
    if settings.WATCH_EMAIL:
        found["e-mail"] = send_mail
    if settings.WATCH_WEBHOOK_URL:
        found["webhook"] = call_webhook
    return found


def send_mail(notice: Notice) -> None:
    message = EmailMessage(
        notice.subject,
        f"{notice.text}\n\nWhat to do about each is in docs/operations.md under Failures.\n",
        to=settings.WATCH_EMAIL,
        headers={"Auto-Submitted": "auto-generated"},  # no automatic replies, please (RFC 3834)
    )
    try:
        message.send()
    except (SMTPException, OSError) as error:
        raise DeliveryFailed(type(error).__name__) from error


def call_webhook(notice: Notice) -> None:
    body = json.dumps(FORMS[settings.WATCH_WEBHOOK_FORM](notice)).encode()
    try:
        call(settings.WATCH_WEBHOOK_URL, seconds=WEBHOOK_SECONDS, body=body)
    except CallFailed as error:
        raise DeliveryFailed(str(error)) from error


def _slack(notice: Notice) -> dict[str, Any]:
    """Slack's own markup: these three characters are escaped, and stars make text bold."""
    text = f"*{notice.subject}*\n{notice.text}"
    return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}


def _teams(notice: Notice) -> dict[str, Any]:
    """A message with an adaptive card, as Microsoft Teams' workflows take it."""
    colour = "Attention" if notice.problems else "Good"
    blocks = [{"type": "TextBlock", "text": notice.subject, "weight": "Bolder", "color": colour, "wrap": True}]
    blocks += [{"type": "TextBlock", "text": part, "wrap": True} for part in notice.text.split("\n\n")]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def _plain(notice: Notice) -> dict[str, Any]:
    """The text, which Slack's relatives show (Mattermost, Rocket.Chat), and fields for programs."""
    return {
        "text": f"{notice.subject}\n{notice.text}",
        "status": "failing" if notice.problems else "ok",
        "problems": [
            {"key": key, "sentence": each.sentence, "since": each.since} for key, each in notice.problems.items()
        ],
        "resolved": [{"sentence": each.sentence, "since": each.since} for each in notice.over],
    }


FORMS: Mapping[str, Callable[[Notice], dict[str, Any]]] = {"slack": _slack, "teams": _teams, "plain": _plain}
