"""What the page of a spend import shows: progress, result, and the preview that has to be confirmed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldBooleanSwitchWidget

from campaigns.admin.shared.display import table
from campaigns.database.connection import is_postgresql
from campaigns.models import SpendUpload
from campaigns.rules.money import format_money
from campaigns.services.intake.messages import (
    describe_earlier_import,
    describe_preview,
    pluralize,
)
from campaigns.services.intake.preview import Preview
from campaigns.services.intake.upload_preview import is_reversed, repeats
from campaigns.services.permissions import sees_only_assigned_brands

SHOWN = 200
AFTER_REVERSAL = (
    "The same file was imported before, and reversed. Its rows without external_id count once again; rows with one are"
    " known already, so they are skipped and stay reversed."
)
MEGABYTE = 1024**2


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
        "preview_notes": [*([AFTER_REVERSAL] if is_reversed(upload) else []), *_notes(preview)],
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
    return [*notes, *describe_preview(preview)]


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


def progress_of(upload: SpendUpload) -> dict[str, Any]:
    """Return the progress of an upload, for the page and for the script that updates it."""
    percent = 100 if upload.state == SpendUpload.State.DONE else upload.bytes_done * 100 // max(upload.size, 1)
    return {
        "state": upload.state,
        "over": upload.is_over or upload.state == SpendUpload.State.READY,
        "percent": min(percent, 100),
        "sizes": f"{in_megabytes(upload.bytes_done)} of {in_megabytes(upload.size)}",
        "sentence": _sentence(upload),
    }


def _sentence(upload: SpendUpload) -> str:
    if upload.state == SpendUpload.State.CHECKING:
        return "The file is being read for the preview. Nothing has been imported yet."
    if upload.state == SpendUpload.State.READY:
        return "Nothing has been imported yet. The file would import:"
    if upload.state == SpendUpload.State.WAITING:
        return "Waiting for a worker. Imports run one at a time."
    if upload.state == SpendUpload.State.RUNNING:
        if not upload.skip_errors and not is_postgresql():
            return "Importing. On SQLite, progress is shown only at the end."
        rows = f", {upload.imported:,} rows so far" if upload.imported else ""
        return f"Importing{rows}."
    if upload.state in (SpendUpload.State.FAILED, SpendUpload.State.CANCELLED):
        return upload.problem
    rows = "1 row" if upload.imported == 1 else f"{upload.imported:,} rows"
    return f"Done: {rows} imported, {upload.repeated:,} duplicates skipped, {upload.refused:,} refused."


def figures_of(upload: SpendUpload) -> list[tuple[str, str]]:
    """Return the counts of the result with words, like the figures of a preview."""
    figures = (
        (upload.imported, "imported"),
        (upload.repeated, "duplicates skipped"),
        (upload.refused, "refused"),
        (upload.without_spend, "without spend"),
        (upload.notes, "totals and notes"),
        (upload.created_brands, "brands created"),
        (upload.created_campaigns, "campaigns created"),
    )
    return [(f"{count:,}", word) for count, word in figures if count or word == "imported"]


def in_megabytes(size: int) -> str:
    return f"{size / MEGABYTE:,.1f} MB" if size >= MEGABYTE / 10 else f"{size / 1024:,.1f} kB"
