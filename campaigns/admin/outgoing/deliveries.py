"""Deliveries of webhooks, for administrators: their attempts and answers, and a button that sends one again."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.admin.shared.base import ReadOnlyAdmin
from campaigns.admin.shared.display import change_address, chip, link_to, table
from campaigns.admin.shared.times import viewer_time
from campaigns.database.clock import database_now
from campaigns.models import Delivery, DeliveryAttempt
from campaigns.services.webhooks.client import Answer
from campaigns.services.webhooks.deliveries import send_again
from campaigns.services.webhooks.sender import send_one

State = Delivery.State
STATE_TONES = {
    State.WAITING: "note",
    State.SENDING: "note",
    State.DELIVERED: "good",
    State.FAILED: "warning",
    State.CANCELLED: "plain",
}
MESSAGE = '<div class="campaigns-outgoing"><p>{}</p><pre class="campaigns-pre">{}</pre></div>'
# Of one delivery, which may have a thousand.
SHOWN_ATTEMPTS = 100


def show_answer(request: HttpRequest, answer: Answer) -> None:
    """Add what came of an attempt as a message."""
    sentence = f"The receiver answered {answer.status} after {answer.milliseconds:,} ms."
    level = messages.SUCCESS if answer.is_success else messages.ERROR
    messages.add_message(request, level, answer.problem if answer.status is None else sentence)


def answer_of(delivery: Delivery) -> str:
    """Return the last answer in a list's cell: its status, or why there was none."""
    return str(delivery.status or delivery.problem or "–")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("event", "receiver", "created", "shown_state", "attempts", "last_answer", "next_attempt")
    list_filter = ("state", "message__event", "endpoint")
    list_select_related = ("message", "endpoint", "user")
    ordering = ("-id",)
    fields = list_display
    readonly_fields = list_display
    list_note = "Each message to each receiver. Failed ones are sent again for three days. All are kept for 30 days."
    nothing_yet = "Messages appear here once an endpoint is added under Webhooks and something happens that it wants."

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.again_view)
        return [path("<int:pk>/again/", view, name="campaigns_delivery_again"), *super().get_urls()]

    def again_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a delivery again at once, and show what came of it."""
        if request.method != "POST" or not self.has_view_permission(request):
            raise PermissionDenied
        delivery: Delivery | None = self.get_queryset(request).filter(pk=pk).first()
        if delivery is None:
            return self.missing(request, str(pk))
        if not send_again(pk, now=database_now()):
            messages.error(request, "This message is being sent right now, or was sent too often.")
        elif answer := send_one(pk, clock=database_now):
            show_answer(request, answer)
        else:
            messages.info(request, "The message is sent again in a moment.")
        return HttpResponseRedirect(change_address(delivery))

    def panels(self, request: HttpRequest, obj: Delivery) -> Iterable[tuple[str, SafeString]]:
        yield "Attempts", _attempts(obj)
        data = json.dumps(json.loads(obj.message.data), indent=2, ensure_ascii=False)
        yield "Message", format_html(MESSAGE, obj.message.message_id, data)
        if obj.state != State.SENDING:
            address = reverse("admin:campaigns_delivery_again", args=[obj.pk])
            note = "Sends the same message with the same ID now, and again later if it fails."
            context = {"address": address, "label": "Send again", "note": note}
            yield "Send again", render_to_string("campaigns/admin/outgoing/button.html", context, request)

    @admin.display(description="event", ordering="message__event")
    def event(self, delivery: Delivery) -> str:
        return delivery.message.event

    @admin.display(description="receiver")
    def receiver(self, delivery: Delivery) -> SafeString | str:
        return link_to(delivery.endpoint) if delivery.endpoint else str(delivery.user)

    @admin.display(description="created", ordering="id")
    def created(self, delivery: Delivery) -> SafeString:
        return viewer_time(delivery.created_at)

    @admin.display(description="state", ordering="state")
    def shown_state(self, delivery: Delivery) -> SafeString:
        return chip(delivery.get_state_display().lower(), STATE_TONES[State(delivery.state)])

    @admin.display(description="last answer")
    def last_answer(self, delivery: Delivery) -> str:
        return answer_of(delivery)

    @admin.display(description="next attempt", ordering="next_attempt_at")
    def next_attempt(self, delivery: Delivery) -> SafeString | str:
        return viewer_time(delivery.next_attempt_at) if delivery.next_attempt_at else "–"


def _attempts(delivery: Delivery) -> SafeString:
    rows = DeliveryAttempt.objects.filter(delivery=delivery).order_by("-number")[:SHOWN_ATTEMPTS]
    lines = [
        (
            each.number,
            viewer_time(each.at),
            each.status or "–",
            each.problem or "Delivered.",
            f"{each.milliseconds:,} ms",
        )
        for each in rows
    ]
    heads = ("Attempt", "When", "Status", "Result", "Took")
    return table(heads, lines, numbers=(0, 2, 4), empty="Nothing has been sent yet.", label="Attempts")
