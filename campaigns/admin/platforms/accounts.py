"""Accounts of ad platforms: their currency, time zone, and until when their spend is known."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from campaigns.admin.shared.base import BaseAdmin
from campaigns.admin.shared.database_errors import FriendlyDatabaseErrorsMixin
from campaigns.admin.shared.display import chip, link_to, link_to_list
from campaigns.admin.shared.fields import CurrencyField, CurrencyWidget, ZoneField, ZoneWidget
from campaigns.admin.shared.lists import ScalableListMixin
from campaigns.admin.shared.times import viewer_time
from campaigns.models import CampaignLink, PlatformAccount
from campaigns.models.brand import validate_zone
from campaigns.rules.platforms import BY_NAME, shown_id
from campaigns.services.totals.links import save_account
from campaigns.services.totals.silence import is_silent


class AccountForm(forms.ModelForm[PlatformAccount]):
    currency = CurrencyField(
        required=False,
        max_length=3,
        widget=CurrencyWidget(),
        help_text="The currency of the account's figures. They are booked for brands in this currency only.",
    )
    timezone = ZoneField(
        label="Time zone",
        required=False,
        max_length=64,
        widget=ZoneWidget(),
        validators=[validate_zone],
        help_text="The time zone in which the platform counts the account's days.",
    )

    class Meta:
        model = PlatformAccount
        fields = ("currency", "timezone", "interval_hours", "brand")
        help_texts = {
            "brand": "The brand that is suggested for the account's campaigns. API keys limited to it can report"
            " the account.",
            "account_id": "The platform's ID, in lower case, without spaces and dashes. By name: the account of a file"
            " that doesn't say its ID.",
            "known_until": "Up to when the account's spend is known: when its last sync ended, or for an imported"
            " report the end of its last day, or when the report was made.",
        }


@admin.register(PlatformAccount)
class PlatformAccountAdmin(FriendlyDatabaseErrorsMixin, ScalableListMixin, BaseAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    form = AccountForm
    brand_path = "brand"
    list_display = ("account", "platform", "currency", "timezone", "known_until", "campaigns", "brand_link")
    list_filter = (("source", ChoicesDropdownFilter),)
    search_fields = ("name", "external_id")
    search_help_text = "Search by name or ID"
    list_note = (
        "Accounts appear when a connector, the API or a file reports spend. Without a currency and a time zone their"
        " spend waits as unassigned."
    )
    nothing_yet = "No platform has reported spend yet. Import a downloaded report, or connect a pipeline."
    fields = ("platform", "account_id", "known_until", "currency", "timezone", "interval_hours", "brand", "campaigns")
    readonly_fields = ("platform", "account_id", "known_until", "campaigns")
    autocomplete_fields = ("brand",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        linked = Count("links", filter=Q(links__campaign__isnull=False))
        rows: QuerySet[Any] = super().get_queryset(request)
        found: QuerySet[Any] = rows.select_related("brand").annotate(linked=linked)
        return found

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        save_account(obj)

    @admin.display(description="account", ordering="name")
    def account(self, obj: PlatformAccount) -> str:
        if not obj.name:
            return shown_id(obj.external_id)
        return f"{obj.name} ({'by name' if obj.external_id.startswith(BY_NAME) else obj.external_id})"

    @admin.display(description="account ID")
    def account_id(self, obj: PlatformAccount) -> str:
        return shown_id(obj.external_id)

    @admin.display(description="platform", ordering="source")
    def platform(self, obj: PlatformAccount) -> str:
        return obj.get_source_display()

    @admin.display(description="known until", ordering="reported_until")
    def known_until(self, obj: PlatformAccount) -> SafeString | str:
        if obj.reported_until is None:
            return "–"
        shown = viewer_time(obj.reported_until, seconds=False)
        return shown + (chip("silent", "warning") if is_silent(obj, now=timezone.now()) else SafeString(""))

    @admin.display(description="linked campaigns", ordering="linked")
    def campaigns(self, obj: Any) -> SafeString:
        return link_to_list(CampaignLink, f"{obj.linked:,}", account__id__exact=obj.pk)

    @admin.display(description="brand", ordering="brand__name")
    def brand_link(self, obj: PlatformAccount) -> SafeString | str:
        return link_to(obj.brand) if obj.brand else "–"
