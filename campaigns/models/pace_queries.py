"""Querysets of brands with their projection and pace: one SQL expression over the stored profile and current spend."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import CharField, FloatField, QuerySet

from campaigns.database.dialects import days_between
from campaigns.database.statements import statement
from campaigns.models.fields import MicrosField
from campaigns.models.spend_queries import BRAND_PERCENT, OF_BRANDS, BrandSpend, Ids, brands_with
from campaigns.rules.pace import (
    DAYS_FOR_PROJECTION,
    ERROR_WITHOUT_RANGE,
    HASTE_IF_OFTEN_REACHED,
    OFTEN_REACHED,
    TOLERANCE_AT_THE_END,
    TOLERANCE_OF_A_MONTH,
)
from campaigns.rules.periods import day_number, first_of_month, local_date, next_month
from campaigns.rules.reasons import reached_sql


class BrandWithPace(BrandSpend):
    """The annotations of brands_with_pace(); each is None where it's unknown."""

    # Spend of the month against what the profile expects by now of the budget: 1 is as expected.
    pace: float | None
    # What is spent and what is expected of the rest of the month, if nothing pauses.
    projected_spend: Decimal | None
    # Projected spend less the monthly budget.
    over_or_under: Decimal | None
    # Percent of the monthly budget that is spent.
    percent_used: float | None
    # Projected spend in percent of the monthly budget.
    projected_percent: float | None
    # Percent of the month's spend that the profile expects by now.
    expected_percent: float | None
    # A campaigns.rules.pace.Verdict; None for a brand that is paused, has no budget, or has reached it.
    pace_verdict: str | None


# The columns of the clock that brand_pace.sql needs. Days are numbered from 1970-01-01.
CALENDAR: dict[str, Callable[[ZoneInfo, datetime], int]] = {
    "weekday": lambda zone, now: local_date(zone, now).weekday(),
    "hour": lambda zone, now: now.astimezone(zone).hour,
    "minute": lambda zone, now: now.astimezone(zone).minute,
    "today_number": lambda zone, now: day_number(local_date(zone, now)),
    "month_number": lambda zone, now: day_number(first_of_month(local_date(zone, now))),
    "next_month_number": lambda zone, now: day_number(next_month(local_date(zone, now))),
}

# The annotations, each with its column in campaigns/sql/brand_pace.sql and its type.
AMOUNTS = OF_BRANDS | {"projected_spend": "projected", "over_or_under": "over_or_under"}
FIGURES = ("pace", "percent_used", "projected_percent", "expected_percent")


def pace_sql() -> str:
    """Return the tables up to `paced`, to follow those of current_spend() with CALENDAR."""
    return statement(
        "brand_pace",
        days_before_the_first=days_between("p.first_day", "brand.this_month"),
        days_for_projection=str(DAYS_FOR_PROJECTION),
        month_reached=reached_sql("brand.monthly_budget", "brand.month_spend"),
        often_reached=str(OFTEN_REACHED),
        haste_if_often_reached=str(HASTE_IF_OFTEN_REACHED),
        error_without_range=str(ERROR_WITHOUT_RANGE),
        tolerance_at_the_end=str(TOLERANCE_AT_THE_END),
        tolerance_of_a_month=str(TOLERANCE_OF_A_MONTH),
    )


def brands_with_pace(brands: QuerySet[Any], now: datetime, ids: Ids = None) -> QuerySet[Any]:
    """Annotate brands with BrandWithPace. It's quicker if the ids of all the rows are given."""
    columns = (
        {name: (column, MicrosField()) for name, column in AMOUNTS.items()}
        | {name: (name, FloatField()) for name in FIGURES}
        | dict(BRAND_PERCENT)
        | {"pace_verdict": ("verdict", CharField())}
    )
    return brands_with(brands, columns, now, ids, table="paced", tables=pace_sql(), calendar=CALENDAR)
