"""The imports of platforms' reports: what each has changed, and reversing one, with a preview."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from campaigns.admin.shared.base import ReadOnlyAdmin
from campaigns.admin.shared.database_errors import friendly_errors
from campaigns.admin.shared.display import change_address, chip, table
from campaigns.admin.shared.filters import DateRangeFilter
from campaigns.admin.shared.messages import warn_about_unknown_zones, with_changes
from campaigns.admin.shared.preview_table import (
    EFFECTS,
    SHOWN,
    PreviewPage,
    effects_table,
    status_counts,
    title,
    zone_notes,
)
from campaigns.admin.shared.times import viewer_time
from campaigns.database.clock import database_now
from campaigns.models import ReportImport, SpendTotal
from campaigns.rules.money import format_amount, format_money
from campaigns.services.audit_log import AuditEntry, log_rows
from campaigns.services.history.actors import actor_name
from campaigns.services.intake.report_reversal import (
    Reversal,
    ReversalRefused,
    check_brands,
    check_reversible,
    preview_reversal,
    reverse_report,
)
from campaigns.services.permissions import sees_only_assigned_brands


@admin.register(ReportImport)
class ReportImportAdmin(ReadOnlyAdmin):
    list_note = "Reports of platforms that were imported here or with import_spend --format."
    nothing_yet = "Import a report as downloaded from a platform. What it has changed is listed here."
    change_list_template = "campaigns/admin/platforms/upload_list.html"
    list_display = ("name", "by", "imported", "source", "format", "days", "amounts", "written", "state")
    list_filter = (("source", ChoicesDropdownFilter), ("imported_at", DateRangeFilter))
    search_fields = ("name", "who")
    ordering = ("-id",)
    figures = ("amounts",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """People who see only assigned brands see their own files only: others contain names of other brands."""
        rows = super().get_queryset(request)
        return rows.filter(user=request.user.pk) if sees_only_assigned_brands(request.user) else rows

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.reverse_view)
        return [path("<int:pk>/reverse/", view, name="campaigns_reportimport_reverse"), *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        if not self.has_view_permission(request) or request.method == "POST":
            raise PermissionDenied
        report: Any = self.get_object(request, object_id)
        if report is None:
            return self.missing(request, object_id)
        return self.dialogue(
            request,
            "platforms/report_import",
            title=f"Import of {report.name}",
            report=report,
            by=actor_name(report.who),
            imported=viewer_time(report.imported_at),
            days=self.days(report),
            amounts=self.amounts(report),
            reversed=viewer_time(report.reversed_at) if report.reversed_at else "",
            reverse_address=self._reverse_address(request, report),
        )

    def reverse_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        report = self.get_queryset(request).filter(pk=pk).first()
        if report is None:
            return self.missing(request, str(pk))
        if not _may_reverse(request):
            raise PermissionDenied
        return friendly_errors(request, self.model, lambda: self._reversal(request, report))

    def _reversal(self, request: HttpRequest, report: ReportImport) -> HttpResponse:
        """Show what the reversal would do, or do it."""
        try:
            check_brands(report, request.user)
            if request.method == "POST":
                self._reverse(request, report)
                return HttpResponseRedirect(change_address(report))
            found = preview_reversal(report, clock=database_now)
        except ReversalRefused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(change_address(report))
        return self.dialogue(
            request,
            "platforms/report_reversal",
            title=f"Reverse the import of {report.name}",
            preview=_preview(found),
            back=change_address(report),
        )

    def _reverse(self, request: HttpRequest, report: ReportImport) -> None:
        with transaction.atomic():
            restored, enforced = reverse_report(report, actor=request.user.get_username(), clock=database_now)
            log_rows(request.user, ReportImport, [AuditEntry(report.pk, report.name, ("Reversed.",))])
        warn_about_unknown_zones(request, enforced)
        done = f"Reversed “{report.name}”: {_counted(restored)} restored."
        messages.success(request, with_changes(done, enforced))

    def _reverse_address(self, request: HttpRequest, report: ReportImport) -> str:
        """Return the address of the page that reverses, or "" where there is nothing to reverse for the person."""
        try:
            check_reversible(report)
        except ReversalRefused:
            return ""
        return reverse("admin:campaigns_reportimport_reverse", args=[report.pk]) if _may_reverse(request) else ""

    @admin.display(description="by", ordering="who")
    def by(self, report: ReportImport) -> str:
        return actor_name(report.who)

    @admin.display(description="imported", ordering="imported_at")
    def imported(self, report: ReportImport) -> SafeString:
        return viewer_time(report.imported_at)

    @admin.display(description="days", ordering="last_day")
    def days(self, report: ReportImport) -> str:
        first, last = report.first_day, report.last_day
        return str(first) if first == last else f"{first} to {last}"

    @admin.display(description="spend")
    def amounts(self, report: ReportImport) -> str:
        return ", ".join(format_money(Decimal(amount), currency) for currency, amount in report.money.items())

    @admin.display(description="state")
    def state(self, report: ReportImport) -> SafeString:
        return chip("reversed", "warning") if report.reversed_at else chip("imported", "good")


def _may_reverse(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("campaigns.add_spendupload"))


def _counted(count: int) -> str:
    return "1 total" if count == 1 else f"{count:,} totals"


def _preview(found: Reversal) -> PreviewPage:
    rows: list[tuple[Any, ...]] = [
        (
            day.brand or chip("unassigned", "warning"),
            str(day.day),
            format_money(day.amount, day.currency) if day.currency else f"{day.amount:,.2f}",
            day.statements or "–",
        )
        for day in found.days[:SHOWN]
    ]
    label = title("Spend by brand and day", len(found.days))
    heads = ("Brand", "Day", "Amount", "Statements")
    tables: list[Any] = [(label, table(heads, rows, numbers=(2,), empty="", label=label))]
    if changes := found.effects.changes:
        tables.append((title(EFFECTS, len(changes)), effects_table(found.effects)))
    if found.later:
        label = title("Left as later reports say", len(found.later))
        tables.append((label, _later(found.later, label)))
    notes = [
        "Each total that still is what the report said becomes again what it was before the report; one that the report"
        " was the first to name becomes 0.",
        "Linked and created campaigns stay. Statements that are final keep their figures and show a late adjustment.",
        *zone_notes(found.effects),
    ]
    counts = [
        (f"{found.restored:,}", "total to restore" if found.restored == 1 else "totals to restore"),
        *([(f"{len(found.later):,}", "left as a later report says")] if found.later else []),
        *status_counts(found.effects),
    ]
    return PreviewPage(counts, notes, tables, bool(found.restored))


def _later(totals: list[SpendTotal], label: str) -> SafeString:
    rows = [
        (total.account, total.campaign, str(total.day), format_amount(total.total, ""), viewer_time(total.as_of))
        for total in totals[:SHOWN]
    ]
    heads = ("Account", "Platform’s campaign", "Day", "Reported now", "As of")
    return table(heads, rows, numbers=(3,), empty="", label=label)
