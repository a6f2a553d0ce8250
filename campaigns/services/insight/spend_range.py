"""Spend of a range of local days, beside the period before: of a brand or a campaign, by day and by campaign.

A range from the first of a month is compared with the same days of the month before, others with the days before them.

The days come from the totals, to which is added what isn't folded yet. All parts are read in one snapshot, so that the
campaigns of a brand add up to its days.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from campaigns.database.connection import fetch_all, one_snapshot
from campaigns.database.dialects import in_list, list_param, shown_sum
from campaigns.models import Brand, BrandPeriod, Campaign, CampaignDay
from campaigns.rules.money import from_micros
from campaigns.rules.periods import ONE_DAY, QUARTER_SECONDS, first_of_month, local_date, quarter_of, start_of_day

MAX_DAYS = 366

PENDING = f"""
SELECT quarter, {shown_sum("amount")} FROM campaigns_pendingspend
WHERE quarter >= %s AND quarter < %s AND {{owner}} = %s
GROUP BY quarter
"""


class Range(NamedTuple):
    """Local days, the last included."""

    first: date
    last: date

    @property
    def days(self) -> list[date]:
        return [self.first + ONE_DAY * number for number in range((self.last - self.first).days + 1)]

    @property
    def before(self) -> Range:
        """The period to compare with; of days of a month, those of a shorter month before end at its last day."""
        if self.first.day == 1 and first_of_month(self.last) == self.first:
            ends = self.first - ONE_DAY
            return Range(first_of_month(ends), ends.replace(day=min(self.last.day, ends.day)))
        length = len(self.days)
        return Range(self.first - ONE_DAY * length, self.first - ONE_DAY)

    @property
    def pairs(self) -> list[tuple[date, date | None]]:
        """Each day with the one that it is compared with, if the period before has one."""
        before = self.before.days
        return list(zip(self.days, [*before, *[None] * (len(self.days) - len(before))], strict=True))


class Compared(NamedTuple):
    """Spend of the range, or of a part of it, and of the same part of the period before."""

    spend: Decimal
    before: Decimal

    @property
    def change(self) -> Decimal:
        return self.spend - self.before

    @property
    def percent(self) -> Decimal | None:
        """The change in percent of the spend before; None where that isn't positive."""
        return self.change * 100 / self.before if self.before > 0 else None


class OneDay(NamedTuple):
    day: date
    # None for the last days of a month that is longer than the one before.
    before: date | None
    compared: Compared
    # The brand's daily budget: of a final day the one that held at its end, else today's. None without one.
    budget: Decimal | None


class OneCampaign(NamedTuple):
    pk: int
    name: str
    compared: Compared


@dataclass(frozen=True)
class SpendOfRange:
    period: Range
    days: list[OneDay]
    # Of a brand: its campaigns with spend in either period, the largest first.
    campaigns: list[OneCampaign] = field(default_factory=list)
    # The brand's first day that is known; None before any spend.
    known_from: date | None = None

    @property
    def days_on_record(self) -> int:
        """How many of the days aren't before the first one; all, if none is."""
        known = [each for each in self.days if self.known_from and each.day >= self.known_from]
        return len(known or self.days)

    @property
    def total(self) -> Compared:
        """The sums of the days."""
        zero = Decimal(0)
        return Compared(
            sum((each.compared.spend for each in self.days), zero),
            sum((each.compared.before for each in self.days), zero),
        )


def spend_of_brand(brand: Brand, zone: ZoneInfo, period: Range, *, by_campaign: bool = True) -> SpendOfRange:
    """Return the brand's spend of a range of days in its zone. Four queries; three without its campaigns."""
    with one_snapshot():
        rows = brand.periods.filter(kind=BrandPeriod.Kind.DAY, starts_on__range=(period.before.first, period.last))
        found = {row.starts_on: row for row in rows}
        pending = _pending("brand_id", brand.pk, zone, period)
        campaigns = _by_campaign(brand, zone, period) if by_campaign else []
        first = _first_day(brand)
    spend = {day: row.spend for day, row in found.items()}
    closed = {day: row.budget_at_close for day, row in found.items() if row.closed_at}
    budgets = {day: closed.get(day, brand.daily_budget) for day in period.days}
    spend = _added(spend, pending)
    return SpendOfRange(period, _days(period, spend, budgets), campaigns, _known_from(first, spend))


def spend_of_campaign(campaign: Campaign, zone: ZoneInfo, period: Range) -> SpendOfRange:
    """Return the campaign's spend of a range of days in its brand's zone. Three queries."""
    with one_snapshot():
        # The days by name: a range would read those of every campaign.
        days = CampaignDay.objects.filter(campaign=campaign, day__in=[*period.before.days, *period.days])
        spend = dict(days.values_list("day", "spend"))
        pending = _pending("campaign_id", campaign.pk, zone, period)
        first = _first_day(campaign.brand)
    spend = _added(spend, pending)
    return SpendOfRange(period, _days(period, spend, {}), known_from=_known_from(first, spend))


