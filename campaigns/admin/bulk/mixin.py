"""Actions on many rows of a list: a page that asks, a preview of what would change, and one button to confirm it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path

from campaigns.admin.shared.base import BaseAdmin
from campaigns.admin.shared.database_errors import friendly_errors
from campaigns.admin.shared.display import list_address
from campaigns.admin.shared.messages import add_warnings, warn_about_unknown_zones, with_changes
from campaigns.admin.shared.preview_table import bulk_preview
from campaigns.database.clock import database_now
from campaigns.services.bulk.change_many import Applied, apply_bulk, preview_bulk
from campaigns.services.bulk.operations import Operation, operation_of


@dataclass(frozen=True)
class BulkAction:
    """An action of a list: its title, the form that asks for an operation, and the texts of button and message."""

    title: str
    form: Any
    confirm: str = "Change {rows}"
    done: str = "Changed the {what} of {rows}"


class BulkMixin(BaseAdmin):
    """Changes the selected rows of a list together, after a preview (R5, R8).

    Needs `bulk_actions`, and a model that services.bulk knows: Brand or Campaign. What one page hands to the next goes
    through the browser, signed for this person.
    """

    bulk_actions: ClassVar[Mapping[str, BulkAction]]

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        if IS_POPUP_VAR in request.GET or not self.has_change_permission(request):
            return actions
        return actions | {name: (_start(name), name, f"{bulk.title}…") for name, bulk in self.bulk_actions.items()}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.bulk_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_bulk"
        return [path("bulk/", view, name=name), *super().get_urls()]

    def bulk_view(self, request: HttpRequest) -> HttpResponse:
        """Answer the form of an action with a preview, and the preview's button with the change."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseRedirect(self._list(""))
        view = self._confirm if "shown" in request.POST else self._preview
        return friendly_errors(request, self.model, lambda: view(request))

    def start_bulk(self, request: HttpRequest, action: str, queryset: QuerySet[Any]) -> HttpResponse:
        """Return the first page of an action: its form, or the preview if there is nothing to ask."""
        ids = sorted(queryset.order_by().values_list("pk", flat=True))
        return self._page(request, action, ids, request.GET.urlencode(), data=None)

    def _preview(self, request: HttpRequest) -> HttpResponse:
        selection = self._load_state(request, "selection")
        if selection is None:
            return self._expired(request)
        action, ids, back = selection
        return self._page(request, action, ids, back, data=request.POST)

    def _page(self, request: HttpRequest, action: str, ids: list[int], back: str, data: Any) -> HttpResponse:
        bulk = self.bulk_actions[action]
        form = bulk.form(data, person=request.user)
        if not form.fields:
            form = bulk.form({}, person=request.user)
        context = {
            "title": f"{bulk.title}: {self.counted(len(ids))}",
            "form": form,
            "asks": bool(form.fields),
            "selection": self._sign_state(request, "selection", [action, ids, back]),
            "back": self._list(back),
            "bulk_url": f"admin:{self.opts.app_label}_{self.opts.model_name}_bulk",
        }
        if form.is_valid():
            operation = form.operation()
            preview = preview_bulk(operation, self.model, ids, person=request.user, clock=database_now)
            shown = [action, operation.as_data(), list(preview.fingerprints.items()), back]
            context |= {
                "preview": bulk_preview(operation, self.model, preview),
                "shown": self._sign_state(request, "shown", shown),
                "confirm": bulk.confirm.format(rows=self.counted(len(preview.changing))),
            }
        return self.dialogue(request, "bulk", **context, media=self.media + form.media)

    def _confirm(self, request: HttpRequest) -> HttpResponse:
        shown = self._load_state(request, "shown")
        if shown is None:
            return self._expired(request)
        action, data, fingerprints, back = shown
        operation = operation_of(data)
        applied = apply_bulk(operation, self.model, dict(fingerprints), person=request.user, clock=database_now)
        self._report(request, self.bulk_actions[action], operation, applied)
        return HttpResponseRedirect(self._list(back))

    def _report(self, request: HttpRequest, bulk: BulkAction, operation: Operation, applied: Applied) -> None:
        warn_about_unknown_zones(request, applied.enforced)
        add_warnings(request, applied.refused, "Skipped {} more that someone else changed.")
        done = bulk.done.format(rows=self.counted(len(applied.changed)), what=operation.attribute)
        # A single row has its name: one that was archived isn't in the list any more.
        name = f": “{applied.changed[0].name}”" if len(applied.changed) == 1 else ""
        unchanged = f" ({applied.unchanged:,} unchanged)" if applied.unchanged else ""
        add_message = messages.success if applied.changed else messages.warning
        add_message(request, with_changes(f"{done}{name}{unchanged}.", applied.enforced))

    def _expired(self, request: HttpRequest) -> HttpResponse:
        messages.error(request, "Nothing was changed: the page has expired. Select the rows again.")
        return HttpResponseRedirect(self._list(""))

    def _list(self, query: str) -> str:
        address = list_address(self.model)
        return f"{address}?{query}" if query else address

    def _sign_state(self, request: HttpRequest, name: str, data: Any) -> str:
        return signing.dumps(data, salt=self._salt(request, name), compress=True)

    def _load_state(self, request: HttpRequest, name: str) -> Any:
        """Return what was signed under the name; None where the request has none, or a changed one."""
        try:
            return signing.loads(request.POST.get(name, ""), salt=self._salt(request, name))
        except signing.BadSignature:
            return None

    def _salt(self, request: HttpRequest, name: str) -> str:
        return f"campaigns.bulk.{self.opts.model_name}.{name}.{request.user.pk}"


def _start(name: str) -> Callable[[BulkMixin, HttpRequest, QuerySet[Any]], HttpResponse]:
    def start(model_admin: BulkMixin, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return model_admin.start_bulk(request, name, queryset)

    return start
