"""Campaigns with the percent of their daily spend limit that is spent today, to sort any number of them by it.

Today's totals are joined to the campaigns themselves, each date that it is somewhere as a join of its own: so the
filters of a list limit what is read, and PostgreSQL's workers share it. The rows of a page get the same figure, with
their spend, from campaigns.models.spend_queries.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    F,
    FilteredRelation,
    FloatField,
    Func,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import NOT_MATERIALIZED, clamped, micros_sql
from campaigns.models.clocks import Clocks
from campaigns.models.current_spend import current_spend
from campaigns.models.derived_join import join_derived
from campaigns.models.spend_queries import bound_by_position
from campaigns.rules.periods import local_clocks

# Today's pending spend, which few campaigns have. The brand is compared as in current_spend.sql.
PENDING = """
SELECT c.id, {pending_today} AS pending_today
FROM pending
JOIN campaigns_campaign c ON c.id = pending.campaign_id AND c.brand_id = pending.brand_id
"""


def campaigns_with_percent_today(campaigns: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    """Annotate percent_today as in OwnSpend: folded and pending spend, in the brand's zone at now."""
    zones = [zone for (zone,) in fetch_all("SELECT DISTINCT timezone FROM campaigns_brand")]
    spent = Coalesce(F("pending_today"), Value(0)) + Coalesce(F("folded_today"), Value(0))
    limit = Func(F("daily_spend_limit"), template=micros_sql("%(expressions)s"), output_field=BigIntegerField())
    annotated: QuerySet[Any] = _with_folded(_with_pending(campaigns, zones, now), zones, now).annotate(
        # As percent_sql().
        percent_today=Case(
            When(daily_spend_limit__gt=0, then=Cast(spent, FloatField()) * Value(100) / limit),
            When(daily_spend_limit=0, then=Value(100.0)),
            output_field=FloatField(),
        )
    )
    return annotated


def _with_pending(campaigns: QuerySet[Any], zones: Iterable[str], now: datetime) -> QuerySet[Any]:
    clocks = Clocks(zones, now)
    spend = current_spend(clocks, hint=NOT_MATERIALIZED, full_scan=True)
    sql, params = bound_by_position(spend + PENDING.format(pending_today=clamped("pending.today")), clocks.params)
    return join_derived(campaigns, sql, params, {"pending_today": BigIntegerField()})


def _with_folded(campaigns: QuerySet[Any], zones: list[str], now: datetime) -> QuerySet[Any]:
    """Join the totals of each date that it is somewhere, and take that of the brand's own."""
    clocks = local_clocks(zones, now)
    zones_by_day: dict[date, list[str]] = {}
    for clock in clocks:
        zones_by_day.setdefault(clock.today, []).append(clock.zone)
    joins = {
        f"total_{number}": FilteredRelation("days", condition=Q(days__day=day))
        for number, day in enumerate(zones_by_day)
    }
    choices = [
        When(brand__timezone__in=of_day, then=F(f"{name}__spend"))
        for name, of_day in zip(joins, zones_by_day.values(), strict=True)
    ]
    # Where every zone is known, the last date needs no condition: with one date, none is left for each row.
    default = choices.pop().result if len(clocks) == len(zones) and choices else Value(None)
    folded = Case(*choices, default=default, output_field=BigIntegerField())
    annotated: QuerySet[Any] = campaigns.alias(**joins).alias(folded_today=folded)
    return annotated
