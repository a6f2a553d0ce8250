"""In which minutes of a local day any campaign of a brand may run, by the windows of all of them (R7).

Pure functions. A window is a mask of weekdays, a start and an end, as in DaypartingSchedule.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from functools import lru_cache

MINUTES_IN_HOUR, HOURS = 60, 24
MINUTES_IN_DAY = HOURS * MINUTES_IN_HOUR

Window = tuple[int, time, time]
Windows = frozenset[Window]
# A window for the whole week, for a campaign without windows.
ALWAYS: Window = (127, time(0), time(0))


@lru_cache(maxsize=10_000)
def open_minutes(windows: Windows, weekday: int) -> tuple[int, ...]:
    """Return the open minutes from midnight to the start of each hour, 0 to 24, of a weekday; 0 is Monday."""
    is_open = bytearray(MINUTES_IN_DAY)
    for start, end in _parts(windows, weekday):
        is_open[start:end] = b"\x01" * (end - start)
    return tuple(sum(is_open[: hour * MINUTES_IN_HOUR]) for hour in range(HOURS + 1))


def _parts(windows: Windows, weekday: int) -> Iterator[tuple[int, int]]:
    """Yield the minutes in which windows are open on a weekday, those that began the day before included."""
    today, yesterday = 1 << weekday, 1 << (weekday - 1) % 7
    for days, starts_at, ends_at in windows:
        start, end = _minute(starts_at), _minute(ends_at) or MINUTES_IN_DAY
        if start < end:
            if days & today:
                yield start, end
            continue
        if days & today:
            yield start, MINUTES_IN_DAY
        if days & yesterday:
            yield 0, end


def _minute(at: time) -> int:
    return at.hour * MINUTES_IN_HOUR + at.minute
