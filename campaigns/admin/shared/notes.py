"""The notes on a brand's or campaign's page: a form to add one, and the newest below it.

A note that is written when the page's form is saved is added with it; one that is added while the form is edited leaves
the form as it is (unsaved.js).
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from campaigns.admin.shared.base import BaseAdmin
from campaigns.admin.shared.display import link_to, list_address
from campaigns.admin.shared.fields import is_key
from campaigns.admin.shared.times import local_time
from campaigns.models import Campaign
from campaigns.models.notes import MAX_NOTE
from campaigns.services.notes import NoteRefused, add_note, delete_note, may_delete, notes_on

# So many notes are shown.
MAX_NOTES = 100
# The field of the page's form that brings a note along.
NOTE_ALONG = "note_text"


class NotesMixin(BaseAdmin):
    """Shows and takes notes on the page of a brand or campaign, from everybody who may open the page."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.notes_view)
        return [path("<path:object_id>/notes/", view, name=self._notes_url()), *super().get_urls()]

    def notes_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Add a note, or delete one, and return to the page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        if row is None:
            messages.warning(request, f"This {self.opts.verbose_name} no longer exists.")
            return HttpResponseRedirect(list_address(self.model))
        if "delete" in request.POST:
            key = request.POST["delete"]
            if not (is_key(key) and delete_note(row, int(key), person=request.user)):
                messages.error(request, "Only its author and superusers can delete a note.")
        else:
            try:
                add_note(row, request.POST.get("text", ""), person=request.user)
            except NoteRefused as refusal:
                messages.error(request, str(refusal))
        page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
        return HttpResponseRedirect(f"{page}#notes")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        text = request.POST.get(NOTE_ALONG, "")
        if change and text.strip():
            try:
                add_note(form.instance, text, person=request.user)
            except NoteRefused as refusal:
                messages.error(request, f"The note was not added: {refusal}")
            else:
                messages.success(request, "Added the note.")

    def notes_panel(self, request: HttpRequest, row: Any) -> tuple[str, SafeString]:
        brand = row.brand if isinstance(row, Campaign) else row
        notes = [
            {
                "note": note,
                "when": local_time(note.at, brand.timezone),
                "campaign": link_to(note.campaign) if note.campaign and not isinstance(row, Campaign) else "",
                "may_delete": may_delete(note, request.user),
            }
            for note in notes_on(row)[:MAX_NOTES]
        ]
        context = {
            "notes": notes,
            "most": MAX_NOTES,
            "max_length": MAX_NOTE,
            # Of a refused save.
            "text": request.POST.get(NOTE_ALONG, ""),
            "what": self.opts.verbose_name,
            "address": reverse(f"admin:{self._notes_url()}", args=[row.pk]),
        }
        return "Notes", render_to_string("campaigns/admin/notes.html", context, request=request)

    def _notes_url(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_notes"
