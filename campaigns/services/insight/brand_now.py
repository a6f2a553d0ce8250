"""A brand as pages list it: risks, spend, budgets, pace; and which brands need attention, worst first by money.

The money is that by which a brand is over a budget, as the brand list has it: of a month what is projected, or, once
the budget is reached, what is spent; of a day what is spent. Of an under-pacing brand it is the amount by which the
projection stays below the budget. A budget that only often runs out has nothing over.

Amounts are compared within a currency only. Pages list each currency by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from campaigns.database.connection import as_date
from campaigns.rules.money import from_micros
from campaigns.rules.pace import Verdict
from campaigns.services.insight.month_pace import COLUMNS as PACE_COLUMNS
from campaigns.services.insight.month_pace import MonthPace, month_pace
from campaigns.services.insight.risk import ATTENTION, Risk

# Brands listed by name, worst first, of those that need attention and of those that are under-pacing.
MAX_WORST_BRANDS = 8

# The kinds of rows, in the column has_daily.
OWN, NEEDS_ATTENTION, UNDER_PACING = 2, 3, 4

# What a brand is listed with, after the columns of home.OVERVIEW.
SPEND = ("day_spend", "daily_budget", "month_spend", "monthly_budget", "today")
OF_EACH = ", ".join((*SPEND, "0 AS place", *PACE_COLUMNS))
EACH_BRAND = f"""
SELECT id, name, timezone, currency, enabled, risk, 1 AS has_daily, 1 AS has_monthly, 1 AS brands, {OF_EACH}
FROM risks
"""


# The first tables of a SELECT over `risks`.
AT_STAKE = f""",
at_stake AS (
    SELECT risks.*, {NEEDS_ATTENTION} AS list,
        CASE
            WHEN risk & {int(Risk.OVER_PACING)} <> 0 THEN over_or_under
            WHEN risk & {int(Risk.REACHED_MONTH)} <> 0 THEN month_spend - monthly_budget
            ELSE 0
        END AS of_month,
        CASE WHEN risk & {int(Risk.REACHED_TODAY)} <> 0 THEN day_spend - daily_budget ELSE 0 END AS of_day
    FROM risks
    WHERE risk & {int(ATTENTION)} <> 0
    UNION ALL
    SELECT risks.*, {UNDER_PACING}, -over_or_under, 0 FROM risks WHERE risk & {int(Risk.UNDER_PACING)} <> 0
),
-- The larger of the two amounts.
stakes AS (
    SELECT at_stake.*, CASE WHEN of_day > of_month THEN of_day ELSE of_month END AS stake
    FROM at_stake
),
ranked AS (
    SELECT stakes.*,
        ROW_NUMBER() OVER (
            PARTITION BY list, currency
            ORDER BY CASE WHEN risk & {int(Risk.UNKNOWN_ZONE)} <> 0 THEN 0 ELSE 1 END, stake DESC,
                -- Somebody has set a budget of 0 to keep the brand paused.
                CASE WHEN daily_budget = 0 OR monthly_budget = 0 THEN 1 ELSE 0 END, name
        ) AS place
    FROM stakes
)
"""
WORST_BRANDS = f"""
SELECT id, name, timezone, currency, enabled, risk, list, 1, 1, {", ".join(SPEND)}, place, {", ".join(PACE_COLUMNS)}
FROM ranked
WHERE place <= {MAX_WORST_BRANDS}
"""


class BrandNow(NamedTuple):
    """A brand with its risks, spend and budgets."""

    pk: int
    name: str
    timezone: str
    currency: str
    risk: Risk
    day_spend: Decimal
    daily_budget: Decimal | None
    month_spend: Decimal
    monthly_budget: Decimal | None
    # None for a brand that isn't judged.
    verdict: Verdict | None
    # Percent of the month's spend that is expected by now.
    expected: float | None
    # None where it is too early to project, or the time zone is unknown.
    pace: MonthPace | None
    # Of WORST_BRANDS: the brand's place among those of its list and currency, 1 for the worst; else 0.
    place: int

    @property
    def over_today(self) -> Decimal | None:
        """Return by how much the daily budget is exceeded, from 0; None if it isn't reached."""
        if self.daily_budget is None or not self.risk & Risk.REACHED_TODAY:
            return None
        return self.day_spend - self.daily_budget

    @property
    def over_month(self) -> Decimal | None:
        """Return by how much the monthly budget is exceeded, from 0; None if it isn't reached."""
        if self.monthly_budget is None or not self.risk & Risk.REACHED_MONTH:
            return None
        return self.month_spend - self.monthly_budget

    @property
    def projected_over(self) -> Decimal | None:
        """Return what an over- or under-pacing brand is projected to end over its monthly budget, or below it if
        negative; None for others."""
        if self.pace is None or self.monthly_budget is None or not self.risk & (Risk.OVER_PACING | Risk.UNDER_PACING):
            return None
        return self.pace.projected - self.monthly_budget


def brand_now(row: tuple[Any, ...]) -> BrandNow:
    """Return a row of EACH_BRAND or WORST_BRANDS with names and types."""
    pk, name, timezone, currency, _, bits = row[:6]
    day_spend, daily_budget, month_spend, monthly_budget, today, place, *pace = row[9:]
    of_pace = dict(zip(PACE_COLUMNS, pace, strict=True))
    return BrandNow(
        pk,
        name,
        timezone,
        currency,
        Risk(bits),
        from_micros(day_spend),
        None if daily_budget is None else from_micros(daily_budget),
        from_micros(month_spend),
        None if monthly_budget is None else from_micros(monthly_budget),
        None if of_pace["verdict"] is None else Verdict(of_pace["verdict"]),
        of_pace["expected_percent"],
        None if today is None else month_pace(pace, as_date(today)),
        place,
    )


def worst_of_each_currency(brands: Iterable[BrandNow]) -> list[BrandNow]:
    """Return the first MAX_WORST_BRANDS of WORST_BRANDS, as many of each currency as there is room for; those of a
    currency stand together, worst first."""
    first = sorted(brands, key=lambda brand: (brand.place, brand.currency))[:MAX_WORST_BRANDS]
    return sorted(first, key=lambda brand: (brand.currency, brand.place))
