"""Adding a campaign from its brand's page: the brand is filled in, and saving leads back to it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin

from campaigns.admin.shared.base import may_view
from campaigns.admin.shared.display import change_address
from campaigns.admin.shared.fields import is_key
from campaigns.models import Brand
from campaigns.services.permissions import visible_to


def add_address(request: HttpRequest, brand: Brand) -> str:
    """Return the address of the form for a new campaign of the brand; "" if the person can't add one."""
    if brand.archived_at or not request.user.has_perm("campaigns.add_campaign"):
        return ""
    return reverse("admin:campaigns_campaign_add", query={"brand": brand.pk, "back": "brand"})


class AddToBrandMixin(ModelAdmin):
    """Names the brand in the breadcrumb of the form, and leads back to the brand that it came from."""

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        brand = _brand(request)
        return super().add_view(request, form_url, {"adds_to_brand": brand} | (extra_context or {}))

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        response = super().response_add(request, obj, post_url_continue)
        if "_addanother" in request.POST and _brand(request):
            return HttpResponseRedirect(request.get_full_path())
        return response

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        if _brand(request) and may_view(request, Brand):
            return HttpResponseRedirect(change_address(obj.brand))
        return super().response_post_save_add(request, obj)


def _brand(request: HttpRequest) -> Brand | None:
    """Return the brand from whose page the form was opened."""
    key = request.GET.get("brand", "")
    if request.GET.get("back") != "brand" or not is_key(key):
        return None
    return visible_to(request.user, Brand.objects.filter(pk=int(key)), "pk").first()
