"""Hand e-mails about alerts to the mail server: at least once, with the same Message-ID; no transaction is open then.

Without a mail server they are kept, and shown in the admin.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db.models import F

from campaigns.models import AlertEmail
from campaigns.rules.clock import Clock
from campaigns.services.alerts.rechecks import recheck

logger = logging.getLogger(__name__)

# E-mails of one run: others wait for the next one.
MOST = 100
# Seconds of one run, about as long as until the next one: a mail server that doesn't answer mustn't keep a worker with
# one process from its checks. No e-mail gets less than LEAST_SECONDS.
SECONDS = 10.0
LEAST_SECONDS = 0.1
# Nobody else takes an e-mail that is being sent for so long.
LEASE = timedelta(minutes=5)
# Another run sends nothing while one that has taken an e-mail so recently may be waiting for the mail server: else runs
# that hang would take all processes of a worker.
BUSY = timedelta(seconds=30)
SENDING = "It is being sent."
RETRIES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 300, 720))


def send_waiting(*, clock: Clock, seconds: float = SECONDS) -> int:
    """Send what is due, for about so many seconds; return how many were sent or kept."""
    waiting = AlertEmail.objects.filter(state=AlertEmail.State.WAITING)
    due = waiting.filter(next_attempt_at__lte=clock())
    if not settings.EMAIL_IS_SET_UP:
        return due.update(state=AlertEmail.State.LOCAL, sent_at=clock())
    if waiting.filter(problem=SENDING, next_attempt_at__gt=clock() + LEASE - BUSY).exists():
        return 0
    ends, left, sent = time.monotonic() + seconds, seconds, 0
    for pk in due.order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:MOST]:
        sent += _send(pk, clock, left)
        left = ends - time.monotonic()
        if left < LEAST_SECONDS:
            break
    return sent


def _send(pk: int, clock: Clock, seconds: float) -> bool:
    now = clock()
    waiting = AlertEmail.objects.filter(pk=pk, state=AlertEmail.State.WAITING)
    claimed = waiting.filter(next_attempt_at__lte=now).update(
        next_attempt_at=now + LEASE, attempts=F("attempts") + 1, problem=SENDING
    )
    if claimed != 1:
        return False
    email = AlertEmail.objects.select_related("person").get(pk=pk)
    try:
        if problem := recheck(email):
            waiting.update(state=AlertEmail.State.FAILED, problem=problem)
            return False
        _hand_over(email, seconds)
    # Whatever is wrong with one e-mail, the others are sent.
    except Exception as error:
        _note_failure(email, error, clock())
        return False
    waiting.update(state=AlertEmail.State.SENT, sent_at=clock(), address=email.person.email, problem="")
    return True


def _hand_over(email: AlertEmail, seconds: float) -> None:
    """Hand it to the mail server, each of whose answers may take so long, or as long as usual if that is less."""
    message = EmailMultiAlternatives(
        email.subject,
        email.text,
        to=[email.person.email],
        # No machine answers it, and a repeated delivery is recognized.
        headers={"Auto-Submitted": "auto-generated", "Message-ID": email.message_id},
        connection=get_connection(timeout=min(seconds, settings.EMAIL_TIMEOUT)),
    )
    message.attach_alternative(email.html, "text/html")
    message.send()


def _note_failure(email: AlertEmail, error: Exception, now: datetime) -> None:
    """Try again later, or give up. A failure is shown and logged, and never told by another e-mail."""
    problem = f"{type(error).__name__}: {error}"[:500]
    is_expected = isinstance(error, SMTPException | OSError)
    logger.warning("alert e-mail %d wasn't sent: %s", email.pk, problem, exc_info=None if is_expected else error)
    rows = AlertEmail.objects.filter(pk=email.pk, state=AlertEmail.State.WAITING)
    if email.attempts > len(RETRIES):
        rows.update(state=AlertEmail.State.FAILED, problem=problem)
    else:
        rows.update(next_attempt_at=now + RETRIES[email.attempts - 1], problem=problem)
