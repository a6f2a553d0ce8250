"""Schedules that many campaigns have, and schedules as plain values that can be compared and posted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from campaigns.models.dayparting import EVERY_DAY, window_in_words
from campaigns.services.insight.forecast import Window

WORKDAYS = 0b0011111
WEEKEND = 0b1100000


class WindowValue(NamedTuple):
    """A window of the week: days as a mask, times as HH:MM in the brand's time zone (R7)."""

    days: int
    start: str
    end: str

    def __str__(self) -> str:
        return window_in_words(self.days, self.start, self.end)


# In order. None at all means always.
Schedule = tuple[WindowValue, ...]

ALWAYS: Schedule = ()
BUSINESS_HOURS: Schedule = (WindowValue(WORKDAYS, "09:00", "18:00"),)
EVENINGS: Schedule = (WindowValue(EVERY_DAY, "18:00", "23:00"),)
WEEKENDS: Schedule = (WindowValue(WEEKEND, "00:00", "00:00"),)
PRESETS = {"always": ALWAYS, "business": BUSINESS_HOURS, "evenings": EVENINGS, "weekends": WEEKENDS}


def value_of(window: Window) -> WindowValue:
    """Return a stored window as a plain value."""
    return WindowValue(window.days_of_week, f"{window.start_time:%H:%M}", f"{window.end_time:%H:%M}")


def schedule_of(windows: Iterable[Window]) -> Schedule:
    """Return stored windows as a schedule."""
    return tuple(sorted(map(value_of, windows)))


def schedule_in_words(schedule: Schedule) -> str:
    """Return the schedule as lists show it, the rest of a long one as a number."""
    if not schedule:
        return "always"
    named, more = first_windows(schedule)
    return ", ".join(named) + (f" {more}" if more else "")


def first_windows(windows: Sequence[object]) -> tuple[list[str], str]:
    """Return as many windows as a list names, and the rest as a number in words."""
    named = windows if len(windows) <= 3 else windows[:2]
    more = len(windows) - len(named)
    return list(map(str, named)), f"and {more} more" if more else ""
