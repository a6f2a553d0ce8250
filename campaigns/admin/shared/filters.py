from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    BooleanRadioFilter,
    DropdownFilter,
    RangeDateFilter,
)
from unfold.contrib.filters.forms import AutocompleteDropdownForm
from unfold.widgets import INPUT_CLASSES

from campaigns.database.dialects import in_list, list_param
from campaigns.rules.reasons import LABELS, NEAR_PERCENT, PauseReason
from campaigns.services.history.timeline import STILL_PAUSED
from campaigns.services.insight import risk
from campaigns.services.insight.risk import Risk, brands_with_risk
from campaigns.services.recent_changes import RECENT_PERIOD

LAST_24_HOURS = "24-hours"
ANY_RISK = "any"
ATTENTION = "attention"
NEAR = "near"


def with_ids(rows: QuerySet[Any], ids: list[int]) -> QuerySet[Any]:
    """Keep the rows that were found by a statement of ours, which runs once for the count and the page."""
    given = f"SELECT id FROM {rows.model._meta.db_table} WHERE {in_list('id')}"  # noqa: S608  # our own names
    return rows.filter(pk__in=RawSQL(given, [list_param(ids)]))  # noqa: S611  # bound


class VisibleAutocompleteForm(AutocompleteDropdownForm):
    """Shows the name of the chosen row only to people who see it: the address may hold any id."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        related = kwargs["model_admin"].admin_site.get_model_admin(kwargs["field"].remote_field.model)
        cast(Any, self.fields[kwargs["name"]]).queryset = related.get_queryset(kwargs["request"])


class VisibleAutocompleteFilter(AutocompleteSelectFilter):
    """One of the brands or campaigns that the person sees, found by typing."""

    form_class: Any = VisibleAutocompleteForm


class EnabledFilter(BooleanRadioFilter):
    """Rows that are on, or not."""

    off = "Off"

    def choices(self, changelist: Any) -> Iterator[Any]:
        choices = [self.all_option, ("1", "On"), ("0", self.off)]
        label, name = f"On or {self.off.lower()}", self.lookup_kwarg
        yield {"form": self.form_class(label=label, name=name, choices=choices, data={name: self.value()})}


class BrandEnabledFilter(EnabledFilter):
    off = "Paused"


class DescribedFilter(SimpleListFilter):
    """A filter whose choice is shown above the list, for people whom a link led here."""

    @property
    def description(self) -> str:
        chosen = {str(value): label for value, label in self.lookup_choices}.get(self.value() or "")
        return f"{self.title}: {chosen}" if chosen else ""


class ReasonFilter(DescribedFilter, DropdownFilter):
    """Campaigns paused for a reason, alone or with others."""

    title = "pause reason"
    parameter_name = "reason"
    column = "pause_reasons"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(str(reason.name).lower(), LABELS[reason]) for reason in PauseReason]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        reason = PauseReason.__members__.get((self.value() or "").upper())
        if reason is None:
            return queryset
        bits: QuerySet[Any] = queryset.alias(_holds=F(self.column).bitand(int(reason)))
        return bits.filter(_holds=int(reason))


class ReasonAfterFilter(ReasonFilter):
    """Changes after which the campaign was paused for a reason."""

    title = "reason after"
    column = "reasons_after"


class RiskFilter(DescribedFilter, DropdownFilter):
    """Brands at a risk now: those that the home page counts."""

    title = "risk"
    parameter_name = "risk"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [
            (ATTENTION, "needs attention"),
            (ANY_RISK, "any risk"),
            *((each.code, risk.RISK_LABELS[each]) for each in Risk),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        every = {ATTENTION: risk.ATTENTION, ANY_RISK: ~Risk(0)} | {each.code: each for each in Risk}
        chosen = every.get(self.value() or "")
        if chosen is None:
            return queryset
        return with_ids(queryset, brands_with_risk(chosen, now=timezone.now()))


class NearFilter(DescribedFilter, DropdownFilter):
    """Rows that have used most of a limit and haven't reached it."""

    title = "limit"
    parameter_name = "used"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(NEAR, f"near its limit: {NEAR_PERCENT} % or more")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return with_ids(queryset, self.near()) if self.value() == NEAR else queryset

    def near(self) -> list[int]:
        """Return the ids of the rows."""
        raise NotImplementedError


class ChangeFilter(DescribedFilter, DropdownFilter):
    """Changes by what they did to the campaign; those that left it paused are hidden unless they are asked for."""

    title = "change"
    parameter_name = "change"
    kinds = {
        "paused": ("paused", Q(reasons_before=0)),
        "resumed": ("resumed", Q(reasons_after=0)),
        "other": ("still paused, other reasons", STILL_PAUSED),
        "all": ("all, with still paused", Q()),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(code, label) for code, (label, _) in self.kinds.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        kind = self.kinds.get(self.value() or "")
        return queryset.filter(kind[1]) if kind else queryset.exclude(STILL_PAUSED)


class DateRangeForm(forms.Form):
    """The browser's own date inputs, which always send 2026-12-31, however they display it."""

    def __init__(self, name: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for end in ("from", "to"):
            widget = forms.DateInput(attrs={"type": "date", "class": " ".join(INPUT_CLASSES)})
            self.fields[f"{name}_{end}"] = forms.DateField(label=end.capitalize(), required=False, widget=widget)


class DateRangeFilter(RangeDateFilter):
    """Rows from one day to another. An invalid date finds nothing, and an error says so."""

    form_class: Any = DateRangeForm
    template = "campaigns/admin/date_range.html"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for end, lookup in (("from", "gte"), ("to", "lte")):
            entered = self.used_parameters.get(f"{self.parameter_name}_{end}")
            if not entered:
                continue
            try:
                day = parse_date(str(entered))
            except ValueError:
                day = None
            if day is None:
                messages.error(request, f"“{entered}” isn't a valid date. Enter a date like 2026-12-31.")
                return queryset.none()
            queryset = queryset.filter(**{f"{self.field_path}__{lookup}": day})
        return queryset


class RecentFilter(DescribedFilter):
    """Rows since a recent midnight of the application's zone: newest first, a page is found at once."""

    title = "time"
    parameter_name = "since"
    column: str
    days = {"today": 0, "yesterday": 1, "week": 6, "month": 29}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [
            (LAST_24_HOURS, "the last 24 hours"),
            ("today", "today"),
            ("yesterday", "since yesterday"),
            ("week", "the last 7 days"),
            ("month", "the last 30 days"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == LAST_24_HOURS:
            return queryset.filter(**{f"{self.column}__gte": timezone.now() - RECENT_PERIOD})
        days = self.days.get(self.value() or "")
        if days is None:
            return queryset
        today = timezone.localdate()
        since = timezone.make_aware(datetime.combine(today - timedelta(days=days), time.min))
        return queryset.filter(**{f"{self.column}__gte": since})
