"""The decision: every rule of R1, R2 and R7 in one statement over all campaigns of a scope.

It reads facts only (switches, dates, windows, limits, spend) and the instant, never what an earlier run did (R6).
Spend is folded + pending in the same statement, so it is right whether or not a fold has run. The month's spend is that
of its days up to today: a row dated ahead counts when its day comes (R3).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from campaigns.database import clamped, exact_sum, fetch_all, micros_sql, one_large_query, sum_of_sums
from campaigns.periods import minute_of
from campaigns.reasons import PauseReason
from campaigns.services.clocks import Clocks
from campaigns.services.scope import Scope

PENDING_TODAY = "CASE WHEN p.quarter >= clock.day_from AND p.quarter < clock.day_until THEN p.amount ELSE 0 END"
PENDING_THIS_MONTH = "CASE WHEN p.quarter >= clock.month_from AND p.quarter < clock.day_until THEN p.amount ELSE 0 END"

FACTS = f"""
WITH clock AS MATERIALIZED ({{clocks}}),
pending AS (
    SELECT p.brand_id, p.campaign_id,
        {exact_sum(PENDING_TODAY, "today")},
        {exact_sum(PENDING_THIS_MONTH, "this_month")}
    FROM campaigns_pendingspend p
    JOIN campaigns_brand b ON b.id = p.brand_id
    JOIN clock ON clock.zone = b.timezone
    WHERE {{brand_in_scope}}
    GROUP BY p.brand_id, p.campaign_id
),
brand_pending AS (
    SELECT brand_id, {sum_of_sums("today")}, {sum_of_sums("this_month")}
    FROM pending
    GROUP BY brand_id
),
ahead AS (
    SELECT p.brand_id, CAST(SUM(p.spend) AS bigint) AS amount
    FROM campaigns_brandperiod p
    JOIN campaigns_brand b ON b.id = p.brand_id
    JOIN clock ON clock.zone = b.timezone
    WHERE p.kind = 'day' AND p.starts_on > %s AND p.starts_on > clock.today AND p.starts_on < clock.next_month
        AND {{brand_in_scope}}
    GROUP BY p.brand_id
),
facts AS (
    SELECT c.id AS campaign_id, c.name AS campaign, c.brand_id, b.name AS brand, c.pause_reasons AS reasons_before,
        c.enabled AS campaign_enabled, b.enabled AS brand_enabled, c.starts_on, c.ends_on, clock.today,
        c.next_change_minute,
        (
            SELECT MAX(CASE
                WHEN (w.days_of_week & clock.weekday_bit) <> 0 AND clock.local_time >= w.start_time
                    AND (clock.local_time < w.end_time OR w.end_time <= w.start_time) THEN 1
                WHEN (w.days_of_week & clock.yesterday_bit) <> 0 AND w.end_time < w.start_time
                    AND clock.local_time < w.end_time THEN 1
                ELSE 0 END)
            FROM campaigns_daypartingschedule w
            WHERE w.campaign_id = c.id
        ) AS is_open,
        {micros_sql("c.daily_spend_limit")} AS campaign_limit,
        {micros_sql("b.daily_budget")} AS brand_daily_budget,
        {micros_sql("b.monthly_budget")} AS brand_monthly_budget,
        COALESCE(own_day.spend, 0) + COALESCE({clamped("pending.today")}, 0) AS campaign_spend,
        COALESCE(brand_day.spend, 0) + COALESCE({clamped("brand_pending.today")}, 0) AS brand_day_spend,
        COALESCE(brand_month.spend, 0) - COALESCE(ahead.amount, 0) + COALESCE({clamped("brand_pending.this_month")}, 0)
            AS brand_month_spend
    FROM campaigns_campaign c
    JOIN campaigns_brand b ON b.id = c.brand_id
    LEFT JOIN clock ON clock.zone = b.timezone
    LEFT JOIN campaigns_campaignday own_day ON own_day.campaign_id = c.id AND own_day.day = clock.today
        AND own_day.day BETWEEN %s AND %s
    LEFT JOIN campaigns_brandperiod brand_day
        ON brand_day.brand_id = b.id AND brand_day.kind = 'day' AND brand_day.starts_on = clock.today
        AND brand_day.starts_on BETWEEN %s AND %s
    LEFT JOIN campaigns_brandperiod brand_month
        ON brand_month.brand_id = b.id AND brand_month.kind = 'month' AND brand_month.starts_on = clock.this_month
        AND brand_month.starts_on BETWEEN %s AND %s
    LEFT JOIN pending ON pending.campaign_id = c.id AND pending.brand_id = c.brand_id
    LEFT JOIN brand_pending ON brand_pending.brand_id = b.id
    LEFT JOIN ahead ON ahead.brand_id = b.id
    WHERE {{in_scope}} AND {{the_brand_in_scope}}
)
"""


def reached(limit: str, spend: str) -> str:
    """Return the SQL of rule R2, the only place that says when a limit is reached; false where there is no limit."""
    return f"({limit} = 0 OR {spend} >= {limit})"


CONDITIONS = {
    PauseReason.CAMPAIGN_DISABLED: "NOT campaign_enabled",
    PauseReason.BRAND_DISABLED: "NOT brand_enabled",
    PauseReason.NOT_STARTED: "today < starts_on",
    PauseReason.ENDED: "today > ends_on",
    PauseReason.OUTSIDE_SCHEDULE: "is_open = 0",
    PauseReason.CAMPAIGN_DAILY_LIMIT: reached("campaign_limit", "campaign_spend"),
    PauseReason.BRAND_DAILY_BUDGET: reached("brand_daily_budget", "brand_day_spend"),
    PauseReason.BRAND_MONTHLY_BUDGET: reached("brand_monthly_budget", "brand_month_spend"),
}

SWITCHES = (PauseReason.CAMPAIGN_DISABLED, PauseReason.BRAND_DISABLED)


def _flags(reasons: Iterable[PauseReason]) -> str:
    return " + ".join(f"CASE WHEN {CONDITIONS[reason]} THEN {int(reason)} ELSE 0 END" for reason in reasons)


# In a zone that nobody knows there is no today: what is switched off pauses all the same, and nothing resumes (R6).
REASONS_AFTER = f"CASE WHEN today IS NULL THEN reasons_before | ({_flags(SWITCHES)}) ELSE {_flags(CONDITIONS)} END"

DIFFERENCES = f"""{FACTS},
decision AS (SELECT facts.*, {REASONS_AFTER} AS reasons_after FROM facts),
differences AS (SELECT * FROM decision WHERE reasons_after <> reasons_before)
"""

DECIDED_ON = (
    "campaign_spend, campaign_limit, brand_day_spend, brand_daily_budget, brand_month_spend, brand_monthly_budget"
)


def brands_to_write(scope: Scope, now: datetime) -> list[tuple[int, int]]:
    """Return the brands, by id, with campaigns whose reasons differ from the facts, or that time has reached
    (campaigns.services.upcoming), and how many these are in each.
    """
    statement = (
        "SELECT brand_id, COUNT(*) FROM decision"
        " WHERE reasons_after <> reasons_before OR next_change_minute <= %s GROUP BY brand_id ORDER BY brand_id"
    )
    with one_large_query() if scope.is_large else nullcontext():
        sql, params = decision(scope, now, statement)
        return [(brand, count) for brand, count in fetch_all(sql, [*params, minute_of(now)])]


def differences(scope: Scope, now: datetime) -> list[tuple[Any, ...]]:
    """Return campaign_id, campaign, brand, reasons before and after, and what it was decided on (in millionths)."""
    sql, params = decision(
        scope,
        now,
        f"SELECT campaign_id, campaign, brand, reasons_before, reasons_after, {DECIDED_ON}"
        " FROM differences ORDER BY brand, campaign",
    )
    return fetch_all(sql, params)


def decision(scope: Scope, now: datetime, select: str) -> tuple[str, list[Any]]:
    """Return the decision with a SELECT over it, and the parameters before those of the SELECT."""
    in_scope, scope_params = scope.condition("c.brand_id", "c.id")
    brand_in_scope, brand_params = scope.brand_condition("p.brand_id")
    clocks = Clocks(scope, now)
    the_brand_in_scope, _ = scope.brand_condition("b.id")
    sql = DIFFERENCES.format(
        clocks=clocks.sql,
        in_scope=in_scope,
        brand_in_scope=brand_in_scope,
        the_brand_in_scope=the_brand_in_scope,
    )
    periods = [*clocks.days, *clocks.days, *clocks.months]
    return sql + select, [
        clocks.param,
        *brand_params,
        clocks.days[0],
        *brand_params,
        *periods,
        *scope_params,
        *brand_params,
    ]
