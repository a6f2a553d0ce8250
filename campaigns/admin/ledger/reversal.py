"""The page that reverses an import: what it takes back, what that does to statuses, and a confirmation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

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
from campaigns.models import ReportImport, SpendUpload
from campaigns.rules.money import format_money
from campaigns.services.audit_log import AuditEntry, log_rows
from campaigns.services.enforcement.enforce import Enforcement
from campaigns.services.intake.reversal import (
    Reversal,
    check_brands,
    check_reversible,
    preview_reversal,
    reverse_import,
)
from campaigns.services.intake.reversible import ReversalRefused
from campaigns.services.permissions import Person

ImportT = TypeVar("ImportT", SpendUpload, ReportImport)


@dataclass(frozen=True)
class Reversing(Generic[ImportT]):
    """How imports of a kind are reversed. All but the note raise ReversalRefused."""

    check_reversible: Callable[[ImportT], None]
    check_brands: Callable[[ImportT, Person], None]
    preview: Callable[[ImportT], PreviewPage]
    # Reverses it for a user, by name; returns what was done, in a sentence, and what that did to statuses.
    reverse: Callable[[ImportT, str], tuple[str, Enforcement]]
    # What can be done about it afterwards, for the confirmation.
    undo_note: str


class ReversalMixin(BaseAdmin):
    """Adds the page that reverses an import, for people who may import. Needs a model with a name."""

    reversing: ClassVar[Reversing[Any]]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.reverse_view)
        return [path("<int:pk>/reverse/", view, name=self._reverse_name()), *super().get_urls()]

    def _reverse_name(self) -> str:
        return f"campaigns_{self.opts.model_name}_reverse"

    def reverse_address(self, request: HttpRequest, item: Any) -> str:
        """Return the address of the page, or "" where there is nothing to reverse for the person."""
        if not _may_reverse(request):
            return ""
        try:
            self.reversing.check_reversible(item)
        except ReversalRefused:
            return ""
        return reverse(f"admin:{self._reverse_name()}", args=[item.pk])

    def reverse_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        item = self.get_queryset(request).filter(pk=pk).first()
        if item is None:
            return self.missing(request, str(pk))
        if not _may_reverse(request):
            raise PermissionDenied
        try:
            self.reversing.check_brands(item, request.user)
            if request.method == "POST":
                return friendly_errors(request, self.model, lambda: self._reverse(request, item))
            preview = self.reversing.preview(item)
        except ReversalRefused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(change_address(item))
        return self.dialogue(
            request,
            "reversal",
            title=f"Reverse the import of {item.name}",
            preview=preview,
            undo_note=self.reversing.undo_note,
            back=change_address(item),
        )

    def _reverse(self, request: HttpRequest, item: Any) -> HttpResponse:
        with transaction.atomic():
            done, enforced = self.reversing.reverse(item, request.user.get_username())
            log_rows(request.user, self.model, [AuditEntry(item.pk, item.name, ("Reversed.",))])
        warn_about_unknown_zones(request, enforced)
        messages.success(request, with_changes(done, enforced))
        return HttpResponseRedirect(change_address(item))


def _may_reverse(request: HttpRequest) -> bool:
    return request.user.has_perm("campaigns.add_spendupload")


def _reverse_upload(upload: SpendUpload, actor: str) -> tuple[str, Enforcement]:
    return f"Reversed “{upload.name}”.", reverse_import(upload, actor=actor, clock=database_now)


def _preview(upload: SpendUpload) -> PreviewPage:
    found: Reversal = preview_reversal(upload, clock=database_now)
    rows = [
        (day.brand, str(day.day), day.statements, format_money(day.amount, day.currency)) for day in found.days[:SHOWN]
    ]
    label = title("Spend by brand and local day", len(found.days))
    heads = ("Brand", "Day", "Statements", "Amount")
    tables: list[Any] = [(label, table(heads, rows, numbers=(3,), empty="", cards=True, label=label))]
    if changes := found.effects.changes:
        tables.append((title(EFFECTS, len(changes)), effects_table(found.effects)))
    notes = [
        "Each imported record, and each correction of one, gets a record with the opposite amount, at the same time of"
        " spending.",
        "Final statements keep their figures at closing; later changes are listed beside them.",
        *zone_notes(found.effects),
    ]
    counts = [
        (f"{found.records:,}", "record to add" if found.records == 1 else "records to add"),
        *status_counts(found.effects),
    ]
    return PreviewPage(counts, notes, tables, bool(found.records))


SPEND_IMPORTS = Reversing(
    check_reversible,
    check_brands,
    _preview,
    _reverse_upload,
    "It can’t be undone here: rows with an external_id can’t be imported again under the same ID.",
)
