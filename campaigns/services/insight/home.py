"""The figures of the home page: brands by risk, spend against budgets, campaigns by reason, the last 24 hours.

Each is one statement over all that the person can see, whatever the number of brands and campaigns. Amounts
of different currencies are never added.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Count, QuerySet

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import shown_sum
from campaigns.models import Campaign
from campaigns.rules.money import from_micros
from campaigns.rules.reasons import PauseReason
from campaigns.services.insight.brand_now import (
    AT_STAKE,
    NEEDS_ATTENTION,
    OF_EACH,
    OWN,
    UNDER_PACING,
    WORST_BRANDS,
    BrandNow,
    brand_now,
    worst_of_each_currency,
)
from campaigns.services.insight.month_pace import COLUMNS as PACE_COLUMNS
from campaigns.services.insight.reached_days import ReachedDays, reached_days
from campaigns.services.insight.risk import ATTENTION, Risk, brands_visible_to, risks
from campaigns.services.permissions import Person, visible_to

# Brands listed of those that the person owns, the most urgent first.
MAX_OWN_BRANDS = 20

SEVERITY = (
    Risk.UNKNOWN_ZONE,
    Risk.REACHED_MONTH,
    Risk.REACHED_TODAY,
    Risk.OVER_PACING,
    Risk.OFTEN_REACHED,
    Risk.UNDER_PACING,
)
RANK = " ".join(f"WHEN risk & {int(risk)} <> 0 THEN {rank}" for rank, risk in enumerate(SEVERITY))

OVERVIEW = f"""
SELECT NULL AS id, NULL AS name, NULL AS timezone, currency, enabled, risk,
    CASE WHEN daily_budget IS NULL THEN 0 ELSE 1 END AS has_daily,
    CASE WHEN monthly_budget IS NULL THEN 0 ELSE 1 END AS has_monthly,
    COUNT(*) AS brands,
    {shown_sum("day_spend")} AS day_spend, {shown_sum("daily_budget")} AS daily_budget,
    {shown_sum("month_spend")} AS month_spend, {shown_sum("monthly_budget")} AS monthly_budget,
    NULL AS today, NULL AS place, {", ".join(f"NULL AS {name}" for name in PACE_COLUMNS)}
FROM risks
GROUP BY currency, enabled, risk, 7, 8
"""
OWN_BRANDS = f"""
SELECT id, name, timezone, currency, enabled, risk, {OWN} AS has_daily, 1 AS has_monthly, COUNT(*) OVER () AS brands,
    {OF_EACH}
FROM risks
WHERE id IN (SELECT id FROM campaigns_brand WHERE owner_id = %(owner)s)
ORDER BY CASE {RANK} ELSE {len(SEVERITY)} END, name
LIMIT {MAX_OWN_BRANDS}
"""


@dataclass
class Money:
    """In one currency: budgets and spend of enabled brands that have a budget, and the spend of all other brands."""

    spend: Decimal = Decimal(0)
    budget: Decimal = Decimal(0)
    budgets: int = 0
    other_spend: Decimal = Decimal(0)

    def add(self, brands: int, spend: Any, budget: Any, *, counts: bool) -> None:
        if counts:
            self.spend += from_micros(spend)
            self.budget += from_micros(budget)
            self.budgets += brands
        else:
            self.other_spend += from_micros(spend)


@dataclass
class Currency:
    code: str
    brands: int = 0
    today: Money = field(default_factory=Money)
    this_month: Money = field(default_factory=Money)


class OwnBrand(NamedTuple):
    """A brand that the person owns, and whether it is on."""

    brand: BrandNow
    enabled: bool


@dataclass
class Brands:
    """Figures of all brands that the person can see and that aren't archived, and the worst of them."""

    count: int = 0
    switched_off: int = 0
    at: dict[Risk, int] = field(default_factory=lambda: dict.fromkeys(Risk, 0))
    need_attention: int = 0
    currencies: dict[str, Currency] = field(default_factory=dict)
    # Those that need attention, and those that are under-pacing: by currency, worst first by money.
    worst: list[BrandNow] = field(default_factory=list)
    under_pacing: list[BrandNow] = field(default_factory=list)
    # Those that the person owns: the most urgent, and how many there are.
    own: list[OwnBrand] = field(default_factory=list)
    own_count: int = 0
    # Of those above that often reach their daily budget.
    reached_days: dict[int, ReachedDays] = field(default_factory=dict)


def brands_now(user: Person, *, now: datetime) -> Brands:
    """Return the figures of the brands that the person can see, in three queries."""
    select = f"{AT_STAKE}{OVERVIEW} UNION ALL {WORST_BRANDS} UNION ALL SELECT * FROM ({OWN_BRANDS}) own"
    worst: dict[int, list[BrandNow]] = {NEEDS_ATTENTION: [], UNDER_PACING: []}
    found = Brands()
    sql, params = risks(select, now=now, scope=brands_visible_to(user))
    for row in fetch_all(sql, params | {"owner": user.pk}):
        if row[0] is None:
            _add(found, row)
        elif row[6] == OWN:
            found.own.append(OwnBrand(brand_now(row), bool(row[4])))
            found.own_count = row[8]
        else:
            worst[row[6]].append(brand_now(row))
    found.worst = worst_of_each_currency(worst[NEEDS_ATTENTION])
    found.under_pacing = worst_of_each_currency(worst[UNDER_PACING])
    found.own.sort(key=lambda own: (rank(own.brand.risk), own.brand.name))
    named = [*found.worst, *found.under_pacing, *(own.brand for own in found.own)]
    found.reached_days = reached_days({brand.pk: brand.timezone for brand in named}, now=now)
    return found


def rank(risk: Risk) -> int:
    """Return a brand's place by urgency; 0 is the most urgent."""
    return next((number for number, each in enumerate(SEVERITY) if risk & each), len(SEVERITY))


def _add(found: Brands, row: tuple[Any, ...]) -> None:
    currency, enabled, bits, has_daily, has_monthly, brands = row[3:9]
    day_spend, daily_budget, month_spend, monthly_budget = row[9:13]
    found.count += brands
    found.switched_off += 0 if enabled else brands
    found.need_attention += brands if bits & ATTENTION else 0
    for risk in Risk(bits):
        found.at[risk] += brands
    sums = found.currencies.setdefault(currency, Currency(currency))
    sums.brands += brands
    sums.today.add(brands, day_spend, daily_budget, counts=bool(enabled and has_daily))
    sums.this_month.add(brands, month_spend, monthly_budget, counts=bool(enabled and has_monthly))


@dataclass
class Campaigns:
    """Numbers of active and paused campaigns, and of those with each reason; a campaign can have several."""

    active: int = 0
    paused: int = 0
    by_reason: dict[PauseReason, int] = field(default_factory=lambda: dict.fromkeys(PauseReason, 0))

    @property
    def count(self) -> int:
        return self.active + self.paused


def campaigns_now(user: Person) -> Campaigns:
    """Return the figures of the campaigns that the person can see, without archived ones, in one query."""
    rows: QuerySet[Any] = visible_to(user, Campaign.objects.not_archived().order_by(), "brand")
    found = Campaigns()
    for bits, count in rows.values_list("pause_reasons").annotate(Count("pk")):
        if bits:
            found.paused += count
        else:
            found.active += count
        for reason in PauseReason(bits):
            found.by_reason[reason] += count
    return found
