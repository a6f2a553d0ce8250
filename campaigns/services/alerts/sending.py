"""Hand e-mails about alerts to the mail server: at least once, with the same Message-ID; no transaction is open then.

Without a mail server they are kept, and shown in the admin.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db.models import F

from campaigns.models import Alert, AlertEmail, AlertMessage, AlertPreference
from campaigns.rules.alerts import is_quiet
from campaigns.rules.clock import Clock
from campaigns.services.alerts.compose import alert_email, zone_of
from campaigns.services.alerts.handling import is_unhandled
from campaigns.services.alerts.messages import (
    AT_ONCE,
    add_messages,
    highest_thresholds,
    when_due,
    when_not_quiet,
)
from campaigns.services.alerts.recipients import Recipients, brands_assigned_to, may_be_told, preferences_of, sees
from campaigns.services.alerts.reminders import alerts_to_remind, reminder_email

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
RETRIES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 300, 720))

NOT_THEIRS = "The person no longer gets it, or has no address."
OVER = "Everything in it has resolved, or somebody takes care of it."
NOT_CHOSEN = "The person has chosen other e-mails since."


def send_waiting(*, clock: Clock, seconds: float = SECONDS) -> int:
    """Send what is due, for about so many seconds; return how many were sent or kept."""
    waiting = AlertEmail.objects.filter(state=AlertEmail.State.WAITING)
    due = waiting.filter(next_attempt_at__lte=clock())
    if not settings.EMAIL_IS_SET_UP:
        return due.update(state=AlertEmail.State.LOCAL, sent_at=clock())
    if waiting.filter(problem=AlertEmail.SENDING, next_attempt_at__gt=clock() + LEASE - BUSY).exists():
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
    problem_before = waiting.exclude(problem=AlertEmail.SENDING).values_list("problem", flat=True).first() or ""
    claimed = waiting.filter(next_attempt_at__lte=now).update(
        next_attempt_at=now + LEASE, attempts=F("attempts") + 1, problem=AlertEmail.SENDING
    )
    if claimed != 1:
        return False
    email = AlertEmail.objects.select_related("person").get(pk=pk)
    try:
        choice = preferences_of([email.person_id])[email.person_id]
        if problem := _recheck(email, choice, now):
            waiting.update(state=AlertEmail.State.FAILED, problem=problem)
            return False
        if (later := _when_to_send(email, choice, now)) > now:
            waiting.update(next_attempt_at=later, attempts=F("attempts") - 1, problem=problem_before)
            return False
        _hand_over(email, seconds)
    # Whatever is wrong with one e-mail, the others are sent.
    except Exception as error:
        _note_failure(email, error, clock())
        return False
    waiting.update(state=AlertEmail.State.SENT, sent_at=clock(), address=email.person.email, problem="")
    return True


def _recheck(email: AlertEmail, choice: AlertPreference, now: datetime) -> str:
    """Leave out what is no longer to be sent, as hours may have passed since the e-mail was written.

    Return why nothing is left, or "" if it may be sent.
    """
    if not may_be_told(email.person):
        return NOT_THEIRS
    if email.reminder_day:
        return _recheck_reminder(email, choice, now)
    alerts = [message.alert for message in email.messages.select_related("alert__rule").order_by("pk")]
    if email.digest_day:
        return _recheck_digest(email, choice, alerts)
    return _recheck_alerts(email, choice, alerts, now)


def _recheck_reminder(email: AlertEmail, choice: AlertPreference, now: datetime) -> str:
    if not choice.reminders:
        return NOT_CHOSEN
    alerts = alerts_to_remind(email.person, now)
    if alerts:
        _rewrite(email, reminder_email(email.person, alerts, zone_of(choice)))
    return "" if alerts else OVER


def _recheck_digest(email: AlertEmail, choice: AlertPreference, alerts: Sequence[Alert]) -> str:
    """Digests say what has happened, so also what has resolved."""
    if choice.frequency == AlertPreference.Frequency.NEVER:
        return NOT_CHOSEN
    assigned = brands_assigned_to(email.person)
    return "" if all(sees(email.person, alert, assigned) for alert in alerts) else NOT_THEIRS


def _recheck_alerts(email: AlertEmail, choice: AlertPreference, alerts: Sequence[Alert], now: datetime) -> str:
    waiting = [alert for alert in alerts if is_unhandled(alert, now)]
    if not waiting:
        return OVER
    if choice.frequency != AT_ONCE:
        # The digest tells it then, if the person gets one.
        AlertMessage.objects.filter(email=email).delete()
        return NOT_CHOSEN
    recipients = Recipients(waiting)
    left = [alert for alert in waiting if email.person_id in recipients.of(alert)]
    if len(left) < len(waiting):
        # Those who get them instead.
        add_messages(waiting, now)
    if not left:
        return NOT_THEIRS
    if len(left) < len(alerts):
        AlertMessage.objects.filter(email=email).exclude(alert__in=left).update(email=None)
        named = [group[0] for group in highest_thresholds(left)]
        _rewrite(email, alert_email(email.person, named, zone_of(choice)))
    return ""


def _when_to_send(email: AlertEmail, choice: AlertPreference, now: datetime) -> datetime:
    """Return now, or when quiet hours end that have begun since it was written.

    Urgent alerts don't wait, nor does what comes at an hour that the person has put into their quiet hours.
    """
    if email.digest_day or email.reminder_day:
        at_quiet_hour = is_quiet(choice.digest_hour, choice.quiet_from, choice.quiet_until)
        return now if at_quiet_hour else when_not_quiet(choice, now)
    messages = email.messages.select_related("alert")
    return min((when_due(message.alert, choice, now) for message in messages), default=now)


def _rewrite(email: AlertEmail, written: AlertEmail) -> None:
    """Take over what was written anew, under the same Message-ID."""
    email.subject, email.text, email.html = written.subject, written.text, written.html
    email.save(update_fields=["subject", "text", "html"])


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
