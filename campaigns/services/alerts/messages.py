"""From alerts to e-mails: each person gets each identity once (R19).

Three steps, each in short transactions: routing decides who gets a new alert; writing makes the e-mails of those
whose time has come; sending (campaigns.services.alerts.sending) hands them to the mail server with no transaction open.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from campaigns.models import Alert, AlertMessage, AlertPreference
from campaigns.rules.alerts import after_quiet_hours
from campaigns.rules.clock import Clock
from campaigns.rules.periods import find_zone
from campaigns.services.alerts.compose import alert_email, zone_of
from campaigns.services.alerts.handling import is_unhandled, unhandled
from campaigns.services.alerts.kinds import KINDS, LATE
from campaigns.services.alerts.recipients import Recipients, preferences_of

# More than so many alerts for a person are one e-mail.
MOST_APART = 5
BATCH = 5_000
AT_ONCE = AlertPreference.Frequency.AT_ONCE


def route(*, clock: Clock) -> int:
    """Note who gets the alerts that have fired; return how many alerts were routed.

    An alert that reaches nobody yet stays to be routed: on a new installation there may be no superuser so far.
    """
    routed, last = 0, 0
    while batch := _route_batch(last, clock()):
        routed += batch.routed
        last = batch.last
    return routed


class _Batch(NamedTuple):
    routed: int
    last: int


def _route_batch(after: int, now: datetime) -> _Batch | None:
    with transaction.atomic():
        # Two workers may be here at once; on SQLite the transaction keeps the other one out.
        rows = Alert.objects.filter(is_routed=False, resolved_at__isnull=True, pk__gt=after).order_by("pk")
        alerts = list(rows.select_related("rule").select_for_update(of=("self",), skip_locked=True)[:BATCH])
        if not alerts:
            return None
        told = add_messages(alerts, now)
        routed = set().union(*told.values())
        Alert.objects.filter(pk__in=sorted(routed)).update(is_routed=True)
    return _Batch(len(routed), alerts[-1].pk)


def add_messages(alerts: Sequence[Alert], now: datetime) -> dict[int, set[int]]:
    """Note who gets the alerts, leaving alone what is noted already; return the ids of each recipient's alerts."""
    recipients = Recipients(alerts)
    told = recipients.alerts_by_person()
    choices = preferences_of(told)
    messages = (
        AlertMessage(
            alert=alert,
            person_id=pk,
            due_at=when_due(alert, choices[pk], now),
            is_settled=is_told_by_watch(alert, recipients.person(pk)),
        )
        for pk in sorted(told)
        for alert in told[pk]
        if choices[pk].frequency == AT_ONCE
    )
    AlertMessage.objects.bulk_create(messages, batch_size=1_000, ignore_conflicts=True)
    return {pk: {alert.pk for alert in own} for pk, own in told.items()}


def is_told_by_watch(alert: Alert, person: User) -> bool:
    """Return whether `manage.py watch` has notified the person of what it is about."""
    return alert.kind == LATE and person.email.casefold() in {each.casefold() for each in settings.WATCH_EMAIL}


def when_due(alert: Alert, choice: AlertPreference, now: datetime) -> datetime:
    """Return now, or when the person's quiet hours end if it's within them and the alert isn't urgent."""
    kind = KINDS.get(alert.kind)
    return now if kind and kind.is_urgent else when_not_quiet(choice, now)


def when_not_quiet(choice: AlertPreference, now: datetime) -> datetime:
    """Return now, or when the person's quiet hours end if it's within them."""
    zone = find_zone(choice.timezone)
    return now if zone is None else after_quiet_hours(now, zone, choice.quiet_from, choice.quiet_until)


def write(*, clock: Clock) -> int:
    """Write the e-mails of messages that are due; return how many.

    Who gets them is looked up again, because they may have waited for quiet hours to end. What has resolved, or has
    been acknowledged or snoozed meanwhile, isn't sent.
    """
    now = clock()
    due = AlertMessage.objects.filter(is_settled=False, due_at__lte=now)
    looked_at = sorted(due.order_by().values_list("alert_id", flat=True).distinct())
    told: dict[int, set[int]] = {}
    for start in range(0, len(looked_at), BATCH):
        rows = Alert.objects.filter(unhandled(now), pk__in=looked_at[start : start + BATCH], resolved_at__isnull=True)
        for pk, alerts in add_messages(list(rows.select_related("rule")), now).items():
            told.setdefault(pk, set()).update(alerts)
    people = list(due.order_by().values_list("person_id", flat=True).distinct())
    read = set(looked_at)
    return sum(_write_for(pk, told.get(pk, set()), read, now) for pk in people)


def _write_for(pk: int, told: Collection[int], looked_at: Collection[int], now: datetime) -> int:
    with transaction.atomic():
        rows = AlertMessage.objects.filter(person=pk, is_settled=False, due_at__lte=now).order_by("pk")
        locked = rows.select_for_update(of=("self",), skip_locked=True).select_related("alert")
        # The others have been noted since, by another worker.
        messages = [each for each in locked if each.alert_id in looked_at]
        if not messages:
            return 0
        choice = preferences_of([pk])[pk]
        if choice.frequency != AT_ONCE:
            # The digest tells it then, if the person gets one.
            AlertMessage.objects.filter(pk__in=[each.pk for each in messages]).delete()
            return 0
        person = User.objects.get(pk=pk)
        wanted = [each.alert for each in messages if each.alert_id in told and is_unhandled(each.alert, now)]
        emails = [
            (alert_email(person, alerts, zone_of(choice), written_at=now, next_attempt_at=now), covered)
            for alerts, covered in _e_mails(wanted)
        ]
        AlertMessage.objects.filter(pk__in=[each.pk for each in messages]).update(is_settled=True)
        for email, covered in emails:
            email.save()
            AlertMessage.objects.filter(person=pk, alert__in=covered).update(email=email)
    return len(emails)


def _e_mails(alerts: Sequence[Alert]) -> list[tuple[list[Alert], list[int]]]:
    """Return the alerts of each e-mail, and all alerts that it covers: of several thresholds it says the highest."""
    groups = highest_thresholds(alerts)
    if len(groups) > MOST_APART:
        return [([group[0] for group in groups], [each.pk for group in groups for each in group])]
    return [([group[0]], [each.pk for each in group]) for group in groups]


def highest_thresholds(alerts: Iterable[Alert]) -> list[list[Alert]]:
    """Return the alerts of each subject and budget, the highest threshold first; what needs action comes first."""
    highest: dict[tuple[int | str | object, ...], list[Alert]] = {}
    for alert in sorted(alerts, key=lambda each: (not each.is_bad, -each.threshold, each.pk)):
        highest.setdefault((alert.kind, alert.subject, alert.period, alert.budget), []).append(alert)
    return list(highest.values())
