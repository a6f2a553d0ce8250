from __future__ import annotations

from datetime import time

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from campaigns.models.campaign import Campaign
from campaigns.models.checks import IsWholeMinute, IsWholeNumber

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EVERY_DAY = 127
MIDNIGHT = time(0)


def days_in_words(mask: int) -> str:
    """Return a mask of days in words: "every day", "Mon–Fri", "Mon, Wed"."""
    chosen = [number for number in range(7) if mask >> number & 1]
    if len(chosen) == 7:
        return "every day"
    if len(chosen) > 2 and chosen[-1] - chosen[0] == len(chosen) - 1:
        return f"{DAYS[chosen[0]]}–{DAYS[chosen[-1]]}"
    return ", ".join(DAYS[number] for number in chosen)


def window_in_words(mask: int, start: str, end: str) -> str:
    """Return a window in words: "Mon–Fri 09:00–18:00"; from 00:00 to 00:00 is "all day"."""
    return f"{days_in_words(mask)} {'all day' if start == end == '00:00' else f'{start}–{end}'}"


class DaypartingSchedule(models.Model):
    """A window of the week in which a campaign may run (R7): days, start included, end excluded.

    Times are the brand's local wall-clock time, to the minute. A start after the end passes midnight and belongs to
    the day on which it starts; an end of 00:00 is the end of the day.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="windows")
    days_of_week = models.PositiveSmallIntegerField(
        "days",
        default=EVERY_DAY,
        help_text="Days on which the window starts, as a bit mask: Monday 1 to Sunday 64.",
    )
    start_time = models.TimeField("from", default=MIDNIGHT, help_text="Included (brand time).")
    end_time = models.TimeField(
        "until",
        default=MIDNIGHT,
        help_text="Not included. An earlier time than the start means the next day; 00:00 means midnight at the end"
        " of the day.",
    )

    class Meta:
        verbose_name = "dayparting window"
        ordering = ("campaign", "start_time", "id")
        constraints = (
            models.CheckConstraint(
                name="dayparting_has_a_day",
                condition=Q(IsWholeNumber("days_of_week")) & Q(days_of_week__range=(1, EVERY_DAY)),
                violation_error_message="Choose at least one day of the week.",
            ),
            models.CheckConstraint(
                name="dayparting_times_in_whole_minutes",
                condition=Q(IsWholeMinute("start_time")) & Q(IsWholeMinute("end_time")),
                violation_error_message="Enter times from 00:00 to 23:59, without seconds.",
            ),
            models.CheckConstraint(
                name="dayparting_start_differs_from_end",
                condition=~Q(start_time=F("end_time")) | Q(start_time=MIDNIGHT),
                violation_error_message=(
                    "Start and end are the same. Enter 00:00 to 00:00 for the whole day, or two different times."
                ),
            ),
        )

    def __str__(self) -> str:
        return window_in_words(self.days_of_week, f"{self.start_time:%H:%M}", f"{self.end_time:%H:%M}")

    def clean(self) -> None:
        if self.start_time == self.end_time != MIDNIGHT:
            raise ValidationError(
                "%(time)s to %(time)s is an empty window. Enter 00:00 to 00:00 for the whole day, or two different"
                " times.",
                params={"time": self.start_time.strftime("%H:%M")},
            )
