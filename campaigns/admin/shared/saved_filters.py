"""Saved filters as chips above a list, and a form that saves the list as it is filtered now."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from campaigns.admin.shared.base import BaseAdmin
from campaigns.admin.shared.display import list_address
from campaigns.admin.shared.fields import is_key
from campaigns.services.people.saved_filters import (
    MAX_NAME,
    FilterRefused,
    delete_filter,
    save_filter,
    saved_filters,
)

INVALID = "The list can't be saved: one of its filters isn't valid."


class SavedFiltersMixin(BaseAdmin):
    """Needs a model that SavedFilter.List names."""

    list_before_template: Any = "campaigns/admin/saved_filters.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.filters_view)
        return [path("filters/", view, name=self._filters_url()), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        shown: Any = {
            "saved_filters": saved_filters(request.user, self._list_name()),
            "filters_address": reverse(f"admin:{self._filters_url()}"),
            "filter_max_name": MAX_NAME,
            "current_query": request.GET.urlencode(),
        }
        return super().changelist_view(request, shown | (extra_context or {}))

    def filters_view(self, request: HttpRequest) -> HttpResponse:
        """Save the list whose query string the address has, or delete a saved one."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        query = ""
        try:
            query = self._known_query(request)
            if "delete" in request.POST:
                self._delete_filter(request, request.POST["delete"])
            else:
                name, shared = request.POST.get("name", ""), "is_shared" in request.POST
                saved = save_filter(request.user, self._list_name(), name, query, is_shared=shared)  # type: ignore[arg-type]  # admin_view lets nobody else in
                messages.success(request, f"Saved the filter “{saved}”.")
        except FilterRefused as refusal:
            messages.error(request, str(refusal))
        address = list_address(self.model)
        return HttpResponseRedirect(f"{address}?{query}" if query else address)

    def _delete_filter(self, request: HttpRequest, key: str) -> None:
        if is_key(key) and delete_filter(request.user, self._list_name(), int(key)):
            messages.success(request, "Deleted the filter.")
        else:
            messages.error(request, "This filter no longer exists, or isn't yours.")

    def _known_query(self, request: HttpRequest) -> str:
        """Return the query string with the parameters that the list itself understands, in order of name."""
        try:
            changelist = self.get_changelist_instance(request)
        except (IncorrectLookupParameters, SuspiciousOperation):
            raise FilterRefused(INVALID) from None
        if getattr(changelist, "finds_nothing", False):
            raise FilterRefused(INVALID)
        known = {SEARCH_VAR, ORDER_VAR}
        for spec in changelist.filter_specs:
            known.update(name for name in spec.expected_parameters() if name)
        pairs = ((name, value) for name in sorted(known) for value in request.GET.getlist(name) if value)
        return urlencode(list(pairs))

    def _list_name(self) -> str:
        return str(self.opts.model_name)

    def _filters_url(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_filters"
