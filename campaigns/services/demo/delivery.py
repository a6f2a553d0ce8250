"""What the demo's advertisers spent: the part of an ad platform that delivers ads and reports what they cost.

Invented, but always the same for the same instant. Delivery stops where a check would have paused it, a little above
the limit. That is only what makes the figures look real: every status is decided by the real enforcement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

from campaigns.rules.money import from_micros, to_micros
from campaigns.rules.periods import first_of_month, local_date, start_of_day
from campaigns.services.demo.advertisers import Advertiser, Level, Plan
from campaigns.services.insight.forecast import is_open

SEED = "budget manager"
# How Mondays to Sundays compare.
WEEKDAYS = (1.0, 0.98, 1.01, 1.03, 1.08, 0.93, 0.88)

CHECK_SECONDS = 300
# Some days ago no check ran for a few hours: days that came to their budget then show a real overspend.
OUTAGE_BEGAN, OUTAGE_LASTED = timedelta(days=5), timedelta(hours=3)


class Spend(NamedTuple):
    """A row of the ledger to be: an amount in millionths, spent at an instant and recorded at another."""

    at: datetime
    recorded_at: datetime
    campaign: str
    day: date
    amount: int

    @property
    def month(self) -> date:
        return first_of_month(self.day)


@dataclass
class Limits:
    """The limits of an advertiser in millionths; None is no limit."""

    daily: int | None = None
    monthly: int | None = None
    campaigns: dict[str, int | None] = field(default_factory=dict)

    def holding(self, spend: Spend) -> Iterator[tuple[object, int | None]]:
        """Yield what the row counts towards, and the limit of that."""
        yield (spend.campaign, spend.day), self.campaigns.get(spend.campaign)
        yield ("day", spend.day), self.daily
        yield ("month", spend.month), self.monthly


@dataclass(frozen=True)
class Delivery:
    """What an advertiser spent, in the order of time, and the limits that it kept to."""

    limits: Limits
    spends: list[Spend]


def deliver(advertiser: Advertiser, start: datetime, now: datetime) -> Delivery:
    """Return the advertiser's spend from start to now, under limits that suit it."""
    zone, limits = ZoneInfo(advertiser.timezone), Limits()
    demand = sorted(row for plan in advertiser.campaigns for row in _demand(advertiser, plan, start, now))
    for plan in advertiser.campaigns:
        limits.campaigns[plan.name] = _limit(plan.limit, [s for s in demand if s.campaign == plan.name], zone, now)
    limits.daily = _limit(advertiser.daily, _within(limits, demand, now), zone, now)
    limits.monthly = _limit(advertiser.monthly, _within(limits, demand, now), zone, now, monthly=True)
    return Delivery(limits, _within(limits, demand, now))


def _demand(advertiser: Advertiser, plan: Plan, start: datetime, now: datetime) -> Iterator[Spend]:
    """Yield what a campaign would spend without any limit, in uneven steps of about half an hour, and its credits."""
    zone = ZoneInfo(advertiser.timezone)
    random = Random(f"{SEED} {advertiser.name} {plan.name}")  # noqa: S311  # nothing secret
    today, windows, at = local_date(zone, now), plan.schedule(now.astimezone(zone)), start
    while (at := at + timedelta(seconds=random.randint(900, 3600))) < now:
        step, noise, chance = random.uniform(0.45, 0.8), random.uniform(0.7, 1.4), random.random()
        wall = at.astimezone(zone)
        if not (_may_run(advertiser, plan, (wall.date() - today).days) and (not windows or is_open(windows, wall))):
            continue
        share = plan.curve.weight(wall.hour) / 24 * WEEKDAYS[wall.weekday()] * _day_factor(advertiser.name, wall.date())
        amount = rounded(plan.rate * share * step * noise, advertiser.places)
        if amount:
            yield Spend(at, _arrival(advertiser, at, now, chance), plan.name, wall.date(), amount)
        if chance > 0.995:
            credit = rounded(plan.rate * noise * 0.04, advertiser.places)
            yield Spend(at, at + timedelta(seconds=20), plan.name, wall.date(), -credit)


def _may_run(advertiser: Advertiser, plan: Plan, day: int) -> bool:
    """Return whether the campaign was on and within its dates; day is counted from today."""
    return (plan.starts is None or day >= plan.starts) and all(
        last is None or day <= last for last in (plan.ends, plan.off_since, advertiser.off_since)
    )


@cache
def _day_factor(advertiser: str, day: date) -> float:
    return Random(f"{SEED} {advertiser} {day}").uniform(0.78, 1.22)  # noqa: S311  # nothing secret


def _arrival(advertiser: Advertiser, at: datetime, now: datetime, chance: float) -> datetime:
    late = timedelta(hours=9) if advertiser.sends_late and chance < 0.06 else timedelta(seconds=15)
    return min(at + late, now)


def rounded(amount: float, places: int) -> int:
    return to_micros(round(Decimal(amount), places))


def _within(limits: Limits, demand: Sequence[Spend], now: datetime) -> list[Spend]:
    """Return what is spent of the demand when delivery stops at the first check that finds a limit reached."""
    spent, seen, unseen, check = [], Counter[object](), Counter[object](), 0
    for row in demand:
        if (latest := _last_check(row.at, now)) != check:
            check = latest
            seen.update(unseen)
            unseen.clear()
        holding = list(limits.holding(row))
        if row.amount > 0 and any(limit is not None and seen[total] >= limit for total, limit in holding):
            continue
        spent.append(row)
        unseen.update({total: row.amount for total, _ in holding})
    return spent


def _last_check(at: datetime, now: datetime) -> int:
    began = (now - OUTAGE_BEGAN).astimezone(UTC).replace(hour=15, minute=0, second=0, microsecond=0)
    unchecked = began <= at < began + OUTAGE_LASTED
    return int((began if unchecked else at).timestamp()) // CHECK_SECONDS


def _limit(
    level: Level | None, spends: Iterable[Spend], zone: ZoneInfo, now: datetime, *, monthly: bool = False
) -> int | None:
    """Return a limit of that level for the days, or months, of the spends."""
    totals: Counter[date] = Counter()
    for spend in spends:
        totals[spend.month if monthly else spend.day] += spend.amount
    today = local_date(zone, now)
    so_far = totals.pop(first_of_month(today) if monthly else today, 0)
    if level is None or not totals:
        return None
    return _round_figure(_amount(level, so_far, median(totals.values())))


def _amount(level: Level, so_far: float, usual: float) -> float:
    match level:
        case Level.REACHED:
            return max(so_far * 0.95, usual * 0.45)
        case Level.NEAR:
            return max(so_far * 1.1, usual * 0.6)
        case Level.USUAL:
            return usual * 1.06
        case Level.AMPLE:
            return usual * 4


def _round_figure(micros: float) -> int:
    """Return the amount as people budget: rounded down to whole units with two figures that aren't 0."""
    units = round(from_micros(round(micros)))
    figure = int(10 ** max(len(str(units)) - 2, 0))
    return to_micros(max(units // figure * figure, 1))


def start_of_data(advertiser: Advertiser, now: datetime) -> datetime:
    """Return the instant at which last month began in the advertiser's zone."""
    zone = ZoneInfo(advertiser.timezone)
    this_month = first_of_month(local_date(zone, now))
    return start_of_day(zone, first_of_month(this_month - timedelta(days=1)))
