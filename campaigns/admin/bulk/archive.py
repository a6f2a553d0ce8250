"""Archiving and restoring: on a row's own page, with the preview of bulk changes, and as filter of the lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.contrib.filters.admin import DropdownFilter

from campaigns.admin.bulk.forms import ArchiveForm, RestoreForm
from campaigns.admin.bulk.mixin import BulkAction, BulkMixin
from campaigns.admin.shared.database_errors import friendly_errors
from campaigns.admin.shared.display import list_address
from campaigns.admin.shared.filters import DescribedFilter
from campaigns.models import Brand, Campaign

# To be among the bulk_actions of a class with ArchiveMixin.
ARCHIVE_ACTIONS = {
    "archive": BulkAction("Archive", ArchiveForm, confirm="Archive {rows}", done="Archived {rows}"),
    "restore": BulkAction("Restore", RestoreForm, confirm="Restore {rows}", done="Restored {rows}"),
}


class ArchivedFilter(DescribedFilter, DropdownFilter):
    """What isn't archived, unless somebody asks for the archive; the queryset has archived() and not_archived()."""

    title = "archive"
    parameter_name = "archived"
    all_option = ["", "Not archived"]
    ONLY, ALL = "only", "all"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(self.ONLY, "Archived"), (self.ALL, "With archived")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows: Any = queryset
        if self.value() == self.ALL:
            return queryset
        found: QuerySet[Any] = rows.archived() if self.value() == self.ONLY else rows.not_archived()
        return found


def with_archived(brand: Brand) -> dict[str, str]:
    """Return the list filter that shows the campaigns of an archived brand."""
    return {ArchivedFilter.parameter_name: ArchivedFilter.ALL} if brand.archived_at else {}


class ArchiveMixin(BulkMixin):
    """Adds the pages that archive and restore a row, and hides archived rows from pickers.

    Needs ARCHIVE_ACTIONS among its bulk_actions, ArchivedFilter among its filters, and a model with archived_at.
    """

    archive_filter = ArchivedFilter.parameter_name

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        view = self.admin_site.admin_view
        return [
            path("<path:object_id>/archive/", view(self.archive_view), name=f"{name}_archive"),
            path("<path:object_id>/restore/", view(self.restore_view), name=f"{name}_restore"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        found: QuerySet[Any] = rows.not_archived() if request.path == reverse("admin:autocomplete") else rows
        return found

    def archive_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(request, object_id, "archive")

    def restore_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(request, object_id, "restore")

    def _ask(self, request: HttpRequest, object_id: str, action: str) -> HttpResponse:
        """Show what it would do, with the button that does it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            messages.warning(request, f"This {self.opts.verbose_name} no longer exists.")
            return HttpResponseRedirect(list_address(self.model))
        return friendly_errors(request, self.model, lambda: self._page(request, action, [row.pk], "", data=None))

    def extra_form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        shown = {"archive": self._archive_box(request, obj)}
        return super().extra_form_context(request, obj) | shown

    def _archive_box(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what the page says about the archive, and the address of its button; empty for who can't change it."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{'restore' if row.archived_at else 'archive'}"
        return {
            "what": self.opts.verbose_name,
            "at": row.archived_at,
            # A campaign of an archived brand is hidden with it.
            "brand_at": row.brand.archived_at if isinstance(row, Campaign) else None,
            "address": reverse(name, args=[row.pk]) if self.has_change_permission(request, row) else "",
        }
