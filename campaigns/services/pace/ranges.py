"""The 80 % ranges of projections, from their errors in closed months, pooled over all brands.

An error compares what was spent in the rest of a month, from the beginning of a day on, with what the profile of that
day expects. They are pooled by volatility and by days left: one brand alone has too few months.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product

from django.db import DatabaseError, connection, transaction
from django.db.models import Sum

from campaigns.database.connection import fetch_all, is_lock_timeout
from campaigns.models import PaceError
from campaigns.rules import pace
from campaigns.rules.pace import DAYS_LEFT, VOLATILITY_NAMES, Profile, Range, days_from, days_left_class
from campaigns.rules.periods import ONE_DAY, first_of_month, next_month
from campaigns.services.ledger.locks import limit_job_waits
from campaigns.services.pace.history import History, read_histories

# With fewer errors of a class, the built-in range is shown.
FEWEST_ERRORS = 100
# Brands of which the errors of a month are computed.
SAMPLED_BRANDS = 1_000
# Of closed months, how many are counted when a page says how often the ranges held.
COUNTED_MONTHS = 6

Classes = tuple[int, int]
CLASSES: list[Classes] = list(product(range(len(VOLATILITY_NAMES)), range(len(DAYS_LEFT))))

# By volatility, and by days left from few to many. Measured by `python -m benchmarks backtest`; see docs/pace.md.
# fmt: off
MEASURED = (
    ((-112, 93), (-85, 76), (-81, 80), (-81, 89), (-75, 90), (-84, 94), (-76, 101)),
    ((-214, 221), (-164, 180), (-143, 174), (-122, 161), (-116, 143), (-125, 136), (-120, 144)),
    ((-430, 543), (-331, 385), (-271, 355), (-266, 337), (-247, 291), (-231, 280), (-238, 311)),
)
# fmt: on
DEFAULT_RANGES: dict[Classes, Range] = {
    (volatility, left): Range(*MEASURED[volatility][left]) for volatility, left in CLASSES
}

# A sample in an order that doesn't follow the ids.
SAMPLE = """
SELECT brand_id FROM campaigns_brandpace WHERE days >= %s ORDER BY (brand_id * 7919) %% 10007, brand_id LIMIT %s
"""


@dataclass(frozen=True)
class Reliability:
    """How many of the projections of closed months were compared with what was spent, and how many ranges held."""

    projections: int = 0
    held: int = 0

    @property
    def percent(self) -> int:
        return round(self.held * 100 / self.projections)


def known_ranges() -> dict[Classes, Range]:
    """Return the range of each class: of the latest closed month with enough errors, or else the built-in one."""
    rows = PaceError.objects.filter(errors__gte=FEWEST_ERRORS).order_by("month")
    return DEFAULT_RANGES | {(row.volatility, row.days_left): Range(row.low, row.high) for row in rows}


def reliability(*, now: datetime) -> Reliability:
    """Return how often the ranges held in the last closed months. One query."""
    since = now.date() - timedelta(days=31 * (COUNTED_MONTHS + 1))
    sums = PaceError.objects.filter(month__gt=since).aggregate(errors=Sum("errors"), held=Sum("held"))
    return Reliability(sums["errors"] or 0, sums["held"] or 0)


def learn_errors(*, now: datetime) -> None:
    """Store the errors of the last month that has ended in every time zone, unless they are stored already."""
    month = first_of_month(first_of_month((now.astimezone(UTC) - ONE_DAY).date()) - ONE_DAY)
    if _is_stored(month):
        return
    ranges = known_ranges()
    brands = [pk for (pk,) in fetch_all(SAMPLE, [pace.DAYS_FOR_WEEKDAYS, SAMPLED_BRANDS])]
    errors: defaultdict[Classes, list[int]] = defaultdict(list)
    for history in read_histories(brands, first=month, until=next_month(month)).values():
        for classes, error in errors_of_month(history, month):
            errors[classes].append(error)
    rows = [_row(month, classes, errors[classes], ranges[classes]) for classes in CLASSES]
    try:
        with transaction.atomic():
            limit_job_waits()
            PaceError.objects.bulk_create(rows, ignore_conflicts=True)
    except DatabaseError as error:
        if connection.in_atomic_block or not is_lock_timeout(error):
            raise


def _is_stored(month: date) -> bool:
    return PaceError.objects.filter(month=month).exists()


def _row(month: date, classes: Classes, errors: list[int], shown: Range) -> PaceError:
    low, high = pace.range_of_errors(errors) if errors else Range(0, 0)
    held = sum(shown.low <= error <= shown.high for error in errors)
    volatility, left = classes
    return PaceError(
        month=month, volatility=volatility, days_left=left, errors=len(errors), low=low, high=high, held=held
    )


def errors_of_month(history: History, month: date) -> list[tuple[Classes, int]]:
    """Return the errors of a brand's projections in a closed month, one for each class of days left.

    Only for days from which on it was never off: a range is about a brand that nothing pauses.
    """
    end = next_month(month)
    first = pace.first_day(history.spend, end)
    if first is None:
        return []
    days = days_from(first, end)
    off = pace.off_days(days, history.spend, history.monthly_budgets(month))
    found = []
    for days_left in DAYS_LEFT:
        # The longest class has 31 days left, and no month: its projection is that of the month's first day.
        today = max(end - timedelta(days=days_left + 1), month)
        left = days_from(today, end)
        profile = profile_before(today, days, off, history.spend)
        if profile and profile.days >= pace.DAYS_FOR_WEEKDAYS and off.isdisjoint(left):
            expected = profile.expected(left, history.daily_budget)
            if expected:
                actual = sum(history.spend.get(day, 0) for day in left)
                classes = profile.volatility, days_left_class(days_left)
                found.append((classes, pace.relative_error(actual, expected)))
    return found


def profile_before(today: date, days: list[date], off: set[date], spend: dict[date, int]) -> Profile | None:
    since = today - timedelta(days=pace.HISTORY_DAYS)
    return pace.fit([day for day in days if since <= day < today and day not in off], spend, today)
