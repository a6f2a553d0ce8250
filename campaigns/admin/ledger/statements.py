"""Statements: the spend of a brand's days and months, with the budget, overspend and late adjustments of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_stubs_ext import WithAnnotations
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter

from campaigns.admin.exchange.list_export import BRAND_ZONE, ListExportMixin, utc_time
from campaigns.admin.ledger.statement_export import StatementChangesMixin
from campaigns.admin.ledger.statement_page import late_panel
from campaigns.admin.shared.display import chip, link_to, link_to_list, table
from campaigns.admin.shared.filters import DateRangeFilter, DescribedFilter, VisibleAutocompleteFilter
from campaigns.admin.shared.search import brands_named, first_ids
from campaigns.admin.shared.times import viewer_time
from campaigns.models import Brand, BrandPeriod
from campaigns.models.spend_queries import BrandSpend, brands_with_spend
from campaigns.rules.money import format_amount, format_spend
from campaigns.rules.periods import find_zone, first_of_month, local_date

ROWS_ON_A_BRAND = {BrandPeriod.Kind.DAY: 10, BrandPeriod.Kind.MONTH: 6}
NOTE = (
    "A statement closes when the day or month ends in the brand’s time zone. Spend that arrives later is shown as a"
    " late adjustment. The current day and month include all spend so far, earlier ones are as of the last check."
)


@dataclass(frozen=True)
class Statement:
    """The figures of a period: with live spend if it is the current one, and today's budget while it is open."""

    period: BrandPeriod
    spend: Decimal
    budget: Decimal | None

    @classmethod
    def of(cls, period: BrandPeriod, brand: WithAnnotations[Brand, BrandSpend]) -> Statement:
        is_day = period.kind == BrandPeriod.Kind.DAY
        spend, budget = period.spend, period.budget_at_close
        if period.starts_on == current_period(brand, period.kind):
            spend = brand.spend_today if is_day else brand.spend_this_month
        if period.closed_at is None:
            budget = brand.daily_budget if is_day else brand.monthly_budget
        return cls(period, spend, budget)

    @property
    def overspend(self) -> Decimal | None:
        return None if self.budget is None else max(self.spend - self.budget, Decimal(0))

    @property
    def adjustment(self) -> Decimal | None:
        return self.period.adjustment

    def row(self) -> list[Any]:
        currency = self.period.brand.currency
        return [
            link_to(self.period) if self.period.pk else str(self.period),
            format_spend(self.spend, currency, self.budget),
            format_limit(self.budget, currency),
            over(self.overspend, currency),
            signed(self.adjustment, currency),
            state_chip(self.period),
        ]


def current_period(brand: Brand, kind: str) -> date | None:
    """Return the first day of the brand's current day or month; None in an unknown zone."""
    zone = find_zone(brand.timezone)
    if zone is None:
        return None
    today = local_date(zone, timezone.now())
    return today if kind == BrandPeriod.Kind.DAY else first_of_month(today)


def recent_statements(brand: WithAnnotations[Brand, BrandSpend], kind: BrandPeriod.Kind) -> SafeString:
    """Return the brand's latest periods of a kind as a table, and a link to all of them."""
    periods = list(brand.periods.filter(kind=kind).order_by("-starts_on")[: ROWS_ON_A_BRAND[kind]])
    current = current_period(brand, kind)
    if current and not any(period.starts_on == current for period in periods):
        periods.insert(0, BrandPeriod(brand=brand, kind=kind, starts_on=current, spend=Decimal(0)))
    rows = [Statement.of(period, brand).row() for period in periods]
    headers = (
        f"{kind.label}",
        f"Spend ({brand.currency})",
        "Budget",
        "Overspend",
        "Late adjustments",
        "Status",
    )
    shown = table(
        headers,
        rows,
        numbers=(1, 2, 3, 4),
        empty="No spend yet.",
        label=f"Statements of {kind.label.lower()}s",
    )
    every = link_to_list(
        BrandPeriod, f"View all {kind.label.lower()}s", brand__id__exact=brand.pk, kind__exact=kind.value
    )
    return format_html('{}<p class="campaigns-more">{}</p>', shown, every)


def format_limit(budget: Decimal | None, currency: str) -> str:
    return "no limit" if budget is None else format_amount(budget, currency)


def over(amount: Decimal | None, currency: str) -> SafeString | str:
    if not amount:
        return "–"
    return format_html('<span class="campaigns-over">{}</span>', format_spend(amount, currency))


def signed(amount: Decimal | None, currency: str) -> str:
    if not amount:
        return "–"
    return f"{'+' if amount > 0 else ''}{format_spend(amount, currency)}"


def state_chip(period: BrandPeriod) -> SafeString:
    return chip("final", "plain") if period.closed_at else chip("open", "good")


