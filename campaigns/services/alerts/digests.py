"""Digests: what fired, paused and resumed since the last one, once a person and local day: a query when it is written.

What a digest says is noted as an e-mail about one alert is: so nothing is told again the next day, and what fired while
nothing was sent, or was committed late, is told then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef

from campaigns.models import Alert, AlertMessage, AlertPreference, StatusChange
from campaigns.rules.clock import Clock
from campaigns.rules.periods import find_zone, local_date
from campaigns.rules.reasons import LABELS, PauseReason
from campaigns.rules.times import format_time
from campaigns.services.alerts.compose import digest_email, zone_of
from campaigns.services.alerts.recipients import may_be_told, newest_of, preferences_of
from campaigns.services.recent_changes import Changes, latest_changes, recent_changes

DAILY, WEEKLY = timedelta(days=1), timedelta(days=7)
IN_WORDS = {DAILY: "24 hours", WEEKLY: "7 days"}
# Older alerts aren't told, however long nothing was sent.
OLDEST = timedelta(days=14)
# Alerts of one person's digest: the newest.
MOST = 10_000
# Status changes that are named; the others are counted.
LATEST = 10
# A digest that comes no later than that covers the usual day or week.
PUNCTUAL = timedelta(hours=1)
# Dates of zones differ by up to two days: who moves to another zone may have had a message of a date that comes
# only now. A date further ahead is of a wrong clock.
OTHER_ZONES = timedelta(days=2)

Frequency = AlertPreference.Frequency
# People who chose digests get one of status changes alone, too; others would get one each day without having chosen it.
ONLY_DIGESTS = (Frequency.DAILY, Frequency.WEEKLY)


class StatusChanges(NamedTuple):
    """Pauses and resumes of a person's campaigns, in words."""

    span: str
    counted: str
    sentence: str
    latest: Sequence[str]


def write_digests(*, clock: Clock) -> int:
    """Write the digests whose time has come; return how many. A person with nothing to read gets none that day."""
    now = clock()
    return sum(_write(person, choice, now) for person, choice in _due(now))


def _due(now: datetime) -> list[tuple[User, AlertPreference]]:
    """Return the people whose hour has come today, who have had no digest yet, and who may get one."""
    people = list(User.objects.filter(is_active=True, is_staff=True))
    choices = preferences_of([person.pk for person in people])
    for choice in choices.values():
        _wait_for_monday(choice, now)
    due = [(person, choices[person.pk]) for person in people if _is_due(choices[person.pk], now)]
    return [(person, choice) for person, choice in due if may_be_told(person)]


def _is_due(choice: AlertPreference, now: datetime) -> bool:
    zone = find_zone(choice.timezone)
    if zone is None or choice.frequency == Frequency.NEVER:
        return False
    if choice.frequency == Frequency.WEEKLY:
        return _week_has_come(choice, now.astimezone(zone))
    return hour_has_come(choice, choice.digested_on, now)


def _wait_for_monday(choice: AlertPreference, now: datetime) -> None:
    """Note the last Monday for a person who has just chosen weekly digests: the first one comes on the next Monday."""
    zone = find_zone(choice.timezone)
    if zone is None or choice.frequency != Frequency.WEEKLY or choice.digested_on is not None:
        return
    local = now.astimezone(zone)
    monday = _last_monday(choice, local)
    if local.date() != monday:
        unknown = AlertPreference.objects.filter(pk=choice.pk, digested_on=None, frequency=Frequency.WEEKLY)
        unknown.update(digested_on=monday)
        choice.digested_on = monday


def _last_monday(choice: AlertPreference, local: datetime) -> date:
    """Return the date of the last Monday whose hour of digests has come."""
    monday = local.date() - timedelta(days=local.weekday())
    return monday - WEEKLY if local.date() == monday and local.hour < choice.digest_hour else monday


def _week_has_come(choice: AlertPreference, local: datetime) -> bool:
    """Return whether no digest has come since the last Monday's hour: one that couldn't be sent then comes later."""
    monday = _last_monday(choice, local)
    return choice.digested_on is None or not monday <= choice.digested_on <= local.date() + OTHER_ZONES


def hour_has_come(choice: AlertPreference, last: date | None, now: datetime) -> bool:
    """Return whether the person's hour has come on a local day that isn't that of the last message."""
    zone = find_zone(choice.timezone)
    if zone is None:
        return False
    local = now.astimezone(zone)
    is_told = last is not None and local.date() <= last <= local.date() + OTHER_ZONES
    return local.hour >= choice.digest_hour and not is_told


def _since(choice: AlertPreference, now: datetime) -> datetime:
    """Return the instant after which alerts are told: a day or week ago, or the beginning of the last digest's date."""
    zone, span = find_zone(choice.timezone), _period(choice)
    if zone is None or choice.digested_on is None:
        return now - span
    # An hour before that, for alerts of a check that committed only after the digest was read.
    last = datetime.combine(choice.digested_on, time.min, tzinfo=zone) - timedelta(hours=1)
    return max(min(last, now - span), now - OLDEST)


def _fired(person: User, choice: AlertPreference, since: datetime) -> list[Alert]:
    """Return the person's alerts that fired since, and that the person hasn't been told: the open and worst first."""
    told = AlertMessage.objects.filter(alert=OuterRef("pk"), person=person)
    fired = Alert.objects.filter(~Exists(told), opened_at__gt=since)
    if choice.frequency == Frequency.AT_ONCE:
        # Left out is what another worker is routing now.
        fired = fired.filter(is_routed=True)
    alerts = newest_of(person, fired, MOST)
    return sorted(alerts, key=lambda each: (each.resolved_at is not None, not each.is_bad, -each.threshold, -each.pk))


