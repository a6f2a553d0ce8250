from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any, cast

from django.contrib.admin import SimpleListFilter
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm

from campaigns.reasons import LABELS, PauseReason


class SeenForm(AutocompleteDropdownForm):
    """Names what is chosen only where the person sees it: the address may hold any number."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        related = kwargs["model_admin"].admin_site.get_model_admin(kwargs["field"].remote_field.model)
        cast(Any, self.fields[kwargs["name"]]).queryset = related.get_queryset(kwargs["request"])


class SeenFilter(AutocompleteSelectFilter):
    """One of the brands or campaigns that the person sees, found by typing."""

    form_class: Any = SeenForm


class ReasonFilter(DropdownFilter):
    """Campaigns for which a reason holds, alone or with others."""

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
    """Changes after which a reason held."""

    title = "reason after"
    column = "reasons_after"


class RecentFilter(SimpleListFilter):
    """Rows since a recent midnight of the application's zone: newest first, a page is found at once."""

    title = "time"
    parameter_name = "since"
    column: str
    days = {"today": 0, "yesterday": 1, "week": 6, "month": 29}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [
            ("today", "today"),
            ("yesterday", "since yesterday"),
            ("week", "the last 7 days"),
            ("month", "the last 30 days"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = self.days.get(self.value() or "")
        if days is None:
            return queryset
        today = timezone.localdate()
        since = timezone.make_aware(datetime.combine(today - timedelta(days=days), time.min))
        return queryset.filter(**{f"{self.column}__gte": since})
