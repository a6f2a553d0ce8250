"""The imports of platforms' reports: what each has changed, and reversing one, with a preview."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from campaigns.admin.ledger.reversal import ReversalMixin, Reversing
from campaigns.admin.shared.base import ReadOnlyAdmin
from campaigns.admin.shared.display import chip, table
from campaigns.admin.shared.filters import DateRangeFilter
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
from campaigns.services.enforcement.enforce import Enforcement
from campaigns.services.history.actors import actor_name
from campaigns.services.intake.messages import pluralize
from campaigns.services.intake.report_reversal import (
    Reversal,
    check_brands,
    check_reversible,
    preview_reversal,
    reverse_report,
)
from campaigns.services.permissions import sees_only_assigned_brands


def _reverse(report: ReportImport, actor: str) -> tuple[str, Enforcement]:
    restored, enforced = reverse_report(report, actor=actor, clock=database_now)
    return f"Reversed “{report.name}”: {pluralize(restored, 'total')} restored.", enforced


def _preview(report: ReportImport) -> PreviewPage:
    found: Reversal = preview_reversal(report, clock=database_now)
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
        "Linked and created campaigns stay.",
        "Final statements keep their figures at closing; later changes are listed beside them.",
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


@admin.register(ReportImport)
class ReportImportAdmin(ReversalMixin, ReadOnlyAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    reversing = Reversing(check_reversible, check_brands, _preview, _reverse, "To undo it, import the file again.")
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
            reverse_address=self.reverse_address(request, report),
        )

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
