"""The decision: every rule of R1, R2 and R7 in one statement over all campaigns of a scope.

It reads facts only (switches, dates, windows, limits, spend) and the instant, never what an earlier run did (R6).
Spend is folded + pending in the same statement, so it is right whether or not a fold has run. The month's spend is that
of its days up to today: a row dated ahead counts when its day comes (R3).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection

from campaigns.database import (
    clamped,
    exact_sum,
    execute,
    fetch_all,
    micros_sql,
    rows_param,
    rows_sql,
    sum_of_sums,
)
from campaigns.periods import LocalClock, find_zone, local_clocks
from campaigns.reasons import PauseReason
from campaigns.services.scope import Scope

CLOCK_COLUMNS = {
    "zone": "text",
    "today": "date",
    "local_time": "time",
    "this_month": "date",
    "next_month": "date",
    "weekday_bit": "integer",
    "yesterday_bit": "integer",
    "day_from": "integer",
    "day_until": "integer",
    "month_from": "integer",
}

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
windows AS (
    SELECT w.campaign_id, MAX(CASE
        WHEN (w.days_of_week & clock.weekday_bit) <> 0 AND clock.local_time >= w.start_time
            AND (clock.local_time < w.end_time OR w.end_time <= w.start_time) THEN 1
        WHEN (w.days_of_week & clock.yesterday_bit) <> 0 AND w.end_time < w.start_time
            AND clock.local_time < w.end_time THEN 1
        ELSE 0 END) AS is_open
    FROM campaigns_daypartingschedule w
    JOIN campaigns_campaign c ON c.id = w.campaign_id
    JOIN campaigns_brand b ON b.id = c.brand_id
    JOIN clock ON clock.zone = b.timezone
    WHERE {{in_scope}}
    GROUP BY w.campaign_id
),
facts AS (
    SELECT c.id AS campaign_id, c.name AS campaign, c.brand_id, b.name AS brand, c.pause_reasons AS reasons_before,
        c.enabled AS campaign_enabled, b.enabled AS brand_enabled, c.starts_on, c.ends_on, clock.today,
        windows.is_open,
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
    LEFT JOIN windows ON windows.campaign_id = c.id
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
    WHERE {{in_scope}}
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


def differing_brands(scope: Scope, now: datetime) -> list[tuple[int, int]]:
    """Return the brands with campaigns whose reasons differ from the facts, by id, and how many differ in each."""
    return [
        (brand, count)
        for brand, count in _query(
            scope, now, "SELECT brand_id, COUNT(*) FROM differences GROUP BY brand_id ORDER BY brand_id"
        )
    ]


def differences(scope: Scope, now: datetime) -> list[tuple[Any, ...]]:
    """Return campaign_id, campaign, brand, reasons before and after, and what it was decided on (in millionths)."""
    return _query(
        scope,
        now,
        f"SELECT campaign_id, campaign, brand, reasons_before, reasons_after, {DECIDED_ON}"
        " FROM differences ORDER BY brand, campaign",
    )


def write_differences(scope: Scope, now: datetime, actor: str) -> int:
    """Write a line of history for each campaign that differs, then what the lines say into the campaigns.

    Return the id above which the lines of this decision lie. The caller holds the locks of the scope's brands:
    nobody else writes lines for their campaigns meanwhile.
    """
    ((last,),) = fetch_all("SELECT COALESCE(MAX(id), 0) FROM campaigns_statuschange")
    statement, params = _statement(
        scope,
        now,
        f"SELECT campaign_id, %s, reasons_before, reasons_after, %s, {DECIDED_ON}"
        " FROM differences ORDER BY campaign_id",
    )
    execute(
        "INSERT INTO campaigns_statuschange (campaign_id, at, reasons_before, reasons_after, actor, "
        f"{DECIDED_ON}) {statement}",
        [*params, connection.ops.adapt_datetimefield_value(now), actor],
    )
    in_scope, scope_params = scope.condition("c.brand_id", "c.id")
    execute(APPLY.format(in_scope=in_scope), [last, *scope_params])
    return int(last)


APPLY = """
UPDATE campaigns_campaign AS c SET pause_reasons = line.reasons_after
FROM campaigns_statuschange AS line
WHERE line.id > %s AND line.campaign_id = c.id AND {in_scope}
"""


class LineCount(NamedTuple):
    changed: int
    paused: int
    resumed: int


def count_lines(scope: Scope, last: int) -> LineCount:
    """Return how many lines above the last one the scope's campaigns have, and how many pause or resume."""
    in_scope, params = scope.condition("c.brand_id", "c.id")
    sql = f"""
        SELECT COUNT(*), COUNT(CASE WHEN reasons_before = 0 THEN 1 END), COUNT(CASE WHEN reasons_after = 0 THEN 1 END)
        FROM campaigns_statuschange line JOIN campaigns_campaign c ON c.id = line.campaign_id
        WHERE line.id > %s AND {in_scope}"""
    return LineCount(*fetch_all(sql, [last, *params])[0])


def lines(scope: Scope, last: int) -> list[tuple[Any, ...]]:
    """Return the lines above the last one in the form of differences()."""
    in_scope, params = scope.condition("c.brand_id", "c.id")
    sql = f"""
        SELECT c.id, c.name, b.name, reasons_before, reasons_after, {DECIDED_ON}
        FROM campaigns_statuschange line
        JOIN campaigns_campaign c ON c.id = line.campaign_id
        JOIN campaigns_brand b ON b.id = c.brand_id
        WHERE line.id > %s AND {in_scope}
        ORDER BY b.name, c.name"""
    return fetch_all(sql, [last, *params])


def unknown_zones(scope: Scope) -> list[str]:
    """Return the time zones of the scope's brands that nobody knows: their brands can't be decided on."""
    return sorted(str(name) for name in _zones(scope) if find_zone(name) is None)


def _zones(scope: Scope) -> set[str]:
    condition, params = scope.brand_condition("id")
    return {name for (name,) in fetch_all(f"SELECT DISTINCT timezone FROM campaigns_brand WHERE {condition}", params)}


def _query(scope: Scope, now: datetime, select: str) -> list[tuple[Any, ...]]:
    return fetch_all(*_statement(scope, now, select))


def _statement(scope: Scope, now: datetime, select: str) -> tuple[str, list[Any]]:
    """Return the decision with a SELECT over it, and the parameters before those of the SELECT."""
    in_scope, scope_params = scope.condition("c.brand_id", "c.id")
    brand_in_scope, brand_params = scope.brand_condition("p.brand_id")
    sql = DIFFERENCES.format(clocks=rows_sql(CLOCK_COLUMNS), in_scope=in_scope, brand_in_scope=brand_in_scope)
    clocks = local_clocks(_zones(scope), now)
    given = rows_param(CLOCK_COLUMNS, map(_clock_row, clocks))
    days = _range(clock.today for clock in clocks)
    months = _range(clock.month for clock in clocks)
    params = [given, *brand_params, days[0], *brand_params, *scope_params, *days, *days, *months, *scope_params]
    return sql + select, params


def _range(dates: Iterable[date]) -> tuple[str, str]:
    """Return the first and the last of the dates: told as constants, they let the database look at nothing older."""
    found = sorted(dates) or [date.max]
    return found[0].isoformat(), found[-1].isoformat()


def _clock_row(clock: LocalClock) -> tuple[Any, ...]:
    return (
        clock.zone,
        clock.today,
        clock.local_time,
        clock.month,
        clock.next_month,
        clock.weekday_bit,
        clock.yesterday_bit,
        clock.day_from,
        clock.day_until,
        clock.month_from,
    )
