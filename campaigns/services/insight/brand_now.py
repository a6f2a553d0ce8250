"""A brand as pages list it: risks, spend, budgets, pace; and which brands need attention, worst first by money.

What is at stake in a brand is the amount by which it would exceed its budget if nothing paused it: of a month what is
projected, or, once the budget is reached, what is spent and what was still expected; of a day the same. Of an
under-pacing brand it is the amount by which the projection stays below the budget.

Amounts are compared within a currency only. Lists of each currency are merged by what the first of each has at stake,
in percent of its budget.
"""

from __future__ import annotations

from collections import deque
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
NO_STAKE = "CAST(NULL AS bigint) AS stake, CAST(NULL AS double precision) AS stake_percent"
OF_EACH = ", ".join((*SPEND, NO_STAKE, *PACE_COLUMNS))
EACH_BRAND = f"""
SELECT id, name, timezone, currency, enabled, risk, 1 AS has_daily, 1 AS has_monthly, 1 AS brands, {OF_EACH}
FROM risks
"""


def _percent(stake: str, budget: str) -> str:
    return f"CASE WHEN {budget} > 0 THEN CAST({stake} AS double precision) * 100 / {budget} ELSE 100 END"


REST_OF_TODAY = "COALESCE(of_today - of_today_so_far, 0)"
# The first tables of a SELECT over `risks`.
AT_STAKE = f""",
at_stake AS (
    SELECT risks.*, {NEEDS_ATTENTION} AS list,
        CASE
            WHEN risk & {int(Risk.OVER_PACING)} <> 0 THEN over_or_under
            WHEN risk & {int(Risk.REACHED_MONTH)} <> 0
                THEN month_spend + {REST_OF_TODAY} + COALESCE(of_days_left, 0) - monthly_budget
        END AS of_month,
        CASE WHEN risk & {int(Risk.REACHED_TODAY)} <> 0 THEN day_spend + {REST_OF_TODAY} - daily_budget END AS of_day
    FROM risks
    WHERE risk & {int(ATTENTION)} <> 0
    UNION ALL
    SELECT risks.*, {UNDER_PACING}, -over_or_under, NULL FROM risks WHERE risk & {int(Risk.UNDER_PACING)} <> 0
),
-- The larger of the two amounts, in percent of its budget.
stakes AS (
    SELECT at_stake.*,
        CASE WHEN of_month IS NULL OR of_day > of_month THEN of_day ELSE of_month END AS stake,
        CASE WHEN of_month IS NULL OR of_day > of_month THEN {_percent("of_day", "daily_budget")}
            ELSE {_percent("of_month", "monthly_budget")} END AS stake_percent
    FROM at_stake
),
ranked AS (
    SELECT stakes.*,
        ROW_NUMBER() OVER (
            PARTITION BY list, currency
            ORDER BY CASE WHEN risk & {int(Risk.UNKNOWN_ZONE)} <> 0 THEN 0 ELSE 1 END, stake DESC, name
        ) AS place
    FROM stakes
)
"""
WORST_BRANDS = f"""
SELECT id, name, timezone, currency, enabled, risk, list, 1, 1, {", ".join(SPEND)}, stake, stake_percent,
    {", ".join(PACE_COLUMNS)}
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
    # Of WORST_BRANDS: the money at stake, and the same in percent of the budget; unknown without a time zone.
    stake: Decimal | None
    stake_percent: float | None


def brand_now(row: tuple[Any, ...]) -> BrandNow:
    """Return a row of EACH_BRAND or WORST_BRANDS with names and types."""
    pk, name, timezone, currency, _, bits = row[:6]
    day_spend, daily_budget, month_spend, monthly_budget, today, stake, stake_percent, *pace = row[9:]
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
        None if stake is None else from_micros(stake),
        stake_percent,
    )


def worst_first(brands: Iterable[BrandNow]) -> list[BrandNow]:
    """Return the first MAX_WORST_BRANDS of WORST_BRANDS: each currency by amount, and these lists merged by percent."""
    queues: dict[str, deque[BrandNow]] = {}
    for brand in sorted(brands, key=_most_at_stake_first):
        queues.setdefault(brand.currency, deque()).append(brand)
    found: list[BrandNow] = []
    while any(queues.values()) and len(found) < MAX_WORST_BRANDS:
        first = min((queue for queue in queues.values() if queue), key=lambda queue: _largest_percent_first(queue[0]))
        found.append(first.popleft())
    return found


def _most_at_stake_first(brand: BrandNow) -> tuple[bool, Decimal, str]:
    """Brands in an unknown time zone, whose spend isn't known either, come first."""
    return brand.stake is not None, -(brand.stake or Decimal(0)), brand.name


def _largest_percent_first(brand: BrandNow) -> tuple[bool, float, str]:
    return brand.stake is not None, -(brand.stake_percent or 0), brand.name
