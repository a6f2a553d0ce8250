"""Endpoints of webhooks, for administrators: with their secret shown once, a test, and their latest deliveries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.admin.outgoing.deliveries import STATE_TONES, answer_of, show_answer
from campaigns.admin.outgoing.endpoint_form import EVENTS, EndpointForm
from campaigns.admin.shared.base import BaseAdmin, SuperusersOnlyMixin
from campaigns.admin.shared.display import change_address, chip, link_to, link_to_list, table
from campaigns.admin.shared.lists import ScalableListMixin
from campaigns.admin.shared.times import viewer_time
from campaigns.database.clock import database_now
from campaigns.models import Delivery, Endpoint
from campaigns.services.audit_log import AuditEntry, log_rows
from campaigns.services.webhooks.endpoints import delete_endpoints, replace_secret, write_test
from campaigns.services.webhooks.outbox import FIELDS
from campaigns.services.webhooks.sender import send_one
from campaigns.services.webhooks.signatures import new_secret

LATEST = 10
GENERIC = Endpoint.Kind.GENERIC


@admin.register(Endpoint)
class EndpointAdmin(SuperusersOnlyMixin, ScalableListMixin, BaseAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    form = EndpointForm
    list_display = ("name", "kind", "host", "receives", "state")
    list_filter = ("kind", "enabled")
    search_fields = ("name",)
    search_help_text = "Search by name"
    ordering = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "kind", "url", "enabled")}),
        ("Send when", {"fields": (*EVENTS, "brands")}),
    )
    list_note = "Programs and chats that hear of changes. What doesn’t arrive is sent again for three days."
    nothing_yet = "Add the address of a program, or of a Slack or Teams channel, to hear of changes there."

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def get_urls(self) -> list[URLPattern]:
        views = {"test": self.test_view, "secret": self.secret_view}
        own = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"campaigns_endpoint_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"title": "Webhooks"} | (extra_context or {}))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write what was changed only: a secret may have been replaced since the form was opened."""
        if not change:
            obj.secret = new_secret()
            super().save_model(request, obj, form, change)
            return
        written = set(form.changed_data) - {"brands"}
        if written & {"enabled", "url"}:
            obj.failing_since = obj.not_before = None
            written |= {"failing_since", "not_before"}
        obj.save(update_fields=written)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Show the new secret, which no other page does."""
        if obj.kind != GENERIC:
            messages.success(request, f"Added “{obj}”. Send a test to see whether it arrives.")
            return HttpResponseRedirect(change_address(obj))
        return self.show_secret(request, obj, obj.secret)

    def show_secret(self, request: HttpRequest, endpoint: Endpoint, secret: str) -> HttpResponse:
        return self.dialogue(
            request,
            "outgoing/secret",
            title=f"Secret of {endpoint}",
            secret=secret,
            endpoint=endpoint,
            address=change_address(endpoint),
            media=self.media,
        )

    def secret_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        endpoint = self._posted(request, pk)
        secret = replace_secret(endpoint.pk, now=database_now())
        log_rows(request.user, Endpoint, [AuditEntry(endpoint.pk, endpoint.name, ("secret",))])
        endpoint.refresh_from_db()
        return self.show_secret(request, endpoint, secret)

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a test at once, and show what came of it."""
        endpoint = self._posted(request, pk)
        delivery = write_test(endpoint, now=database_now())
        answer = send_one(delivery.pk, clock=database_now)
        if answer is None:
            messages.info(request, "Another message is being sent. The test follows in a moment.")
        else:
            show_answer(request, answer)
        return HttpResponseRedirect(change_address(delivery))

    def _posted(self, request: HttpRequest, pk: int) -> Endpoint:
        endpoint: Endpoint | None = self.get_queryset(request).filter(pk=pk).first()
        if request.method != "POST" or not self.has_change_permission(request, endpoint) or endpoint is None:
            raise PermissionDenied
        return endpoint

    def panels(self, request: HttpRequest, obj: Endpoint) -> Iterable[tuple[str, SafeString]]:
        yield (
            "Test",
            self._button(
                request,
                obj,
                "test",
                "Send test",
                "Sends a test message now and shows the answer. It can take 10 seconds.",
            ),
        )
        if obj.kind == GENERIC:
            yield "Secret", self._button(request, obj, "secret", "Replace secret", _about_secret(obj))
        yield "Latest deliveries", _latest(obj)

    def _button(self, request: HttpRequest, obj: Endpoint, name: str, label: str, note: SafeString | str) -> SafeString:
        context = {"address": reverse(f"admin:campaigns_endpoint_{name}", args=[obj.pk]), "label": label, "note": note}
        return render_to_string("campaigns/admin/outgoing/button.html", context, request)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Count the deliveries that go too, which may be many, instead of listing them."""
        endpoints = list(objs)
        count = Delivery.objects.filter(endpoint__in=endpoints).count()
        counts = {self.opts.verbose_name_plural: len(endpoints), "deliveries": count}
        return [str(each) for each in endpoints], counts, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        delete_endpoints([obj.pk])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        delete_endpoints(list(queryset.values_list("pk", flat=True)))

    @admin.display(description="host")
    def host(self, endpoint: Endpoint) -> str:
        """The rest of a chat's address is its secret."""
        return urlsplit(endpoint.url).netloc

    @admin.display(description="sent when")
    def receives(self, endpoint: Endpoint) -> str:
        return "; ".join(str(event.label) for event, name in FIELDS.items() if getattr(endpoint, name))

    @admin.display(description="status", ordering="failing_since")
    def state(self, endpoint: Endpoint) -> SafeString:
        if not endpoint.enabled:
            return chip("off", "plain")
        if endpoint.failing_since:
            return format_html("{} since {}", chip("failing", "warning"), viewer_time(endpoint.failing_since))
        return chip("on", "good")


def _about_secret(endpoint: Endpoint) -> SafeString | str:
    note = "Signs each message; it was shown once. A new one is shown once too, and for 24 hours both sign."
    if endpoint.former_secret_until and endpoint.former_secret_until > database_now():
        return format_html("{} The former secret signs until {}.", note, viewer_time(endpoint.former_secret_until))
    return note


def _latest(endpoint: Endpoint) -> SafeString:
    rows = Delivery.objects.filter(endpoint=endpoint).select_related("message").order_by("-pk")[:LATEST]
    lines = [
        (
            link_to(each, each.message.event),
            viewer_time(each.created_at),
            chip(each.get_state_display().lower(), STATE_TONES[Delivery.State(each.state)]),
            answer_of(each),
        )
        for each in rows
    ]
    shown = table(
        ("Event", "Created", "State", "Last answer"),
        lines,
        empty="Nothing has been sent yet. Send a test to see whether messages arrive.",
        label="Latest deliveries",
    )
    every = link_to_list(Delivery, "All deliveries of this endpoint", endpoint__id__exact=endpoint.pk)
    return format_html('{}<div class="campaigns-outgoing">{}</div>', shown, every) if lines else shown
