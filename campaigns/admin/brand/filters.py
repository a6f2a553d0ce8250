"""Filters of the brand list by pace and by how much of a budget is used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter

from campaigns.admin.shared.filters import DescribedFilter, NearFilter, with_ids
from campaigns.rules.pace import VERDICT_LABELS, Verdict
from campaigns.services.insight.risk import brands_near_a_budget, brands_of_verdict


class PaceFilter(DescribedFilter, DropdownFilter):
    """Brands by where their month leads."""

    title = "pace"
    parameter_name = "pace"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(str(verdict), VERDICT_LABELS[verdict]) for verdict in Verdict]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        verdict = self.value()
        if verdict is None or verdict not in set(Verdict):
            return queryset
        return with_ids(queryset, brands_of_verdict(Verdict(verdict), now=timezone.now()))


class NearBudgetFilter(NearFilter):
    """Brands that are near their daily or monthly budget."""

    title = "budget"

    def near(self) -> list[int]:
        return brands_near_a_budget(now=timezone.now())
