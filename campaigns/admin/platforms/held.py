"""Held decreases: a report that takes much back waits here until a person releases or rejects it (R16)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from campaigns.admin.platforms.unassigned_rows import WHY
from campaigns.admin.shared.base import ReadOnlyAdmin
from campaigns.admin.shared.database_errors import friendly_errors
from campaigns.admin.shared.filters import DateRangeFilter
from campaigns.admin.shared.times import viewer_time
from campaigns.database.clock import database_now
from campaigns.database.dialects import in_list, list_param
from campaigns.database.statements import statement
from campaigns.models import SpendTotal
from campaigns.models.platforms.totals import Waiting
from campaigns.rules.money import format_amount, format_money
from campaigns.rules.platforms import SOURCES
from campaigns.services.audit_log import AuditEntry, log_rows
from campaigns.services.permissions import assigned_brands
from campaigns.services.totals.held import Held, held_decreases
from campaigns.services.totals.holds import reject, release

ADDRESS = "admin:campaigns_spendtotal_held"


@admin.register(SpendTotal)
class SpendTotalAdmin(ReadOnlyAdmin):
    # A total has no brand before it is booked: until then it is seen by people who see all brands.
    brand_path = "booked_campaign__brand"
    list_display = ("day", "source", "account", "campaign", "reported", "booked_amount", "as_of_time", "state")
    list_filter = (
        ("waiting", ChoicesDropdownFilter),
        ("source", ChoicesDropdownFilter),
        ("day", DateRangeFilter),
    )
    search_fields = ("account", "campaign")
    search_help_text = "Search by the platform’s ID of the account or campaign"
    ordering = ("-day", "-id")
    sortable_by = ()
    list_note = (
        "What platforms report for each campaign and day. Changes are booked as spend records within 10 seconds; held"
        " decreases wait for a person."
    )
    nothing_yet = "No platform has reported spend yet. Import a downloaded report, or connect a pipeline."
    fields = ("day", "source", "account", "campaign", "reported", "booked_amount", "as_of_time", "state")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SpendTotal]:
        """Return what the person sees, found by what their campaigns are or were linked to."""
        rows: QuerySet[SpendTotal] = super().get_queryset(request)
        brands = assigned_brands(request.user)
        if brands is None:
            return rows
        sql = statement("totals/of_brands", in_brands=in_list("campaign.brand_id"))
        return rows.filter(pk__in=RawSQL(sql, [list_param(brands)]))  # noqa: S611  # bound

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.held_view)
        return [path("held/", view, name="campaigns_spendtotal_held"), *super().get_urls()]

    def held_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            if not request.user.has_perm("campaigns.change_spendtotal"):
                raise PermissionDenied
            return friendly_errors(request, self.model, lambda: self._decide(request))
        held = held_decreases(assigned_brands(request.user))
        return self.dialogue(
            request,
            "held",
            title="Held decreases",
            waiting=[_row(each) for each in held if not each.is_rejected],
            rejected=[_row(each) for each in held if each.is_rejected],
            may_change=request.user.has_perm("campaigns.change_spendtotal"),
        )

    def _decide(self, request: HttpRequest) -> HttpResponse:
        key, is_release = request.POST.get("held", ""), request.POST.get("decision") == "release"
        waiting = held_decreases(assigned_brands(request.user), is_limited=False)
        held = next((each for each in waiting if each.key == key), None)
        if held is None:
            messages.warning(request, "This decrease waits no longer: a newer report or somebody else has settled it.")
            return HttpResponseRedirect(reverse(ADDRESS))
        name = f"{SOURCES[held.source]} {held.account_name or held.account} on {held.day}"
        if is_release:
            booked = release(held.source, held.account, held.day, clock=database_now, rejected=True)
            messages.success(
                request, f"Released {name}: booked {booked.records:,} decrease{'' if booked.records == 1 else 's'}."
            )
        else:
            reject(held.source, held.account, held.day)
            messages.success(request, f"Rejected {name}: what is booked stays until the platform reports otherwise.")
        rows = SpendTotal.objects.filter(source=held.source, account=held.account, day=held.day).order_by("pk")[:1]
        log_rows(
            request.user,
            SpendTotal,
            [AuditEntry(each.pk, name, ("Released." if is_release else "Rejected.",)) for each in rows],
        )
        return HttpResponseRedirect(reverse(ADDRESS))

    @admin.display(description="reported")
    def reported(self, obj: SpendTotal) -> str:
        return format_amount(obj.total, "")

    @admin.display(description="booked")
    def booked_amount(self, obj: SpendTotal) -> str:
        return format_amount(obj.booked, "")

    @admin.display(description="as of")
    def as_of_time(self, obj: SpendTotal) -> Any:
        return viewer_time(obj.as_of)

    @admin.display(description="state")
    def state(self, obj: SpendTotal) -> str:
        if obj.waiting == Waiting.NO:
            return "booked" if round(obj.total, 6) == obj.booked else "being booked"
        return WHY.get(Waiting(obj.waiting), obj.get_waiting_display())


def _row(held: Held) -> dict[str, Any]:
    currency = held.currency or "–"
    return {
        "key": held.key,
        "day": held.day,
        "account": f"{SOURCES[held.source]}: {held.account_name or held.account}",
        "booked": format_money(held.booked, currency),
        "reported": format_money(held.reported, currency),
        "less": format_money(held.booked - held.reported, currency),
        "campaigns": held.campaigns,
    }
