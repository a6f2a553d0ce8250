"""Compares projections with what was spent, beside the straight line: `python -m benchmarks backtest [FILE]`.

The error is that of the period's total at the beginning of a day, in percent. A false alarm is a brand that would have
been called over- or under-pacing with a budget that it used exactly. docs/pace.md shows the tables.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import exp, log
from pathlib import Path
from random import Random
from statistics import fmean

from campaigns.rules import pace
from campaigns.rules.money import to_micros
from campaigns.rules.pace import DAYS_FOR_WEEKDAYS, VOLATILITY_NAMES, Range, days_from, days_left_class
from campaigns.rules.periods import ONE_DAY, next_month
from campaigns.services.demo.advertisers import ADVERTISERS, Advertiser
from campaigns.services.demo.delivery import deliver
from campaigns.services.pace.history import History
from campaigns.services.pace.ranges import CLASSES, DEFAULT_RANGES, Classes, errors_of_month, profile_before

DAYS = (3, 5, 10, 20)
# The demo ends here, so that its figures stay the same.
DEMO_ENDS = datetime(2026, 11, 1, tzinfo=UTC)
DEMO_MONTHS = 6

# Of simulated brands: how Mondays to Sundays compare, of which each brand has more or less.
WEEKDAYS = (1.1, 1.1, 1.05, 1.0, 1.1, 0.6, 0.5)
SIMULATED_FROM, SIMULATED_DAYS = date(2026, 1, 1), 181
MEASURED_BRANDS, MEASURED_SEED = 1_000, "ranges"
TRIED_BRANDS, TRIED_SEED = 500, "backtest"


@dataclass(frozen=True)
class Series:
    """The daily spend of a brand, and the periods of it that are projected, each by its first day and its end."""

    history: History
    periods: list[tuple[date, date]]


@dataclass(frozen=True)
class Trial:
    """A projection: the relative errors of the straight line and of ours, and whether its range held, if it has one."""

    day: int
    straight: float
    ours: float
    held: bool | None
    # Whether a budget that was used exactly would have been called over- or under-pacing.
    straight_alarm: bool
    alarm: bool


def run(file: Path | None) -> str:
    """Return the tables in Markdown: of simulated brands, of the demo, and of a file of spend."""
    tables = [
        _table("Simulated brands", trials(simulated(TRIED_BRANDS, TRIED_SEED))),
        _table("The demo", trials(demo(ADVERTISERS))),
    ]
    if file:
        tables.append(_table(file.name, trials(read_file(file))))
    return "\n\n".join([*tables, _ranges_table(measured_ranges())])


def trials(brands: Iterable[Series]) -> list[Trial]:
    return [trial for series in brands for period in series.periods for trial in _of_period(series.history, *period)]


def _of_period(history: History, start: date, end: date) -> Iterator[Trial]:
    first = pace.first_day(history.spend, end)
    if first is None or first > start:
        return
    days, period = days_from(first, end), days_from(start, end)
    off = pace.off_days(days, history.spend, history.closed_budgets)
    actual = sum(history.spend.get(day, 0) for day in period)
    for number in (day for day in DAYS if day < len(period)):
        today, left = period[number], period[number:]
        profile = profile_before(today, days, off, history.spend)
        known = sum(history.spend.get(day, 0) for day in period[:number])
        if profile is None or actual <= 0 or not off.isdisjoint(period):
            continue
        rest = profile.expected(left, history.daily_budget)
        has_range = profile.days >= DAYS_FOR_WEEKDAYS and rest > 0
        widest = Range(-pace.ERROR_WITHOUT_RANGE, pace.ERROR_WITHOUT_RANGE)
        likely = DEFAULT_RANGES[profile.volatility, days_left_class(len(left) - 1)] if has_range else widest
        in_range = rest > 0 and likely.low <= pace.relative_error(actual - known, rest) <= likely.high
        straight = known * len(period) / number
        straight_error, error = abs(straight / actual - 1), abs((known + rest) / actual - 1)
        widening = pace.TOLERANCE_OF_A_MONTH * (len(left) - 1) / len(period)
        tolerance = (pace.TOLERANCE_AT_THE_END + widening) / 1000
        yield Trial(
            number,
            straight_error,
            error,
            in_range if has_range else None,
            straight_error > tolerance,
            error > tolerance and not in_range,
        )


def simulated(brands: int, seed: str) -> Iterator[Series]:
    """Yield brands with weekdays, noise and a level that wanders, each of its own strength."""
    for number in range(brands):
        random = Random(f"{seed} {number}")  # nothing secret
        noise, drift = exp(random.uniform(log(0.05), log(0.8))), exp(random.uniform(log(0.005), log(0.04)))
        weekdays = [weight ** random.uniform(0, 1.5) for weight in WEEKDAYS]
        level, spend = random.lognormvariate(6, 1), {}
        for day in days_from(SIMULATED_FROM, SIMULATED_FROM + timedelta(days=SIMULATED_DAYS)):
            level *= exp(random.gauss(0, drift))
            amount = level * weekdays[day.weekday()] * exp(random.gauss(0, noise) - noise**2 / 2)
            spend[day] = to_micros(round(Decimal(amount), 2))
        yield Series(History(None, None, spend), _months(SIMULATED_FROM, 3, 6))


def demo(advertisers: Sequence[Advertiser]) -> Iterator[Series]:
    """Yield what the demo's advertisers spend in half a year, within their daily and monthly budgets."""
    first = date(DEMO_ENDS.year, DEMO_ENDS.month - DEMO_MONTHS, 1)
    for advertiser in advertisers:
        delivery = deliver(advertiser, datetime(first.year, first.month, 1, tzinfo=UTC), DEMO_ENDS)
        spend: defaultdict[date, int] = defaultdict(int)
        for row in delivery.spends:
            spend[row.day] += row.amount
        budgets = {month: delivery.limits.monthly for month, _ in _months(first, 0, DEMO_MONTHS)}
        history = History(delivery.limits.daily, delivery.limits.monthly, dict(spend), dict(budgets))
        yield Series(history, _months(first, 2, DEMO_MONTHS))


