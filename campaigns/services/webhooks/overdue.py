"""Whether deliveries and e-mails about alerts leave: those that are overdue show that no worker serves their queue.

A receiver or a mail server that fails is something else: there the next attempt is in the future.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from campaigns.database.connection import as_instant, fetch_all
from campaigns.database.statements import statement
from campaigns.models import AlertEmail
from campaigns.rules.times import utc_minute

OVERDUE = timedelta(minutes=10)
# The mail server has refused an e-mail three times by then.
REFUSED_FOR = timedelta(minutes=30)
MOST_COUNTED = 1_000
# What has been tried, and is due again within this time, was tried just now. Others may wait long behind it: a mail
# server that doesn't answer takes ten seconds an e-mail.
JUST_TRIED = timedelta(minutes=5)
REMEDY = f"start beat and a worker for the queue {settings.DELIVERY_QUEUE}, or see their logs."


@dataclass(frozen=True)
class Overdue:
    """Since when the oldest is due that should have left; None if all leave in time."""

    deliveries: datetime | None = None
    emails: datetime | None = None

    @property
    def delivery_problem(self) -> str:
        if self.deliveries is None:
            return ""
        return (
            f"Deliveries to webhooks have waited since {utc_minute(self.deliveries)}, and nothing sends them: {REMEDY}"
        )

    @property
    def email_problem(self) -> str:
        if self.emails is None:
            return ""
        return f"E-mails about alerts have waited since {utc_minute(self.emails)}, and nothing sends them: {REMEDY}"


def overdue(*, now: datetime) -> Overdue:
    """Return what has been due for more than ten minutes: one query."""
    instants = {"now": now, "latest": now - OVERDUE, "just_tried": now + JUST_TRIED}
    params = {name: connection.ops.adapt_datetimefield_value(at) for name, at in instants.items()}
    ((delivery, email, unwritten),) = fetch_all(statement("outgoing"), params)
    emails = [as_instant(each) for each in (email, unwritten) if each is not None]
    return Overdue(as_instant(delivery) if delivery is not None else None, min(emails, default=None))


def failing_emails_warning(*, now: datetime) -> str:
    """Return a warning where the mail server has refused e-mails about alerts for half an hour."""
    failing = AlertEmail.objects.filter(state=AlertEmail.State.WAITING).exclude(problem__in=("", AlertEmail.SENDING))
    count = failing.filter(written_at__lte=now - REFUSED_FOR)[:MOST_COUNTED].count()
    if not count:
        return ""
    return f"E-mails about alerts can’t be sent, {count:,} so far: see Alert e-mails in the admin and EMAIL_URL."
