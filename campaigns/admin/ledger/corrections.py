"""Correcting a spend record: the right amount, a preview of what changes, a confirmation; and the panels about it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextInputWidget

from campaigns.admin.shared.base import BaseAdmin
from campaigns.admin.shared.database_errors import friendly_errors
from campaigns.admin.shared.display import change_address, link_to, table
from campaigns.admin.shared.messages import warn_about_unknown_zones, with_changes
from campaigns.admin.shared.money_field import MoneyField
from campaigns.admin.shared.preview_table import (
    EFFECTS,
    PreviewPage,
    arrow,
    effects_table,
    status_counts,
    title,
    zone_notes,
)
from campaigns.admin.shared.times import local_time
from campaigns.database.clock import database_now
from campaigns.models import SpendCorrection, SpendRecord
from campaigns.rules.money import AMOUNT_LIMIT, PLACES, SMALLEST, format_amount, format_money
from campaigns.services.intake.corrections import (
    Corrected,
    Correction,
    CorrectionRefused,
    check_amount,
    check_correctable,
    correct_record,
    find_corrected,
    find_reversed,
    preview_correction,
)

NOTE_LENGTH = SpendCorrection._meta.get_field("note").max_length
LIMITS: dict[str, Any] = {
    "max_value": AMOUNT_LIMIT - SMALLEST,
    "min_value": SMALLEST - AMOUNT_LIMIT,
    "decimal_places": PLACES,
}


class CorrectionForm(forms.Form):
    amount = MoneyField(
        label="Right amount",
        help_text="What the record should have said. Enter 0 to void it; negative for a refund or credit.",
        **LIMITS,
    )
    note = forms.CharField(
        required=False,
        max_length=NOTE_LENGTH,
        widget=UnfoldAdminTextInputWidget,
        help_text="Why, for the history. Optional.",
    )

    def __init__(self, data: Any, found: Corrected) -> None:
        super().__init__(data, initial={"amount": found.amount})
        self.found = found
        amount: Any = self.fields["amount"]
        currency = found.record.campaign.brand.currency
        amount.use_currency(lambda: currency)
        amount.shown = lambda: format_amount(found.amount, currency)

    def clean_amount(self) -> Any:
        amount = self.cleaned_data["amount"]
        try:
            check_amount(self.found, amount)
        except CorrectionRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        return amount


class ConfirmedForm(forms.Form):
    """What the preview showed: an exact amount, and how many corrections the record had."""

    exact = forms.DecimalField(**LIMITS)
    note = forms.CharField(required=False, max_length=NOTE_LENGTH)
    seen = forms.IntegerField(min_value=0)


class CorrectionMixin(BaseAdmin):
    """Adds the page that corrects a spend record, for people who may import. Needs the model SpendRecord."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.correct_view)
        return [path("<path:object_id>/correct/", view, name="campaigns_spendrecord_correct"), *super().get_urls()]

    def extra_form_context(self, request: HttpRequest, obj: SpendRecord) -> dict[str, Any]:
        shown = super().extra_form_context(request, obj)
        return shown | {"correct_address": self._address(obj) if self._may_correct(request, obj) else ""}

    def panels(self, request: HttpRequest, obj: SpendRecord) -> Iterable[tuple[str, SafeString]]:
        found = find_corrected(obj)
        if found.corrections:
            yield "Corrections", _history(found)
        correction = SpendCorrection.objects.filter(added=obj).select_related("record__campaign__brand").first()
        if correction:
            yield "Correction of another record", _correction_of(correction)
        if found.reversal:
            yield "Reversed", _other("This record was reversed with its import by record {}.", found.reversal)
        if reversed_record := find_reversed(obj):
            yield "Reversal", _other("This record reverses record {} with its import.", reversed_record)

    def correct_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        record = self.get_object(request, unquote(object_id))
        if record is None:
            return self.missing(request, object_id)
        if not (self.has_view_permission(request, record) and _may_import(request)):
            raise PermissionDenied
        return friendly_errors(request, self.model, lambda: self._correct(request, record))

    def _correct(self, request: HttpRequest, record: SpendRecord) -> HttpResponse:
        found = find_corrected(record)
        try:
            check_correctable(found)
            if "exact" in request.POST:
                return self._confirmed(request, record)
            form = CorrectionForm(request.POST if request.method == "POST" else None, found)
            if not form.is_valid():
                return self._page(request, found, form=form)
            preview = preview_correction(record, form.cleaned_data["amount"], clock=database_now)
        except CorrectionRefused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(change_address(record))
        confirmed = {"exact": f"{preview.after:f}", "note": form.cleaned_data["note"], "seen": len(found.corrections)}
        return self._page(request, found, preview=_preview(preview, record), confirmed=confirmed)

    def _confirmed(self, request: HttpRequest, record: SpendRecord) -> HttpResponse:
        form = ConfirmedForm(request.POST)
        if not form.is_valid():
            raise CorrectionRefused("The confirmation isn't complete. Enter the right amount again.")
        said = form.cleaned_data
        enforced = correct_record(
            record, said["exact"], seen=said["seen"], note=said["note"], person=request.user, clock=database_now
        )
        warn_about_unknown_zones(request, enforced)
        amount = format_money(said["exact"], record.campaign.brand.currency)
        done = f"Corrected record {record.pk} to {amount}." if said["exact"] else f"Voided record {record.pk}."
        messages.success(request, with_changes(done, enforced))
        return HttpResponseRedirect(change_address(record))

    def _page(self, request: HttpRequest, found: Corrected, **context: Any) -> HttpResponse:
        record = found.record
        currency = record.campaign.brand.currency
        return self.dialogue(
            request,
            "correct_record",
            title=f"Correct record {record.pk}",
            record=record,
            original=record,
            back=change_address(record),
            again=self._address(record),
            spent=local_time(record.timestamp, record.campaign.brand.timezone),
            recorded=format_money(record.amount, currency),
            amount=format_money(found.amount, currency),
            **context,
        )

    def _may_correct(self, request: HttpRequest, record: SpendRecord) -> bool:
        if not _may_import(request):
            return False
        try:
            check_correctable(find_corrected(record))
        except CorrectionRefused:
            return False
        return True

    def _address(self, record: SpendRecord) -> str:
        return reverse("admin:campaigns_spendrecord_correct", args=[record.pk])


