"""Spend of the month in the campaign list: it sorts and filters within a brand only.

Amounts of several currencies don't compare, and the days of a million campaigns take a minute to read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from campaigns.admin.shared.fields import is_key
from campaigns.admin.shared.filters import DescribedFilter, with_ids
from campaigns.database.clock import database_now
from campaigns.models import Campaign
from campaigns.models.spend_queries import campaigns_with_month


def chosen_brand(request: HttpRequest) -> int | None:
    """Return the id of the brand by which the list is filtered; None without."""
    chosen = request.GET.get("brand__id__exact", "")
    return int(chosen) if is_key(chosen) else None


class MonthSpendFilter(DescribedFilter, DropdownFilter):
    """Campaigns of a brand that have spent something this month, or nothing."""

    title = "spent this month"
    parameter_name = "month_spend"
    kinds = {"some": ("something", ~Q(spend_this_month=0)), "none": ("nothing", Q(spend_this_month=0))}

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        if chosen_brand(request) is None:
            self.all_option = ["", "Choose a brand first"]

    def has_output(self) -> bool:
        return True

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [] if chosen_brand(request) is None else [(code, label) for code, (label, _) in self.kinds.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        kind, brand = self.kinds.get(self.value() or ""), chosen_brand(request)
        if kind is None or brand is None:
            return queryset
        of_brand = Campaign.objects.filter(brand=brand).order_by()
        ids = list(of_brand.values_list("pk", flat=True))
        spending = campaigns_with_month(of_brand, database_now(), ids)
        return with_ids(queryset, list(spending.filter(kind[1]).values_list("pk", flat=True)))
