"""Actions on many rows of a list: a page that asks, shows what would change, and has one button to confirm it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from campaigns.admin.bulk.forms import BrandBudgetForm, CampaignLimitForm, ScheduleForm, SwitchOffForm, SwitchOnForm
from campaigns.admin.exchange.pages import Exchange
from campaigns.admin.shared.effect import changed_in_words, warn_about_unknown_zones, warn_of
from campaigns.admin.shared.preview_table import preview_in_words
from campaigns.admin.shared.tokens import load_state, sign_state
from campaigns.database.clock import database_now
from campaigns.models import Brand, Campaign
from campaigns.services.bulk.change_many import Applied, apply_bulk, preview_bulk
from campaigns.services.bulk.operations import Operation, Owner, SwitchTo, operation_of
from campaigns.services.exchange.columns import Kind


@dataclass(frozen=True)
class Asked:
    """What an action asks before it shows what it would do."""

    title: str
    form: Any


SWITCHES = {"switch_on": Asked("Switch on", SwitchOnForm), "switch_off": Asked("Switch off", SwitchOffForm)}


class BulkActions(Exchange):
    """Lists whose selected rows can be changed together, after a preview (R5, R8)."""

    actions: Sequence[Any] = ("switch_on", "switch_off")
    asked: ClassVar[Mapping[str, Asked]] = SWITCHES
    bulk_model: ClassVar[Owner]

    @admin.action(description="Switch on…", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return self.ask(request, "switch_on", queryset)

    @admin.action(description="Switch off…", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return self.ask(request, "switch_off", queryset)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.bulk_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_bulk"
        return [path("bulk/", view, name=name), *super().get_urls()]

    def ask(self, request: HttpRequest, action: str, queryset: QuerySet[Any]) -> HttpResponse:
        """Answer the action of a list with the page that asks, or shows the preview where nothing needs asking."""
        ids = sorted(queryset.order_by().values_list("pk", flat=True))
        return self._page(request, action, ids, request.GET.urlencode(), data=None)

    def bulk_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseRedirect(self._list(""))
        return self._refusing(
            request, lambda: self._confirm(request) if "shown" in request.POST else self._ask(request)
        )

    def _ask(self, request: HttpRequest) -> HttpResponse:
        selection = load_state(request, self._salt, "selection")
        if selection is None:
            return self._begin_again(request)
        action, ids, back = selection
        return self._page(request, action, ids, back, data=request.POST)

    def _page(self, request: HttpRequest, action: str, ids: list[int], back: str, data: Any) -> HttpResponse:
        asked = self.asked[action]
        form = asked.form(data, person=request.user)
        if not form.fields:
            form = asked.form({}, person=request.user)
        context = {
            "title": f"{asked.title}: {self.counted(len(ids))}",
            "form": form,
            "asks": bool(form.fields),
            "selection": sign_state(request, self._salt, [action, ids, back]),
            "back": self._list(back),
            "bulk_url": f"admin:{self.opts.app_label}_{self.opts.model_name}_bulk",
        }
        if form.is_valid():
            context |= self._previewed(request, form.operation(), ids, back)
        return self.dialogue(request, "bulk", **context, media=self.media + form.media)

    def _previewed(self, request: HttpRequest, operation: Operation, ids: list[int], back: str) -> dict[str, Any]:
        preview = preview_bulk(operation, self.bulk_model, ids, person=request.user, clock=database_now)
        shown = [operation.as_data(), list(preview.fingerprints.items()), back]
        return {
            "preview": preview_in_words(operation, self.bulk_model, preview),
            "shown": sign_state(request, f"{self._salt}.shown", shown),
            "confirm": self._confirm_label(operation, len(preview.changing)),
        }

    def _confirm(self, request: HttpRequest) -> HttpResponse:
        shown = load_state(request, f"{self._salt}.shown", "shown")
        if shown is None:
            return self._begin_again(request)
        data, fingerprints, back = shown
        operation = operation_of(data)
        applied = apply_bulk(operation, self.bulk_model, dict(fingerprints), person=request.user, clock=database_now)
        self._tell(request, operation, applied)
        return HttpResponseRedirect(self._list(back))

    def _tell(self, request: HttpRequest, operation: Operation, applied: Applied) -> None:
        warn_about_unknown_zones(request, applied.enforced)
        warn_of(request, applied.refused, "Skipped {} more that someone else changed.")
        already = f" ({applied.unchanged:,} unchanged)" if applied.unchanged else ""
        told = f"{self._done(operation, len(applied.changed))}{already}. {changed_in_words(applied.enforced)}"
        (messages.success if applied.changed else messages.warning)(request, told)

    def _done(self, operation: Operation, count: int) -> str:
        rows = self.counted(count)
        if isinstance(operation, SwitchTo):
            return f"Switched {rows} {operation.format_value(operation.enabled, '')}"
        return f"Changed the {operation.attribute} of {rows}"

    def _confirm_label(self, operation: Operation, count: int) -> str:
        if isinstance(operation, SwitchTo):
            return f"Switch {self.counted(count)} {operation.format_value(operation.enabled, '')}"
        return f"Change {self.counted(count)}"

    def _begin_again(self, request: HttpRequest) -> HttpResponse:
        messages.error(request, "Nothing was changed: the page has expired. Select the rows again.")
        return HttpResponseRedirect(self._list(""))

    def _list(self, query: str) -> str:
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return f"{address}?{query}" if query else address

    @property
    def _salt(self) -> str:
        return f"bulk.{self.opts.model_name}"


class BulkCampaigns(BulkActions):
    bulk_model = Campaign
    kinds = (Kind.CAMPAIGNS, Kind.SCHEDULES)
    actions = (*BulkActions.actions, "change_limit", "apply_schedule")
    asked = SWITCHES | {
        "change_limit": Asked("Change daily spend limit", CampaignLimitForm),
        "apply_schedule": Asked("Apply a schedule", ScheduleForm),
    }

    @admin.action(description="Change daily spend limit…", permissions=["change"])
    def change_limit(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return self.ask(request, "change_limit", queryset)

    @admin.action(description="Apply a schedule…", permissions=["change"])
    def apply_schedule(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return self.ask(request, "apply_schedule", queryset)


class BulkBrands(BulkActions):
    bulk_model = Brand
    kinds = (Kind.BRANDS,)
    actions = (*BulkActions.actions, "change_budget")
    asked = SWITCHES | {"change_budget": Asked("Change budgets", BrandBudgetForm)}

    @admin.action(description="Change budgets…", permissions=["change"])
    def change_budget(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return self.ask(request, "change_budget", queryset)
