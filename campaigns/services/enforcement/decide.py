"""The decision: every rule of R1, R2 and R7 in one statement over all campaigns of a scope.

It reads facts only (switches, dates, windows, limits, spend) and the instant, never what an earlier run did (R6).
Spend is folded + pending in the same statement, so it is right whether or not a fold has run. The month's spend is that
of its days up to today: a row dated ahead counts when its day comes (R3).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaigns.database.connection import analytic_query, fetch_all, is_postgresql
from campaigns.database.dialects import clamped, exact_sum, in_each_worker, micros_sql, sum_of_sums
from campaigns.rules.periods import minute_of
from campaigns.rules.reasons import LIMITS, PauseReason, reached_sql
from campaigns.services.enforcement.clocks import Clocks
from campaigns.services.enforcement.current_spend import (
    AHEAD,
    BUDGETS_AND_SPEND,
    FROM_BRANDS,
    PENDING_THIS_MONTH,
    PENDING_TODAY,
    params_of,
)
from campaigns.services.scope import Scope

OPEN = """CASE
                WHEN (w.days_of_week & b.weekday_bit) <> 0 AND b.local_time >= w.start_time
                    AND (b.local_time < w.end_time OR w.end_time <= w.start_time) THEN 1
                WHEN (w.days_of_week & b.yesterday_bit) <> 0 AND w.end_time < w.start_time
                    AND b.local_time < w.end_time THEN 1
                ELSE 0 END"""
"""Rule R7: whether a window w is open."""


NO_EDGE = "CAST(NULL AS integer)"


@dataclass(frozen=True)
class Windows:
    """How a decision looks at the windows w of a campaign c.

    is_open is 1 or 0, or NULL for a campaign without windows; edge is the least of what is asked of each window.
    """

    is_open: str
    edge: str = NO_EDGE
    joins: str = ""


def looked_up(edge: str | None) -> Windows:
    """One row for each campaign, whose windows are looked up: by PostgreSQL once, by SQLite for either fact."""
    is_open, least_edge = f"MAX({OPEN})", f"MIN({edge or NO_EDGE})"
    windows = "FROM campaigns_daypartingschedule w WHERE w.campaign_id = c.id"
    if is_postgresql():
        look = f"(SELECT {is_open} AS is_open, {least_edge} AS edge {windows}) AS look"
        return Windows("look.is_open", "look.edge", f"\n    CROSS JOIN LATERAL {look}")
    return Windows(f"(SELECT {is_open} {windows})", f"(SELECT {least_edge} {windows})" if edge else NO_EDGE)


OF_ALL = Windows(
    "CASE WHEN w.id IS NOT NULL THEN 1 WHEN closed.id IS NOT NULL THEN 0 END",
    joins=f"""
    LEFT JOIN campaigns_daypartingschedule w ON w.campaign_id = c.id AND {OPEN} = 1
    LEFT JOIN campaigns_daypartingschedule closed ON closed.campaign_id = c.id AND w.id IS NULL""",
)
"""A row for each open window, or for each one if none is open: PostgreSQL's workers share joins, but not look-ups."""

FACTS = f"""
WITH clock {{clock_kept}} ({{clocks}}),
pending {{kept}} (
    SELECT p.brand_id, p.campaign_id,
        {exact_sum(PENDING_TODAY, "today")},
        {exact_sum(PENDING_THIS_MONTH, "this_month")}
    FROM campaigns_pendingspend p
    JOIN campaigns_brand b ON b.id = p.brand_id
    JOIN clock ON clock.zone = b.timezone
    WHERE {{pending_in_scope}}
    GROUP BY p.brand_id, p.campaign_id
),
brand_pending AS (
    SELECT brand_id, {sum_of_sums("today")}, {sum_of_sums("this_month")}
    FROM pending
    GROUP BY brand_id
),
{AHEAD},
brand {{kept}} (
    SELECT b.id, b.name, b.enabled, clock.today, clock.local_time, clock.weekday_bit, clock.yesterday_bit,
        clock.midnight, clock.tomorrow, clock.month_until, clock.shift,
        {BUDGETS_AND_SPEND}
    {FROM_BRANDS}
    WHERE {{the_brand_in_scope}}
),
facts {{facts_kept}} (
    SELECT c.id AS campaign_id, c.name AS campaign, c.brand_id, b.name AS brand, c.pause_reasons AS reasons_before,
        c.enabled AS campaign_enabled, b.enabled AS brand_enabled, c.starts_on, c.ends_on, b.today,
        b.tomorrow, b.month_until, b.shift, c.next_change_minute,
        {{windows.edge}} AS edge, {{windows.is_open}} AS is_open,
        {micros_sql("c.daily_spend_limit")} AS campaign_limit,
        b.daily_budget AS brand_daily_budget,
        b.monthly_budget AS brand_monthly_budget,
        COALESCE(own_day.spend, 0) + COALESCE({clamped("pending.today")}, 0) AS campaign_spend,
        b.day_spend AS brand_day_spend,
        b.month_spend AS brand_month_spend
    FROM campaigns_campaign c
    JOIN brand b ON b.id = c.brand_id
    LEFT JOIN campaigns_campaignday own_day ON own_day.campaign_id = c.id AND own_day.day = b.today
        AND own_day.day BETWEEN %s AND %s
    LEFT JOIN pending ON pending.campaign_id = c.id AND pending.brand_id = c.brand_id{{windows.joins}}
    WHERE {{in_scope}}
)
"""


