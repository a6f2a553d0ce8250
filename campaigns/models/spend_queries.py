"""Querysets with current spend: what is folded plus what is pending, in each brand's own day and month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict, TypeVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    Case,
    DateField,
    ExpressionWrapper,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce
from django.db.models.sql.compiler import SQLCompiler
from django_stubs_ext import WithAnnotations

from campaigns.database.dialects import clamped_sum, in_list, list_param, rows_param, rows_sql, shown_sum
from campaigns.models.brand import Brand
from campaigns.models.campaign import Campaign
from campaigns.models.derived_join import DerivedAmount, join_derived
from campaigns.models.fields import MicrosField
from campaigns.models.periods import BrandPeriod
from campaigns.models.spend import CampaignDay
from campaigns.rules.periods import LocalClock, local_clocks

M = TypeVar("M", bound=models.Model)
Ids = Sequence[int] | None


class BrandSpend(TypedDict):
    spend_today: Decimal
    spend_this_month: Decimal


class OwnSpend(TypedDict):
    spend_today: Decimal


class CampaignSpend(OwnSpend):
    brand_spend_today: Decimal
    brand_spend_this_month: Decimal


def brands_with_spend(
    brands: QuerySet[Brand], now: datetime, ids: Ids = None
) -> QuerySet[WithAnnotations[Brand, BrandSpend]]:
    """Annotate the spend. With the ids of all rows it is faster, here and below."""
    clocks = _clocks(now)
    rows = _with_clock(brands, "timezone", clocks)
    pending = _join(rows, PENDING_OF_BRANDS, {"id": "brand_id"}, clocks, in_list("p.brand_id", hashed=True), ids)
    return rows.annotate(
        spend_today=_brand_spend_today("pk", pending), spend_this_month=_brand_spend_this_month("pk", pending)
    )


def campaigns_with_own_spend(
    campaigns: QuerySet[Campaign], now: datetime, ids: Ids = None
) -> QuerySet[WithAnnotations[Campaign, OwnSpend]]:
    """Annotate spend_today only: without the brand's spend, which a list of campaigns doesn't show."""
    return _campaigns(campaigns, _clocks(now), ids)


def campaigns_with_spend(
    campaigns: QuerySet[Campaign], now: datetime, ids: Ids = None
) -> QuerySet[WithAnnotations[Campaign, CampaignSpend]]:
    clocks = _clocks(now)
    rows = _campaigns(campaigns, clocks, ids)
    pending = _join(rows, PENDING_OF_BRANDS, {"brand_id": "brand_id"}, clocks, BRANDS_OF.format(in_list("id")), ids)
    spending: QuerySet[Any] = rows.annotate(
        brand_spend_today=_brand_spend_today("brand_id", pending),
        brand_spend_this_month=_brand_spend_this_month("brand_id", pending),
    )
    return spending


def _campaigns(campaigns: QuerySet[Campaign], clocks: list[LocalClock], ids: Ids) -> QuerySet[Any]:
    rows = _with_clock(campaigns, "brand__timezone", clocks)
    pending = _join(
        rows,
        PENDING_OF_CAMPAIGNS,
        {"id": "campaign_id", "brand_id": "brand_id"},
        clocks,
        in_list("p.campaign_id", hashed=True),
        ids,
    )
    folded = CampaignDay.objects.order_by().filter(campaign=OuterRef("pk"), day=OuterRef("_today"))
    return rows.annotate(spend_today=_money(_the("spend", folded) + _amount(pending, "today")))


# What is pending is summed once for a statement, however many rows it gives: the pending table has no index, because
# each would cost its writers, so a search in it for every row would take seconds while a million of them wait.
# What is dated ahead is left out: it counts when its day comes (R3), for the month as for the day.
PENDING_OF_CAMPAIGNS = """
    WITH clock AS MATERIALIZED ({clocks})
    SELECT p.campaign_id, p.brand_id, {amount} AS today
    FROM campaigns_pendingspend p
    JOIN campaigns_brand b ON b.id = p.brand_id
    JOIN clock ON clock.zone = b.timezone
    WHERE p.quarter >= clock.day_from AND p.quarter < clock.day_until AND {these}
    GROUP BY p.campaign_id, p.brand_id
