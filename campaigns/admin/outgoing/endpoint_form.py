"""The form of an endpoint: where it is, what it gets, and of which brands."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextInputWidget

from campaigns.admin.people.user_form import BrandsField, KeysAutocomplete
from campaigns.models import Brand, Endpoint, EndpointBrand
from campaigns.models.outgoing.webhooks import MAX_ENDPOINTS
from campaigns.services.webhooks.addresses import Refused, check_url
from campaigns.services.webhooks.outbox import FIELDS

EVENTS = tuple(FIELDS.values())


class EndpointForm(forms.ModelForm[Endpoint]):
    brands = BrandsField(
        Brand.objects.order_by("name"),
        required=False,
        widget=KeysAutocomplete(EndpointBrand._meta.get_field("brand"), admin.site),
        help_text="Leave empty for all brands.",
    )

    class Meta:
        model = Endpoint
        fields = ("name", "kind", "url", "enabled", *EVENTS)
        widgets = {"url": UnfoldAdminTextInputWidget}
        help_texts = {
            "name": "How lists show this endpoint.",
            "kind": "A webhook gets signed JSON for a program. Slack and Microsoft Teams get messages for people.",
            "url": "Where it is sent: https://… For Slack and Teams, the address of an incoming webhook there.",
            "enabled": "Turn off to send nothing. What waits meanwhile is sent when you turn it on again.",
        }
        labels = {"enabled": "On"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brands = cast("BrandsField", self.fields["brands"])
        brands.widget.choices = brands.choices
        if self.instance.pk:
            rows = EndpointBrand.objects.filter(endpoint=self.instance)
            self.initial.setdefault("brands", list(rows.order_by("brand__name").values_list("brand", flat=True)))

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        try:
            check_url(url)
        except Refused as refusal:
            raise ValidationError(str(refusal)) from refusal
        return url

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not any(cleaned.get(name) for name in EVENTS):
            self.add_error(EVENTS[0], "Choose at least one event.")
        if not self.instance.pk and Endpoint.objects.count() >= MAX_ENDPOINTS:
            raise ValidationError(f"There are {MAX_ENDPOINTS} endpoints already. Delete one that isn't needed.")
        return cleaned

    def _save_m2m(self) -> None:
        """Write the brands that were changed."""
        super()._save_m2m()  # type: ignore[misc]  # Django's, unknown to its stubs
        if "brands" in self.changed_data:
            chosen = set(self.cleaned_data["brands"])
            rows = EndpointBrand.objects.filter(endpoint=self.instance)
            rows.exclude(brand__in=chosen).delete()
            missing = chosen - {row.brand for row in rows.select_related("brand")}
            EndpointBrand.objects.bulk_create(EndpointBrand(endpoint=self.instance, brand=each) for each in missing)
