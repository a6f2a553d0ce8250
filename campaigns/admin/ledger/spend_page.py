"""The page “Spend” of a brand or campaign: any range of days beside the period before, as table, curve and file."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from campaigns.admin.exchange.mixin import file_response
from campaigns.admin.ledger import spend_figures as figures
from campaigns.admin.ledger.row_page import RowPageMixin, brand_of
from campaigns.admin.shared.charts import options
from campaigns.admin.shared.display import change_address
from campaigns.models import Brand, Campaign
from campaigns.rules.periods import EARLIEST, ONE_DAY, find_zone, first_of_month, local_date
from campaigns.services.insight.spend_range import (
    MAX_DAYS,
    Range,
    SpendOfRange,
    spend_of_brand,
    spend_of_campaign,
)

# Parts of the page that are files, and their formats.
PARTS, KINDS = ("days", "campaigns"), ("csv", "xlsx")
FIRST_DAY = EARLIEST.date() + ONE_DAY * (MAX_DAYS + 1)


class RangeForm(forms.Form):
    """Both days are included. Neither may be in the future: what is dated ahead counts when its day comes."""

    first = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    last = forms.DateField(label="To", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, data: Any, *, today: date) -> None:
        super().__init__(data)
        self.today = today

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if not first or not last:
            return cleaned
        if last > self.today:
            self.add_error("last", f"{last} is in the future. Enter {self.today} or an earlier day.")
        elif first > last:
            self.add_error("first", f"{first} is after {last}. Enter {last} or an earlier day.")
        elif first < FIRST_DAY:
            self.add_error("first", f"{first} is too early. Enter {FIRST_DAY} or a later day.")
        elif (last - first).days >= MAX_DAYS:
            earliest = last - timedelta(days=MAX_DAYS - 1)
            self.add_error("first", f"The range has more than {MAX_DAYS} days. Enter {earliest} or a later day.")
        return cleaned


def presets(today: date) -> dict[str, Range]:
    """Return ranges by their names. All but the current month end before today, of which there are only some hours."""
    this_month = first_of_month(today)
    last_month = first_of_month(this_month - ONE_DAY)
    monday = today - ONE_DAY * today.weekday()
    return {
        "Last 7 days": Range(today - ONE_DAY * 7, today - ONE_DAY),
        "Last week": Range(monday - ONE_DAY * 7, monday - ONE_DAY),
        "Last 30 days": Range(today - ONE_DAY * 30, today - ONE_DAY),
        "This month": Range(this_month, today),
        "Last month": Range(last_month, this_month - ONE_DAY),
        "Last 90 days": Range(today - ONE_DAY * 90, today - ONE_DAY),
    }


class SpendPageMixin(RowPageMixin):
    """Adds the page “Spend” to brands or campaigns. Needs nothing else from the class."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.spend_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_spend"
        return [path("<path:object_id>/spend/", view, name=name), *super().get_urls()]

    def extra_form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return super().extra_form_context(request, obj) | {"spend_address": self._spend_address(obj)}

    def spend_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.view_row(request, object_id, self._spend_of_range)

    def _spend_of_range(self, request: HttpRequest, row: Brand | Campaign) -> HttpResponse:
        brand = brand_of(row)
        zone = find_zone(brand.timezone)
        if zone is None:
            messages.error(request, f"Unknown time zone “{brand.timezone}”. Correct it to see spend by day.")
            return HttpResponseRedirect(change_address(brand))
        today = local_date(zone, timezone.now())
        named = presets(today)
        default = named["Last 30 days"]
        given = request.GET if request.GET.keys() & {"first", "last"} else default._asdict()
        form = RangeForm(given, today=today)
        period = Range(form.cleaned_data["first"], form.cleaned_data["last"]) if form.is_valid() else default
        order = request.GET.get("sort", "")
        order = order if order in figures.ORDERS else figures.ORDERS[0]
        of, _, kind = (request.GET.get("file", "") if form.is_valid() else "").partition(".")
        is_file = of in PARTS and kind in KINDS
        # A file by day needs no sums by campaign.
        found = (
            spend_of_brand(row, zone, period, by_campaign=not is_file or of == "campaigns")
            if isinstance(row, Brand)
            else spend_of_campaign(row, zone, period)
        )
        found = replace(found, campaigns=figures.sort_campaigns(found.campaigns, order))
        if is_file:
            return self._spend_file(row, found, of, kind)
        return self._spend_page(request, row, form, found, named, order)

    def _spend_page(
        self,
        request: HttpRequest,
        row: Brand | Campaign,
        form: RangeForm,
        found: SpendOfRange,
        named: dict[str, Range],
        order: str,
    ) -> HttpResponse:
        brand = brand_of(row)
        address = self._spend_address(row)
        query = _query(found.period)
        parts = PARTS if found.campaigns else PARTS[:1]
        return self.row_page(
            request,
            "spend_range",
            row,
            zone=brand.timezone,
            title=f"Spend of {row}",
            form=form,
            presets=[
                {"title": title, "address": f"{address}?{_query(period)}", "current": period == found.period}
                for title, period in named.items()
            ],
            facts=list(figures.facts(found, row)),
            chart={"data": figures.chart(found), "type": "line", "options": options(brand.currency)},
            label=figures.label(found, brand.currency),
            days=figures.days_table(found, brand.currency),
            campaigns=figures.campaigns_table(found, brand.currency, f"{address}?{query}", order)
            if isinstance(row, Brand)
            else "",
            has_budget=any(day.budget is not None for day in found.days),
            more=max(len(found.campaigns) - figures.SHOWN_CAMPAIGNS, 0),
            files=[
                (f"{kind.upper()}, by {of[:-1]}", f"{address}?{query}&sort={order}&file={of}.{kind}")
                for of in parts
                for kind in KINDS
            ],
        )

    def _spend_address(self, row: Brand | Campaign) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_spend", args=[row.pk])

    def _spend_file(self, row: Brand | Campaign, found: SpendOfRange, of: str, kind: str) -> HttpResponse:
        brand = brand_of(row)
        columns, rows = figures.rows_by_day(found, brand) if of == "days" else figures.rows_by_campaign(found, brand)
        name = f"spend-{self.opts.model_name}-{row.pk}-{of}-{found.period.first}-{found.period.last}"
        return file_response(name, kind, columns, rows)


def _query(period: Range) -> str:
    return f"first={period.first}&last={period.last}"
