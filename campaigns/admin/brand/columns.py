"""The brand list's columns about spend and pace, which sort by percent: amounts of several currencies don't compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_stubs_ext import WithAnnotations

from campaigns.admin.bulk.archive import with_archived
from campaigns.admin.shared.display import day_bar, link_to_list, month_bar
from campaigns.admin.shared.lists import ScalableListMixin
from campaigns.database.clock import database_now
from campaigns.models import Brand, Campaign
from campaigns.models.pace_queries import BrandWithPace, brands_with_pace
from campaigns.models.spend_queries import BrandSpend, brands_with_spend
from campaigns.rules.money import format_amount, format_money, round_estimate

OF_PACE = {"percent_used", "pace", "projected_percent"}
OF_SPEND = {"percent_today"}
COUNTS = {"campaign_count"}
NOTHING = "–"


class BrandColumnsMixin(ScalableListMixin):
    """Columns of brands: spend, pace and projection, and how many campaigns they have.

    Pace is computed for the brands of a page, or for all if the list is sorted by it.
    """

    figures = (*OF_PACE, *OF_SPEND, *COUNTS)

    def with_figures(self, rows: QuerySet[Any], ids: Sequence[int] | None = None) -> QuerySet[Any]:
        return _with_campaign_counts(brands_with_pace(rows, database_now(), ids))

    def with_figures_of_all(self, rows: QuerySet[Any], sorted_by: set[str], request: HttpRequest) -> QuerySet[Any]:
        if sorted_by & OF_PACE:
            rows = brands_with_pace(rows, database_now())
        elif sorted_by & OF_SPEND:
            rows = brands_with_spend(rows, database_now())
        return _with_campaign_counts(rows) if sorted_by & COUNTS else rows

    @admin.display(description="spent today", ordering="percent_today")
    def today(self, brand: WithAnnotations[Brand, BrandSpend]) -> SafeString:
        return day_bar(brand)

    @admin.display(description="spent this month", ordering="percent_used")
    def this_month(self, brand: WithAnnotations[Brand, BrandWithPace]) -> SafeString:
        return month_bar(brand)

    @admin.display(description="pace", ordering="pace")
    def pace(self, brand: WithAnnotations[Brand, BrandWithPace]) -> str:
        return NOTHING if brand.pace is None else f"{brand.pace:.2f}"

    @admin.display(description="projected", ordering="projected_percent")
    def projected(self, brand: WithAnnotations[Brand, BrandWithPace]) -> SafeString | str:
        if brand.projected_spend is None:
            return NOTHING
        return _two_lines(
            format_money(round_estimate(brand.projected_spend, brand.currency), brand.currency),
            "" if brand.projected_percent is None else f"{brand.projected_percent:.0f} % of budget",
        )

    @admin.display(description="over/under", ordering="projected_percent")
    def over_or_under(self, brand: WithAnnotations[Brand, BrandWithPace]) -> SafeString | str:
        if brand.over_or_under is None:
            return NOTHING
        amount = round_estimate(brand.over_or_under, brand.currency)
        percent = "" if brand.projected_percent is None else f"{abs(brand.projected_percent - 100):.1f} % "
        side = "over" if amount > 0 else "under"
        return _two_lines(format_amount(abs(amount), brand.currency), f"{percent}{side}") if amount else "0"

    @admin.display(description="time zone", ordering="timezone")
    def zone_name(self, brand: Brand) -> SafeString:
        """Return the time zone, which may break behind its slashes only."""
        return format_html_join(SafeString("/<wbr>"), "{}", ((part,) for part in brand.timezone.split("/")))

    @admin.display(description="campaigns", ordering="campaign_count")
    def campaign_counts(self, brand: Any) -> SafeString:
        active, paused = brand.active_count, brand.campaign_count - brand.active_count
        of_brand = {"brand__id__exact": brand.pk} | with_archived(brand)
        return format_html(
            '<span class="campaigns-lines">{}{}</span>',
            link_to_list(Campaign, f"{active} active", **of_brand, status__exact="active"),
            link_to_list(Campaign, f"{paused} paused", **of_brand, status__exact="paused"),
        )


def _two_lines(figure: str, beneath: str) -> SafeString:
    return format_html('<span class="campaigns-figure">{}<small>{}</small></span>', figure, beneath)


def _with_campaign_counts(brands: QuerySet[Any]) -> QuerySet[Any]:
    """Count in subqueries, so that a page of brands counts only the campaigns of these brands."""
    counted: QuerySet[Any] = brands.annotate(
        campaign_count=_count(Campaign.objects.filter(archived_at__isnull=True)),
        active_count=_count(Campaign.objects.filter(archived_at__isnull=True, pause_reasons=0)),
    )
    return counted


def _count(campaigns: QuerySet[Campaign]) -> Coalesce:
    of_brand = campaigns.order_by().filter(brand=OuterRef("pk")).values("brand")
    return Coalesce(Subquery(of_brand.annotate(count=Count("pk")).values("count")), 0)