def _may_import(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("campaigns.add_spendupload"))


def _preview(correction: Correction, record: SpendRecord) -> PreviewPage:
    currency = record.campaign.brand.currency
    difference = correction.after - correction.before
    row = (
        arrow(format_amount(correction.before, currency), format_amount(correction.after, currency)),
        f"{_signed(difference, currency)} {currency}",
        str(correction.day),
        correction.statements,
    )
    tables = [
        (
            "Correction",
            table(("Amount", "Difference", "Day", "Statements"), [row], empty="", cards=True, label="Correction"),
        )
    ]
    if changes := correction.effects.changes:
        tables.append((title(EFFECTS, len(changes)), effects_table(correction.effects)))
    notes = ["The difference becomes a record of its own, at the same time of spending; this record stays as it is."]
    if correction.statements != "open":
        notes.append("Final statements keep their figures at closing; later changes are listed beside them.")
    notes += zone_notes(correction.effects)
    return PreviewPage(status_counts(correction.effects), notes, tables, changes=True)


def _signed(amount: Decimal, currency: str) -> str:
    return f"{'+' if amount > 0 else ''}{format_amount(amount, currency)}"


def _history(found: Corrected) -> SafeString:
    brand = found.record.campaign.brand
    amount, rows = found.record.amount, []
    for each in found.corrections:
        before, amount = amount, amount + each.added.amount
        difference = link_to(each.added, f"{_signed(each.added.amount, brand.currency)} (record {each.added_id})")
        amounts = (format_amount(before, brand.currency), format_amount(amount, brand.currency))
        rows.append((local_time(each.at, brand.timezone), *amounts, difference, each.note or "–", each.who))
    headers = ("When", f"Before ({brand.currency})", "After", "Difference", "Note", "By")
    return table(headers, rows, numbers=(1, 2, 3), empty="", label="Corrections")


def _correction_of(correction: SpendCorrection) -> SafeString:
    record = correction.record
    at = local_time(correction.at, record.campaign.brand.timezone)
    note = f" Note: {correction.note}" if correction.note else ""
    return format_html(
        "<p>This record corrects {}. By {}, {}.{}</p>",
        link_to(record, f"record {record.pk}"),
        correction.who,
        at,
        note,
    )


def _other(sentence: str, record: SpendRecord) -> SafeString:
    return format_html(f"<p>{sentence}</p>", link_to(record, str(record.pk)))
