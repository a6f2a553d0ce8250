"""A brand's usual spend by weekday, and how far projections from it are off.

Pure functions, without database or clock. Spend is in whole millionths. The expected spend of a day is an estimate,
rounded to a millionth: no limit is decided on it, so weights and errors are plain numbers. What is expected of a month,
and its pace, is computed from the stored profile in campaigns/sql/brand_pace.sql.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import sqrt
from typing import NamedTuple

from campaigns.rules.money import AMOUNT_LIMIT, MICROS
from campaigns.rules.periods import ONE_DAY, first_of_month, next_month

# A profile is computed from this many days before today.
HISTORY_DAYS = 56
# The weight of a day in the level halves every so many days.
HALF_LIFE_DAYS = 10
# With fewer days of history the expected spend is their plain mean, for which no range is known.
DAYS_FOR_WEEKDAYS = 14
# With fewer days nothing is projected: the first of them is rarely whole.
DAYS_FOR_PROJECTION = 3
# A weekday's weight is shrunk towards 1 as by so many days of exactly average spend.
SHRINKAGE_DAYS = 2
# A brand that spends nothing for so long is off: no weekly schedule leaves out a whole week.
OFF_RUN_DAYS = 7

# The projected spend of a month may differ from its budget by so many thousandths on the last day, and by so many
# more with a whole month left, before the brand is over- or under-pacing. A budget within the range never is.
TOLERANCE_AT_THE_END = 20
TOLERANCE_OF_A_MONTH = 80
# Of what is expected of the rest, in thousandths: so far off may a projection be for which no range is known.
ERROR_WITHOUT_RANGE = 300

# Upper bounds, excluded, of the classes of volatility but the last: the usual relative deviation of a day.
VOLATILITIES = (0.15, 0.35)
VOLATILITY_NAMES = ("steady", "variable", "volatile")
# Upper bounds, included, of the classes of days left after today.
DAYS_LEFT = (2, 5, 10, 15, 20, 25, 31)
# A daily budget that is reached runs out early; of so many finished days it is counted how often.
REACHED_DAYS = 10
# On so many of them or more, the budget often runs out.
OFTEN_REACHED = 6
# How many times the even rate of a day such a brand is expected to spend the rest of its budget at. The budget cuts its
# days off, so the true rate is unknown, but above the even one (docs/pace.md has what was measured).
HASTE_IF_OFTEN_REACHED = 2

# In thousandths: no range reaches further.
MAX_ERROR = 9_000

MAX_DAY: int = AMOUNT_LIMIT * MICROS


@dataclass(frozen=True)
class Profile:
    """The expected spend of a brand's days, from Monday to Sunday, in millionths."""

    weekdays: tuple[int, ...]
    # How many days it is computed from.
    days: int
    volatility: int

    def expected(self, days: Iterable[date], daily_budget: int | None = None) -> int:
        """Return the expected spend of some days; none is above the daily budget."""
        most = MAX_DAY if daily_budget is None else daily_budget
        return sum(min(self.weekdays[day.weekday()], most) for day in days)


class Verdict(StrEnum):
    """Where a brand's month leads: what is projected, compared with its monthly budget."""

    EARLY = "early"
    ON_PACE = "on"
    OVER = "over"
    UNDER = "under"


VERDICT_LABELS = {
    Verdict.EARLY: "too early to project",
    Verdict.ON_PACE: "on pace",
    Verdict.OVER: "over-pacing",
    Verdict.UNDER: "under-pacing",
}


class Range(NamedTuple):
    """An 80 % range of the spend that is still expected: the errors of its ends, in thousandths."""

    low: int
    high: int


def days_from(first: date, until: date) -> list[date]:
    """Return the days from one to another, the last excluded."""
    return [first + timedelta(days=number) for number in range((until - first).days)]


def first_day(spend: Mapping[date, int], today: date) -> date | None:
    """Return the first day of history on which the brand spent anything, or None."""
    since = today - timedelta(days=HISTORY_DAYS)
    return min((day for day, amount in spend.items() if amount and since <= day < today), default=None)


def off_days(days: Sequence[date], spend: Mapping[date, int], monthly_budgets: Mapping[date, int | None]) -> set[date]:
    """Return those of consecutive days on which the brand was off, so that its spend says nothing about other days.

    These are the days from the one on which the month's spend reached its budget, weeks without spend, and single days
    without spend if their weekday usually has some. A weekday that usually has none is outside the schedule, not off.
    monthly_budgets are by the first of the month; spend is that of whole months.
    """
    off = _days_after_a_reached_budget(days, spend, monthly_budgets) & set(days) | _long_runs_without_spend(days, spend)
    for same in _by_weekday(day for day in days if day not in off):
        without = {day for day in same if not spend.get(day)}
        if 2 * len(without) < len(same):
            off |= without
    return off


