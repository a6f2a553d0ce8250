"""Timestamps of spend files: instants, local times of a zone, or whole days of the brand.

A time with an offset is an instant. A time without one is local to the brand's time zone, or to the zone that the user
chose for the file. A day without a time is always the brand's local day, stored as its noon.

At a DST change, a repeated time is read as its first occurrence, and a skipped time is moved by the length of the
gap: 02:30 becomes 03:30. It stays in its day, which is what matters for budgets.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from campaigns.rules.periods import EARLIEST, LATEST
from campaigns.rules.text import quote

EXAMPLE = "2026-03-01T14:30:00+02:00"
DAY_EXAMPLE = "2026-03-01"
NOON = time(12)
# Timestamps repeat, especially in files of five-minute totals.
CACHE_SIZE = 10_000

WRITTEN = re.compile(
    r"(?P<year>[0-9]{4})(?P<mark>[-/]?)(?P<month>[0-9]{2})(?P=mark)(?P<day>[0-9]{2})(?:[T t](?P<time>.+))?"
)
YEAR_LAST = re.compile(r"[0-9]{1,2}([./-])[0-9]{1,2}\1(?:[0-9]{4}|[0-9]{2})(?![0-9]).*")
END_OF_DAY = re.compile(r"24(:?00){0,2}(?:[.,]0+)?(?P<offset>Z|z|[+-].*)?")


class WrittenTime(NamedTuple):
    """A parsed timestamp: in UTC, or naive if the line has no offset."""

    timestamp: datetime
    # Whether it is a day without a time, as its noon.
    is_day: bool


@lru_cache(maxsize=CACHE_SIZE)
def read_time(text: str) -> WrittenTime:
    """Parse a cell, truncated to microseconds. Raises ValueError with a message for people."""
    text = text.strip()
    found = WRITTEN.fullmatch(text)
    if not found:
        raise ValueError(_year_last(text) if YEAR_LAST.fullmatch(text) else _invalid(text))
    date, clock = f"{found['year']}-{found['month']}-{found['day']}", found["time"]
    if clock and END_OF_DAY.fullmatch(clock):
        raise ValueError(
            f"The timestamp {quote(text)} is midnight at the end of a day: use 00:00 of the next day,"
            " or 23:59 for the day itself."
        )
    try:
        if clock is None:
            return WrittenTime(datetime.combine(datetime.fromisoformat(date), NOON), is_day=True)
        # Spreadsheets write 9:05.
        instant = datetime.fromisoformat(f"{date}T{'0' if clock[1:2] == ':' else ''}{clock}")
    except ValueError:
        raise ValueError(_invalid(text)) from None
    if instant.tzinfo is None:
        return WrittenTime(instant, is_day=False)
    return WrittenTime(_in_bounds(instant, text).astimezone(UTC), is_day=False)


@lru_cache(maxsize=CACHE_SIZE)
def local_to_utc(zone: ZoneInfo, wall: datetime) -> datetime:
    """Convert a local time of the zone to UTC. Raises ValueError with a message for people."""
    if not EARLIEST.year - 1 <= wall.year <= LATEST.year:
        # Out of range in any zone, and perhaps too extreme for Python to convert.
        return _in_bounds(wall.replace(tzinfo=UTC), wall.isoformat())
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).date() != wall.date():  # DST moved it into the next day
        instant = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _in_bounds(instant, wall.isoformat())


def _in_bounds(instant: datetime, text: str) -> datetime:
    if not EARLIEST <= instant < LATEST:
        raise ValueError(
            f"The timestamp {quote(text)} is outside {EARLIEST.year} to {LATEST.year - 1}: correct its year."
        )
    return instant


def _year_last(text: str) -> str:
    return (
        f"The timestamp {quote(text)} doesn't start with the year, so day and month are ambiguous: use the form"
        f" {EXAMPLE}, or a day like {DAY_EXAMPLE}."
    )


def _invalid(text: str) -> str:
    return (
        f"The timestamp {quote(text)} isn't a valid date and time: use ISO 8601 like {EXAMPLE}, or a day"
        f" like {DAY_EXAMPLE}."
    )
