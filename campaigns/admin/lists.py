"""Lists that are asked for what no page of ours asks for: Django's answer to a bad filter, no server error."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

NO_VALUE = re.compile(r"\0|[0-9]{19}")
"""PostgreSQL takes no NUL, SQLite no longer number: each fails where the list is read."""

USED = {"exact", "in", "gt", "gte", "lt", "lte", "isnull"}
REFUSED = models.CharField().get_lookups().keys() - USED
"""What no filter of ours asks, such as regular expressions, which can keep a database busy for long."""


class CarefulChangeList(ChangeList):
    def get_filters(self, request: HttpRequest) -> Any:
        for values in self.filter_params.values():
            if any(NO_VALUE.search(str(value)) for value in values):
                raise IncorrectLookupParameters
        return super().get_filters(request)

    def get_results(self, request: HttpRequest) -> None:
        """Read the page here, where what can't be read still is a bad filter: a year of -1."""
        try:
            super().get_results(request)
            len(self.result_list)
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters from error


class CarefulLists(ModelAdmin):
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return CarefulChangeList

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return REFUSED.isdisjoint(lookup.split("__")) and super().lookup_allowed(lookup, value, request)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        return super().get_search_results(request, queryset, search_term.replace("\0", ""))
