"""Pausing and resuming a whole brand: a button, a confirmation, and the effect in one transaction."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from campaigns.admin.shared.base import BaseAdmin
from campaigns.admin.shared.database_errors import friendly_errors
from campaigns.admin.shared.display import link_to, list_address
from campaigns.admin.shared.messages import warn_about_unknown_zones, with_changes
from campaigns.database.clock import database_now
from campaigns.models import Brand, Campaign
from campaigns.services.bulk.change_many import apply_bulk, preview_bulk
from campaigns.services.bulk.operations import SwitchTo, fingerprint
from campaigns.services.history.record import Channel

# Campaigns that the confirmation names.
MAX_NAMED = 10


class PauseBrandMixin(BaseAdmin):
    """Adds the pages that pause and resume a brand: each asks for a confirmation, then changes `enabled` (R5, R8).

    Needs the model Brand, and the figures campaign_count and active_count.
    """

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<path:object_id>/pause/", view(self.pause_view), name="campaigns_brand_pause"),
            path("<path:object_id>/resume/", view(self.resume_view), name="campaigns_brand_resume"),
            *super().get_urls(),
        ]

    def pause_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._switch_view(request, object_id, enabled=False)

    def resume_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._switch_view(request, object_id, enabled=True)

    def _switch_view(self, request: HttpRequest, object_id: str, *, enabled: bool) -> HttpResponse:
        brand = self.get_object(request, unquote(object_id))
        if brand is None:
            messages.warning(request, "This brand no longer exists.")
            return HttpResponseRedirect(list_address(Brand))
        if not self.has_change_permission(request, brand):
            raise PermissionDenied
        if enabled and brand.archived_at:
            messages.error(request, f"“{brand}” is archived. Restore it before resuming it.")
            return HttpResponseRedirect(self._page_of(brand))
        if request.method == "POST":
            return friendly_errors(request, self.model, lambda: self._turn(request, brand, enabled=enabled))
        return TemplateResponse(request, "campaigns/admin/brand/pause.html", self._asked(request, brand, enabled))

    def _turn(self, request: HttpRequest, brand: Brand, *, enabled: bool) -> HttpResponse:
        other_way = {brand.pk: fingerprint(not enabled)}
        applied = apply_bulk(
            SwitchTo(enabled), Brand, other_way, person=request.user, clock=database_now, channel=Channel.FORM
        )
        warn_about_unknown_zones(request, applied.enforced)
        if applied.changed:
            done = "Resumed" if enabled else "Paused"
            messages.success(request, with_changes(f"{done} “{brand}”.", applied.enforced))
        else:
            messages.warning(request, f"“{brand}” is already {'on' if enabled else 'paused'}.")
        return HttpResponseRedirect(self._page_of(brand))

    def _page_of(self, brand: Brand) -> str:
        return reverse("admin:campaigns_brand_change", args=[brand.pk])

    def _asked(self, request: HttpRequest, brand: Any, enabled: bool) -> dict[str, Any]:
        """Return what the confirmation shows: the effect, from a dry run."""
        effects = preview_bulk(SwitchTo(enabled), Brand, [brand.pk], person=request.user, clock=database_now).effects
        turned = [each for each in effects.changes if (each.is_resume if enabled else each.is_pause)]
        return {
            **self.admin_site.each_context(request),
            "title": f"{'Resume' if enabled else 'Pause'} {brand}",
            "opts": self.opts,
            "brand": brand,
            "enabled": enabled,
            "is_so": brand.enabled == enabled,
            "turned": len(turned),
            "named": [link_to(Campaign(pk=each.campaign_id), each.campaign) for each in turned[:MAX_NAMED]],
            "more": max(len(turned) - MAX_NAMED, 0),
            "others": brand.campaign_count - len(turned),
            "page": self._page_of(brand),
        }
