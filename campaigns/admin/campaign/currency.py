"""The currency of the brand that somebody chooses in a campaign's form, for the label beside the limit."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse

from campaigns.admin.shared.fields import is_key
from campaigns.models import Brand
from campaigns.services.permissions import visible_to


def currency_of_brand(request: HttpRequest) -> JsonResponse:
    """Return the currency of a brand that the person sees; an empty one for others."""
    if not any(request.user.has_perm(f"campaigns.{what}_campaign") for what in ("view", "change", "add")):
        raise PermissionDenied
    key = request.GET.get("brand", "")
    brands = visible_to(request.user, Brand.objects.filter(pk=int(key)), "pk") if is_key(key) else Brand.objects.none()
    return JsonResponse({"currency": brands.values_list("currency", flat=True).first() or ""})
