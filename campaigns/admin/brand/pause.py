"""Pausing and resuming a whole brand: a button, a confirmation, and the effect in one transaction."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from campaigns.admin.bulk.actions import BulkBrands
from campaigns.admin.shared.display import list_address
from campaigns.admin.shared.effect import changed_in_words, warn_about_unknown_zones
from campaigns.database.clock import database_now
from campaigns.models import Brand
from campaigns.services.bulk.change_many import apply_bulk, preview_bulk
from campaigns.services.bulk.operations import SwitchTo, fingerprint


class PauseBrandMixin(BulkBrands):
    """Adds two pages to a brand's, of which each asks once and then turns the brand's own switch (R5, R8)."""

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
        if request.method == "POST":
            return self._refusing(request, lambda: self._turn(request, brand, enabled=enabled))
        return TemplateResponse(request, "campaigns/admin/brand/pause.html", self._asked(request, brand, enabled))

    def _turn(self, request: HttpRequest, brand: Brand, *, enabled: bool) -> HttpResponse:
        other_way = {brand.pk: fingerprint(not enabled)}
        applied = apply_bulk(SwitchTo(enabled), Brand, other_way, person=request.user, clock=database_now)
        warn_about_unknown_zones(request, applied.enforced)
        if applied.changed:
            done = "Resumed" if enabled else "Paused"
            messages.success(request, f"{done} “{brand}”. {changed_in_words(applied.enforced)}")
        else:
            messages.warning(request, f"“{brand}” is already {'on' if enabled else 'paused'}.")
        return HttpResponseRedirect(self._page_of(brand))

    def _page_of(self, brand: Brand) -> str:
        return reverse("admin:campaigns_brand_change", args=[brand.pk])

    def _asked(self, request: HttpRequest, brand: Any, enabled: bool) -> dict[str, Any]:
        """Return what the confirmation says, tried out and rolled back."""
        tried = preview_bulk(SwitchTo(enabled), Brand, [brand.pk], person=request.user, clock=database_now).effects
        turned = tried.resumed if enabled else tried.paused
        return {
            **self.admin_site.each_context(request),
            "title": f"{'Resume' if enabled else 'Pause'} {brand}",
            "opts": self.opts,
            "brand": brand,
            "enabled": enabled,
            "is_so": brand.enabled == enabled,
            "turned": turned,
            "others": brand.campaign_count - turned,
            "page": self._page_of(brand),
        }
