"""When an alert fires and what silences it (R19): pure, without the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

# Of a budget, in percent.
REACHED = 100


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
    period: str = ""
    budget: Decimal = Decimal(0)
    meaning: str = ""
    is_bad: bool = False
    brand_id: int | None = None
    campaign_id: int | None = None
    figures: dict[str, Any] = field(default_factory=dict)


def is_quiet(hour: int, quiet_from: int, quiet_until: int) -> bool:
    """Return whether an hour of the day is within quiet hours, which may go over midnight."""
    return (hour - quiet_from) % 24 < (quiet_until - quiet_from) % 24


def after_quiet_hours(now: datetime, zone: ZoneInfo, quiet_from: int, quiet_until: int) -> datetime:
    """Return now, or when the person's quiet hours end, if it's within them. The same hour twice: no quiet hours."""
    local = now.astimezone(zone)
    if not is_quiet(local.hour, quiet_from, quiet_until):
        return now
    day = local.date() + timedelta(days=1 if local.hour >= quiet_until else 0)
    return datetime.combine(day, time(quiet_until), tzinfo=zone).astimezone(now.tzinfo)
