"""Pace: how fast a budget is spent, compared with the elapsed part of its day or month.

Pure functions, without database or clock. Spend and budgets are Decimals in the brand's currency, exact to millionths;
periods are whole seconds between instants, so a day has 23, 24 or 25 hours. The verdicts (is_fast, is_slow) use integer
arithmetic, the same as in SQL (fast_sql, slow_sql). No budget and a budget of 0, which is always reached (R2), have no
pace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from campaigns.rules.money import from_micros, to_micros
from campaigns.rules.periods import ONE_DAY, first_of_month, local_date, next_month, start_of_day
from campaigns.rules.reasons import is_reached

Share = tuple[int, int]

# Above 105 % of the even pace a brand is over-pacing: it will reach the budget before the period ends.
FAST: Share = 21, 20
# Below 90 % of the even pace it is under-pacing.
SLOW: Share = 9, 10
# No verdict in the first 1/24 of a period: an hour of a day, 30 hours of a month.
EARLY = 24

CENT = Decimal("0.01")

# Student's t in thousandths for 1 to 30 degrees of freedom, two-sided, 80 %.
# fmt: off
T_OF_80_PERCENT = (
    3078, 1886, 1638, 1533, 1476, 1440, 1415, 1397, 1383, 1372, 1363, 1356, 1350, 1345, 1341,
    1337, 1333, 1330, 1328, 1325, 1323, 1321, 1319, 1318, 1316, 1315, 1314, 1313, 1311, 1310,
)
# fmt: on


@dataclass(frozen=True)
class Span:
    """A local day or month, and the current instant in it."""

    starts_at: datetime
    ends_at: datetime
    now: datetime

    @property
    def length(self) -> int:
        """In seconds."""
        return _seconds(self.ends_at - self.starts_at)

    @property
    def elapsed(self) -> int:
        """Whole seconds elapsed, from 0 to length."""
        return min(max(_seconds(self.now - self.starts_at), 0), self.length)

    @property
    def fraction(self) -> Decimal:
        """The elapsed part, from 0 to 1."""
        return Decimal(self.elapsed) / self.length

    @property
    def is_early(self) -> bool:
        return self.elapsed * EARLY < self.length


@dataclass(frozen=True)
class Projection:
    """The projected spend at the end of a period, with its 80 % range.

    low and high are None until two days are finished, because the variation of days is unknown before.
    """

    expected: Decimal
    low: Decimal | None
    high: Decimal | None


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


def even_pace(budget: Decimal, span: Span, share: Share = (1, 1)) -> Decimal:
    """Return a share of the spend so far at an even pace, rounded down to a millionth."""
    part, whole = share
    return from_micros(to_micros(budget) * span.elapsed * part // (span.length * whole))


def is_fast(spend: Decimal, budget: Decimal | None, span: Span) -> bool:
    """Return whether the brand is over-pacing: at this pace it reaches the budget before the period ends."""
    return _can_be_judged(spend, budget, span) and spend > even_pace(budget or Decimal(0), span, FAST)


def is_slow(spend: Decimal, budget: Decimal | None, span: Span) -> bool:
    """Return whether the brand is under-pacing: at this pace it won't use the budget."""
    return _can_be_judged(spend, budget, span) and spend < even_pace(budget or Decimal(0), span, SLOW)


def _can_be_judged(spend: Decimal, budget: Decimal | None, span: Span) -> bool:
    return budget is not None and not is_reached(budget, spend) and not span.is_early


def fast_sql(spend: str, budget: str, elapsed: str, length: str) -> str:
    """Return is_fast as SQL, for amounts in millionths, times in seconds and a budget that isn't reached."""
    return f"({elapsed} * {EARLY} >= {length} AND {spend} > {_even_pace_sql(budget, elapsed, length, FAST)})"


def slow_sql(spend: str, budget: str, elapsed: str, length: str) -> str:
    """Return is_slow as SQL, for amounts in millionths, times in seconds and a budget that isn't reached."""
    return f"({elapsed} * {EARLY} >= {length} AND {spend} < {_even_pace_sql(budget, elapsed, length, SLOW)})"


def _even_pace_sql(budget: str, elapsed: str, length: str, share: Share) -> str:
    """Divide first and multiply the remainder separately, which is exact in 64 bits for every budget and month."""
    part, whole = f"({elapsed} * {share[0]})", f"({length} * {share[1]})"
    return f"(({budget} / {whole}) * {part} + (({budget} %% {whole}) * {part}) / {whole})"


def pacing_index(spend: Decimal, budget: Decimal | None, span: Span) -> Decimal | None:
    """Return (spend ÷ budget) ÷ (elapsed ÷ period) to two decimals: 1.00 is on pace, more is over-pacing.

    None without a budget, for a budget of 0, and in the first second.
    """
    if not budget or not span.elapsed:
        return None
    return (spend * span.length / (budget * span.elapsed)).quantize(CENT, ROUND_HALF_EVEN)


def reaches_at(spend: Decimal, budget: Decimal | None, span: Span) -> datetime | None:
    """Return when the budget is reached at the pace so far, in UTC, to the second.

    None if it is already reached, won't be in this period, or if it is too early to project.
    """
    if budget is None or spend <= 0 or not _can_be_judged(spend, budget, span):
        return None
    seconds = -(-span.elapsed * to_micros(budget) // to_micros(spend))
    at = span.starts_at + timedelta(seconds=seconds)
    return at.astimezone(UTC) if at < span.ends_at else None


def daily_spend_for_full_budget(
    spend: Decimal, budget: Decimal | None, days_left: Decimal, unit: Decimal = CENT
) -> Decimal | None:
    """Return the spend per remaining day that uses the full monthly budget; 0 if it is exceeded.

    Rounded down to the currency's smallest unit, so that it doesn't exceed the budget. None without a budget.
    """
    if budget is None or days_left <= 0:
        return None
    return (max(budget - spend, Decimal(0)) / days_left).quantize(unit, ROUND_DOWN)


def projection(
    spend: Decimal, span: Span, finished: Sequence[Decimal], days_left: Decimal, unit: Decimal = CENT
) -> Projection | None:
    """Return the projected spend of the month at the pace so far, if nothing pauses; None if it is too early.

    finished is the spend of each finished day of the month, 0 for days without spend. The 80 % range comes from their
    standard deviation s: with n finished days, the error of the d remaining days is s·√(d + d²/n), where d²/n is the
    uncertainty of the mean; times Student's t. The range never starts below the spend so far.
    """
    if span.is_early:
        return None
    expected = (spend * span.length / span.elapsed).quantize(unit, ROUND_HALF_EVEN)
    if len(finished) < 2:
        return Projection(expected, None, None)
    off = _t(len(finished) - 1) * _deviation(finished) * (days_left + days_left**2 / len(finished)).sqrt()
    low = max((expected - off).quantize(unit, ROUND_HALF_EVEN), min(spend, expected))
    return Projection(expected, low, (expected + off).quantize(unit, ROUND_HALF_EVEN))


def _deviation(amounts: Sequence[Decimal]) -> Decimal:
    """Return the standard deviation of a sample."""
    mean = sum(amounts, Decimal(0)) / len(amounts)
    squares = sum(((amount - mean) ** 2 for amount in amounts), Decimal(0))
    return (squares / (len(amounts) - 1)).sqrt()


def _t(freedom: int) -> Decimal:
    return Decimal(T_OF_80_PERCENT[min(freedom, len(T_OF_80_PERCENT)) - 1]).scaleb(-3)


def _seconds(duration: timedelta) -> int:
    return duration // timedelta(seconds=1)
