"""The preview of a spend import: spend by brand and local day, skipped rows, and what has to be confirmed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldBooleanSwitchWidget

from campaigns.admin.shared.display import table
from campaigns.models import SpendUpload
from campaigns.rules.money import format_money
from campaigns.services.intake.messages import describe_earlier_import, describe_notes, pluralize, remarks
from campaigns.services.intake.preview import Preview
from campaigns.services.intake.upload_preview import repeats
from campaigns.services.permissions import sees_only_assigned_brands

SHOWN = 200


class ConfirmForm(forms.Form):
    """What has to be ticked before an unusual import: invalid rows to skip, or a file that was imported before."""

    def __init__(self, upload: SpendUpload, preview: Preview, *, is_repeated: bool) -> None:
        super().__init__(auto_id="confirm_%s")
        refused, twice = preview.counts.refused, preview.counts.without_external_id
        if refused and not upload.skip_errors:
            skipped = "the refused row" if refused == 1 else f"the {refused:,} refused rows"
            self._ask(
                "skip_errors",
                f"Skip {skipped} and import the others",
                f"{pluralize(refused, 'row')} {'is' if refused == 1 else 'are'} refused, see below. To import the whole"
                " file, correct it and upload it again.",
            )
        if is_repeated:
            self._ask(
                "again",
                "Import the same file again",
                f"{pluralize(twice, 'row')} without external_id will count twice.",
            )

    def _ask(self, name: str, label: str, help_text: str) -> None:
        self.fields[name] = forms.BooleanField(label=label, help_text=help_text, widget=UnfoldBooleanSwitchWidget())


def preview_context(request: HttpRequest, upload: SpendUpload) -> dict[str, Any]:
    """Return what the page of an upload shows while it waits for confirmation; empty otherwise."""
    if upload.state != SpendUpload.State.READY or upload.preview is None:
        return {}
    preview = Preview.from_json(upload.preview)
    again = repeats(upload, preview)
    visible = SpendUpload.objects.filter(user=request.user.pk) if sees_only_assigned_brands(request.user) else None
    own = None if visible is None else set(visible.values_list("pk", flat=True))
    return {
        "preview_figures": _figures(preview),
        "preview_notes": _notes(preview),
        "earlier": [describe_earlier_import(other, show_who=own is None or other.pk in own) for other in again],
        "preview_table": _days(preview),
        "can_import": bool(preview.counts.imported),
        "confirm_form": ConfirmForm(upload, preview, is_repeated=bool(again)),
    }


def _figures(preview: Preview) -> list[tuple[str, str]]:
    counts = preview.counts
    figures = (
        (counts.imported, "to import"),
        (counts.repeated, "already imported"),
        (counts.refused, "refused"),
        (counts.without_spend, "without spend"),
        (counts.notes, "totals and notes"),
        (counts.created_brands, "brands to create"),
        (counts.created_campaigns, "campaigns to create"),
    )
    return [(f"{count:,}", word) for count, word in figures if count or word == "to import"]


def _notes(preview: Preview) -> list[str]:
    totals = " and ".join(format_money(amount, currency) for currency, amount in preview.totals.items())
    notes = [f"Total: {totals}."] if totals else ["The file has no new rows to import."]
    if preview.counts.repeated:
        notes.append(f"Rows with an existing external_id are skipped: {preview.counts.repeated:,}.")
    notes += [*remarks(preview.counts), describe_notes(preview)]
    return [note for note in notes if note]


def _days(preview: Preview) -> SafeString:
    rows: list[tuple[str, ...]] = [
        (day.brand, str(day.day), f"{day.rows:,}", format_money(day.amount, day.currency))
        for day in preview.days[:SHOWN]
    ]
    more = preview.days[SHOWN:]
    if more:
        rest = sum(day.rows for day in more) + preview.other_rows
        rows.append((f"and {len(more):,} more days", "", f"{rest:,}", ""))
    label = "Spend by brand and local day"
    return table(("Brand", "Day", "Rows", "Amount"), rows, numbers=(2, 3), empty="No new rows.", label=label)
