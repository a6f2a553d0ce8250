"""A brand's form asks before it changes the time zone: what becomes of its spend of now, and of statuses."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from campaigns.admin.brand.pause import PauseBrandMixin
from campaigns.admin.shared.preview_table import EFFECTS, effects_table, status_counts, title
from campaigns.admin.shared.zone_table import before_and_after
from campaigns.database.clock import database_now
from campaigns.models import Brand
from campaigns.services.enforcement.saving import Effects, preview_zone_change

CONFIRMED = "_zone_confirmed"
"""The field of a post that names the time zone whose effect was shown."""
UNASKED = ("csrfmiddlewaretoken", CONFIRMED)


class ZoneUnconfirmed(Exception):
    """The form is valid and would change the time zone, of which nothing was said yet."""

    def __init__(self, form: Any) -> None:
        super().__init__()
        self.form = form


class ConfirmTimeZoneChangeMixin(PauseBrandMixin):
    """Shows a valid form that changes the time zone with its effect first; what is confirmed is the same post again."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change and "timezone" in form.changed_fields and request.POST.get(CONFIRMED) != obj.timezone:
            raise ZoneUnconfirmed(form)
        super().save_model(request, obj, form, change)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ZoneUnconfirmed as asked:
            form = asked.form
        return self._refusing(request, lambda: self._ask_about_zone(request, form))

    def _ask_about_zone(self, request: HttpRequest, form: Any) -> HttpResponse:
        brand: Brand = form.instance
        values = {name: form.cleaned_data[name] for name in form.changed_fields}
        change, effects = preview_zone_change(brand.pk, values, clock=database_now)
        posted = [(name, value) for name in request.POST if name not in UNASKED for value in request.POST.getlist(name)]
        return self.dialogue(
            request,
            "brand/zone",
            title=f"Change the time zone of {change.before.name} from {change.before.timezone} to {brand.timezone}?",
            posted=[*posted, (CONFIRMED, brand.timezone)],
            spend=before_and_after(change),
            counts=status_counts(effects),
            panels=_panels(effects),
            page=reverse("admin:campaigns_brand_change", args=[brand.pk]),
        )


def _panels(effects: Effects) -> list[tuple[str, SafeString]]:
    count = len(effects.changes)
    return [(title(EFFECTS, count), effects_table(effects))] if count else []
