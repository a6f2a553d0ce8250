"""Querysets with current spend: what is folded plus what is pending, in each brand's own day and month."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TypedDict, TypeVar

from django.db import models
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
from django_stubs_ext import WithAnnotations

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

    quarters = ("day_from", "day_until", "month_from", "month_until")
    with_clock: QuerySet[M, M] = rows.alias(  # type: ignore[assignment]  # alias() adds nothing to the model's type
        _today=by_zone("today", DateField()),
        _month=by_zone("month", DateField()),
        **{f"_{name}": by_zone(name, IntegerField()) for name in quarters},
    )
    return with_clock


def _brand_spend(brand: str, period: str) -> ExpressionWrapper[CombinedExpression]:
    kind = BrandPeriod.Kind.DAY if period == "today" else BrandPeriod.Kind.MONTH
    folded = BrandPeriod.objects.filter(brand=OuterRef(brand), kind=kind, starts_on=OuterRef(f"_{period}"))
    return _folded_plus_pending(folded, PendingSpend.objects.filter(brand=OuterRef(brand)), period)


def _campaign_spend() -> ExpressionWrapper[CombinedExpression]:
    folded = CampaignDay.objects.filter(campaign=OuterRef("pk"), day=OuterRef("_today"))
    return _folded_plus_pending(folded, PendingSpend.objects.filter(campaign=OuterRef("pk")), "today")


def _folded_plus_pending(
    folded: QuerySet[BrandPeriod] | QuerySet[CampaignDay], pending: QuerySet[PendingSpend], period: str
) -> ExpressionWrapper[CombinedExpression]:
    quarters = "day" if period == "today" else "month"
    in_period = pending.order_by().filter(
        quarter__gte=OuterRef(f"_{quarters}_from"), quarter__lt=OuterRef(f"_{quarters}_until")
    )
    summed = in_period.values(_group=Value(1)).annotate(total=Sum("amount")).values("total")
    total = Coalesce(Subquery(folded.order_by().values("spend")), NOTHING) + Coalesce(
        Subquery(summed, output_field=MicrosField()), NOTHING
    )
    return ExpressionWrapper(total, output_field=MicrosField())


NOTHING = Value(0, output_field=MicrosField())
