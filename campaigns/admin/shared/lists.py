"""Lists that cost the same however large the table is, and that answer an invalid filter without a server error.

Rows are counted up to a limit. The ids of a page are found first, with what the order needs only; the figures of its
columns are then read for these rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR
from django.core.paginator import Paginator
from django.db import models
from django.db.models import F, Max, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList

from campaigns.admin.shared.search import searched
from campaigns.database.connection import analytic_query

# PostgreSQL accepts no NUL and SQLite no longer number: either would fail only when the list is read.
NO_VALUE = re.compile(r"\0|[0-9]{19}")

# Lookups that our filters don't use are refused: a regular expression can keep a database busy for a long time.
USED = {"exact", "in", "gt", "gte", "lt", "lte", "isnull"}
REFUSED = models.CharField().get_lookups().keys() - USED

# Rows of a list are counted, and shown on pages, up to this number; one action changes no more than these.
COUNTED = 10_000

# Lists of append-only tables show at most this many of the latest rows.
NEWEST = 1_000_000

# Django's own sentences say that a date or time isn't valid, but not what a valid one looks like.
DATE = "Enter a date like 2026-12-31."
TIME = "Enter a time from 00:00 to 23:59."


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # it pages any sequence
    """Counts no further than COUNTED: people search instead of turning that many pages."""

    template_name = "campaigns/admin/pagination.html"

    @cached_property
    def rows(self) -> int:
        rows: Any = getattr(self.object_list, "without_figures", self.object_list)
        return int(rows.order_by().values("pk")[: COUNTED + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self.rows, COUNTED)

    @property
    def is_capped(self) -> bool:
        return self.rows > COUNTED

    @property
    def shown_count(self) -> str:
        return f"more than {COUNTED:,}" if self.is_capped else f"{self.count:,}"


class EndlessPaginator(InfinitePaginator):
    """Counts nothing: there may be hundreds of millions of records."""

    is_capped = True
    shown_count = ""


class ScalableChangeList(ChangeList):
    model_admin: ScalableListMixin
    finds_nothing = False
    # Of a list without rows.
    archived_matches: CappedPaginator | None = None

    def get_filters(self, request: HttpRequest) -> Any:
        """Find nothing for a value that no row can have, and that the database would refuse."""
        filters = set(self.get_filters_params())
        beyond = [name for name in filters if any(NO_VALUE.search(str(each)) for each in self.filter_params[name])]
        # The filters are read again to count archived rows: what is taken out here is missing then.
        self.finds_nothing = self.finds_nothing or bool(beyond)
        for name in beyond:
            del self.filter_params[name]
        specs, *others, has_active = super().get_filters(request)
        return specs, *others, has_active or self.finds_nothing

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        rows = super().get_queryset(request, exclude_parameters)
        if self.finds_nothing:
            rows = rows.none()
        if self.model_admin.newest_unless and not self.params.get(self.model_admin.newest_unless):
            rows = newest(rows)
        if not self._is_ordered_by_figures():
            return rows
        # Added last, since the count does without them.
        with_figures: Any = self.model_admin.with_figures_of_all(rows, self._ordered_by(), request)
        with_figures.without_figures = rows
        return with_figures

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Put rows without a figure last, in both directions, as only some databases do."""
        ordering: Any = super().get_ordering(request, queryset)
        return [self._nulls_last(each) if isinstance(each, str) else each for each in ordering]

    def get_ordering_field(self, field_name: Any) -> Any:
        """Leave out columns by which the list doesn't sort; Django leaves out only the links in their heads."""
        return super().get_ordering_field(field_name) if field_name in (self.sortable_by or ()) else None

    def _nulls_last(self, ordering: str) -> Any:
        name = ordering.removeprefix("-")
        if name not in self.model_admin.figures:
            return ordering
        return F(name).desc(nulls_last=True) if ordering != name else F(name).asc(nulls_last=True)

    def _ordered_by(self) -> set[str]:
        """Return the names of the columns by which the person sorted the list."""
        if ORDER_VAR not in self.params:
            return set()
        columns: Any = self.get_ordering_field_columns()
        shown = [column for index, column in enumerate(self.list_display) if index in columns]
        return {str(self.get_ordering_field(column)) for column in shown}

    def _is_ordered_by_figures(self) -> bool:
        return bool(self._ordered_by() & set(self.model_admin.figures))

    def get_results(self, request: HttpRequest) -> None:
        """Read the page here, where a value that can't be read, like the year -1, still counts as an invalid filter."""
        try:
            super().get_results(request)
            # Sorted by a figure, a list reads it for all rows that its filters keep.
            with analytic_query(few_rows=True) if self._is_ordered_by_figures() else nullcontext():
                ids = list(self.result_list.values_list("pk", flat=True))
            self.result_list = self.read_rows(ids)
            if not ids:
                self.archived_matches = self._count_archived(request)
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters from error
        self.show_admin_actions = bool(self.result_count)
        if self.paginator.is_capped or not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count  # no “so many results” beside the title

    def _count_archived(self, request: HttpRequest) -> CappedPaginator | None:
        """Return the archived rows that the same search and filters find; None for none."""
        name = self.model_admin.archive_filter
        if not name or name in self.filter_params:
            return None
        found = CappedPaginator(self.get_queryset(request, [name]), self.list_per_page)
        return found if found.rows else None

    def read_rows(self, ids: Sequence[Any]) -> list[Any]:
        """Return the rows with these ids, in this order, with what the columns show; rows that are gone are missing."""
        page = self.apply_select_related(self.root_queryset.filter(pk__in=ids).order_by())
        rows = {row.pk: row for row in self.model_admin.with_figures(page, ids)}
        return [rows[pk] for pk in ids if pk in rows]


