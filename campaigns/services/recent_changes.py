"""How many campaigns have paused and resumed lately, and the latest ones: for home, and for digests of alerts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q, Subquery

from campaigns.database.connection import fetch_all
from campaigns.models import StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.permissions import Person, sees_only_assigned_brands, visible_to

# Newest rows of the history among which the changes of the last 24 hours are counted.
MAX_CHANGES = 100_000
# The same for people who see only assigned brands: fewer rows are theirs, found by their campaigns.
MAX_CHANGES_OF_ASSIGNED_BRANDS = 1_000_000
RECENT_PERIOD = timedelta(hours=24)

RECENT = """
WITH newest AS (SELECT COALESCE(MAX(id), 0) - %(newest)s AS before FROM campaigns_statuschange)
SELECT reasons_before, reasons_after, COUNT(*), NULL
FROM campaigns_statuschange
WHERE id > (SELECT before FROM newest) AND at >= %(since)s AND {seen}
GROUP BY reasons_before, reasons_after
UNION ALL
SELECT 0, 0, 0, CASE WHEN at >= %(since)s THEN 1 ELSE 0 END FROM (
    SELECT at FROM campaigns_statuschange WHERE id <= (SELECT before FROM newest) ORDER BY id DESC LIMIT 1
) older
"""

ASSIGNED = """campaign_id IN (
    SELECT id FROM campaigns_campaign
    WHERE brand_id IN (SELECT brand_id FROM campaigns_brandassignment WHERE user_id = %(user)s)
)"""


@dataclass
class Changes:
    """Status changes since an instant; is_capped if older ones of that time weren't read."""

    since: datetime
    resumed: int = 0
    paused: int = 0
    other: int = 0
    paused_for: dict[PauseReason, int] = field(default_factory=lambda: dict.fromkeys(PauseReason, 0))
    is_capped: bool = False

    @property
    def count(self) -> int:
        return self.resumed + self.paused + self.other


def recent_changes(user: Person, *, now: datetime, period: timedelta = RECENT_PERIOD) -> Changes:
    """Return the status changes of a period until now in campaigns that the person can see, in one query."""
    found = Changes(now - period)
    seen = ASSIGNED if sees_only_assigned_brands(user) else "1 = 1"
    since = connection.ops.adapt_datetimefield_value(found.since)
    params = {"newest": max_changes(user), "since": since, "user": user.pk}
    for before, after, count, is_older_line_recent in fetch_all(RECENT.format(seen=seen), params):
        found.is_capped |= bool(is_older_line_recent)
        if count:
            _count_change(found, before, after, count)
    return found


def latest_changes(user: Person, number: int) -> list[StatusChange]:
    """Return the latest pauses and resumes of campaigns that the person can see, with campaign and brand."""
    last = Subquery(StatusChange.objects.order_by("-pk").values("pk")[:1])
    newest = StatusChange.objects.filter(pk__gt=last - max_changes(user)).filter(
        Q(reasons_before=0) | Q(reasons_after=0)
    )
    changes = visible_to(user, newest.select_related("campaign__brand"), "campaign__brand")
    return list(changes.order_by("-id")[:number])


def max_changes(user: Person) -> int:
    """Return how many of the newest rows of the history are searched for a person."""
    return MAX_CHANGES_OF_ASSIGNED_BRANDS if sees_only_assigned_brands(user) else MAX_CHANGES


def _count_change(found: Changes, before: int, after: int, count: int) -> None:
    if not after:
        found.resumed += count
    elif before:
        found.other += count
    else:
        found.paused += count
        for reason in PauseReason(after):
            found.paused_for[reason] += count