def _days_after_a_reached_budget(
    days: Iterable[date], spend: Mapping[date, int], monthly_budgets: Mapping[date, int | None]
) -> set[date]:
    found = set()
    for month in {first_of_month(day) for day in days}:
        budget, so_far = monthly_budgets.get(month), 0
        if budget is not None:
            for day in days_from(month, next_month(month)):
                so_far += spend.get(day, 0)
                if so_far >= budget:
                    found.add(day)
    return found


def _long_runs_without_spend(days: Sequence[date], spend: Mapping[date, int]) -> set[date]:
    found: set[date] = set()
    run: list[date] = []
    for day in days:
        run = [] if spend.get(day) else [*run, day]
        if len(run) >= OFF_RUN_DAYS:
            found.update(run)
    return found


def _by_weekday(days: Iterable[date]) -> list[list[date]]:
    """Return the Mondays, the Tuesdays, … among some days."""
    found: list[list[date]] = [[] for _ in range(7)]
    for day in days:
        found[day.weekday()].append(day)
    return found


def fit(days: Collection[date], spend: Mapping[date, int], today: date) -> Profile | None:
    """Return the profile of days on which the brand was on; None if there are too few.

    The level is their mean with weights that halve every HALF_LIFE_DAYS, so it follows the brand; a weekday's weight is
    its mean against that of all days.
    """
    if len(days) < DAYS_FOR_PROJECTION:
        return None
    amounts = {day: max(spend.get(day, 0), 0) for day in days}
    mean = sum(amounts.values()) / len(amounts)
    if not mean or len(amounts) < DAYS_FOR_WEEKDAYS:
        return Profile((_rounded(mean),) * 7, len(amounts), len(VOLATILITIES))
    weights = [_weight([amounts[day] / mean for day in same]) for same in _by_weekday(amounts)]
    age_weights: dict[date, float] = {day: 2.0 ** (-(today - day).days / HALF_LIFE_DAYS) for day in days}
    expected = sum(weights[day.weekday()] * recent for day, recent in age_weights.items())
    level = sum(amounts[day] * recent for day, recent in age_weights.items()) / expected
    weekdays = [level * weight for weight in weights]
    return Profile(tuple(map(_rounded, weekdays)), len(amounts), _volatility(amounts, weekdays, age_weights))


def _weight(ratios: Sequence[float]) -> float:
    """Return the weight of a weekday; one that never has spend has none."""
    if len(ratios) > 1 and not any(ratios):
        return 0.0
    return (sum(ratios) + SHRINKAGE_DAYS) / (len(ratios) + SHRINKAGE_DAYS)


def _volatility(amounts: Mapping[date, int], weekdays: Sequence[float], age_weights: Mapping[date, float]) -> int:
    """Return the class of the usual relative deviation of a day from what is expected."""
    usual = {day: weekdays[day.weekday()] for day in amounts if weekdays[day.weekday()]}
    if not usual:
        return len(VOLATILITIES)
    squares = sum(age_weights[day] * (amounts[day] / usual[day] - 1) ** 2 for day in usual)
    deviation = sqrt(squares / sum(age_weights[day] for day in usual))
    return len([bound for bound in VOLATILITIES if deviation >= bound])


def _rounded(amount: float) -> int:
    return min(round(amount), MAX_DAY)


def days_left_class(days_left: int) -> int:
    """Return the class of a number of days after today, 0 for few to 6 for many."""
    return sum(days_left > bound for bound in DAYS_LEFT[:-1])


def relative_error(actual: int, expected: int) -> int:
    """Return by how many thousandths of the expected spend the actual spend was higher, or lower if negative."""
    return max(-1_000, min((actual - expected) * 1_000 // expected, MAX_ERROR))


def range_of_errors(errors: Iterable[int]) -> Range:
    """Return the range that holds the middle 80 % of some errors."""
    ordered = sorted(errors)
    return Range(ordered[len(ordered) // 10], ordered[-1 - len(ordered) // 10])


def runs_out_on(left: int, rest_of_today: int, weekdays: Sequence[int], today: date, until: date) -> date | None:
    """Return the day, before until, on which what is expected uses what is left of a budget; None if it doesn't.

    weekdays are what is expected of days after today, none above the daily budget.
    """
    day, expected = today, rest_of_today
    while expected < left:
        day += ONE_DAY
        if day >= until:
            return None
        expected += weekdays[day.weekday()]
    return day
