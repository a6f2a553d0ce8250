"""The local clocks of a scope's brands, as rows that a statement joins by time zone.

They come from Python's zone data, once per zone in use: one statement serves all zones, and the database's own zone
data is never asked. Minutes count from 1970-01-01 00:00 UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import rows_param, rows_sql
from campaigns.rules.periods import (
    QUARTER_SECONDS,
    LocalClock,
    find_zone,
    local_clocks,
    minute_of,
    quarter_of,
    start_of_day,
)
from campaigns.services.scope import Scope

CLOCK_COLUMNS = {
    "zone": "text",
    "today": "date",
    "local_time": "time",
    "this_month": "date",
    "next_month": "date",
    "weekday_bit": "integer",
    "yesterday_bit": "integer",
    "day_from": "integer",
    "day_until": "integer",
    "month_from": "integer",
    "midnight": "integer",
    "tomorrow": "integer",
    "month_until": "integer",
    "shift": "integer",
}
"""Quarter-hours day_from to day_until and month_from on; minutes midnight (today's, by the offset of now), tomorrow,
month_until, and shift: the next change of the zone's offset before tomorrow, or NULL.
"""


class Clocks:
    """The clocks of the scope's zones at an instant; unknown zones have none."""

    sql = property(lambda self: rows_sql(CLOCK_COLUMNS))

    def __init__(self, scope: Scope, now: datetime) -> None:
        self.now = now
        zones = zones_of(scope)
        self.unknown_zones = _unknown(zones)
        clocks = local_clocks(zones, now)
        self.param = rows_param(CLOCK_COLUMNS, (_row(clock, now) for clock in clocks))
        self.days = first_and_last(clock.today for clock in clocks)
        self.months = first_and_last(clock.month for clock in clocks)


def zones_of(scope: Scope) -> set[str]:
    condition, params = scope.brand_condition("id")
    return {name for (name,) in fetch_all(f"SELECT DISTINCT timezone FROM campaigns_brand WHERE {condition}", params)}


def unknown_zones(scope: Scope) -> list[str]:
    """Return the unknown time zones of the scope's brands: their brands can't be decided on."""
    return _unknown(zones_of(scope))


def _unknown(zones: Iterable[str]) -> list[str]:
    return sorted(str(name) for name in zones if find_zone(name) is None)


def first_and_last(dates: Iterable[date]) -> tuple[str, str]:
    """Return the first and the last of the dates: told as constants, they let the database look at nothing older."""
    found = sorted(dates) or [date.max]
    return found[0].isoformat(), found[-1].isoformat()


def _row(clock: LocalClock, now: datetime) -> tuple[Any, ...]:
    zone = ZoneInfo(clock.zone)
    return (
        clock.zone,
        clock.today,
        clock.local_time,
        clock.month,
        clock.next_month,
        clock.weekday_bit,
        clock.yesterday_bit,
        clock.day_from,
        clock.day_until,
        clock.month_from,
        minute_of(now) - clock.local_time.hour * 60 - clock.local_time.minute,
        clock.day_until * 15,
        minute_of(start_of_day(zone, clock.next_month)),
        _next_shift(zone, quarter_of(now), clock.day_until),
    )


def _next_shift(zone: ZoneInfo, quarter: int, until: int) -> int | None:
    """Return the minute of the next change of the zone's offset after a quarter-hour and before another, if any.

    Offsets change on quarter-hours, and not twice in a day.
    """
    if _offset(zone, quarter) == _offset(zone, until - 1):
        return None
    before, after = quarter, until - 1
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(zone, middle) == _offset(zone, quarter) else (before, middle)
    return after * 15


def _offset(zone: ZoneInfo, quarter: int) -> Any:
    return datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC).astimezone(zone).utcoffset()