def read_file(path: Path) -> Iterator[Series]:
    """Yield the brands of a CSV file with timestamp, brand and amount; its days are one period."""
    spend: defaultdict[str, defaultdict[date, int]] = defaultdict(lambda: defaultdict(int))
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            day = datetime.fromisoformat(row["timestamp"]).date()
            spend[row["brand"]][day] += to_micros(Decimal(row["amount"]))
    for days in spend.values():
        yield Series(History(None, None, dict(days)), [(min(days), max(days) + ONE_DAY)])


def _months(first: date, after: int, until: int) -> list[tuple[date, date]]:
    """Return the months from so many after the first on."""
    found, month = [], first
    for number in range(until):
        if number >= after:
            found.append((month, next_month(month)))
        month = next_month(month)
    return found


def measured_ranges() -> dict[Classes, Range]:
    """Return the ranges of the errors of simulated brands: the built-in ones."""
    errors: defaultdict[Classes, list[int]] = defaultdict(list)
    for series in simulated(MEASURED_BRANDS, MEASURED_SEED):
        for month, _ in series.periods:
            for classes, error in errors_of_month(series.history, month):
                errors[classes].append(error)
    return {classes: pace.range_of_errors(errors[classes]) for classes in CLASSES}


def _table(title: str, found: list[Trial]) -> str:
    lines = [
        f"**{title}**",
        "",
        "| after days | projections | error: straight line | by weekdays | false alarms: straight line | by weekdays"
        " | ranges | held |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for day in DAYS:
        of_day = [trial for trial in found if trial.day == day]
        if of_day:
            ranged = [trial.held for trial in of_day if trial.held is not None]
            held = f"{fmean(ranged):.0%}" if ranged else "–"
            straight, ours = (fmean(getattr(trial, name) for trial in of_day) for name in ("straight", "ours"))
            false_straight = fmean(trial.straight_alarm for trial in of_day)
            false_ours = fmean(trial.alarm for trial in of_day)
            lines.append(
                f"| {day} | {len(of_day):,} | {straight:.1%} | {ours:.1%} | {false_straight:.0%} | {false_ours:.0%}"
                f" | {len(ranged):,} | {held} |"
            )
    return "\n".join(lines)


def _ranges_table(ranges: dict[Classes, Range]) -> str:
    bounds = [f"{low + 1}–{high}" for low, high in zip((-1, *pace.DAYS_LEFT), pace.DAYS_LEFT, strict=False)]
    lines = [
        "**Measured ranges, in thousandths of what is still expected**",
        "",
        f"| days left after today | {' | '.join(bounds)} |",
        f"|---|{'---|' * len(bounds)}",
    ]
    for volatility, name in enumerate(VOLATILITY_NAMES):
        shown = [f"{low:+} to {high:+}" for low, high in (ranges[volatility, left] for left in range(len(bounds)))]
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join(lines)
