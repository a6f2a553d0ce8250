"""Schedules as plain values that can be compared and posted, presets of them, and writing those of many campaigns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import time
from typing import NamedTuple

from campaigns.database.write_column import in_pieces
from campaigns.models import DaypartingSchedule
from campaigns.models.dayparting import EVERY_DAY, window_in_words
from campaigns.services.insight.forecast import Window

BATCH = 1_000
WORKDAYS = 0b0011111
WEEKEND = 0b1100000


class WindowValue(NamedTuple):
    """A window of the week: days as a mask, times as HH:MM in the brand's time zone (R7)."""

    days: int
    start: str
    end: str

    def __str__(self) -> str:
        return window_in_words(self.days, self.start, self.end)


# In order; empty means always.
Schedule = tuple[WindowValue, ...]

ALWAYS: Schedule = ()
BUSINESS_HOURS: Schedule = (WindowValue(WORKDAYS, "09:00", "18:00"),)
EVENINGS: Schedule = (WindowValue(EVERY_DAY, "18:00", "23:00"),)
WEEKENDS: Schedule = (WindowValue(WEEKEND, "00:00", "00:00"),)
PRESETS = {"always": ALWAYS, "business": BUSINESS_HOURS, "evenings": EVENINGS, "weekends": WEEKENDS}


def value_of(window: Window) -> WindowValue:
    """Convert a stored window."""
    return WindowValue(window.days_of_week, f"{window.start_time:%H:%M}", f"{window.end_time:%H:%M}")


def schedule_of(windows: Iterable[Window]) -> Schedule:
    """Convert stored windows."""
    return tuple(sorted(map(value_of, windows)))


def format_schedule(schedule: Schedule) -> str:
    """Return the schedule for lists: the first windows, and the number of others."""
    if not schedule:
        return "always"
    shown, more = shorten_windows(schedule)
    return ", ".join(shown) + (f" {more}" if more else "")


def shorten_windows(windows: Sequence[object]) -> tuple[list[str], str]:
    """Return the windows that a list names, and "and 3 more" for others."""
    named = windows if len(windows) <= 3 else windows[:2]
    more = len(windows) - len(named)
    return list(map(str, named)), f"and {more} more" if more else ""


def write_schedules(schedules: Mapping[int, Schedule]) -> None:
    """Replace the windows of campaigns by id; unchanged windows keep their rows. The caller holds the brand locks."""
    missing = {pk: Counter(schedule) for pk, schedule in schedules.items()}
    gone: list[int] = []
    for piece in in_pieces(sorted(schedules)):
        for window in DaypartingSchedule.objects.filter(campaign__in=piece).order_by("id"):
            wanted, value = missing[window.campaign_id], value_of(window)
            if wanted[value] > 0:
                wanted[value] -= 1
            else:
                gone.append(window.pk)
    for piece in in_pieces(gone):
        DaypartingSchedule.objects.filter(pk__in=piece).delete()
    new = [_row(pk, value) for pk, wanted in sorted(missing.items()) for value in wanted.elements()]
    DaypartingSchedule.objects.bulk_create(new, batch_size=BATCH)


def _row(campaign_id: int, value: WindowValue) -> DaypartingSchedule:
    return DaypartingSchedule(
        campaign_id=campaign_id,
        days_of_week=value.days,
        start_time=time.fromisoformat(value.start),
        end_time=time.fromisoformat(value.end),
    )
