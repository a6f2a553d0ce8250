"""When an alert fires and what silences it (R19): pure, without the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

# Of a budget, in percent.
REACHED = 100
# From this day of the month on, projections are looked at; so many local days in a row they must say the same.
FIRST_PROJECTED_DAY = 5
DAYS_IN_A_ROW = 2
# Percent at the end of a month; in its first days the rule's threshold holds.
TOLERANCE_AT_THE_END = 2


class Identity(NamedTuple):
    """What makes an alert the same one: it fires once for each."""

    rule: int
    subject: str
    period: str
    threshold: int
    budget: Decimal


@dataclass(frozen=True)
class State:
    """Something that holds now, and how to say it."""

    subject: str
    headline: str
    threshold: int = 0
    period: str = ""
    budget: Decimal = Decimal(0)
    meaning: str = ""
    is_bad: bool = False
    brand_id: int | None = None
    campaign_id: int | None = None
    figures: dict[str, Any] = field(default_factory=dict)

    def identity(self, rule: int) -> Identity:
        return Identity(rule, self.subject, self.period, self.threshold, self.budget)


def crossed(thresholds: Iterable[int], spend: Decimal, budget: Decimal | None) -> list[int]:
    """Return the thresholds, in percent, that spend has reached, ascending. A budget of 0 reaches none: somebody has
    set it to keep the brand paused.
    """
    if not budget:
        return []
    return sorted(each for each in thresholds if spend * 100 >= budget * each)


def is_silenced(kind: str, brand_id: int | None, *, silencing: dict[str, Collection[int]]) -> bool:
    """Return whether an alert of the kind stays silent: silencing has the brands with a larger alert, by kind."""
    return brand_id is not None and brand_id in silencing.get(kind, ())


def tolerance(percent: int, *, day: int, days: int) -> Decimal:
    """Return the percent by which a projection may differ on a day of a month of so many days, narrowing to its end."""
    left = Decimal(max(days - day, 0)) / days
    return TOLERANCE_AT_THE_END + max(percent - TOLERANCE_AT_THE_END, 0) * left


def is_beyond(projected: Decimal, budget: Decimal, percent: int, *, day: int, days: int) -> int:
    """Return 1 if a projection is beyond the month's budget by more than the tolerance, -1 if below it, else 0."""
    if not budget or day < FIRST_PROJECTED_DAY:
        return 0
    off = (projected - budget) * 100
    allowed = budget * tolerance(percent, day=day, days=days)
    return 1 if off > allowed else -1 if off < -allowed else 0


def after_quiet_hours(now: datetime, zone: ZoneInfo, quiet_from: int, quiet_until: int) -> datetime:
    """Return now, or when the person's quiet hours end, if it's within them. The same hour twice: no quiet hours."""
    local = now.astimezone(zone)
    hours = (local.hour - quiet_from) % 24, (quiet_until - quiet_from) % 24
    if hours[0] >= hours[1]:
        return now
    day = local.date() + timedelta(days=1 if local.hour >= quiet_until else 0)
    return datetime.combine(day, time(quiet_until), tzinfo=zone).astimezone(now.tzinfo)