def newest(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return the rows among the last NEWEST numbers of their table."""
    last = rows.model._base_manager.aggregate(last=Max("pk"))["last"] or 0
    return rows.filter(pk__gt=last - NEWEST)


class ScalableListMixin(ModelAdmin):
    """Keeps lists of large tables fast: capped counts, figures read for one page, no expensive lookups.

    Needs nothing from the class. `figures` are the columns that with_figures() annotates: for the rows of a page, or
    for all rows where the list is sorted by one of them. `newest_unless` is the parameter of the filter with which a
    list of an append-only table shows more than its newest rows.
    """

    paginator: ClassVar[Any] = CappedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # it counts the whole table for each choice of each filter
    figures: tuple[str, ...] = ()
    newest_unless = ""
    # The parameter of the filter that hides archived rows: a list that finds nothing says how many of them match.
    archive_filter = ""
    formfield_overrides: ClassVar[Any] = {  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
        models.DateField: {"error_messages": {"invalid": DATE}},
        models.DateTimeField: {"error_messages": {"invalid_date": DATE, "invalid_time": TIME}},
        models.TimeField: {"error_messages": {"invalid": TIME}},
    }

    def with_figures(self, rows: QuerySet[Any], ids: Sequence[int] | None = None) -> QuerySet[Any]:
        """Return the rows with their figures; ids are the rows' ids, where they are known."""
        return rows

    def with_figures_of_all(self, rows: QuerySet[Any], sorted_by: set[str], request: HttpRequest) -> QuerySet[Any]:
        """Return all rows with the figures that they are sorted by."""
        return self.with_figures(rows)

    def with_figures_of_one(self, rows: QuerySet[Any], pk: int) -> QuerySet[Any]:
        return self.with_figures(rows, [pk])

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is None or not self.figures:
            return found
        return self.with_figures_of_one(self.get_queryset(request).filter(pk=found.pk), found.pk).first()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return ScalableChangeList

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return REFUSED.isdisjoint(lookup.split("__")) and super().lookup_allowed(lookup, value, request)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        return super().get_search_results(request, queryset, searched(search_term))

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *args: Any) -> HttpResponse | None:
        """Refuse an action on more rows than are counted: it would hold their locks for too long."""
        across = request.POST.get("select_across", "0") not in ("", "0")
        if across and CappedPaginator(queryset, self.list_per_page).is_capped:
            messages.error(
                request,
                f"Nothing was changed: more than {COUNTED:,} {self.opts.verbose_name_plural} are selected. Narrow"
                " the list by search or filters first.",
            )
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset, *args)
