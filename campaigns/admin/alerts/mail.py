"""The e-mails about alerts as they were sent, or, without a mail server, as they would have been: the local mail."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from campaigns.admin.shared.base import ReadOnlyAdmin
from campaigns.admin.shared.display import chip
from campaigns.admin.shared.times import viewer_time
from campaigns.models import AlertEmail

TONES = {"waiting": "note", "sent": "good", "local": "note", "failed": "bad"}


@admin.register(AlertEmail)
class AlertEmailAdmin(ReadOnlyAdmin):
    list_display = ("subject", "to", "written", "state_chip")
    list_filter = (("state", ChoicesDropdownFilter),)
    search_fields = ("subject", "person__username", "address")
    search_help_text = "Search by subject, user or address"
    sortable_by = ()
    list_select_related = ("person",)
    list_note = (
        "E-mails about alerts. Without a mail server (EMAIL_URL) they are kept here and nothing is sent: open one to"
        " see what the person would have got."
    )
    nothing_yet = "No e-mail has been written yet: the first alert writes one."
    fields = ("subject", "to", "written", "state_chip", "sent", "problem", "message")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("person")

    @admin.display(description="to")
    def to(self, obj: AlertEmail) -> str:
        name = obj.person.get_username()
        return f"{name} <{obj.address}>" if obj.address else f"{name} (no address)"

    @admin.display(description="written")
    def written(self, obj: AlertEmail) -> Any:
        return viewer_time(obj.written_at)

    @admin.display(description="sent")
    def sent(self, obj: AlertEmail) -> Any:
        return viewer_time(obj.sent_at) if obj.sent_at and obj.state == AlertEmail.State.SENT else "–"

    @admin.display(description="state")
    def state_chip(self, obj: AlertEmail) -> Any:
        return chip(obj.get_state_display(), TONES[obj.state])

    @admin.display(description="message")
    def message(self, obj: AlertEmail) -> str:
        return obj.text
