"""What the rules say, reckoned a second time: in plain Python, from the raw facts alone.

Nothing of the product is used here: no SQL, no totals, no calendar arithmetic of campaigns.rules.periods. A day is
what a zone's clock shows, spend is a sum over all records, a window is a stretch of wall-clock time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo


@dataclass
class Window:
    """days has a bit for each day on which the window starts, Monday 1 to Sunday 64."""

    days: int
    start: time
    end: time

    @property
    def day_bits(self) -> list[int]:
        return [1 << number for number in range(7) if self.days >> number & 1]

    def is_open(self, wall: datetime) -> bool:
        """R7: it starts today or started yesterday, and ends before it is as late as it started, or at midnight."""
        return any(self._is_open_from(wall.date() - timedelta(days=ago), wall) for ago in (0, 1))

    def _is_open_from(self, day: date, wall: datetime) -> bool:
        if not self.days >> day.weekday() & 1:
            return False
        ends_on = day if self.end > self.start else day + timedelta(days=1)
        return datetime.combine(day, self.start) <= wall < datetime.combine(ends_on, self.end)


@dataclass(eq=False)
class Record:
    amount: Decimal
    timestamp: datetime
    external_id: str | None = None


@dataclass(eq=False)
class CampaignFacts:
    """pk is its key in the database, once it is stored there; so it is for a brand."""

    pk: int = 0
    enabled: bool = True
    daily_spend_limit: Decimal | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    windows: list[Window] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)


@dataclass(eq=False)
class BrandFacts:
    timezone: str
    pk: int = 0
    enabled: bool = True
    daily_budget: Decimal | None = None
    monthly_budget: Decimal | None = None
    campaigns: list[CampaignFacts] = field(default_factory=list)

    def wall(self, instant: datetime) -> datetime:
        """Return what the clock on the brand's wall shows."""
        return wall(self.timezone, instant)


def wall(zone: str, instant: datetime) -> datetime:
    """Return what a clock in the zone shows."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@dataclass
class Spends:
    """Spend of a campaign's day, and of its brand's day and month."""

    campaign_today: Decimal
    brand_today: Decimal
    brand_this_month: Decimal


def spends(brand: BrandFacts, campaign: CampaignFacts, now: datetime) -> Spends:
    """R3: spend is the sum of the records of the period; one that is dated ahead counts when its day comes."""
    today = brand.wall(now).date()
    return Spends(
        campaign_today=_sum(record for record in campaign.records if _day(brand, record) == today),
        brand_today=spend_of_period(brand, "day", today),
        brand_this_month=spend_of_period(brand, "month", period_of("month", today), until=today),
    )


def spend_of_period(brand: BrandFacts, kind: str, starts_on: date, until: date = date.max) -> Decimal:
    """Return a brand's spend of a day, or of the month that starts on a day, up to a day."""
    records = [record for campaign in brand.campaigns for record in campaign.records if _day(brand, record) <= until]
    return _sum(record for record in records if period_of(kind, _day(brand, record)) == starts_on)


def period_of(kind: str, day: date) -> date:
    """Return the first day of the period that a day belongs to."""
    return day.replace(day=1) if kind == "month" else day


def reasons(brand: BrandFacts, campaign: CampaignFacts, now: datetime) -> list[str]:
    """R1: return every reason that holds, by the design's names and in its order."""
    wall, spent = brand.wall(now), spends(brand, campaign, now)
    holds = {
        "campaign_disabled": not campaign.enabled,
        "brand_disabled": not brand.enabled,
        "not_started": campaign.starts_on is not None and wall.date() < campaign.starts_on,
        "ended": campaign.ends_on is not None and wall.date() > campaign.ends_on,
        "outside_schedule": bool(campaign.windows) and not any(w.is_open(wall) for w in campaign.windows),
        "campaign_daily_limit": reached(campaign.daily_spend_limit, spent.campaign_today),
        "brand_daily_budget": reached(brand.daily_budget, spent.brand_today),
        "brand_monthly_budget": reached(brand.monthly_budget, spent.brand_this_month),
    }
    return [reason for reason, holding in holds.items() if holding]


def reached(limit: Decimal | None, spent: Decimal) -> bool:
    """R2."""
    return limit is not None and (limit == 0 or spent >= limit)


def _day(brand: BrandFacts, record: Record) -> date:
    return brand.wall(record.timestamp).date()


def _sum(records: Iterable[Record]) -> Decimal:
    return sum((record.amount for record in records), Decimal(0))
