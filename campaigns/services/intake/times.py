"""When a line of a spend file was spent: instants, wall-clock times of a zone, or whole days of the brand.

A time with an offset is an instant. One without is read on the wall clock of its brand, or of the zone that people
choose for the file. A day without a time is the brand's local day, whatever zone is chosen, and stored as its noon.

On the days when clocks change, a time that comes twice is read as its first coming, and one that is skipped moves by
what the clocks skip: 02:30 becomes 03:30. It never leaves its day, which is all that budgets ask for.
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
# Timestamps repeat, most of all in files of five-minute sums: each text is read once while it is in use.
REMEMBERED = 10_000

WRITTEN = re.compile(
    r"(?P<year>[0-9]{4})(?P<mark>[-/]?)(?P<month>[0-9]{2})(?P=mark)(?P<day>[0-9]{2})(?:[T t](?P<time>.+))?"
)
YEAR_LAST = re.compile(r"[0-9]{1,2}([./-])[0-9]{1,2}\1(?:[0-9]{4}|[0-9]{2})(?![0-9]).*")
END_OF_DAY = re.compile(r"24(:?00){0,2}(?:[.,]0+)?(?P<offset>Z|z|[+-].*)?")


class WrittenTime(NamedTuple):
    """A timestamp as a line gives it: in UTC, or naive where its zone isn't in the line."""

    timestamp: datetime
    # Whether it is the noon of a day without a time.
    is_day: bool


@lru_cache(maxsize=REMEMBERED)
def read_time(text: str) -> WrittenTime:
    """Return what a cell says; what is finer than a microsecond is cut off. Raises ValueError, with a sentence."""
    text = text.strip()
    found = WRITTEN.fullmatch(text)
    if not found:
        raise ValueError(_year_last(text) if YEAR_LAST.fullmatch(text) else _invalid(text))
    date, clock = f"{found['year']}-{found['month']}-{found['day']}", found["time"]
    if clock and END_OF_DAY.fullmatch(clock):
        raise ValueError(
            f"The timestamp {quote(text)} is the end of a day, where the next one begins: write 00:00 of the next day,"
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


@lru_cache(maxsize=REMEMBERED)
def on_the_clock_of(zone: ZoneInfo, wall: datetime) -> datetime:
    """Return the instant of a wall-clock time of the zone, in UTC. Raises ValueError, with a sentence."""
    if not EARLIEST.year - 1 <= wall.year <= LATEST.year:
        # Out of bounds in any zone, and perhaps of what Python can convert.
        return _in_bounds(wall.replace(tzinfo=UTC), wall.isoformat())
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).date() != wall.date():  # moved by skipped clocks into the next day
        instant = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _in_bounds(instant, wall.isoformat())


def _in_bounds(instant: datetime, text: str) -> datetime:
    if not EARLIEST <= instant < LATEST:
        raise ValueError(
            f"The timestamp {quote(text)} lies outside {EARLIEST.year} to {LATEST.year - 1}: correct its year."
        )
    return instant


def _year_last(text: str) -> str:
    return (
        f"The timestamp {quote(text)} doesn't begin with the year, so day and month can be confused: write it like"
        f" {EXAMPLE}, or a day alone like {DAY_EXAMPLE}."
    )


def _invalid(text: str) -> str:
    return (
        f"The timestamp {quote(text)} isn't a valid date and time: write it in ISO 8601 like {EXAMPLE}, or a day alone"
        f" like {DAY_EXAMPLE}."
    )
