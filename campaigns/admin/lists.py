"""Lists that are asked for what no page of ours asks for: Django's answer to a bad filter, no server error."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

NO_VALUE = re.compile(r"\0|[0-9]{19}")
"""PostgreSQL takes no NUL, SQLite no longer number: each fails where the list is read."""


class CarefulChangeList(ChangeList):
    def get_filters(self, request: HttpRequest) -> Any:
        for values in self.filter_params.values():
            if any(NO_VALUE.search(str(value)) for value in values):
                raise IncorrectLookupParameters
        return super().get_filters(request)


class CarefulLists(ModelAdmin):
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return CarefulChangeList

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        return super().get_search_results(request, queryset, search_term.replace("\0", ""))
