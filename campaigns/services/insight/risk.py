"""Which brands are at risk: today's and this month's spend against budgets and pace.

One statement for all brands, in whole millionths, is used by the home page, the list filter and a brand's page. Spend
is folded plus pending, as in enforcement.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import IntFlag
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import exact_sum, rows_param, rows_sql
from campaigns.models import Brand
from campaigns.rules.periods import LocalClock, local_clocks
from campaigns.rules.reasons import reached_sql
from campaigns.services.enforcement.clocks import first_and_last
from campaigns.services.enforcement.current_spend import (
    AHEAD,
    BUDGETS_AND_SPEND,
    FROM_BRANDS,
    PENDING_THIS_MONTH,
    PENDING_TODAY,
    params_of,
)
from campaigns.services.insight.pacing import day_span, fast_sql, month_span, slow_sql
from campaigns.services.permissions import Person, sees_only_assigned_brands, visible_to


class Risk(IntFlag):
    """The risks of an enabled brand. The pace of the day isn't judged when the monthly budget is reached."""

    REACHED_TODAY = 1
    REACHED_MONTH = 2
    FAST_TODAY = 4
    FAST_MONTH = 8
    SLOW_TODAY = 16
    SLOW_MONTH = 32
    UNKNOWN_ZONE = 64

    @property
    def code(self) -> str:
        return str(self.name).lower()


RISK_LABELS = {
    Risk.REACHED_TODAY: "daily budget reached",
    Risk.REACHED_MONTH: "monthly budget reached",
    Risk.FAST_TODAY: "will reach its daily budget today",
    Risk.FAST_MONTH: "will reach its monthly budget before the month ends",
    Risk.SLOW_TODAY: "under-pacing today",
    Risk.SLOW_MONTH: "under-pacing this month",
    Risk.UNKNOWN_ZONE: "unknown time zone",
}

CLOCK_COLUMNS = {
    "zone": "text",
    "today": "date",
    "this_month": "date",
    "next_month": "date",
    "day_from": "integer",
    "day_until": "integer",
    "month_from": "integer",
    "day_elapsed": "integer",
    "day_length": "integer",
    "month_elapsed": "integer",
    "month_length": "integer",
}

FIGURES = f"""
WITH clock AS MATERIALIZED ({{clocks}}),
brand_pending AS (
    SELECT p.brand_id, {exact_sum(PENDING_TODAY, "today")}, {exact_sum(PENDING_THIS_MONTH, "this_month")}
    FROM campaigns_pendingspend p
    JOIN campaigns_brand b ON b.id = p.brand_id
    JOIN clock ON clock.zone = b.timezone
    WHERE {{brand_in_scope}}
    GROUP BY p.brand_id
),
{AHEAD},
figures AS MATERIALIZED (
    SELECT b.id, b.name, b.currency, b.timezone, b.enabled,
        clock.today, clock.day_elapsed, clock.day_length, clock.month_elapsed, clock.month_length,
        {BUDGETS_AND_SPEND}
    {FROM_BRANDS}
    WHERE {{brand_in_scope}}
),
states AS (
    SELECT figures.*,
        CASE WHEN {reached_sql("daily_budget", "day_spend")} THEN 1 ELSE 0 END AS day_reached,
        CASE WHEN {reached_sql("monthly_budget", "month_spend")} THEN 1 ELSE 0 END AS month_reached
    FROM figures
)
"""

DAY = ("day_spend", "daily_budget", "day_elapsed", "day_length")
MONTH = ("month_spend", "monthly_budget", "month_elapsed", "month_length")
DAY_GOES_ON = "day_reached = 0 AND month_reached = 0"

CONDITIONS = {
    Risk.REACHED_TODAY: "day_reached = 1",
    Risk.REACHED_MONTH: "month_reached = 1",
    Risk.FAST_TODAY: f"{DAY_GOES_ON} AND {fast_sql(*DAY)}",
    Risk.FAST_MONTH: f"month_reached = 0 AND {fast_sql(*MONTH)}",
    Risk.SLOW_TODAY: f"{DAY_GOES_ON} AND {slow_sql(*DAY)}",
    Risk.SLOW_MONTH: f"month_reached = 0 AND {slow_sql(*MONTH)}",
    Risk.UNKNOWN_ZONE: "today IS NULL",
}
RISK_BITS = " + ".join(f"CASE WHEN {sql} THEN {int(risk)} ELSE 0 END" for risk, sql in CONDITIONS.items())

RISKS = f"""{FIGURES},
risks AS MATERIALIZED (
    SELECT states.*, CASE WHEN NOT enabled THEN 0 WHEN today IS NULL THEN {int(Risk.UNKNOWN_ZONE)} ELSE {RISK_BITS} END
        AS risk
    FROM states
)
"""

Condition = tuple[str, list[Any]]
ALL_BRANDS: Condition = ("1 = 1", [])


def one_brand(pk: int) -> Condition:
    return "b.id = %s", [pk]


def brands_visible_to(user: Person, column: str = "b.id") -> Condition:
    """Return the SQL condition that the person can see a brand, with its parameters."""
    if not sees_only_assigned_brands(user):
        return ALL_BRANDS
    seen: QuerySet[Any] = visible_to(user, Brand.objects.order_by(), "pk").values("pk")
    sql, params = seen.query.sql_with_params()
    return f"{column} IN ({sql})", list(params)


def risks(
    select: str, *, now: datetime, scope: Condition = ALL_BRANDS, zones: Iterable[str] | None = None
) -> Condition:
    """Return a SELECT over the brands in scope with their spend, budgets and risks, and its parameters.

    Pass the time zones of the scope, if known, to save a query.
    """
    if zones is None:
        zones = Brand.objects.order_by().values_list("timezone", flat=True).distinct()
    clocks = local_clocks(zones, now)
    in_scope, params = scope
    days, months = first_and_last(clock.today for clock in clocks), first_and_last(clock.month for clock in clocks)
    given = rows_param(CLOCK_COLUMNS, [_clock_row(clock, now) for clock in clocks])
    return (
        RISKS.format(clocks=rows_sql(CLOCK_COLUMNS), brand_in_scope=in_scope) + select,
        [given, *params, *params_of(days, months, params), *params],
    )


def brands_with_risk(risk: Risk, *, now: datetime) -> list[int]:
    """Return the ids of all brands with a risk, for the list filter. Two queries."""
    return [pk for (pk,) in fetch_all(*risks(f"SELECT id FROM risks WHERE risk & {int(risk)} <> 0", now=now))]


def _clock_row(clock: LocalClock, now: datetime) -> tuple[Any, ...]:
    zone = ZoneInfo(clock.zone)
    day, month = day_span(zone, now), month_span(zone, now)
    return (
        clock.zone,
        clock.today,
        clock.month,
        clock.next_month,
        clock.day_from,
        clock.day_until,
        clock.month_from,
        day.elapsed,
        day.length,
        month.elapsed,
        month.length,
    )