"""

PENDING_OF_BRANDS = """
    WITH clock AS MATERIALIZED ({clocks})
    SELECT p.brand_id, {amount_today} AS today, {amount} AS this_month
    FROM campaigns_pendingspend p
    JOIN campaigns_brand b ON b.id = p.brand_id
    JOIN clock ON clock.zone = b.timezone
    WHERE p.quarter >= clock.month_from AND p.quarter < clock.day_until AND {these}
    GROUP BY p.brand_id
"""

BRANDS_OF = "p.brand_id IN (SELECT brand_id FROM campaigns_campaign WHERE {})"

CLOCK_COLUMNS = {"zone": "text", "day_from": "integer", "day_until": "integer", "month_from": "integer"}


def _join(rows: QuerySet[Any], sql: str, on: dict[str, str], clocks: list[LocalClock], these: str, ids: Ids) -> str:
    given = rows_param(CLOCK_COLUMNS, [(c.zone, c.day_from, c.day_until, c.month_from) for c in clocks])
    today = "CASE WHEN p.quarter >= clock.day_from THEN p.amount ELSE 0 END"
    summed = sql.format(
        clocks=rows_sql(CLOCK_COLUMNS),
        amount=shown_sum("p.amount"),
        amount_today=shown_sum(today),
        these="1 = 1" if ids is None else these,
    )
    return join_derived(rows, summed, [given] if ids is None else [given, list_param(ids)], on)


def _amount(pending: str, column: str) -> Coalesce:
    return Coalesce(DerivedAmount(pending, column), NOTHING)


def _clocks(now: datetime) -> list[LocalClock]:
    return local_clocks(Brand.objects.order_by().values_list("timezone", flat=True).distinct(), now)


def _with_clock(rows: QuerySet[M, M], zone_path: str, clocks: list[LocalClock]) -> QuerySet[M, M]:
    """Give each row its brand's local date and month (empty in an unknown zone)."""

    def by_zone(attribute: str) -> Case | Value:
        whens = [When(**{zone_path: c.zone}, then=Value(getattr(c, attribute))) for c in clocks]
        return Case(*whens, output_field=DateField()) if whens else Value(None, output_field=DateField())

    with_clock: QuerySet[M, M] = rows.alias(  # type: ignore[assignment]  # alias() adds nothing to the model's type
        _today=by_zone("today"), _month=by_zone("month"), _next_month=by_zone("next_month")
    )
    return with_clock


def _brand_spend_today(brand: str, pending: str) -> ExpressionWrapper[CombinedExpression]:
    today = _periods(brand, BrandPeriod.Kind.DAY).filter(starts_on=OuterRef("_today"))
    return _money(_the("spend", today) + _amount(pending, "today"))


def _brand_spend_this_month(brand: str, pending: str) -> ExpressionWrapper[CombinedExpression]:
    month = _periods(brand, BrandPeriod.Kind.MONTH).filter(starts_on=OuterRef("_month"))
    days = _periods(brand, BrandPeriod.Kind.DAY)
    ahead = days.filter(starts_on__gt=OuterRef("_today"), starts_on__lt=OuterRef("_next_month"))
    return _money(_the("spend", month) - _sum_of_spend(ahead) + _amount(pending, "this_month"))


def _periods(brand: str, kind: BrandPeriod.Kind) -> QuerySet[BrandPeriod]:
    return BrandPeriod.objects.order_by().filter(brand=OuterRef(brand), kind=kind)


def _the(column: str, row: QuerySet[Any]) -> Coalesce:
    """Return the column of the one row that there may be, or 0."""
    return Coalesce(Subquery(row.values(column), output_field=MicrosField()), NOTHING)


def _sum_of_spend(periods: QuerySet[BrandPeriod]) -> Coalesce:
    summed = periods.values(_group=Value(1)).annotate(total=ExactSum("spend")).values("total")
    return Coalesce(Subquery(summed, output_field=MicrosField()), NOTHING)


def _money(total: CombinedExpression) -> ExpressionWrapper[CombinedExpression]:
    return ExpressionWrapper(total, output_field=MicrosField())


class ExactSum(Sum):
    """The sum of a column in millionths; on SQLite clamped where it doesn't fit, instead of an error."""

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *args: Any, **kwargs: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        column, params = compiler.compile(self.source_expressions[0])
        sql = clamped_sum(column)
        return sql, tuple(params) * sql.count(column)


NOTHING = Value(0, output_field=MicrosField())