CONDITIONS = {
    PauseReason.CAMPAIGN_DISABLED: "NOT campaign_enabled",
    PauseReason.BRAND_DISABLED: "NOT brand_enabled",
    PauseReason.NOT_STARTED: "today < starts_on",
    PauseReason.ENDED: "today > ends_on",
    PauseReason.OUTSIDE_SCHEDULE: "is_open = 0",
} | {reason: reached_sql(limit.limit_column, limit.spend_column) for reason, limit in LIMITS.items()}

SWITCHES = (PauseReason.CAMPAIGN_DISABLED, PauseReason.BRAND_DISABLED)


def _flags(reasons: Iterable[PauseReason]) -> str:
    return " + ".join(f"CASE WHEN {CONDITIONS[reason]} THEN {int(reason)} ELSE 0 END" for reason in reasons)


# In an unknown zone there is no today: what is switched off pauses all the same, and nothing resumes (R6).
REASONS_AFTER = f"CASE WHEN today IS NULL THEN reasons_before | ({_flags(SWITCHES)}) ELSE {_flags(CONDITIONS)} END"

DIFFERENCES = f"""{FACTS},
decision {{decision_kept}} (SELECT facts.*, {REASONS_AFTER} AS reasons_after FROM facts),
differences AS (SELECT * FROM decision WHERE reasons_after <> reasons_before)
"""

DECIDED_ON = ", ".join(f"{limit.spend_column}, {limit.limit_column}" for limit in LIMITS.values())


def brands_to_write(scope: Scope, now: datetime) -> list[tuple[int, int]]:
    """Return the brands, by id, with campaigns whose reasons differ from the facts, or that time has reached
    (campaigns.services.enforcement.next_change), and how many these are in each.
    """
    statement = (
        "SELECT brand_id, COUNT(DISTINCT campaign_id) FROM decision"
        " WHERE reasons_after <> reasons_before OR next_change_minute <= %s GROUP BY brand_id ORDER BY brand_id"
    )
    with analytic_query(few_rows=True) if scope.is_large else nullcontext():
        sql, params = decision(scope, Clocks(scope, now), statement, in_one_sweep=scope.is_large)
        return [(brand, count) for brand, count in fetch_all(sql, [*params, minute_of(now)])]


def differences(scope: Scope, now: datetime) -> list[tuple[Any, ...]]:
    """Return campaign_id, campaign, brand, reasons before and after, and what it was decided on (in millionths)."""
    sql, params = decision(
        scope,
        Clocks(scope, now),
        f"SELECT campaign_id, campaign, brand, reasons_before, reasons_after, {DECIDED_ON}"
        " FROM differences ORDER BY brand, campaign",
    )
    return fetch_all(sql, params)


def decision(
    scope: Scope, clocks: Clocks, rest: str, *, in_one_sweep: bool = False, edge: str | None = None
) -> tuple[str, list[Any]]:
    """Return the decision with the rest of a statement after it, and the parameters before those of the rest.

    In one sweep over all campaigns it is quicker, but one that has several windows may come several times, and nothing
    is asked of them. edge is what campaigns.services.enforcement.next_change asks of each window w of a brand b.
    """
    in_scope, scope_params = scope.condition("c.brand_id", "c.id")
    brand_in_scope, brand_params = scope.brand_condition("p.brand_id")
    pending_in_scope, _ = scope.brand_condition("p.brand_id", hashed=True)
    the_brand_in_scope, _ = scope.brand_condition("b.id")
    passed_on = "AS NOT MATERIALIZED"
    kept = passed_on if in_one_sweep else "AS MATERIALIZED"
    # PostgreSQL keeps what is decided. SQLite would look windows up anew for each use of a fact that it doesn't keep.
    facts_kept, decision_kept = (passed_on, kept) if is_postgresql() else (kept, passed_on)
    sql = DIFFERENCES.format(
        kept=kept,
        facts_kept=facts_kept,
        decision_kept=decision_kept,
        clock_kept=in_each_worker() if in_one_sweep else "AS MATERIALIZED",
        windows=OF_ALL if in_one_sweep else looked_up(edge),
        clocks=clocks.sql,
        in_scope=in_scope,
        brand_in_scope=brand_in_scope,
        pending_in_scope=pending_in_scope,
        the_brand_in_scope=the_brand_in_scope,
    )
    of_brands = [*params_of(clocks.days, clocks.months, brand_params), *brand_params]
    return sql + rest, [clocks.param, *brand_params, *of_brands, *clocks.days, *scope_params]
