"""The current local day and month of a brand, and how much of them has elapsed. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from campaigns.rules.periods import ONE_DAY, first_of_month, local_date, next_month, start_of_day


@dataclass(frozen=True)
class Span:
    """A local day or month, and the current instant in it. A day has 23, 24 or 25 hours."""

    starts_at: datetime
    ends_at: datetime
    now: datetime

    @property
    def fraction(self) -> Decimal:
        """The elapsed part, from 0 to 1."""
        length = _seconds(self.ends_at - self.starts_at)
        return Decimal(min(max(_seconds(self.now - self.starts_at), 0), length)) / length


def day_span(zone: ZoneInfo, now: datetime) -> Span:
    """Return the local day of an instant."""
    today = local_date(zone, now)
    return Span(start_of_day(zone, today), start_of_day(zone, today + ONE_DAY), now)


def month_span(zone: ZoneInfo, now: datetime) -> Span:
    """Return the local month of an instant."""
    month = first_of_month(local_date(zone, now))
    return Span(start_of_day(zone, month), start_of_day(zone, next_month(month)), now)


def remaining_days(zone: ZoneInfo, now: datetime) -> Decimal:
    """Return the days left in the local month, including the rest of today."""
    today = local_date(zone, now)
    return (next_month(today) - today).days - day_span(zone, now).fraction


def _seconds(duration: timedelta) -> int:
    return duration // timedelta(seconds=1)
