"""Which brands are at risk: today's and this month's spend against budgets and pace.

One statement for all brands, in whole millionths, is used by the home page, the list filter and a brand's page. Spend
is folded plus pending, as in enforcement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import IntFlag
from typing import Any
from zoneinfo import ZoneInfo

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import MATERIALIZED, NOT_MATERIALIZED
from campaigns.models import Brand
from campaigns.models.clocks import Clocks
from campaigns.models.current_spend import current_spend
from campaigns.rules.reasons import reached_sql
from campaigns.services.insight.pacing import day_span, fast_sql, month_span, slow_sql
from campaigns.services.permissions import Person, sees_only_assigned_brands


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

# What a pace is judged by, in seconds.
SPANS: dict[str, Callable[[ZoneInfo, datetime], int]] = {
    "day_elapsed": lambda zone, now: day_span(zone, now).elapsed,
    "day_length": lambda zone, now: day_span(zone, now).length,
    "month_elapsed": lambda zone, now: month_span(zone, now).elapsed,
    "month_length": lambda zone, now: month_span(zone, now).length,
}

STATES = f""",
states AS (
    SELECT figures.*,
        CASE WHEN {reached_sql("daily_budget", "day_spend")} THEN 1 ELSE 0 END AS day_reached,
        CASE WHEN {reached_sql("monthly_budget", "month_spend")} THEN 1 ELSE 0 END AS month_reached
    FROM brand AS figures
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

RISKS = f"""{STATES},
risks AS MATERIALIZED (
    SELECT states.*, CASE WHEN NOT enabled THEN 0 WHEN today IS NULL THEN {int(Risk.UNKNOWN_ZONE)} ELSE {RISK_BITS} END
        AS risk
    FROM states
)
"""

Condition = tuple[str, dict[str, Any]]
ALL_BRANDS: Condition = ("1 = 1", {})


def one_brand(pk: int) -> Condition:
    return "{brand} = %(brand)s", {"brand": pk}


def brands_visible_to(user: Person) -> Condition:
    """Return the SQL condition that the person can see the {brand}, with its parameters."""
    if not sees_only_assigned_brands(user):
        return ALL_BRANDS
    return "{brand} IN (SELECT brand_id FROM campaigns_brandassignment WHERE user_id = %(user)s)", {"user": user.pk}


def risks(
    select: str,
    *,
    now: datetime,
    scope: Condition = ALL_BRANDS,
    zones: Iterable[str] | None = None,
    with_archived: bool = False,
) -> tuple[str, dict[str, Any]]:
    """Return a SELECT over the brands in scope with their spend, budgets and risks, and its parameters.

    Archived brands are left out, unless with_archived. Pass the time zones of the scope, if known, to save a query.
    """
    if zones is None:
        zones = Brand.objects.order_by().values_list("timezone", flat=True).distinct()
    clocks = Clocks(zones, now, SPANS)
    in_scope, params = scope
    spend = current_spend(
        clocks,
        hint=MATERIALIZED,
        pending_hint=NOT_MATERIALIZED,
        of_campaigns=False,
        pending_in_scope=in_scope.format(brand="p.brand_id"),
        ahead_in_scope=in_scope.format(brand="p.brand_id"),
        brand_in_scope=in_scope.format(brand="b.id") + ("" if with_archived else " AND b.archived_at IS NULL"),
    )
    return f"{spend}{RISKS}{select}", clocks.params | params


def brands_with_risk(risk: Risk, *, now: datetime) -> list[int]:
    """Return the ids of all brands with a risk, for the list filter. Two queries."""
    return [pk for (pk,) in fetch_all(*risks(f"SELECT id FROM risks WHERE risk & {int(risk)} <> 0", now=now))]
