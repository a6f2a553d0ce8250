"""Parsing the options of a simulation: amounts, windows, time zone and intervals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from campaigns.models.dayparting import DAYS, EVERY_DAY, MIDNIGHT
from campaigns.rules.money import AMOUNT_LIMIT, PLACES
from campaigns.rules.names import name_key
from campaigns.rules.periods import find_zone
from campaigns.rules.zones import read_zone, unknown_zone
from campaigns.services.simulation import SimulationError
from campaigns.services.simulation.checks import CheckTimes

MIN_STEP = timedelta(seconds=10)
MIN_QUICK_STEP = timedelta(seconds=1)
MAX_STEP = timedelta(days=1)
QUICK_CHECK_EVERY = timedelta(seconds=10)


@dataclass(frozen=True)
class Amounts:
    """The amounts of one option: by name, and one for all others."""

    option: str
    by_name: dict[str, Decimal] = field(default_factory=dict)
    for_all: Decimal | None = None

    def of(self, *names: str) -> Decimal | None:
        """Return the amount of the first name that has one, or the one for all others."""
        amounts = {name_key(name): amount for name, amount in self.by_name.items()}
        keys = map(name_key, names)
        return next((amounts[key] for key in keys if key in amounts), self.for_all)


@dataclass(frozen=True)
class Window:
    """A dayparting window (R7) of one brand's campaigns, or of all if brand is None."""

    brand: str | None
    days: int
    start: time
    end: time


@dataclass(frozen=True)
class Options:
    daily_budgets: Amounts
    monthly_budgets: Amounts
    campaign_limits: Amounts
    factor: Decimal | None
    windows: list[Window]
    zone: ZoneInfo
    checks: CheckTimes
    # The time over which a row is spent, from its timestamp on.
    spread: timedelta

    @property
    def piece(self) -> timedelta:
        """The length of a piece of a spread row: the interval of the quick check, or its default."""
        return self.checks.quick or QUICK_CHECK_EVERY


def parse_amounts(option: str, texts: Iterable[str]) -> Amounts:
    """Parse NAME=AMOUNT or AMOUNT, each name once; a name can contain "=", because the last one separates."""
    by_name: dict[str, Decimal] = {}
    for_all: Decimal | None = None
    for text in texts:
        name, named, amount_text = text.rpartition("=")
        amount = _parse_amount(option, text, amount_text)
        if name_key(name) in map(name_key, by_name) or (not named and for_all is not None):
            raise SimulationError(f"{option} is given twice for {name or 'all brands'}: use it once.")
        if named:
            by_name[name] = amount
        else:
            for_all = amount
    return Amounts(option, by_name, for_all)


def _parse_amount(option: str, text: str, amount_text: str) -> Decimal:
    amount = parse_number(amount_text)
    if amount is None or amount >= AMOUNT_LIMIT:
        raise SimulationError(
            f"{option} {text}: “{amount_text}” isn't a valid amount: use a number from 0 to below {AMOUNT_LIMIT:,},"
            " like 150.50, without separators."
        )
    if amount != round(amount, PLACES):
        raise SimulationError(f"{option} {text}: an amount has at most {PLACES} decimals.")
    return amount


def parse_number(text: str) -> Decimal | None:
    """Return a plain non-negative decimal number, or None; without exponent, NaN or separators."""
    return Decimal(text) if re.fullmatch(r"[0-9]{1,30}(\.[0-9]{1,30})?", text) else None


def parse_factor(option: str, text: str) -> Decimal:
    factor = parse_number(text)
    if not factor:
        raise SimulationError(f"{option} {text} isn't a number above 0: use one like 0.7.")
    return factor


def parse_window(option: str, text: str) -> Window:
    """Parse [BRAND=]DAYS,START,END, like Mon-Fri,08:00,20:00 or Acme=Sat+Sun,22:00,02:00."""
    brand, named, window = text.rpartition("=")
    parts = window.split(",")
    if len(parts) != 3:
        raise SimulationError(f"{option} {text} isn't DAYS,START,END: use the form Mon-Fri,08:00,20:00.")
    start, end = (_parse_time(option, text, part) for part in parts[1:])
    if start == end != MIDNIGHT:
        raise SimulationError(f"{option} {text} is empty: use 00:00,00:00 for the whole day, or two different times.")
    return Window(brand if named else None, _parse_days(option, text, parts[0]), start, end)


def _parse_time(option: str, text: str, part: str) -> time:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", part):
        raise SimulationError(
            f"{option} {text}: “{part}” isn't a valid time: use 00:00 to 23:59 (an END of 00:00 is the end of the day)."
        )
    return time.fromisoformat(part)


def _parse_days(option: str, text: str, part: str) -> int:
    if part.casefold() == "daily":
        return EVERY_DAY
    mask = 0
    for stretch in part.split("+"):
        ends = [_day_number(option, text, name) for name in stretch.split("-", 1)]
        length = (ends[-1] - ends[0]) % 7 + 1
        mask |= sum(1 << (ends[0] + offset) % 7 for offset in range(length))
    return mask


def _day_number(option: str, text: str, name: str) -> int:
    if name.title() not in DAYS:
        raise SimulationError(
            f"{option} {text}: “{name}” isn't a day: use {', '.join(DAYS)}, a range like Mon-Fri, "
            "several like Mon+Wed, or daily."
        )
    return DAYS.index(name.title())


def parse_zone(option: str, name: str) -> ZoneInfo:
    zone = find_zone(read_zone(name) or "")
    if zone is None:
        raise SimulationError(f"{option} {unknown_zone(name)}")
    return zone


def parse_step(option: str, text: str) -> timedelta:
    """Parse the interval of full checks: minutes, or seconds with an s."""
    step = _parse_interval(text)
    if step is None or not MIN_STEP <= step <= MAX_STEP:
        raise SimulationError(
            f"{option} {text} isn't an interval from 10 seconds to a day: use whole minutes, like 5, "
            "or seconds, like 30s."
        )
    return step


def parse_quick_step(option: str, text: str, check: timedelta) -> timedelta | None:
    """Parse the interval of quick checks; None for no quick checks."""
    step = timedelta(0) if text.casefold() == "never" else _parse_interval(text)
    if step is None or (step and not MIN_QUICK_STEP <= step <= check):
        raise SimulationError(
            f"{option} {text} isn't an interval from a second to that of the full check, {check.total_seconds():g} "
            "seconds: use seconds, like 10s, or whole minutes, like 1, or never."
        )
    return step or None


def parse_spread(option: str, text: str) -> timedelta:
    """Parse the time over which a row is spent: minutes, or seconds with an s; 0 for no spreading."""
    over = _parse_interval(text)
    if over is None or over > MAX_STEP:
        raise SimulationError(
            f"{option} {text} isn't a time of up to a day: use whole minutes, like 5, or seconds, like 30s, "
            "or 0 for no spreading."
        )
    return over


def _parse_interval(text: str) -> timedelta | None:
    number = re.fullmatch(r"([0-9]{1,6})(s?)", text)
    return timedelta(seconds=int(number[1]) * (1 if number[2] else 60)) if number else None
