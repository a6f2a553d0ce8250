"""Schedules that many campaigns have, and schedules as plain values that can be compared and posted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from campaigns.models.dayparting import EVERY_DAY, days_in_words
from campaigns.services.outlook import Window

WORKDAYS = 0b0011111
WEEKEND = 0b1100000


class WindowValue(NamedTuple):
    """A window of the week: days as a mask, times as HH:MM in the brand's time zone (R7)."""

    days: int
    start: str
    end: str

    def __str__(self) -> str:
        return f"{days_in_words(self.days)} {self.start}–{self.end}"


Schedule = tuple[WindowValue, ...]
"""In order. None at all means always."""

ALWAYS: Schedule = ()
BUSINESS_HOURS: Schedule = (WindowValue(WORKDAYS, "09:00", "18:00"),)
EVENINGS: Schedule = (WindowValue(EVERY_DAY, "18:00", "23:00"),)
WEEKENDS: Schedule = (WindowValue(WEEKEND, "00:00", "00:00"),)


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
    named = schedule if len(schedule) <= 3 else schedule[:2]
    more = len(schedule) - len(named)
    return ", ".join(map(str, named)) + (f" and {more} more" if more else "")
