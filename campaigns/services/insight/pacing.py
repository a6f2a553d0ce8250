"""Pace: how fast a budget is spent, against how much of its day or month has passed.

Everything here is pure: no database, no clock of its own. Spend and budgets are Decimals in the brand's currency, exact
to millionths; periods are whole seconds between instants, so a day has 23, 24 or 25 hours as its zone's clock says.
What decides about a brand (is_fast, is_slow) is integer arithmetic; SQL does the same (fast_sql, slow_sql).
Budgets of 0 and none at all have no pace: the first is always reached (R2), the second never.
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

# Spend above 105 % of the even pace will reach the budget before the period's end; below that, it lands on it.
FAST: Share = 21, 20
# Spend below 90 % of the even pace is under-pacing.
SLOW: Share = 9, 10
# Before one part in so many has passed (an hour of a day, 30 hours of a month) a pace says nothing yet.
EARLY = 24

CENT = Decimal("0.01")

# Student's t in thousandths for 1 to 30 degrees of freedom: 80 % of the values lie within it on both sides.
# fmt: off
T_OF_80_PERCENT = (
    3078, 1886, 1638, 1533, 1476, 1440, 1415, 1397, 1383, 1372, 1363, 1356, 1350, 1345, 1341,
    1337, 1333, 1330, 1328, 1325, 1323, 1321, 1319, 1318, 1316, 1315, 1314, 1313, 1311, 1310,
)
# fmt: on


@dataclass(frozen=True)
class Span:
    """A local day or month from its first instant to its end, and an instant in it."""

    starts_at: datetime
    ends_at: datetime
    now: datetime

    @property
    def length(self) -> int:
        """Seconds."""
        return _seconds(self.ends_at - self.starts_at)

    @property
    def elapsed(self) -> int:
        """Whole seconds that have passed, from 0 to length."""
        return min(max(_seconds(self.now - self.starts_at), 0), self.length)

    @property
    def fraction(self) -> Decimal:
        """The part that has passed, from 0 to 1."""
        return Decimal(self.elapsed) / self.length

    @property
    def is_early(self) -> bool:
        return self.elapsed * EARLY < self.length


@dataclass(frozen=True)
class Projection:
    """What will have been spent at the end of a period, with the bounds between which it lies four times in five.

    The bounds are None while fewer than two days are finished: then it is unknown how days differ.
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
    """Return how many days of the local month are left: those after today, and what is left of today."""
    today = local_date(zone, now)
    return (next_month(today) - today).days - day_span(zone, now).fraction


def even_pace(budget: Decimal, span: Span, share: Share = (1, 1)) -> Decimal:
    """Return a share of what is spent by now if a budget is spent evenly, rounded down to a millionth."""
    part, whole = share
    return from_micros(to_micros(budget) * span.elapsed * part // (span.length * whole))


def is_fast(spend: Decimal, budget: Decimal | None, span: Span) -> bool:
    """Return whether spend will reach its budget before the period ends, at the pace of the period so far."""
    return _can_be_judged(spend, budget, span) and spend > even_pace(budget or Decimal(0), span, FAST)


def is_slow(spend: Decimal, budget: Decimal | None, span: Span) -> bool:
    """Return whether spend is so far behind the even pace that the budget will not be spent."""
    return _can_be_judged(spend, budget, span) and spend < even_pace(budget or Decimal(0), span, SLOW)


def _can_be_judged(spend: Decimal, budget: Decimal | None, span: Span) -> bool:
    return budget is not None and not is_reached(budget, spend) and not span.is_early


def fast_sql(spend: str, budget: str, elapsed: str, length: str) -> str:
    """Return is_fast as SQL over amounts in millionths and seconds, for a budget that is not reached."""
    return f"({elapsed} * {EARLY} >= {length} AND {spend} > {_even_pace_sql(budget, elapsed, length, FAST)})"


def slow_sql(spend: str, budget: str, elapsed: str, length: str) -> str:
    """Return is_slow as SQL over amounts in millionths and seconds, for a budget that is not reached."""
    return f"({elapsed} * {EARLY} >= {length} AND {spend} < {_even_pace_sql(budget, elapsed, length, SLOW)})"


def _even_pace_sql(budget: str, elapsed: str, length: str, share: Share) -> str:
    """Divide before multiplying, the remainder apart: so it is exact in 64 bits, for every budget and month."""
    part, whole = f"({elapsed} * {share[0]})", f"({length} * {share[1]})"
    return f"(({budget} / {whole}) * {part} + (({budget} %% {whole}) * {part}) / {whole})"


def pacing_index(spend: Decimal, budget: Decimal | None, span: Span) -> Decimal | None:
    """Return spend ÷ budget against elapsed ÷ period, to two decimals: 1 is even, above it too fast.

    None without a budget, for a budget of 0, and in the first second.
    """
    if not budget or not span.elapsed:
        return None
    return (spend * span.length / (budget * span.elapsed)).quantize(CENT, ROUND_HALF_EVEN)


def reaches_at(spend: Decimal, budget: Decimal | None, span: Span) -> datetime | None:
    """Return when the pace of the period so far reaches the budget, in UTC, to the second.

    None where it is reached already, or isn't before the period's end, or where it is too early to tell.
    """
    if budget is None or spend <= 0 or not _can_be_judged(spend, budget, span):
        return None
    seconds = -(-span.elapsed * to_micros(budget) // to_micros(spend))
    at = span.starts_at + timedelta(seconds=seconds)
    return at.astimezone(UTC) if at < span.ends_at else None


def daily_spend_to_land(
    spend: Decimal, budget: Decimal | None, days_left: Decimal, unit: Decimal = CENT
) -> Decimal | None:
    """Return the spend a day, for each of the remaining days, that lands on the month's budget; 0 if it is passed.

    Rounded down to the smallest unit of its currency, so that it doesn't pass it. None without a budget.
    """
    if budget is None or days_left <= 0:
        return None
    return (max(budget - spend, Decimal(0)) / days_left).quantize(unit, ROUND_DOWN)


def projection(
    spend: Decimal, span: Span, finished: Sequence[Decimal], days_left: Decimal, unit: Decimal = CENT
) -> Projection | None:
    """Return where the month's spend ends at the pace so far, if nothing pauses; None while it is early.

    `finished` is the spend of each finished day of the month, days without spend as 0. The bounds come from how these
    differ: with a standard deviation s over n days, the rest of d days is off by s·√(d + d²/n), the second part because
    the mean of few days is itself uncertain; times Student's t, which is wide for few days. It is never below what is
    spent already.
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
