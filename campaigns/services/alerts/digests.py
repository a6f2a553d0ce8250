"""Digests: what fired lately, for each person, once a local day: a query when it is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from campaigns.models import Alert, AlertMessage, AlertPreference
from campaigns.rules.clock import Clock
from campaigns.rules.periods import find_zone, local_date
from campaigns.services.alerts.compose import digest_email
from campaigns.services.alerts.messages import preferences_of
from campaigns.services.alerts.recipients import Recipients, may_be_told

DAILY, WEEKLY = timedelta(days=1), timedelta(days=7)
MONDAY = 0
# Alerts of one digest that are read: the newest.
MOST = 10_000

Frequency = AlertPreference.Frequency


def write_digests(*, clock: Clock) -> int:
    """Write the digests whose time has come; return how many. A person with nothing to read gets none that day."""
    now = clock()
    due = _due(now)
    if not due:
        return 0
    span = WEEKLY if any(choice.frequency == Frequency.WEEKLY for _, choice in due) else DAILY
    fired = Alert.objects.filter(Q(opened_at__gt=now - span)).select_related("rule").order_by("-pk")[:MOST]
    alerts = sorted(fired, key=lambda each: (each.resolved_at is not None, not each.is_bad, -each.threshold, -each.pk))
    recipients = Recipients(alerts)
    told: dict[int, list[Alert]] = {}
    for alert in alerts:
        for pk in recipients.of(alert):
            told.setdefault(pk, []).append(alert)
    return sum(_write(person, choice, told.get(person.pk, []), now) for person, choice in due)


def _due(now: datetime) -> list[tuple[User, AlertPreference]]:
    """Return the people whose hour has come today and who have had no digest yet."""
    people = [person for person in User.objects.filter(is_active=True, is_staff=True) if person.email or _is_local()]
    choices = preferences_of([person.pk for person in people])
    return [(person, choices[person.pk]) for person in people if _is_due(choices[person.pk], now)]


def _is_local() -> bool:
    return not settings.EMAIL_IS_SET_UP


def _is_due(choice: AlertPreference, now: datetime) -> bool:
    zone = find_zone(choice.timezone)
    if zone is None or choice.frequency == Frequency.NEVER:
        return False
    is_on_another_day = choice.frequency == Frequency.WEEKLY and now.astimezone(zone).weekday() != MONDAY
    return not is_on_another_day and hour_has_come(choice, choice.digested_on, now)


def hour_has_come(choice: AlertPreference, last: date | None, now: datetime) -> bool:
    """Return whether the person's hour has come on a local day that isn't that of the last message."""
    zone = find_zone(choice.timezone)
    if zone is None:
        return False
    local = now.astimezone(zone)
    return local.hour >= choice.digest_hour and last != local.date()


def _write(person: User, choice: AlertPreference, alerts: Sequence[Alert], now: datetime) -> bool:
    zone = find_zone(choice.timezone)
    if zone is None or not may_be_told(person):
        return False
    today = local_date(zone, now)
    is_weekly = choice.frequency == Frequency.WEEKLY
    since = now - (WEEKLY if is_weekly else DAILY)
    shown = [each for each in alerts if each.opened_at > since]
    if choice.frequency == Frequency.AT_ONCE:
        # What the person has got by itself already isn't told again, nor what another worker is routing now.
        had = set(
            AlertMessage.objects.filter(person=person, alert__opened_at__gt=since).values_list("alert", flat=True)
        )
        shown = [each for each in shown if each.is_routed and each.pk not in had]
    with transaction.atomic():
        # Two workers may be here at once: who changes the row writes the digest.
        AlertPreference.objects.get_or_create(user=person, defaults={"timezone": choice.timezone})
        rows = AlertPreference.objects.filter(Q(digested_on__isnull=True) | ~Q(digested_on=today), user=person)
        if not rows.update(digested_on=today) or not shown:
            return False
        still_open = sum(each.resolved_at is None for each in shown)
        span = "the last 7 days" if is_weekly else "the last 24 hours"
        counted = f"{len(shown):,} alert{'' if len(shown) == 1 else 's'}"
        digest_email(
            person,
            f"{counted} in {span}, {still_open:,} open",
            {"alerts": shown, "intro": f"In {span} {counted} fired; {still_open:,} of them still hold."},
            digest_day=today,
            written_at=now,
            next_attempt_at=now,
        ).save()
    return True
