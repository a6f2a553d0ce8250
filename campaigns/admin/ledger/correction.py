"""The page that corrects a spend record: the right amount, what that does to statuses, and a confirmation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.validators import DecimalValidator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from campaigns.admin.shared.base import BaseAdmin
from campaigns.admin.shared.database_errors import friendly_errors
from campaigns.admin.shared.display import change_address, link_to
from campaigns.admin.shared.messages import describe_changes, warn_about_unknown_zones
from campaigns.admin.shared.money_field import MoneyField
from campaigns.admin.shared.preview_table import (
    EFFECTS,
    PreviewPage,
    effects_table,
    status_counts,
    title,
    zone_notes,
)
from campaigns.database.clock import database_now
from campaigns.models import SpendRecord
from campaigns.rules.money import PLACES, format_money
from campaigns.services.intake.correction import (
    Correction,
    CorrectionRefused,
    correct_record,
    corrected_amount,
    corrections_of,
    preview_correction,
)


class AmountForm(forms.Form):
    """The amount that the record should count for."""

    amount = MoneyField(
        label="Right amount",
        validators=[DecimalValidator(18, PLACES)],
        help_text="What the record should count for. 0 if nothing was spent.",
    )

    def __init__(self, data: Any, *, currency: str, shown: Decimal) -> None:
        super().__init__(data, initial={"amount": shown})
        field: Any = self.fields["amount"]
        field.use_currency(lambda: currency, shown)


class CorrectionMixin(BaseAdmin):
    """Adds the page that corrects a record, for people who may import spend. Needs the model SpendRecord."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.correct_view)
        return [path("<int:pk>/correct/", view, name="campaigns_spendrecord_correct"), *super().get_urls()]

    def extra_form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        address = reverse("admin:campaigns_spendrecord_correct", args=[obj.pk]) if _may_correct(request) else ""
        return super().extra_form_context(request, obj) | {"correct_address": address}

    def correct_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        record = self.get_queryset(request).filter(pk=pk).select_related("campaign__brand").first()
        if record is None:
            return self.missing(request, str(pk))
        if not _may_correct(request):
            raise PermissionDenied
        currency, now = record.campaign.brand.currency, corrected_amount(record)
        form = AmountForm(request.POST if request.method == "POST" else None, currency=currency, shown=now)
        preview = None
        try:
            if form.is_valid():
                amount: Decimal = form.cleaned_data["amount"]
                if "confirmed" in request.POST:
                    return friendly_errors(request, self.model, lambda: self._correct(request, record, amount))
                preview = _preview(preview_correction(record, amount, clock=database_now), currency)
        except CorrectionRefused as refusal:
            form.add_error(None, str(refusal))
        return self.dialogue(
            request,
            "correction",
            title=f"Correct spend record {record.pk}",
            form=form,
            preview=preview,
            record=record,
            counts=format_money(now, currency),
            back=change_address(record),
        )

    def _correct(self, request: HttpRequest, record: SpendRecord, amount: Decimal) -> HttpResponse:
        enforced = correct_record(record, amount, actor=request.user.get_username(), clock=database_now)
        warn_about_unknown_zones(request, enforced)
        counts = format_money(amount, record.campaign.brand.currency)
        messages.success(request, f"Record {record.pk} counts for {counts} now. {describe_changes(enforced)}")
        return HttpResponseRedirect(change_address(record))


def _may_correct(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("campaigns.add_spendupload"))


def corrections(record: SpendRecord) -> SafeString | str:
    """Return links to what corrects a record, or to the record that it corrects, as a field of its page."""
    kind, _, rest = (record.external_id or "").partition(":")
    number = rest.partition(":")[0]
    if kind in ("correction", "reversal") and number.isdecimal() and len(number) < 19:
        corrected = SpendRecord.objects.filter(pk=int(number), campaign=record.campaign_id).first()
        return format_html_join("", "corrects record {}", [(link_to(corrected, number),)]) if corrected else "–"
    currency = record.campaign.brand.currency
    links = [
        (link_to(each, f"{format_money(each.amount, currency)}, record {each.pk}"),) for each in corrections_of(record)
    ]
    return format_html_join("; ", "{}", links) or "–"


def _preview(found: Correction, currency: str) -> PreviewPage:
    changes = found.effects.changes
    tables = [(title(EFFECTS, len(changes)), effects_table(found.effects))] if changes else []
    notes = [
        f"A record of {format_money(found.difference, currency)} is added, at the same time of spending.",
        "A statement that is final keeps its figures and shows a late adjustment.",
        *zone_notes(found.effects),
    ]
    return PreviewPage([("1", "record to add"), *status_counts(found.effects)], notes, tables, changes=True)
