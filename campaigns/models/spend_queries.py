"""Querysets with current spend: what is folded plus what is pending, in each brand's own day and month."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict, TypeVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    Case,
    DateField,
    ExpressionWrapper,
    IntegerField,
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

from campaigns.database import clamped_sum
from campaigns.models.books import BrandPeriod
from campaigns.models.brand import Brand
from campaigns.models.campaign import Campaign
from campaigns.models.fields import MicrosField
from campaigns.models.spend import CampaignDay, PendingSpend
from campaigns.periods import local_clocks

M = TypeVar("M", bound=models.Model)


class BrandSpend(TypedDict):
    spend_today: Decimal
    spend_this_month: Decimal


class CampaignSpend(TypedDict):
    spend_today: Decimal
    brand_spend_today: Decimal
    brand_spend_this_month: Decimal


def brands_with_spend(brands: QuerySet[Brand], now: datetime) -> QuerySet[WithAnnotations[Brand, BrandSpend]]:
    return _with_clock(brands, "timezone", now).annotate(
        spend_today=_brand_spend("pk", "today"), spend_this_month=_brand_spend("pk", "month")
    )


def campaigns_with_spend(
    campaigns: QuerySet[Campaign], now: datetime
) -> QuerySet[WithAnnotations[Campaign, CampaignSpend]]:
    return _with_clock(campaigns, "brand__timezone", now).annotate(
        spend_today=_campaign_spend(),
        brand_spend_today=_brand_spend("brand_id", "today"),
        brand_spend_this_month=_brand_spend("brand_id", "month"),
    )


def _with_clock(rows: QuerySet[M, M], zone_path: str, now: datetime) -> QuerySet[M, M]:
    """Give each row its brand's local date and the quarter-hours of its day and month (empty in an unknown zone)."""
    zones = Brand.objects.order_by().values_list("timezone", flat=True).distinct()
    clocks = local_clocks(zones, now)

    def by_zone(attribute: str, field: models.Field[object, object]) -> Case | Value:
        whens = [When(**{zone_path: c.zone}, then=Value(getattr(c, attribute))) for c in clocks]
        return Case(*whens, output_field=field) if whens else Value(None, output_field=field)

    quarters = ("day_from", "day_until", "month_from")
    with_clock: QuerySet[M, M] = rows.alias(  # type: ignore[assignment]  # alias() adds nothing to the model's type
        _today=by_zone("today", DateField()),
        _month=by_zone("month", DateField()),
        _next_month=by_zone("next_month", DateField()),
        **{f"_{name}": by_zone(name, IntegerField()) for name in quarters},
    )
    return with_clock


def _brand_spend(brand: str, period: str) -> ExpressionWrapper[CombinedExpression]:
    folded = BrandPeriod.objects.order_by().filter(brand=OuterRef(brand))
    pending = PendingSpend.objects.filter(brand=OuterRef(brand))
    if period == "today":
        today = folded.filter(kind=BrandPeriod.Kind.DAY, starts_on=OuterRef("_today"))
        return _money(_the("spend", today) + _sum(_until_tomorrow(pending, "_day_from")))
    month = folded.filter(kind=BrandPeriod.Kind.MONTH, starts_on=OuterRef("_month"))
    ahead = folded.filter(
        kind=BrandPeriod.Kind.DAY, starts_on__gt=OuterRef("_today"), starts_on__lt=OuterRef("_next_month")
    )
    return _money(_the("spend", month) - _sum(ahead, of="spend") + _sum(_until_tomorrow(pending, "_month_from")))


def _campaign_spend() -> ExpressionWrapper[CombinedExpression]:
    folded = CampaignDay.objects.order_by().filter(campaign=OuterRef("pk"), day=OuterRef("_today"))
    pending = PendingSpend.objects.filter(campaign=OuterRef("pk"))
    return _money(_the("spend", folded) + _sum(_until_tomorrow(pending, "_day_from")))


def _until_tomorrow(pending: QuerySet[PendingSpend], first_quarter: str) -> QuerySet[PendingSpend]:
    """Leave out what is dated ahead: it counts when its day comes (R3), for the month as for the day."""
    return pending.filter(quarter__gte=OuterRef(first_quarter), quarter__lt=OuterRef("_day_until"))


def _the(column: str, row: QuerySet[Any]) -> Coalesce:
    """Return the column of the one row that there may be, or 0."""
    return Coalesce(Subquery(row.values(column), output_field=MicrosField()), NOTHING)


def _sum(rows: QuerySet[Any], *, of: str = "amount") -> Coalesce:
    summed = rows.order_by().values(_group=Value(1)).annotate(total=ExactSum(of)).values("total")
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
