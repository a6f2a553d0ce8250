"""The page of alerts: open ones worst first, with acknowledging and snoozing; resolved ones by a filter."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.admin.alerts.live import live_alerts
from campaigns.admin.alerts.preferences import PreferencesMixin
from campaigns.admin.shared.base import ReadOnlyAdmin, may_view
from campaigns.admin.shared.database_errors import friendly_errors
from campaigns.admin.shared.display import ago, chip, link_to
from campaigns.admin.shared.fields import is_key
from campaigns.admin.shared.times import as_of, viewer_time
from campaigns.database.clock import database_now
from campaigns.models import (
    Alert,
    AlertEmail,
    Brand,
    Campaign,
    CampaignLink,
    JobRun,
    PlatformAccount,
    SpendTotal,
)
from campaigns.models.outgoing.alerts import MAX_NOTE
from campaigns.rules.times import zone_label
from campaigns.services.alerts.compose import platform_page
from campaigns.services.alerts.handling import (
    AlertRefused,
    acknowledge,
    count_open,
    open_alerts,
    resolved_alerts,
    snooze,
    snooze_end,
)
from campaigns.services.alerts.kinds import DELIVERIES, HELD, LATE, SILENT, UNASSIGNED, label_of
from campaigns.services.alerts.recipients import is_anybody_told
from campaigns.services.jobs.health import Health

MOST = 100
# Of a brand, on its page; on home.
ON_PAGES, ON_HOME = 20, 5
NOBODY = "Give a superuser an e-mail address: alerts that no other person gets are sent to nobody."
ADDRESS = "admin:campaigns_alert_changelist"
# The page of an account's alert: what must be viewed there, and its title.
SHOWN_ON: dict[str, tuple[type[Model], str]] = {
    UNASSIGNED: (CampaignLink, "Unassigned spend"),
    HELD: (SpendTotal, "Held decreases"),
    SILENT: (PlatformAccount, "Account"),
}


@admin.register(Alert)
class AlertAdmin(PreferencesMixin, ReadOnlyAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    brand_path = "brand"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.page)
        return [path("", view, name="campaigns_alert_changelist"), *super().get_urls()]

    def page(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            if not _may_handle(request):
                raise PermissionDenied
            return friendly_errors(request, self.model, lambda: self._handle(request))
        return self._show(request)

    def _show(self, request: HttpRequest, chosen: Collection[int] = (), note: str = "") -> HttpResponse:
        """Return the page, with what was chosen and noted where that is refused."""
        now = database_now()
        is_resolved = request.GET.get("state") == "resolved"
        rows = resolved_alerts(request.user) if is_resolved else open_alerts(request.user, now=now)
        shown = list(rows[: MOST + 1])
        live = [] if is_resolved else live_alerts(request.user, now)
        count = count_open(request.user, now=now)
        return self.dialogue(
            request,
            "alerts/alerts",
            title="Alerts",
            as_of=as_of(now),
            is_resolved=is_resolved,
            open=count.open + len(live),
            waiting=count.unhandled + len(live),
            bad=count.bad + len(live),
            alerts=[_row(request, each, now) for each in (*live, *shown[:MOST])],
            most=MOST if len(shown) > MOST else 0,
            chosen=chosen,
            note=note,
            max_note=MAX_NOTE,
            may_handle=_may_handle(request) and not is_resolved,
            address=reverse(ADDRESS),
            local_mail=reverse("admin:campaigns_alertemail_changelist") if may_view(request, AlertEmail) else "",
        )

    def _handle(self, request: HttpRequest) -> HttpResponse:
        chosen = [int(key) for key in request.POST.getlist("alert") if is_key(key)]
        note, now = request.POST.get("note", ""), database_now()
        is_snooze = request.POST.get("action") == "snooze"
        if not chosen:
            messages.warning(request, "Choose the alerts first.")
            return self._show(request, note=note)
        try:
            done = (snooze if is_snooze else acknowledge)(chosen, note, person=request.user, now=now)
        except AlertRefused as refusal:
            messages.error(request, str(refusal))
            return self._show(request, chosen, note)
        counted = f"{done:,} alert{'' if done == 1 else 's'}"
        if done:
            until = snooze_end(request.user, now)
            snoozed = f"Snoozed {counted} until tomorrow, {until:%Y-%m-%d %H:%M} {zone_label(until)}."
            messages.success(request, snoozed if is_snooze else f"Acknowledged {counted}.")
        else:
            messages.warning(request, "These alerts have resolved meanwhile.")
        return HttpResponseRedirect(reverse(ADDRESS))


def _may_handle(request: HttpRequest) -> bool:
    return request.user.has_perm("campaigns.change_alert")


def alerts_context(request: HttpRequest, now: datetime, health: Health | None) -> dict[str, Any] | None:
    """Return what home shows of open alerts, with the health of the jobs if it is known there.

    None for people who may not view alerts.
    """
    if not may_view(request, Alert):
        return None
    count, live = count_open(request.user, now=now), live_alerts(request.user, now, health)
    rows: Iterable[Any] = open_alerts(request.user, now=now)[:ON_HOME] if count.unhandled else ()
    return {
        "open": count.open + len(live),
        "unhandled": count.unhandled + len(live),
        "alerts": [_row(request, each, now) for each in (*live, *(each for each in rows if not each.handled))],
        "address": reverse(ADDRESS),
        "nobody": "" if not count.open or is_anybody_told() else NOBODY,
    }


def alerts_panel(request: HttpRequest, brand: Brand, now: datetime) -> SafeString:
    """Return a brand's open alerts, worst first."""
    rows = open_alerts(request.user, now=now).filter(brand=brand.pk)[:ON_PAGES]
    context = {"alerts": [_row(request, each, now) for each in rows], "address": reverse(ADDRESS)}
    return render_to_string("campaigns/admin/alerts/of_brand.html", context, request=request)


def _row(request: HttpRequest, alert: Any, now: datetime) -> dict[str, Any]:
    return {
        "alert": alert,
        "kind": chip(label_of(alert.kind), "bad" if alert.is_bad else "warning"),
        "links": list(_links(request, alert)),
        "fired": viewer_time(alert.opened_at, seconds=False),
        "ago": ago(alert.opened_at, now),
        "resolved": viewer_time(alert.resolved_at, seconds=False) if alert.resolved_at else "",
        "snoozed": viewer_time(alert.snoozed_until, seconds=False)
        if alert.snoozed_until and alert.snoozed_until > now
        else "",
    }


def _links(request: HttpRequest, alert: Alert) -> Iterable[SafeString | str]:
    """Yield where to look."""
    if alert.campaign and may_view(request, Campaign):
        yield link_to(alert.campaign)
    if alert.brand and may_view(request, Brand):
        yield link_to(alert.brand)
    if alert.kind in SHOWN_ON and may_view(request, SHOWN_ON[alert.kind][0]):
        yield _link(platform_page(alert), SHOWN_ON[alert.kind][1])
    if alert.kind == LATE and may_view(request, JobRun):
        yield _link(reverse("admin:campaigns_jobrun_changelist"), "Jobs")
    # Deliveries are for superusers, whatever permissions others have.
    if alert.kind == DELIVERIES and request.user.is_superuser:
        yield _link(reverse("admin:campaigns_delivery_changelist"), "Deliveries")


def _link(address: str, text: str) -> SafeString:
    return format_html('<a class="text-link" href="{}">{}</a>', address, text)
