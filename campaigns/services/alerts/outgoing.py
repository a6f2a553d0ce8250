"""One run of send_alerts: messages for webhooks, who is told, e-mails, digests and reminders that are due, sending."""

from __future__ import annotations

from campaigns.rules.clock import Clock
from campaigns.services.alerts.digests import write_digests
from campaigns.services.alerts.messages import route, write
from campaigns.services.alerts.posting import post
from campaigns.services.alerts.reminders import write_reminders
from campaigns.services.alerts.sending import send_waiting


def send_alerts(*, clock: Clock) -> int:
    """Return how many e-mails were sent, or kept where no mail server is set up."""
    post(clock=clock)
    route(clock=clock)
    write(clock=clock)
    write_digests(clock=clock)
    write_reminders(clock=clock)
    return send_waiting(clock=clock)
