"""What a brand has spent today and this month, in SQL: folded + pending, without what is dated ahead (R3, R4).

One text for what is decided (campaigns.services.enforcement.decide) and for what pages tell of it
(campaigns.services.insight.risk). The statement around it names `clock`, a row for each zone, and `brand_pending`,
what is pending of each brand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from campaigns.database.dialects import clamped, micros_sql

PENDING_TODAY = "CASE WHEN p.quarter >= clock.day_from AND p.quarter < clock.day_until THEN p.amount ELSE 0 END"
PENDING_THIS_MONTH = "CASE WHEN p.quarter >= clock.month_from AND p.quarter < clock.day_until THEN p.amount ELSE 0 END"
"""Of pending spend p, for the clock of its brand's zone."""

AHEAD = """ahead AS (
    SELECT p.brand_id, CAST(SUM(p.spend) AS bigint) AS amount
    FROM campaigns_brandperiod p
    JOIN campaigns_brand b ON b.id = p.brand_id
    JOIN clock ON clock.zone = b.timezone
    WHERE p.kind = 'day' AND p.starts_on > %s AND p.starts_on > clock.today AND p.starts_on < clock.next_month
        AND {brand_in_scope}
    GROUP BY p.brand_id
)"""
"""What is folded for days of the month that are still to come."""

BUDGETS_AND_SPEND = f"""{micros_sql("b.daily_budget")} AS daily_budget,
        {micros_sql("b.monthly_budget")} AS monthly_budget,
        COALESCE(brand_day.spend, 0) + COALESCE({clamped("brand_pending.today")}, 0) AS day_spend,
        COALESCE(brand_month.spend, 0) - COALESCE(ahead.amount, 0) + COALESCE({clamped("brand_pending.this_month")}, 0)
            AS month_spend"""
"""Columns over FROM_BRANDS, in millionths."""

FROM_BRANDS = """FROM campaigns_brand b
    LEFT JOIN clock ON clock.zone = b.timezone
    LEFT JOIN campaigns_brandperiod brand_day
        ON brand_day.brand_id = b.id AND brand_day.kind = 'day' AND brand_day.starts_on = clock.today
        AND brand_day.starts_on BETWEEN %s AND %s
    LEFT JOIN campaigns_brandperiod brand_month
        ON brand_month.brand_id = b.id AND brand_month.kind = 'month' AND brand_month.starts_on = clock.this_month
        AND brand_month.starts_on BETWEEN %s AND %s
    LEFT JOIN brand_pending ON brand_pending.brand_id = b.id
    LEFT JOIN ahead ON ahead.brand_id = b.id"""

Dates = tuple[str, str]
"""The first and the last of the zones' days, or of their months."""


def params_of(days: Dates, months: Dates, in_scope: Sequence[Any]) -> list[Any]:
    """Return the parameters of AHEAD, with its scope's, and of FROM_BRANDS, in this order."""
    return [days[0], *in_scope, *days, *months]
