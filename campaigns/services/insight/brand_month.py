"""A brand's current day and month: spend by day and hour, pace and projection.

All parts are read in one snapshot, so that they add up. The days come from the totals, the hours from the latest
records of the ledger, which has no index by time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

from campaigns.database.connection import fetch_all, one_snapshot
from campaigns.models import Brand, BrandPeriod
from campaigns.rules.currencies import smallest_unit
from campaigns.rules.periods import ONE_DAY, QUARTER_SECONDS, find_zone, first_of_month, local_date, quarter_of
from campaigns.rules.reasons import is_reached
from campaigns.services.insight import pacing
from campaigns.services.insight.home import EACH_BRAND, BrandNow, brand_now
from campaigns.services.insight.pacing import Projection, Span
from campaigns.services.insight.quarters import id_before_latest, spend_by_quarter
from campaigns.services.insight.risk import one_brand, risks

# Latest records of the ledger, of all brands, from which the hours of today are summed.
MAX_LATEST_RECORDS = 250_000
QUARTERS_IN_HOUR = 4


@dataclass(frozen=True)
class Pace:
    """The spend, budget and pace of one period of the brand."""

    span: Span
    spend: Decimal
    budget: Decimal | None

    @property
    def index(self) -> Decimal | None:
        return pacing.pacing_index(self.spend, self.budget, self.span)

    @property
    def reaches_at(self) -> datetime | None:
        return pacing.reaches_at(self.spend, self.budget, self.span)

    @property
    def is_reached(self) -> bool:
        return is_reached(self.budget, self.spend)

    @property
    def is_fast(self) -> bool:
        return pacing.is_fast(self.spend, self.budget, self.span)

    @property
    def is_slow(self) -> bool:
        return pacing.is_slow(self.spend, self.budget, self.span)


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
    day: Pace
    month: Pace
    # Spend of each finished day of the month, as of the last check.
    finished: list[tuple[date, Decimal]]
    hours: list[Hour]
    # The currency's smallest unit, to which estimates are rounded.
    unit: Decimal

    @property
    def days_left(self) -> Decimal:
        return pacing.remaining_days(self.zone, self.day.span.now)

    @cached_property
    def projection(self) -> Projection | None:
        """None if the monthly budget is reached, because nothing more will be spent."""
        if self.month.is_reached:
            return None
        finished = [spend for _, spend in self.finished]
        return pacing.projection(self.month.spend, self.month.span, finished, self.days_left, self.unit)

    @property
    def daily_for_full_budget(self) -> Decimal | None:
        return pacing.daily_spend_for_full_budget(self.month.spend, self.month.budget, self.days_left, self.unit)

    @property
    def spend_without_hour(self) -> Decimal:
        """Today's spend whose records aren't among the latest."""
        return self.day.spend - sum((hour.spend for hour in self.hours), Decimal(0))


def brand_month(brand: Brand, *, now: datetime) -> BrandMonth | None:
    """Return the brand's current month, or None if its time zone is unknown. Four queries."""
    zone = find_zone(brand.timezone)
    if zone is None:
        return None
    today = local_date(zone, now)
    day, month = pacing.day_span(zone, now), pacing.month_span(zone, now)
    with one_snapshot():
        spent = _spent(brand, now)
        finished = _finished(brand, today)
        hours = _hours(brand, day)
    return BrandMonth(
        zone,
        today,
        Pace(day, spent.day_spend, spent.daily_budget),
        Pace(month, spent.month_spend, spent.monthly_budget),
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