def _write(person: User, choice: AlertPreference, now: datetime) -> bool:
    zone = find_zone(choice.timezone)
    if zone is None:
        return False
    today, since = local_date(zone, now), _since(choice, now)
    # Read before the transaction, which keeps other writers waiting on SQLite.
    shown = _fired(person, choice, since)
    changes = _status_changes(person, choice, now) if shown or choice.frequency in ONLY_DIGESTS else None
    with transaction.atomic():
        # Two workers may be here at once: who changes the row as it was read writes the digest.
        AlertPreference.objects.get_or_create(user=person, defaults={"timezone": choice.timezone})
        rows = AlertPreference.objects.filter(user=person, digested_on=choice.digested_on)
        if not rows.update(digested_on=today, digested_at=now):
            return False
        # What the person has got by itself or in another digest isn't told again.
        told = set(
            AlertMessage.objects.filter(person=person, alert__opened_at__gt=since).values_list("alert", flat=True)
        )
        shown = [each for each in shown if each.pk not in told]
        if not shown and not (changes and choice.frequency in ONLY_DIGESTS):
            return False
        _save(person, choice, shown, changes, today, now)
    return True


def _period(choice: AlertPreference) -> timedelta:
    return WEEKLY if choice.frequency == Frequency.WEEKLY else DAILY


def _changes_since(choice: AlertPreference, now: datetime) -> datetime:
    """Return the instant from which status changes are counted: the last digest, so each is counted once."""
    last = choice.digested_at
    return max(last, now - OLDEST) if last and last <= now else now - _period(choice)


def _span(choice: AlertPreference, now: datetime, first: datetime) -> str:
    """Return the time from `first` on, in words: a day or a week, unless this digest or the last one came late."""
    period = _period(choice)
    is_usual = abs(now - period - first) < PUNCTUAL
    return f"the last {IN_WORDS[period]}" if is_usual else _since_words(choice, first)


def _since_words(choice: AlertPreference, instant: datetime) -> str:
    return f"the time since {format_time(instant, zone_of(choice), seconds=False)}"


def _hold_words(fired: int, still_open: int) -> str:
    if fired == 1:
        return "it still holds" if still_open else "it has resolved"
    return f"{still_open:,} of them still hold{'s' if still_open == 1 else ''}"


def _save(
    person: User,
    choice: AlertPreference,
    shown: Sequence[Alert],
    changes: StatusChanges | None,
    today: date,
    now: datetime,
) -> None:
    still_open = sum(each.resolved_at is None for each in shown)
    counted = f"{len(shown):,} alert{'' if len(shown) == 1 else 's'}"
    if shown:
        first = min(each.opened_at for each in shown)
        usual = now - _period(choice)
        span = (
            _since_words(choice, first)
            if first <= usual
            else _span(choice, now, min(_changes_since(choice, now), usual))
        )
        subject = f"{counted} in {span}, {still_open:,} open{f'; {changes.counted}' if changes else ''}"
        intro = f"In {span} {counted} fired; {_hold_words(len(shown), still_open)}."
    elif changes:
        subject, intro = f"Campaigns: {changes.counted} in {changes.span}", "No alert fired."
    context = {
        "alerts": shown,
        "intro": intro,
        "changes": changes.sentence if changes else "",
        "latest": changes.latest if changes else (),
    }
    email = digest_email(
        person,
        subject,
        context,
        zone_of(choice),
        digest_day=today,
        written_at=now,
        next_attempt_at=now,
    )
    email.save()
    messages = (AlertMessage(alert=each, person=person, due_at=now, email=email, is_settled=True) for each in shown)
    AlertMessage.objects.bulk_create(messages, batch_size=1_000, ignore_conflicts=True)


def _status_changes(person: User, choice: AlertPreference, now: datetime) -> StatusChanges | None:
    """Return how many of the person's campaigns have paused and resumed, and the latest; None for none."""
    since = _changes_since(choice, now)
    changes = recent_changes(person, now=now, period=now - since)
    if not changes.paused and not changes.resumed:
        return None
    reasons = ", ".join(f"{count:,} {LABELS[reason]}" for reason, count in changes.paused_for.items() if count)
    paused = f"{changes.paused:,} paused ({reasons})" if reasons else f"{changes.paused:,} paused"
    newest = " among the newest" if changes.is_capped else ""
    span = _span(choice, now, since)
    return StatusChanges(
        span,
        _counted(changes),
        f"Status changes of campaigns in {span}{newest}: {paused}, {changes.resumed:,} resumed.",
        [_line(each, zone_of(choice)) for each in latest_changes(person, LATEST) if each.at >= since],
    )


def _counted(changes: Changes) -> str:
    """Return “2 pauses, 1 resume”, without what there was none of."""
    counts = ((changes.paused, "pause"), (changes.resumed, "resume"))
    return ", ".join(f"{count:,} {word}{'' if count == 1 else 's'}" for count, word in counts if count)


def _line(change: StatusChange, zone: ZoneInfo) -> str:
    reasons = ", ".join(LABELS[reason] for reason in PauseReason(change.reasons_after))
    after = f"paused, {reasons}" if reasons else "resumed"
    return (
        f"{change.campaign.name} ({change.campaign.brand.name}): {after}, {format_time(change.at, zone, seconds=False)}"
    )
