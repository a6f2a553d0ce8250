"""Digests: what fired since the last one, for each person, once a local day: a query when it is written.

What a digest says is noted as an e-mail about one alert is: so nothing is told again the next day, and what fired while
nothing was sent, or was committed late, is told then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from campaigns.models import Alert, AlertMessage, AlertPreference
from campaigns.rules.clock import Clock
from campaigns.rules.periods import find_zone, local_date
from campaigns.rules.reasons import LABELS
from campaigns.services.alerts.compose import digest_email
from campaigns.services.alerts.messages import preferences_of
from campaigns.services.alerts.recipients import Recipients, may_be_told
from campaigns.services.recent_changes import Changes, recent_changes

DAILY, WEEKLY = timedelta(days=1), timedelta(days=7)
IN_WORDS = {DAILY: "24 hours", WEEKLY: "7 days"}
# Older alerts aren't told, however long nothing was sent.
OLDEST = timedelta(days=14)
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
    oldest = min(_since(choice, now) for _, choice in due)
    fired = Alert.objects.filter(opened_at__gt=oldest).select_related("rule").order_by("-pk")[:MOST]
    alerts = sorted(fired, key=lambda each: (each.resolved_at is not None, not each.is_bad, -each.threshold, -each.pk))
    told = Recipients(alerts).alerts_by_person()
    return sum(_write(person, choice, told.get(person.pk, []), now) for person, choice in due)


def _due(now: datetime) -> list[tuple[User, AlertPreference]]:
    """Return the people whose hour has come today, who have had no digest yet, and who may get one."""
    people = list(User.objects.filter(is_active=True, is_staff=True))
    choices = preferences_of([person.pk for person in people])
    due = [(person, choices[person.pk]) for person in people if _is_due(choices[person.pk], now)]
    return [(person, choice) for person, choice in due if may_be_told(person)]


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


def _since(choice: AlertPreference, now: datetime) -> datetime:
    """Return the instant after which alerts are told: a day or week ago, or the beginning of the last digest's date."""
    zone, span = find_zone(choice.timezone), _period(choice)
    if zone is None or choice.digested_on is None:
        return now - span
    # An hour before that, for alerts of a check that committed only after the digest was read.
    last = datetime.combine(choice.digested_on, time.min, tzinfo=zone) - timedelta(hours=1)
    return max(min(last, now - span), now - OLDEST)


def _write(person: User, choice: AlertPreference, alerts: Sequence[Alert], now: datetime) -> bool:
    zone = find_zone(choice.timezone)
    if zone is None:
        return False
    today, since = local_date(zone, now), _since(choice, now)
    shown = [each for each in alerts if each.opened_at > since]
    if choice.frequency == Frequency.AT_ONCE:
        # Left out is what another worker is routing now.
        shown = [each for each in shown if each.is_routed]
    # Read before the transaction, which keeps other writers waiting on SQLite.
    changes = recent_changes(person, now=now, period=_period(choice)) if shown else None
    with transaction.atomic():
        # Two workers may be here at once: who changes the row writes the digest.
        AlertPreference.objects.get_or_create(user=person, defaults={"timezone": choice.timezone})
        rows = AlertPreference.objects.filter(Q(digested_on__isnull=True) | ~Q(digested_on=today), user=person)
        if not rows.update(digested_on=today):
            return False
        # What the person has got by itself or in another digest isn't told again.
        told = set(
            AlertMessage.objects.filter(person=person, alert__opened_at__gt=since).values_list("alert", flat=True)
        )
        shown = [each for each in shown if each.pk not in told]
        if shown and changes:
            _save(person, choice, shown, changes, today, now)
    return bool(shown)


def _period(choice: AlertPreference) -> timedelta:
    return WEEKLY if choice.frequency == Frequency.WEEKLY else DAILY


def _save(
    person: User, choice: AlertPreference, shown: Sequence[Alert], changes: Changes, today: date, now: datetime
) -> None:
    period = _period(choice)
    span = f"the last {IN_WORDS[period]}"
    first = min(each.opened_at for each in shown)
    if first <= now - period:
        span = f"the time since {first:%Y-%m-%d %H:%M} UTC"
    still_open = sum(each.resolved_at is None for each in shown)
    counted = f"{len(shown):,} alert{'' if len(shown) == 1 else 's'}"
    context = {
        "alerts": shown,
        "intro": f"In {span} {counted} fired; {still_open:,} of them still hold.",
        "changes": _status_changes(changes, period),
    }
    email = digest_email(
        person,
        f"{counted} in {span}, {still_open:,} open{_pauses_and_resumes(changes)}",
        context,
        digest_day=today,
        written_at=now,
        next_attempt_at=now,
    )
    email.save()
    messages = (AlertMessage(alert=each, person=person, due_at=now, email=email, is_settled=True) for each in shown)
    AlertMessage.objects.bulk_create(messages, batch_size=1_000, ignore_conflicts=True)


def _pauses_and_resumes(changes: Changes) -> str:
    """Return how many of the person's campaigns have paused and resumed, for the subject; "" for none."""
    counted = [
        f"{count:,} {word}{'' if count == 1 else 's'}"
        for count, word in ((changes.paused, "pause"), (changes.resumed, "resume"))
        if count
    ]
    return f"; {', '.join(counted)}" if counted else ""


def _status_changes(changes: Changes, period: timedelta) -> str:
    """Return the same with reasons, as a sentence."""
    if not changes.paused and not changes.resumed:
        return ""
    reasons = ", ".join(f"{count:,} {LABELS[reason]}" for reason, count in changes.paused_for.items() if count)
    paused = f"{changes.paused:,} paused ({reasons})" if reasons else f"{changes.paused:,} paused"
    newest = " among the newest" if changes.is_capped else ""
    return f"Status changes of campaigns in the last {IN_WORDS[period]}{newest}: {paused}, {changes.resumed:,} resumed."
