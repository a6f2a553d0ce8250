"""A brand's current day and month: spend by day and hour, pace, projection, and what is left of its budgets.

All parts are read in one snapshot, so that they add up. The days come from the totals, the hours from the latest
records of the ledger, which has no index by time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from zoneinfo import ZoneInfo

from campaigns.database.connection import fetch_all, one_snapshot
from campaigns.models import Brand, BrandPeriod
from campaigns.rules.currencies import smallest_unit
from campaigns.rules.pace import Verdict
from campaigns.rules.periods import (
    ONE_DAY,
    QUARTER_SECONDS,
    find_zone,
    first_of_month,
    local_date,
    next_month,
    quarter_of,
)
from campaigns.rules.reasons import is_reached
from campaigns.services.insight.brand_now import EACH_BRAND, BrandNow, brand_now
from campaigns.services.insight.month_pace import MonthPace
from campaigns.services.insight.quarters import id_before_latest, spend_by_quarter
from campaigns.services.insight.reached_days import ReachedDays, reached_days
from campaigns.services.insight.risk import one_brand, risks
from campaigns.services.insight.spans import Span, day_span, month_span, remaining_days
from campaigns.services.pace.ranges import Reliability, reliability

# Latest records of the ledger, of all brands, from which the hours of today are summed.
MAX_LATEST_RECORDS = 250_000
QUARTERS_IN_HOUR = 4


@dataclass(frozen=True)
class Period:
    """The spend and budget of the brand's current day or month."""

    span: Span
    spend: Decimal
    budget: Decimal | None

    @property
    def is_reached(self) -> bool:
        return is_reached(self.budget, self.spend)

    @property
    def left(self) -> Decimal | None:
        """What is left of the budget; None without one."""
        return None if self.budget is None else max(self.budget - self.spend, Decimal(0))


@dataclass(frozen=True)
class FullBudget:
    """What must be spent on each of the days left to use the full monthly budget."""

    left: Decimal
    # Without the daily budget, and within it.
    needed: Decimal
    daily: Decimal
    # What of it the daily budget allows, if that is less.
    at_most: Decimal | None


@dataclass(frozen=True)
class Hour:
    """An hour of the local day: its start in UTC, and its spend."""

    starts_at: datetime
    spend: Decimal


@dataclass(frozen=True)
class BrandMonth:
    """The current day and month of a brand whose time zone is known."""

    zone: ZoneInfo
    today: date
    day: Period
    month: Period
    # None for a brand that isn't judged.
    verdict: Verdict | None
    # Percent of the month's spend that is expected by now.
    expected: float | None
    # None where it is too early to project.
    pace: MonthPace | None
    # How often the ranges of all brands' projections were right.
    reliability: Reliability
    # How often the daily budget was reached of late; None if not often.
    reached_days: ReachedDays | None
    # Spend of each finished day of the month, as of the last check.
    finished: list[tuple[date, Decimal]]
    hours: list[Hour]
    # The currency's smallest unit, to which estimates are rounded.
    unit: Decimal

    @property
    def days_left(self) -> Decimal:
        return remaining_days(self.zone, self.day.span.now)

    @property
    def runs_out_on(self) -> date | None:
        """The day on which the monthly budget is expected to be used up; None if it won't be this month."""
        if self.pace is None or not self.month.left:
            return None
        return self.pace.runs_out_on(self.month.left)

    @property
    def full_budget(self) -> FullBudget | None:
        """None without a monthly budget, or where nothing is left of it. Rounded down to the currency's unit."""
        left = self.month.left
        if not left:
            return None
        daily = (left / self.days_left).quantize(self.unit, ROUND_DOWN)
        at_most = self._spend_within_daily_budgets()
        if at_most is None or self.day.budget is None:
            return FullBudget(left, daily, daily, None)
        return FullBudget(left, daily, min(daily, self.day.budget), at_most if at_most < left else None)

    def _spend_within_daily_budgets(self) -> Decimal | None:
        """Return what the daily budget allows until the end of the month; None without one."""
        if self.day.left is None or self.day.budget is None:
            return None
        return self.day.left + self.day.budget * ((next_month(self.today) - self.today).days - 1)

    @property
    def spend_without_hour(self) -> Decimal:
        """Today's spend whose records aren't among the latest."""
        return self.day.spend - sum((hour.spend for hour in self.hours), Decimal(0))


def brand_month(brand: Brand, *, now: datetime) -> BrandMonth | None:
    """Return the brand's current month, or None if its time zone is unknown. Six queries."""
    zone = find_zone(brand.timezone)
    if zone is None:
        return None
    today = local_date(zone, now)
    day, month = day_span(zone, now), month_span(zone, now)
    with one_snapshot():
        spent = _spent(brand, now)
        finished = _finished(brand, today)
        hours = _hours(brand, day)
        reliable = reliability(now=now)
        reached = reached_days({brand.pk: brand.timezone}, now=now)
    return BrandMonth(
        zone,
        today,
        Period(day, spent.day_spend, spent.daily_budget),
        Period(month, spent.month_spend, spent.monthly_budget),
        spent.verdict,
        spent.expected,
        spent.pace,
        reliable,
        reached.get(brand.pk),
        finished,
        hours,
        smallest_unit(brand.currency),
    )


def _spent(brand: Brand, now: datetime) -> BrandNow:
    found = risks(EACH_BRAND, now=now, scope=one_brand(brand.pk), zones=[brand.timezone], with_archived=True)
    (row,) = fetch_all(*found)
    return brand_now(row)


def _finished(brand: Brand, today: date) -> list[tuple[date, Decimal]]:
    first = first_of_month(today)
    days = brand.periods.filter(kind=BrandPeriod.Kind.DAY, starts_on__gte=first, starts_on__lt=today)
    spend = dict(days.values_list("starts_on", "spend"))
    return [(day, spend.get(day, Decimal(0))) for day in (first + ONE_DAY * n for n in range((today - first).days))]


def _hours(brand: Brand, day: Span) -> list[Hour]:
    """Sum the day's latest records by hour of the local day; every zone's hours start on a quarter-hour of UTC."""
    newest = ("id > %s AND brand_id = %s", [id_before_latest(MAX_LATEST_RECORDS), brand.pk])
    found = spend_by_quarter(*newest, day.starts_at, day.ends_at)
    first, until = quarter_of(day.starts_at), quarter_of(day.ends_at)
    sums = dict.fromkeys(range(0, until - first, QUARTERS_IN_HOUR), Decimal(0))
    for quarter, spend in found.items():
        offset = quarter - first
        sums[offset - offset % QUARTERS_IN_HOUR] += spend
    return [
        Hour(day.starts_at.astimezone(UTC) + timedelta(seconds=offset * QUARTER_SECONDS), spend)
        for offset, spend in sums.items()
    ]
