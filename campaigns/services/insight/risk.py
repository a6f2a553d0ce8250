"""Which brands are at risk: today's and this month's spend against budgets, and where the month leads.

One statement for all brands, in whole millionths, is used by the home page, the list filter and a brand's page. Spend
is folded plus pending, as in enforcement.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import IntFlag
from typing import Any

from campaigns.database.connection import analytic_query, fetch_all
from campaigns.database.dialects import MATERIALIZED, NOT_MATERIALIZED
from campaigns.models import Brand
from campaigns.models.clocks import Clocks
from campaigns.models.current_spend import current_spend
from campaigns.models.pace_queries import CALENDAR, pace_sql
from campaigns.rules.pace import OFTEN_REACHED, Verdict
from campaigns.rules.reasons import near_sql, reached_sql
from campaigns.services.permissions import Person, sees_only_assigned_brands


class Risk(IntFlag):
    """The risks of an enabled brand. A daily budget is a ceiling, not a target: only months have a pace."""

    REACHED_TODAY = 1
    REACHED_MONTH = 2
    OVER_PACING = 4
    UNDER_PACING = 8
    UNKNOWN_ZONE = 16
    OFTEN_REACHED = 32

    @property
    def code(self) -> str:
        return str(self.name).lower()


# An under-pacing brand is no emergency: pages list it apart.
ATTENTION = ~Risk.UNDER_PACING

RISK_LABELS = {
    Risk.REACHED_TODAY: "daily budget reached",
    Risk.REACHED_MONTH: "monthly budget reached",
    Risk.OVER_PACING: "over-pacing",
    Risk.UNDER_PACING: "under-pacing",
    Risk.UNKNOWN_ZONE: "unknown time zone",
    Risk.OFTEN_REACHED: "daily budget often runs out",
}

# The columns of a budget and its spend.
DAY, MONTH = ("daily_budget", "day_spend"), ("monthly_budget", "month_spend")
CONDITIONS = {
    Risk.REACHED_TODAY: reached_sql(*DAY),
    Risk.REACHED_MONTH: "month_reached = 1",
    Risk.OVER_PACING: f"verdict = '{Verdict.OVER}'",
    Risk.UNDER_PACING: f"verdict = '{Verdict.UNDER}'",
    Risk.UNKNOWN_ZONE: "today IS NULL",
    Risk.OFTEN_REACHED: f"reached_days >= {OFTEN_REACHED} AND daily_budget > 0",
}
RISK_BITS = " + ".join(f"CASE WHEN {sql} THEN {int(risk)} ELSE 0 END" for risk, sql in CONDITIONS.items())

RISKS = f""",
risks AS MATERIALIZED (
    SELECT paced.*, CASE WHEN NOT enabled THEN 0 WHEN today IS NULL THEN {int(Risk.UNKNOWN_ZONE)} ELSE {RISK_BITS} END
        AS risk
    FROM paced
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
    """Return a SELECT over the brands in scope with their spend, budgets, pace and risks, and its parameters.

    Archived brands are left out, unless with_archived. Pass the time zones of the scope, if known, to save a query.
    """
    if zones is None:
        zones = Brand.objects.order_by().values_list("timezone", flat=True).distinct()
    clocks = Clocks(zones, now, CALENDAR)
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
    return f"{spend}{pace_sql()}{RISKS}{select}", clocks.params | params


def brands_with_risk(risk: Risk, *, now: datetime) -> list[int]:
    """Return the ids of all brands with a risk, or with any of several, for the list filter. Two queries."""
    return _brands_where(f"risk & {int(risk)} <> 0", now)


def brands_of_verdict(verdict: Verdict, *, now: datetime) -> list[int]:
    """Return the ids of all brands whose month leads to a verdict, in the same way."""
    return _brands_where(f"verdict = '{verdict}'", now)


def brands_near_a_budget(*, now: datetime) -> list[int]:
    """Return the ids of all brands that are near a budget and haven't reached any, in the same way."""
    near = " OR ".join(near_sql(*columns) for columns in (DAY, MONTH))
    reached = " OR ".join(reached_sql(*columns) for columns in (DAY, MONTH))
    return _brands_where(f"enabled AND today IS NOT NULL AND ({near}) AND NOT COALESCE({reached}, FALSE)", now)


def _brands_where(condition: str, now: datetime) -> list[int]:
    sql, params = risks(f"SELECT id FROM risks WHERE {condition}", now=now)
    with analytic_query(few_rows=True):
        return [pk for (pk,) in fetch_all(sql, params)]
