"""Calendar arithmetic: local times of a zone, and the starts of its days and months.

Pure functions, without database or clock. Instants are aware datetimes; days and months are local dates of a zone, a
month is represented by its first day. A *quarter* is the number of a quarter-hour since 1970-01-01 00:00 UTC: every
zone's midnight has been on one since 2012, so sums by quarter-hour add up to exact days in any zone.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

EARLIEST = datetime(2012, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
QUARTER_SECONDS = 900
QUARTERS_IN_UTC_DAY = 96
ONE_DAY = timedelta(days=1)
# A minute in the year 6053, for no next change.
NEVER = 2**31 - 1


@cache
def known_zones() -> frozenset[str]:
    """Return the names of all time zones in this process's zone data."""
    return frozenset(name for name in zoneinfo.available_timezones() if _is_a_place(name))


def _is_a_place(name: str) -> bool:
    """Return whether the name is a real time zone.

    localtime is the setting of this machine, Factory a placeholder, posixrules a default for rules, and right/ counts
    leap seconds.
    """
    return name not in ("localtime", "Factory", "posixrules") and not name.startswith(("right/", "posix/"))


def find_zone(name: str) -> ZoneInfo | None:
    """Return the zone of that name, or None if it is unknown."""
    return ZoneInfo(name) if name in known_zones() else None


def quarter_of(instant: datetime) -> int:
    return int(instant.timestamp()) // QUARTER_SECONDS


def quarters_of_the_month(instant: datetime) -> tuple[int, int]:
    """Return the range of quarter-hours, the last excluded, that contains today and this month in every zone.

    No zone is more than a day from UTC.
    """
    utc = instant.astimezone(UTC)
    first = first_of_month((utc - ONE_DAY).date())
    begin = datetime(first.year, first.month, 1, tzinfo=UTC) - ONE_DAY
    return quarter_of(begin), quarter_of(utc + 2 * ONE_DAY)


def minute_of(instant: datetime) -> int:
    """Return the number of whole minutes since 1970-01-01 00:00 UTC."""
    return int(instant.timestamp()) // 60


def day_number(day: date) -> int:
    """Return the number of days since 1970-01-01."""
    return (day - date(1970, 1, 1)).days


def first_of_month(day: date) -> date:
    return day.replace(day=1)


def next_month(month: date) -> date:
    return first_of_month(first_of_month(month) + timedelta(days=32))


def local_date(zone: ZoneInfo, instant: datetime) -> date:
    return instant.astimezone(zone).date()


@lru_cache(maxsize=100_000)
def start_of_day(zone: ZoneInfo, day: date) -> datetime:
    """Return the first instant of a local day, in UTC.

    If DST skips midnight, fold 0 gives the instant of the change, which is the start of the day.
    """
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True)
class LocalClock:
    """A zone's local time and calendar at an instant. Ranges of quarters exclude their end."""

    zone: str
    today: date
    local_time: time
    month: date
    weekday_bit: int
    yesterday_bit: int
    day_from: int
    day_until: int
    month_from: int

    @property
    def next_month(self) -> date:
        return next_month(self.month)


def local_clock(zone: ZoneInfo, instant: datetime) -> LocalClock:
    wall = instant.astimezone(zone)
    today = wall.date()
    month = first_of_month(today)
    return LocalClock(
        zone=zone.key,
        today=today,
        local_time=wall.time().replace(microsecond=0),
        month=month,
        weekday_bit=weekday_bit(today),
        yesterday_bit=weekday_bit(today - ONE_DAY),
        day_from=quarter_of(start_of_day(zone, today)),
        day_until=quarter_of(start_of_day(zone, today + ONE_DAY)),
        month_from=quarter_of(start_of_day(zone, month)),
    )


def local_clocks(zones: Iterable[str], instant: datetime) -> list[LocalClock]:
    """Return the clocks of the known zones; unknown ones are skipped."""
    found = (find_zone(name) for name in sorted(set(zones), key=str))
    return [local_clock(zone, instant) for zone in found if zone is not None]


def weekday_bit(day: date) -> int:
    """Return the day's bit in a weekday mask: Monday 1 to Sunday 64."""
    return 1 << day.weekday()


class DaySegment(NamedTuple):
    """The part of a UTC day that belongs to one local day of a zone, which starts at the quarter day_from."""

    zone: str
    utc_day: int
    quarter_from: int
    quarter_until: int
    day_from: int
    day: date
    month: date


def day_segments(zone: ZoneInfo, utc_days: Iterable[int]) -> Iterator[DaySegment]:
    """Yield for each UTC day (days since 1970-01-01) its local days in order."""
    for utc_day in utc_days:
        quarter, end = utc_day * QUARTERS_IN_UTC_DAY, (utc_day + 1) * QUARTERS_IN_UTC_DAY
        day = local_date(zone, datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC))
        day_from = quarter_of(start_of_day(zone, day))
        while quarter < end:
            day_until = quarter_of(start_of_day(zone, day + ONE_DAY))
            until = min(end, day_until)
            yield DaySegment(zone.key, utc_day, quarter, until, day_from, day, first_of_month(day))
            quarter, day, day_from = until, day + ONE_DAY, day_until
