"""Alerts as people see and handle them: open ones worst first, acknowledge, snooze."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When

from campaigns.models import Alert, AlertPreference
from campaigns.models.outgoing.alerts import MAX_NOTE
from campaigns.services.alerts.compose import zone_of
from campaigns.services.alerts.kinds import KINDS
from campaigns.services.alerts.recipients import preferences_of
from campaigns.services.permissions import Person, visible_to

URGENT_FIRST = Case(
    When(kind__in=[kind.code for kind in KINDS.values() if kind.is_urgent], then=Value(0)),
    default=Value(1),
    output_field=IntegerField(),
)


class AlertRefused(Exception):
    """The alert can't be changed so; the message says why."""


def visible_alerts(person: Person) -> QuerySet[Alert]:
    """Return the alerts that the person sees: those without a brand only if the person sees all brands."""
    return visible_to(person, Alert.objects.select_related("brand", "campaign"), "brand")


def unhandled(now: datetime) -> Q:
    """Return the condition of alerts that nobody has acknowledged, and that no snooze holds back."""
    return Q(acknowledged_at__isnull=True) & (Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=now))


def is_unhandled(alert: Alert, now: datetime) -> bool:
    """Return the same of an alert that has been read: whether it is open and waits for somebody."""
    is_snoozed = alert.snoozed_until is not None and alert.snoozed_until > now
    return alert.resolved_at is None and alert.acknowledged_at is None and not is_snoozed


# Of several thresholds of one budget the highest is shown and counted; what people do to it holds for the lower ones.
HIGHER = Alert.objects.filter(
    brand=OuterRef("brand"),
    kind=OuterRef("kind"),
    subject=OuterRef("subject"),
    period=OuterRef("period"),
    budget=OuterRef("budget"),
    threshold__gt=OuterRef("threshold"),
    resolved_at__isnull=True,
)


def open_alerts(person: Person, *, now: datetime) -> QuerySet[Alert]:
    """Return the open alerts, worst first: those not yet handled, then the urgent kinds, then what needs action.

    At the end of a month hundreds of budgets are used up: they mustn't hide a pause that isn't applied.
    """
    return (
        visible_alerts(person)
        .filter(~Exists(HIGHER), resolved_at__isnull=True)
        .annotate(handled=Case(When(unhandled(now), then=Value(0)), default=Value(1), output_field=IntegerField()))
        .order_by("handled", URGENT_FIRST, "-is_bad", "-threshold", "-opened_at", "-pk")
    )


def resolved_alerts(person: Person) -> QuerySet[Alert]:
    return visible_alerts(person).filter(resolved_at__isnull=False).order_by("-resolved_at", "-pk")


@dataclass(frozen=True)
class OpenCount:
    """How many alerts are open, how many of them nobody has handled, and how many of these need action."""

    open: int
    unhandled: int
    bad: int


def count_open(person: Person, *, now: datetime) -> OpenCount:
    waiting = unhandled(now)
    counts = (
        visible_alerts(person)
        .filter(~Exists(HIGHER), resolved_at__isnull=True)
        .aggregate(
            open=Count("pk"),
            unhandled=Count("pk", filter=waiting),
            bad=Count("pk", filter=waiting & Q(is_bad=True)),
        )
    )
    return OpenCount(**counts)


def acknowledge(alerts: Iterable[int], note: str, *, person: Person, now: datetime) -> int:
    """Note that the person takes care of open alerts; return how many."""
    return _update(
        person,
        alerts,
        acknowledged_by=person.pk,
        acknowledged_who=person.get_username(),
        acknowledged_at=now,
        snoozed_until=None,
        note=_note(note),
    )


def snooze_end(person: Person, now: datetime) -> datetime:
    """Return tomorrow at the hour of the person's digest, in the zone that the person chose for alerts."""
    choice = preferences_of([person.pk])[person.pk] if person.pk else AlertPreference()
    zone = zone_of(choice)
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(choice.digest_hour), tzinfo=zone)


def snooze(alerts: Iterable[int], note: str, *, person: Person, now: datetime) -> int:
    """Put open alerts aside until tomorrow morning, with a note that says why; return how many."""
    text = _note(note)
    if not text:
        raise AlertRefused("Enter a note that says why it can wait.")
    return _update(
        person,
        alerts,
        acknowledged_by=person.pk,
        acknowledged_who=person.get_username(),
        acknowledged_at=None,
        snoozed_until=snooze_end(person, now),
        note=text,
    )


def _update(person: Person, alerts: Iterable[int], **fields: Any) -> int:
    """Change open alerts that the person sees, and the lower thresholds that they cover; return how many."""
    seen = visible_alerts(person).filter(pk__in=list(alerts), resolved_at__isnull=True)
    chosen = list(seen.order_by().values_list("pk", flat=True))
    covers = Q(pk__in=chosen) | Exists(HIGHER.filter(pk__in=chosen))
    pks = list(Alert.objects.filter(covers, resolved_at__isnull=True).values_list("pk", flat=True)) if chosen else []
    Alert.objects.filter(pk__in=pks, resolved_at__isnull=True).update(**fields)
    return len(chosen)


def _note(text: str) -> str:
    cleaned = " ".join(text.replace("\0", "").split())
    if len(cleaned) > MAX_NOTE:
        raise AlertRefused(f"The note has {len(cleaned):,} characters; at most {MAX_NOTE} are possible.")
    return cleaned
