"""The local clocks of time zones, and the segments of their days, as rows that a statement joins by zone name.

They come from Python's zone data: one statement serves all zones, and the database's own zone data is never asked.
Quarters and minutes count from 1970-01-01 00:00 UTC.

Segments are stretches of a UTC day that lie in one local day of a zone. Every statement that moves or recomputes totals
joins its spend with them and with the brand's accounting time zones: so each quarter-hour of spend belongs to a local
day and month (R3, R15; campaigns/sql/ledger/booked.sql).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from campaigns.database.dialects import rows_param, rows_sql
from campaigns.rules.periods import (
    QUARTER_SECONDS,
    LocalClock,
    day_segments,
    find_zone,
    local_clocks,
    minute_of,
    quarter_of,
    start_of_day,
)

CLOCK_COLUMNS = {
    "zone": "text",
    "today": "date",
    "local_time": "time",
    "this_month": "date",
    "next_month": "date",
    "weekday_bit": "integer",
    "yesterday_bit": "integer",
    # Quarters.
    "day_from": "integer",
    "day_until": "integer",
    "month_from": "integer",
    # Minutes: today's midnight by the offset of now, the beginning of tomorrow and of the next month, and the next
    # change of the zone's offset before tomorrow, or NULL.
    "midnight": "integer",
    "tomorrow": "integer",
    "month_until": "integer",
    "next_dst_change": "integer",
}
SEGMENT_COLUMNS = {
    "kind": "text",
    "zone": "text",
    "utc_day": "integer",
    "quarter_from": "integer",
    "quarter_until": "integer",
    "day_from": "integer",
    "starts_on": "date",
}


class Clocks:
    """The clocks of some zones at an instant; unknown zones have none.

    more maps further columns, integers, to functions of a zone and the instant.
    """

    def __init__(
        self, zones: Iterable[str], now: datetime, more: Mapping[str, Callable[[ZoneInfo, datetime], int]] | None = None
    ) -> None:
        self.now = now
        clocks = local_clocks(zones, now)
        added = more or {}
        columns = CLOCK_COLUMNS | dict.fromkeys(added, "integer")
        self.sql = rows_sql(columns, "%(clocks)s")
        rows = [(*_row(each, now), *(of(ZoneInfo(each.zone), now) for of in added.values())) for each in clocks]
        # As constants, the first and the last of the zones' days and months let the database skip older periods.
        first_day, last_day = _first_and_last(clock.today for clock in clocks)
        first_month, last_month = _first_and_last(clock.month for clock in clocks)
        self.params = {
            "clocks": rows_param(columns, rows),
            "first_day": first_day,
            "last_day": last_day,
            "first_month": first_month,
            "last_month": last_month,
        }


def unknown_zones(zones: Iterable[str]) -> list[str]:
    return sorted(str(name) for name in zones if find_zone(name) is None)


def _first_and_last(dates: Iterable[date]) -> tuple[str, str]:
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
        _next_dst_change(zone, quarter_of(now), clock.day_until),
    )


def _next_dst_change(zone: ZoneInfo, quarter: int, until: int) -> int | None:
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


def segments_sql() -> str:
    return rows_sql(SEGMENT_COLUMNS, param="%(segments)s")


def segments_param(utc_days: Mapping[str, Iterable[int]]) -> str:
    """Return the parameter segments: of some UTC days in each zone. Give zones in use: 300 take 60 MB for a year."""
    return rows_param(SEGMENT_COLUMNS, _segments(utc_days))


def _segments(utc_days: Mapping[str, Iterable[int]]) -> Iterator[tuple[str, str, int, int, int, int, date]]:
    for name, days in utc_days.items():
        zone = find_zone(name)
        if zone is None:
            continue
        for _, utc_day, quarter_from, quarter_until, day_from, day, month in day_segments(zone, days):
            yield "day", name, utc_day, quarter_from, quarter_until, day_from, day
            yield "month", name, utc_day, quarter_from, quarter_until, day_from, month
