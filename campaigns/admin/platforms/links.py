"""Links from platforms' campaigns to ours: which campaign the spend is booked for, and from which day on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Max, Min, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminSingleDateWidget

from campaigns.admin.platforms.unassigned import UnassignedMixin
from campaigns.admin.platforms.unassigned_rows import WHY
from campaigns.admin.shared.database_errors import FriendlyDatabaseErrorsMixin
from campaigns.admin.shared.display import chip, link_to_both, table
from campaigns.admin.shared.filters import VisibleAutocompleteFilter
from campaigns.admin.shared.lists import ScalableListMixin
from campaigns.admin.shared.times import viewer_time
from campaigns.models import BrandAssignment, CampaignLink, SpendTotal
from campaigns.models.platforms.totals import Waiting
from campaigns.rules.money import PLACES, format_amount
from campaigns.rules.platforms import shown_id
from campaigns.services.permissions import sees_only_assigned_brands
from campaigns.services.totals.links import assign, ignore, unassign

# Days of totals on a link's page.
DAYS = 40


class LinkForm(forms.ModelForm[CampaignLink]):
    """A link, and from which day a change holds, which matters only where spend is booked already."""

    first_day = forms.DateField(
        label="From day",
        required=False,
        widget=UnfoldAdminSingleDateWidget(),
        help_text="Where spend is booked for another campaign already: the first day of the account that moves. Earlier"
        " days stay, also those that are reported later. Leave it empty otherwise.",
    )

    class Meta:
        model = CampaignLink
        fields = ("campaign", "ignored", "note")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        campaign, day = cleaned.get("campaign"), cleaned.get("first_day")
        if {"campaign", "ignored"} & set(self.changed_data) and day is None:
            booked = totals_of(self.instance).filter(booked_campaign__isnull=False)
            if campaign is not None:
                booked = booked.exclude(booked_campaign=campaign)
            first = booked.order_by().aggregate(first=Min("day"), last=Max("day"))
            if first["first"]:
                raise forms.ValidationError(
                    {
                        "first_day": f"Spend from {first['first']} to {first['last']} is booked for another campaign."
                        f" Enter the first day that moves: {first['first']} moves everything."
                    }
                )
        return cleaned


def totals_of(link: CampaignLink) -> QuerySet[SpendTotal]:
    account = link.account
    return SpendTotal.objects.filter(source=account.source, account=account.external_id, campaign=link.external_id)


@admin.register(CampaignLink)
class CampaignLinkAdmin(UnassignedMixin, FriendlyDatabaseErrorsMixin, ScalableListMixin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    form = LinkForm
    list_display = ("platform_campaign", "platform_id", "account_name", "linked_to")
    list_filter = (
        ("account__source", ChoicesDropdownFilter),
        ("account", VisibleAutocompleteFilter),
        ("campaign", VisibleAutocompleteFilter),
        ("ignored", BooleanRadioFilter),
    )
    search_fields = ("name", "external_id", "account__external_id", "account__name")
    search_help_text = "Search by name or ID of the platform’s campaign or account"
    list_select_related = ("account", "campaign__brand")
    list_note = "The campaigns of ad platforms, and which of yours their spend is booked for."
    nothing_yet = "No platform has reported campaigns yet. Import a downloaded report, or connect a pipeline."
    fields = ("platform_campaign", "platform_id", "account_name", "campaign", "first_day", "ignored", "note")
    readonly_fields = ("platform_campaign", "platform_id", "account_name")
    autocomplete_fields = ("campaign",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return what the person sees: links to their campaigns, and those of accounts of their brands."""
        rows = super().get_queryset(request)
        if not sees_only_assigned_brands(request.user):
            return rows
        assigned = BrandAssignment.objects.filter(user=request.user.pk).values("brand")
        return rows.filter(Q(campaign__brand__in=assigned) | Q(campaign=None, account__brand__in=assigned))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        day = form.cleaned_data["first_day"]
        if obj.ignored:
            saved = ignore([obj.pk], obj.note, first_day=day)
        elif obj.campaign_id:
            saved = assign({obj.pk: obj.campaign_id}, first_day=day)
        else:
            saved = unassign([obj.pk], first_day=day)
        if saved.moved or saved.freed:
            messages.info(request, "The spend is booked by the next check, within 10 seconds.")

    def panels(self, request: HttpRequest, obj: CampaignLink) -> Iterable[tuple[str, SafeString]]:
        totals = totals_of(obj).select_related("booked_campaign__brand").order_by("-day")[:DAYS]
        rows = [
            (
                total.day,
                format_amount(total.total, obj.account.currency),
                format_amount(total.booked, obj.account.currency),
                link_to_both(total.booked_campaign) if total.booked_campaign else "–",
                viewer_time(total.as_of),
                _state(total),
            )
            for total in totals
        ]
        heads = ("Day", "Reported", "Booked", "Booked for", "As of", "State")
        yield "Reported totals", table(heads, rows, numbers=(1, 2), empty="No totals yet.", label="Reported totals")

    @admin.display(description="campaign ID", ordering="external_id")
    def platform_id(self, obj: CampaignLink) -> str:
        return shown_id(obj.external_id)

    @admin.display(description="campaign", ordering="name")
    def platform_campaign(self, obj: CampaignLink) -> str:
        return str(obj)

    @admin.display(description="account", ordering="account__name")
    def account_name(self, obj: CampaignLink) -> str:
        return f"{obj.account.get_source_display()}: {obj.account}"

    @admin.display(description="linked to", ordering="campaign__name")
    def linked_to(self, obj: CampaignLink) -> SafeString:
        if obj.campaign:
            return link_to_both(obj.campaign)
        return chip("ignored", "plain") if obj.ignored else chip("unassigned", "warning")


def _state(total: SpendTotal) -> SafeString | str:
    if total.waiting == Waiting.NO:
        return "booked" if round(total.total, PLACES) == total.booked else "being booked"
    return chip(WHY.get(Waiting(total.waiting), total.get_waiting_display()), "warning")
