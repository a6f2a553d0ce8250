"""On how many of the last days a brand reached its daily budget, and at which local time in the median.

Days are those that are closed, as in the statements. The time is that of the first status change for this reason in one
campaign of the brand, its oldest: all campaigns of a brand change together, and the index finds the changes of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from statistics import median_low
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from campaigns.database.connection import as_date, as_instant, fetch_all
from campaigns.database.dialects import in_list, list_param
from campaigns.rules.pace import REACHED_DAYS
from campaigns.rules.periods import find_zone, local_date
from campaigns.rules.reasons import PauseReason

# On fewer days it is chance.
FEWEST_DAYS = 3
# Latest changes of a campaign among which the times are searched.
MAX_CHANGES = 500

REACHED = """
WITH oldest AS (
    SELECT brand_id, MIN(id) AS campaign_id FROM campaigns_campaign
    WHERE archived_at IS NULL AND {brands}
    GROUP BY brand_id
)
SELECT brand_id, starts_on AS day, NULL AS at
FROM campaigns_brandperiod
WHERE {brands} AND kind = 'day' AND starts_on >= %(first)s
    AND closed_at IS NOT NULL AND budget_at_close > 0 AND spend_at_close >= budget_at_close
UNION ALL
SELECT oldest.brand_id, NULL, change.at
FROM oldest
JOIN campaigns_statuschange change ON change.campaign_id = oldest.campaign_id
    AND change.id > COALESCE((
        SELECT id FROM campaigns_statuschange WHERE campaign_id = oldest.campaign_id
        ORDER BY id DESC LIMIT 1 OFFSET %(changes)s
    ), 0)
WHERE change.at >= %(since)s AND change.reasons_after & %(reason)s <> 0 AND change.reasons_before & %(reason)s = 0
"""


class ReachedDays(NamedTuple):
    """How many of the last REACHED_DAYS days reached the budget; at is unknown where the changes were pruned."""

    days: int
    at: time | None

    @property
    def figures(self) -> tuple[str, str]:
        """Return how often in words, and when; the latter is empty if unknown."""
        often = f"reached on {self.days} of the last {REACHED_DAYS} days"
        return often, f"at {self.at:%H:%M} in the median" if self.at else ""

    @property
    def words(self) -> str:
        return ", ".join(filter(None, self.figures))


def reached_days(zones: Mapping[int, str], *, now: datetime) -> dict[int, ReachedDays]:
    """Return how often brands, given with their time zones, reached their daily budget, if often. One query."""
    known = {pk: zone for pk, name in zones.items() if (zone := find_zone(name))}
    if not known:
        return {}
    since = now - timedelta(days=REACHED_DAYS + 2)
    params = {
        "ids": list_param(known),
        "first": since.date().isoformat(),
        "since": connection.ops.adapt_datetimefield_value(since),
        "changes": MAX_CHANGES,
        "reason": int(PauseReason.BRAND_DAILY_BUDGET),
    }
    days: dict[int, set[date]] = {pk: set() for pk in known}
    changes: dict[int, list[datetime]] = {pk: [] for pk in known}
    for pk, day, at in fetch_all(REACHED.format(brands=in_list("brand_id", param="%(ids)s")), params):
        if day is None:
            changes[pk].append(as_instant(at))
        else:
            days[pk].add(as_date(day))
    found = {pk: _of_brand(days[pk], changes[pk], zone, now) for pk, zone in known.items()}
    return {pk: each for pk, each in found.items() if each.days >= FEWEST_DAYS}


def _of_brand(days: set[date], changes: Iterable[datetime], zone: ZoneInfo, now: datetime) -> ReachedDays:
    today = local_date(zone, now)
    counted = {day for day in days if today - timedelta(days=REACHED_DAYS) <= day < today}
    first: dict[date, time] = {}
    for at in sorted(changes):
        wall = at.astimezone(zone)
        if wall.date() in counted:
            first.setdefault(wall.date(), wall.time())
    return ReachedDays(len(counted), median_low(first.values()) if first else None)