class StatementStatusFilter(DescribedFilter, DropdownFilter):
    """Statements that are final, or whose period is still open."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("open", "Open"), ("final", "Final")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("open", "final"):
            return queryset
        return queryset.filter(closed_at__isnull=self.value() == "open")


@admin.register(BrandPeriod)
class BrandPeriodAdmin(StatementChangesMixin, ListExportMixin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    brand_path = "brand"
    export_columns = (
        *("brand", "kind", "first day", "spend", "budget", "overspend", "late adjustments", "currency", "status"),
        *("closed (UTC)", BRAND_ZONE, "known at closing", "reported until at closing (UTC)"),
    )
    list_display = (
        "brand_name",
        "kind",
        "period_in_words",
        "spent",
        "budget",
        "overspend",
        "adjustment",
        "currency",
        "state",
    )
    list_display_links = None
    list_filter = (
        ("brand", VisibleAutocompleteFilter),
        ("kind", ChoicesDropdownFilter),
        ("starts_on", DateRangeFilter),
        StatementStatusFilter,
    )
    search_fields = ("brand__name",)
    search_help_text = "Search by brand"
    list_note = NOTE
    list_per_page = 100
    list_select_related = ()  # the brand is prefetched with its spend
    figures = ("spent",)
    sortable_by = ("period_in_words",)  # by any other column, the database would sort the statements of all years
    fields = (
        "brand_name",
        "kind",
        "period_text",
        "spent",
        "known_at_closing",
        "adjustment",
        "budget",
        "overspend",
        "state",
        "closed",
        "reported",
    )

    def panels(self, request: HttpRequest, obj: Any) -> Iterable[tuple[str, SafeString]]:
        return late_panel(obj)

    def with_figures(self, rows: QuerySet[Any], ids: Sequence[int] | None = None) -> QuerySet[Any]:
        """Prefetch the brands with their current spend, for the current periods."""
        brands = sorted(set(rows.order_by().values_list("brand_id", flat=True)))
        spending = brands_with_spend(Brand.objects.all(), timezone.now(), brands)
        return rows.prefetch_related(Prefetch("brand", queryset=spending))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[BrandPeriod], search_term: str) -> Any:
        if not search_term.replace("\0", "").strip():
            return queryset, False
        return queryset.filter(brand__in=first_ids(request, brands_named(search_term))), False

    def export_row(self, row: BrandPeriod) -> list[Any]:
        statement, brand = _statement(row), row.brand
        amounts = statement.spend, statement.budget, statement.overspend, statement.adjustment
        state = "final" if row.closed_at else "open"
        closed = (utc_time(row.closed_at), brand.timezone, row.spend_at_close, utc_time(row.reported_until))
        return [brand.name, row.get_kind_display().lower(), row.starts_on, *amounts, brand.currency, state, *closed]

    @admin.display(description="brand")
    def brand_name(self, period: BrandPeriod) -> SafeString:
        return link_to(period.brand)

    @admin.display(description="period", ordering="starts_on")
    def period_in_words(self, period: BrandPeriod) -> SafeString:
        """Return the period as a link to its page, which says what changed it after closing."""
        return link_to(period)

    @admin.display(description="period")
    def period_text(self, period: BrandPeriod) -> str:
        return str(period)

    @admin.display(description="spend")
    def spent(self, period: BrandPeriod) -> str:
        statement = _statement(period)
        return format_spend(statement.spend, period.brand.currency, statement.budget)

    @admin.display(description="budget")
    def budget(self, period: BrandPeriod) -> str:
        return format_limit(_statement(period).budget, period.brand.currency)

    @admin.display(description="overspend")
    def overspend(self, period: BrandPeriod) -> SafeString | str:
        return over(_statement(period).overspend, period.brand.currency)

    @admin.display(description="late adjustments")
    def adjustment(self, period: BrandPeriod) -> str:
        return signed(period.adjustment, period.brand.currency)

    @admin.display(description="currency")
    def currency(self, period: BrandPeriod) -> str:
        return period.brand.currency

    @admin.display(description="known at closing")
    def known_at_closing(self, period: BrandPeriod) -> str | None:
        known = period.spend_at_close
        return None if known is None else format_spend(known, period.brand.currency)

    @admin.display(description="reported until, at closing")
    def reported(self, period: BrandPeriod) -> SafeString | None:
        return viewer_time(period.reported_until, period.brand.timezone) if period.reported_until else None

    @admin.display(description="closed")
    def closed(self, period: BrandPeriod) -> SafeString | None:
        return viewer_time(period.closed_at, period.brand.timezone) if period.closed_at else None

    @admin.display(description="status")
    def state(self, period: BrandPeriod) -> SafeString:
        return state_chip(period)


def _statement(period: BrandPeriod) -> Statement:
    brand: Any = period.brand  # prefetched with its spend
    return Statement.of(period, brand)
