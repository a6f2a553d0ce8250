"""Alerts about budgets: spend at a percentage of the month's or the day's, and campaigns at their daily limit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from campaigns.database.connection import as_date
from campaigns.database.dialects import MATERIALIZED, clamped, day_text, exact_sum, micros_sql, month_text
from campaigns.database.statements import statement
from campaigns.models.clocks import Clocks
from campaigns.models.current_spend import TODAY, current_spend
from campaigns.rules.alerts import REACHED
from campaigns.rules.money import format_money, from_micros
from campaigns.rules.periods import ONE_DAY, next_month
from campaigns.rules.reasons import PauseReason
from campaigns.services.alerts.differences import Found, Query, Said
from campaigns.services.alerts.look import BUDGET_DAY, BUDGET_MONTH, CAMPAIGN_LIMIT, OF_RULE, Look

# The least spend, in whole millionths, that reaches the percentage; divided first, which is exact in 64 bits.
THRESHOLD = "{budget} / 100 * rule.threshold + ({budget} %% 100 * rule.threshold + 99) / 100"

MONTH_IS_REACHED = "CASE WHEN brand.monthly_budget > 0 AND brand.month_spend >= brand.monthly_budget THEN 1 ELSE 0 END"


def _budgets(look: Look) -> tuple[str, dict[str, Any]]:
    """Return the budgets' percentages that enabled brands have reached, and campaigns at their limits.

    A budget of 0 reaches none: somebody has set it to keep the brand paused.
    """
    clocks = Clocks(look.zones, look.now)
    spend = current_spend(
        clocks,
        hint=MATERIALIZED,
        of_campaigns=False,
        pending_in_scope=look.scope("p.brand_id"),
        ahead_in_scope=look.scope("p.brand_id"),
        brand_in_scope=f"{look.scope('b.id')} AND b.enabled AND b.archived_at IS NULL",
    )
    sql = statement(
        "alerts/budgets",
        month=BUDGET_MONTH,
        day=BUDGET_DAY,
        campaign=CAMPAIGN_LIMIT,
        this_month=month_text("brand.this_month"),
        today=day_text("brand.today"),
        month_threshold=THRESHOLD.format(budget="brand.monthly_budget"),
        day_threshold=THRESHOLD.format(budget="brand.daily_budget"),
        limit=micros_sql("campaign.daily_spend_limit"),
        reason=str(int(PauseReason.CAMPAIGN_DAILY_LIMIT)),
        campaign_in_scope=look.scope("campaign.brand_id"),
        pending_today=exact_sum(TODAY, "today"),
        limited_today=clamped("limited_pending.today"),
        month_is_reached=MONTH_IS_REACHED,
        of_rule=OF_RULE,
    )
    return spend + sql, clocks.params


def _say(found: Found, row: Mapping[str, Any]) -> Said:
    if row["kind"] == CAMPAIGN_LIMIT:
        return _say_limit(found, row)
    said = _say_budget(row["kind"], row["brand"], row["spend"], found.budget, row["currency"], as_date(row["today"]))
    return said._replace(is_bad=found.threshold >= REACHED)


# The thresholds of a budget that are reached are said alike, and come one after the other.
@lru_cache(maxsize=16)
def _say_budget(kind: str, brand: str, spent: int, limit: int, currency: str, today: date) -> Said:
    spend, budget = from_micros(spent), from_micros(limit)
    is_reached = spent * 100 >= limit * REACHED
    percent = spent * 100 // limit
    if kind == BUDGET_MONTH:
        until = next_month(today)
        of = f"the {today:%B %Y} budget"
        paused = f"All campaigns are paused until {until}, unless the budget is raised."
        running = f"Campaigns keep running until it is used up; the month ends on {until - ONE_DAY}."
    else:
        of = f"the daily budget of {today}"
        paused = "All campaigns are paused until midnight, unless the budget is raised."
        running = "Campaigns keep running until it is used up."
    return Said(
        f"{brand} has spent {format_money(spend, currency)} of {of}: {percent} % of {format_money(budget, currency)}",
        paused if is_reached else running,
        {"spend": str(spend), "budget": str(budget), "percent": percent, "currency": currency},
    )


def _say_limit(found: Found, row: Mapping[str, Any]) -> Said:
    limit, currency = from_micros(found.budget), row["currency"]
    return Said(
        f"{row['campaign']} ({row['brand']}) has reached its daily limit of {format_money(limit, currency)} on"
        f" {as_date(row['today'])}",
        "The campaign is paused until midnight, unless its limit is raised.",
        {"limit": str(limit), "currency": currency},
    )


BUDGETS = Query(
    (BUDGET_MONTH, BUDGET_DAY, CAMPAIGN_LIMIT),
    _budgets,
    ("kind", "spend", "brand", "campaign", "currency", "today"),
    _say,
)
