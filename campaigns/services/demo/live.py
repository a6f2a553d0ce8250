"""The demo's spend while it is being looked at: rows like a connector's, and each few minutes a pause and a resume.

All active campaigns spend at their usual pace. One at a time spends faster, until it reaches a limit and is paused; a
credit for invalid clicks, a minute later, lets it resume.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from campaigns.models import Campaign, SpendRecord, StatusChange
from campaigns.rules.money import from_micros
from campaigns.rules.periods import local_date
from campaigns.rules.reasons import PauseReason
from campaigns.services.demo.advertisers import ADVERTISERS, Advertiser, Plan
from campaigns.services.demo.delivery import rounded
from campaigns.services.demo.fill import ACTOR

SECONDS = 5  # between two calls of spend()
TICKS_TO_LIMIT = 18
TICKS_PAUSED = 12
# A campaign reports about every third time, then for three times as long.
REPORTS = 3
# The part of a limit that a credit makes free again.
CREDIT = Decimal("0.02")

PLANS = {(each.name, plan.name): (each, plan) for each in ADVERTISERS for plan in each.campaigns}
LIMITS = PauseReason.CAMPAIGN_DAILY_LIMIT | PauseReason.BRAND_DAILY_BUDGET | PauseReason.BRAND_MONTHLY_BUDGET


def demo_brands() -> list[int]:
    """Return the brands that fill() made: their names are the demo's, and their history begins with it."""
    made = StatusChange.objects.filter(actor=ACTOR, campaign__brand__name__in={brand for brand, _ in PLANS})
    return sorted(set(made.order_by().values_list("campaign__brand_id", flat=True)))


def has_demo() -> bool:
    return bool(demo_brands())


@dataclass
class _Hurried:
    """The campaign on its way to a limit, and what it spends each time until then."""

    campaign: int
    step: float
    day: date  # the brand's local day, whose end resets what the step was chosen by
    ticks_paused: int = 0


@dataclass
class LiveSpend:
    """Spends for the brands, and for no other; campaigns that people have added or renamed are left alone too."""

    brands: list[int]
    random: Random = field(default_factory=Random)
    hurried: _Hurried | None = None
    # The brands whose turn it has just been.
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=2))

    def spend(self, *, now: datetime) -> int:
        """Insert what is spent in SECONDS; return the number of rows."""
        campaigns = Campaign.objects.filter(brand_id__in=self.brands).select_related("brand").order_by("pk")
        known = [each for each in campaigns.with_spend(now) if (each.brand.name, each.name) in PLANS]
        rows = [*self._usual(known, now), *self._hurry(known, now)]
        SpendRecord.objects.bulk_create(
            SpendRecord(
                brand_id=campaign.brand_id,
                campaign=campaign,
                amount=from_micros(micros),
                timestamp=now,
                external_id=f"live-{now:%Y%m%dT%H%M%S.%fZ}-{number}",
            )
            for number, (campaign, micros) in enumerate(rows)
            if micros
        )
        return len(rows)

    def _usual(self, campaigns: Iterable[Campaign], now: datetime) -> Iterator[tuple[Campaign, int]]:
        for campaign in campaigns:
            if campaign.pause_reasons or self.random.random() * REPORTS > 1:
                continue
            advertiser, plan = _plan(campaign)
            hour = now.astimezone(ZoneInfo(advertiser.timezone)).hour
            usual = plan.rate * plan.curve.weight(hour) / 86_400 * SECONDS * REPORTS
            yield campaign, rounded(usual * self.random.uniform(0.6, 1.4), advertiser.places)

    def _hurry(self, campaigns: list[Any], now: datetime) -> Iterator[tuple[Campaign, int]]:
        if self.hurried is None:
            self.hurried = self._next(campaigns, now)
        hurried = self.hurried
        campaign = next((each for each in campaigns if hurried and each.pk == hurried.campaign), None)
        if (
            hurried is None
            or campaign is None
            or campaign.pause_reasons & ~LIMITS
            or _day(campaign, now) != hurried.day
        ):
            self.hurried = None
        elif not campaign.pause_reasons:
            yield campaign, rounded(hurried.step * self.random.uniform(0.7, 1.5), _plan(campaign)[0].places)
        elif hurried.ticks_paused < TICKS_PAUSED:
            hurried.ticks_paused += 1
        else:
            yield campaign, -rounded(float(_credit(campaign)), _plan(campaign)[0].places)
            self.recent.append(campaign.brand_id)
            self.hurried = None

    def _next(self, campaigns: list[Any], now: datetime) -> _Hurried | None:
        """Return the campaign that is nearest to a limit; where none can reach one, one that a credit lets resume."""
        limited = [each for each in campaigns if _limits(each)]
        running = [each for each in limited if not each.pause_reasons and _left(each) > 0]
        for candidates in ([each for each in running if each.brand_id not in self.recent], running):
            if candidates:
                campaign = min(candidates, key=lambda each: _left(each) / _plan(each)[1].rate)
                return _Hurried(campaign.pk, float(_left(campaign)) / TICKS_TO_LIMIT, _day(campaign, now))
        paused = [each for each in limited if each.pause_reasons and not each.pause_reasons & ~LIMITS]
        if not paused:
            return None
        campaign = self.random.choice(paused)
        return _Hurried(campaign.pk, 0, _day(campaign, now))


def _plan(campaign: Campaign) -> tuple[Advertiser, Plan]:
    return PLANS[campaign.brand.name, campaign.name]


def _day(campaign: Campaign, now: datetime) -> date:
    return local_date(ZoneInfo(_plan(campaign)[0].timezone), now)


def _limits(campaign: Any) -> list[tuple[Decimal, Decimal]]:
    """Return pairs of spend and limit, for each limit of the campaign."""
    pairs = (
        (campaign.spend_today, campaign.daily_spend_limit),
        (campaign.brand_spend_today, campaign.brand.daily_budget),
        (campaign.brand_spend_this_month, campaign.brand.monthly_budget),
    )
    return [(spend, limit) for spend, limit in pairs if limit is not None]


def _left(campaign: Any) -> Decimal:
    return min(limit - spend for spend, limit in _limits(campaign))


def _credit(campaign: Any) -> Decimal:
    """Return what brings the spend below every limit that it has reached, if the campaign has spent so much today."""
    needed = max(spend - limit + limit * CREDIT for spend, limit in _limits(campaign))
    spent: Decimal = campaign.spend_today
    return max(min(needed, spent), Decimal(0))
