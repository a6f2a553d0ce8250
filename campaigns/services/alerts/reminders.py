"""Reminders: once a local day, the open alerts that nobody has acknowledged or snoozed, for people who want that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, Q

from campaigns.models import Alert, AlertEmail, AlertPreference
from campaigns.rules.clock import Clock
from campaigns.rules.periods import find_zone, local_date
from campaigns.services.alerts.compose import digest_email
from campaigns.services.alerts.digests import hour_has_come
from campaigns.services.alerts.handling import HIGHER, unhandled
from campaigns.services.alerts.recipients import may_be_told, newest_of

# Open alerts of one person's reminder: the newest.
MOST = 10_000
# Younger alerts have just been told.
YOUNG = timedelta(hours=12)


def write_reminders(*, clock: Clock) -> int:
    """Write the reminders whose hour has come; return how many. A person with nothing to handle gets none that day."""
    now = clock()
    wanted = AlertPreference.objects.filter(reminders=True, user__is_active=True, user__is_staff=True)
    due = [choice for choice in wanted.select_related("user") if hour_has_come(choice, choice.reminded_on, now)]
    # Others never have their day noted, so each run until midnight would read the open alerts for them.
    due = [choice for choice in due if may_be_told(choice.user)]
    return sum(_write(choice, now) for choice in due)


def alerts_to_remind(person: User, now: datetime) -> list[Alert]:
    """Return the person's open alerts that have waited for somebody for long enough, the worst first."""
    opened = Alert.objects.filter(unhandled(now), ~Exists(HIGHER), resolved_at__isnull=True, opened_at__lte=now - YOUNG)
    alerts = newest_of(person, opened, MOST)
    return sorted(alerts, key=lambda each: (each.is_bad, each.threshold, each.opened_at, each.pk), reverse=True)


def reminder_email(person: User, alerts: Sequence[Alert], zone: ZoneInfo, **fields: Any) -> AlertEmail:
    """Return an unsaved e-mail that reminds the person of the alerts."""
    counted = f"{len(alerts):,} open alert{'' if len(alerts) == 1 else 's'}"
    intro = f"{counted}, neither acknowledged nor snoozed. Acknowledging one ends this."
    return digest_email(
        person, f"Reminder: {counted} not acknowledged", {"alerts": alerts, "intro": intro}, zone, **fields
    )


def _write(choice: AlertPreference, now: datetime) -> bool:
    zone, person = find_zone(choice.timezone), choice.user
    if zone is None:
        return False
    today = local_date(zone, now)
    # Read before the transaction, which keeps other writers waiting on SQLite.
    alerts = alerts_to_remind(person, now)
    with transaction.atomic():
        # Two workers may be here at once: who changes the row writes the reminder.
        rows = AlertPreference.objects.filter(Q(reminded_on__isnull=True) | ~Q(reminded_on=today), pk=choice.pk)
        if not rows.filter(reminders=True).update(reminded_on=today) or not alerts:
            return False
        reminder_email(person, alerts, zone, reminder_day=today, written_at=now, next_attempt_at=now).save()
    return True
