"""The page that reverses a spend import: what it takes back, what that does to statuses, and a confirmation."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from campaigns.admin.shared.base import BaseAdmin
from campaigns.admin.shared.database_errors import friendly_errors
from campaigns.admin.shared.display import change_address, table
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
from campaigns.database.clock import database_now
from campaigns.models import SpendUpload
from campaigns.rules.money import format_money
from campaigns.services.audit_log import AuditEntry, log_rows
from campaigns.services.intake.reversal import (
    Reversal,
    ReversalRefused,
    check_brands,
    check_reversible,
    preview_reversal,
    reverse_import,
)


class ReversalMixin(BaseAdmin):
    """Adds the page that reverses an import, for people who may import. Needs the model SpendUpload."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.reverse_view)
        return [path("<int:pk>/reverse/", view, name="campaigns_spendupload_reverse"), *super().get_urls()]

    def reverse_address(self, request: HttpRequest, upload: SpendUpload) -> str:
        """Return the address of the page, or "" where there is nothing to reverse for the person."""
        if not self.has_add_permission(request):
            return ""
        try:
            check_reversible(upload)
        except ReversalRefused:
            return ""
        return reverse("admin:campaigns_spendupload_reverse", args=[upload.pk])

    def reverse_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        upload = self.get_queryset(request).filter(pk=pk).first()
        if upload is None:
            return self.missing(request, str(pk))
        if not self.has_add_permission(request):
            raise PermissionDenied
        try:
            check_brands(upload, request.user)
            if request.method == "POST":
                return friendly_errors(request, self.model, lambda: self._reverse(request, upload))
            found = preview_reversal(upload, clock=database_now)
        except ReversalRefused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(change_address(upload))
        return self.dialogue(
            request,
            "reversal",
            title=f"Reverse the import of {upload.name}",
            preview=_preview(found),
            upload=upload,
            back=change_address(upload),
        )

    def _reverse(self, request: HttpRequest, upload: SpendUpload) -> HttpResponse:
        with transaction.atomic():
            enforced = reverse_import(upload, actor=request.user.get_username(), clock=database_now)
            log_rows(request.user, SpendUpload, [AuditEntry(upload.pk, upload.name, ("Reversed.",))])
        warn_about_unknown_zones(request, enforced)
        messages.success(request, with_changes(f"Reversed “{upload.name}”.", enforced))
        return HttpResponseRedirect(change_address(upload))


def _preview(found: Reversal) -> PreviewPage:
    rows = [
        (day.brand, str(day.day), day.statements, format_money(day.amount, day.currency)) for day in found.days[:SHOWN]
    ]
    label = title("Spend by brand and local day", len(found.days))
    heads = ("Brand", "Day", "Statements", "Amount")
    tables: list[Any] = [(label, table(heads, rows, numbers=(3,), empty="", label=label))]
    if changes := found.effects.changes:
        tables.append((title(EFFECTS, len(changes)), effects_table(found.effects)))
    notes = [
        "Each imported record, and each correction of one, gets a record with the opposite amount, at the same time of"
        " spending.",
        "Statements that are final keep their figures and show a late adjustment.",
        *zone_notes(found.effects),
    ]
    counts = [
        (f"{found.records:,}", "record to add" if found.records == 1 else "records to add"),
        *status_counts(found.effects),
    ]
    return PreviewPage(counts, notes, tables, bool(found.records))