def _first_day(brand: Brand) -> date | None:
    """Return the brand's first day with totals, by one look into an index."""
    days = brand.periods.filter(kind=BrandPeriod.Kind.DAY).order_by("starts_on")
    return days.values_list("starts_on", flat=True).first()


def _known_from(first: date | None, spend: dict[date, Decimal]) -> date | None:
    """Return the first day of the brand, or of spend that isn't in its totals."""
    return min(filter(None, [first, *spend]), default=None)


def _days(period: Range, spend: dict[date, Decimal], budgets: dict[date, Decimal | None]) -> list[OneDay]:
    zero = Decimal(0)
    return [
        OneDay(
            day, before, Compared(spend.get(day, zero), spend.get(before, zero) if before else zero), budgets.get(day)
        )
        for day, before in period.pairs
    ]


def _added(spend: dict[date, Decimal], more: Iterable[tuple[date, Decimal]]) -> dict[date, Decimal]:
    added = dict(spend)
    for day, amount in more:
        added[day] = added.get(day, Decimal(0)) + amount
    return added


def _pending(owner: str, pk: int, zone: ZoneInfo, period: Range) -> list[tuple[date, Decimal]]:
    """Return what isn't in the totals yet, by local day; a local day starts on a quarter-hour of UTC."""
    bounds = _quarters(zone, period)
    rows = fetch_all(PENDING.format(owner=owner), [bounds.before, bounds.until, pk])
    return [(local_date(zone, _instant(quarter)), from_micros(amount)) for quarter, amount in rows]


def _instant(quarter: int) -> datetime:
    return datetime.fromtimestamp(quarter * QUARTER_SECONDS, ZoneInfo("UTC"))


class _Quarters(NamedTuple):
    """Where the period before, what follows it, the period and what follows begin."""

    before: int
    before_until: int
    first: int
    until: int


def _quarters(zone: ZoneInfo, period: Range) -> _Quarters:
    begins = (period.before.first, period.before.last + ONE_DAY, period.first, period.last + ONE_DAY)
    return _Quarters(*(quarter_of(start_of_day(zone, day)) for day in begins))


def _by_campaign(brand: Brand, zone: ZoneInfo, period: Range) -> list[OneCampaign]:
    """Sum the totals of each campaign's days, looked up one by one, and what is pending.

    Each is summed by itself, which PostgreSQL does in parallel, and added here, exactly.
    """
    quarters = _quarters(zone, period)
    sql = f"""
        SELECT c.id, c.name, booked.spend, booked.before
        FROM (
            SELECT d.campaign_id,
                {shown_sum("CASE WHEN d.day >= %(first_day)s THEN d.spend ELSE 0 END")} AS spend,
                {shown_sum("CASE WHEN d.day >= %(first_day)s THEN 0 ELSE d.spend END")} AS before
            FROM campaigns_campaignday d
            JOIN campaigns_campaign c ON c.id = d.campaign_id
            WHERE c.brand_id = %(brand)s AND {in_list("d.day", param="%(days)s")}
            GROUP BY d.campaign_id
            UNION ALL
            SELECT p.campaign_id,
                {shown_sum("CASE WHEN p.quarter >= %(first)s THEN p.amount ELSE 0 END")},
                {shown_sum("CASE WHEN p.quarter >= %(first)s THEN 0 ELSE p.amount END")}
            FROM campaigns_pendingspend p
            WHERE p.brand_id = %(brand)s AND p.quarter >= %(before)s AND p.quarter < %(until)s
                AND (p.quarter < %(before_until)s OR p.quarter >= %(first)s)
            GROUP BY p.campaign_id
        ) booked
        JOIN campaigns_campaign c ON c.id = booked.campaign_id"""
    params: dict[str, Any] = quarters._asdict() | {
        "brand": brand.pk,
        "first_day": connection.ops.adapt_datefield_value(period.first),
        "days": list_param([*period.before.days, *period.days]),
    }
    found: dict[int, OneCampaign] = {}
    for pk, name, spend, before in fetch_all(sql, params):
        compared = Compared(from_micros(spend), from_micros(before))
        if other := found.get(pk):
            compared = Compared(compared.spend + other.compared.spend, compared.before + other.compared.before)
        found[pk] = OneCampaign(pk, name, compared)
    shown = (each for each in found.values() if any(each.compared))
    return sorted(shown, key=lambda each: (-each.compared.spend, each.pk))
