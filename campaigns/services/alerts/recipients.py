"""The recipients of an alert: people who have the brand, else the rule's group, else superusers with an address.

An alert about the operation is not for the people of its brand.

Resolved anew whenever something is sent, so that nobody gets what they may no longer see.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet

from campaigns.models import Alert, AlertPreference, Brand, BrandAssignment
from campaigns.services.alerts.kinds import KINDS
from campaigns.services.permissions import sees_only_assigned_brands

VIEW_ALERTS = "campaigns.view_alert"
PERMISSIONS = "django.contrib.auth.backends.ModelBackend"
# Alerts that are read at a time where those of one person are looked for.
BATCH = 5_000
Pairs = dict[int, set[int]]


def may_be_told(person: User) -> bool:
    """Return whether e-mails about alerts reach the person. Without a mail server they are kept here for everybody."""
    has_address = bool(person.email) or not settings.EMAIL_IS_SET_UP
    return person.is_active and has_address and person.has_perm(VIEW_ALERTS)


def preferences_of(people: Iterable[int]) -> dict[int, AlertPreference]:
    """Return what each person chose, or the defaults."""
    wanted = set(people)
    stored = {each.user_id: each for each in AlertPreference.objects.filter(user__in=wanted)}
    return {pk: stored.get(pk) or AlertPreference(user_id=pk, timezone=settings.TIME_ZONE) for pk in wanted}


def sees(person: User, alert: Alert, assigned: Collection[int]) -> bool:
    """Return whether the person sees an alert; assigned are the ids of the person's brands."""
    return not sees_only_assigned_brands(person) or alert.brand_id in assigned


def brands_assigned_to(person: User) -> set[int]:
    return set(BrandAssignment.objects.filter(user=person.pk).values_list("brand_id", flat=True))


class Recipients:
    """The recipients of some alerts; each person is asked for once."""

    def __init__(self, alerts: Sequence[Alert]) -> None:
        brands = {alert.brand_id for alert in alerts if alert.brand_id is not None}
        groups = {alert.rule.group_id for alert in alerts if alert.rule.group_id is not None}
        self._alerts = alerts
        self._given = _pairs(BrandAssignment.objects.filter(brand__in=brands).values_list("brand_id", "user_id"))
        owners = Brand.objects.filter(pk__in=brands, owner__isnull=False).values_list("pk", "owner_id")
        for brand, owner in owners:
            self._given.setdefault(brand, set()).add(owner)
        members = User.groups.through.objects.filter(group_id__in=groups)
        self._members = _pairs(members.values_list("group_id", "user_id"))
        self._superusers = set(User.objects.filter(is_superuser=True, is_active=True).values_list("pk", flat=True))
        wanted = self._superusers.union(*self._given.values(), *self._members.values())
        self._people = {pk: person for pk, person in User.objects.in_bulk(wanted).items() if may_be_told(person)}
        self._assigned: Pairs = {}

    def person(self, pk: int) -> User:
        return self._people[pk]

    def of(self, alert: Alert) -> set[int]:
        """Return the ids of the people who get the alert."""
        kind = KINDS.get(alert.kind)
        for candidates in (
            () if kind and kind.is_operational else self._given.get(alert.brand_id or 0, ()),
            self._members.get(alert.rule.group_id or 0, ()),
            self._superusers,
        ):
            if found := {pk for pk in candidates if pk in self._people and self._sees(pk, alert)}:
                return found
        return set()

    def alerts_by_person(self) -> dict[int, list[Alert]]:
        """Return the alerts of each person, by id, in the order in which they were given."""
        told: dict[int, list[Alert]] = {}
        for alert in self._alerts:
            for pk in self.of(alert):
                told.setdefault(pk, []).append(alert)
        return told

    def _sees(self, pk: int, alert: Alert) -> bool:
        if pk not in self._assigned:
            person = self.person(pk)
            self._assigned[pk] = brands_assigned_to(person) if sees_only_assigned_brands(person) else set()
        return sees(self.person(pk), alert, self._assigned[pk])


def newest_of(person: User, alerts: QuerySet[Alert], most: int) -> list[Alert]:
    """Return the newest of the alerts that the person gets, at most so many, read in batches.

    The query leaves out most alerts of others; who gets one is decided as everywhere.
    """
    found: list[Alert] = []
    rows = _maybe_of(person, alerts).select_related("rule").order_by("-pk")
    while len(found) < most and (batch := list(rows[:BATCH])):
        recipients = Recipients(batch)
        found += [alert for alert in batch if person.pk in recipients.of(alert)]
        rows = rows.filter(pk__lt=batch[-1].pk)
    return found[:most]


def _maybe_of(person: User, alerts: QuerySet[Alert]) -> QuerySet[Alert]:
    own = BrandAssignment.objects.filter(user=person.pk).values("brand")
    mine = Q(brand__in=own) | Q(brand__owner=person.pk) | Q(rule__group__in=person.groups.values("pk"))
    if person.is_superuser:
        told = User.objects.with_perm(VIEW_ALERTS, backend=PERMISSIONS)
        if settings.EMAIL_IS_SET_UP:
            told = told.exclude(email="")
        assigned = BrandAssignment.objects.filter(brand=OuterRef("brand"), user__in=told.values("pk"))
        operational = [kind.code for kind in KINDS.values() if kind.is_operational]
        mine |= ~Exists(assigned) | Q(kind__in=operational)
    return alerts.filter(mine)


def is_anybody_told() -> bool:
    """Return whether a superuser gets the alerts that nobody else gets."""
    return any(may_be_told(person) for person in User.objects.filter(is_superuser=True, is_active=True))


def _pairs(rows: Iterable[tuple[int, int]]) -> Pairs:
    found: Pairs = {}
    for key, value in rows:
        found.setdefault(key, set()).add(value)
    return found
