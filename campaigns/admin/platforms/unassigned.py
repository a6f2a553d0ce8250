"""Unassigned spend: what waits, by account and campaign, and assigning it, with a preview of statuses (R17)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from campaigns.admin.platforms.unassigned_rows import account_name, campaign_name, groups, when_booked, without_zone
from campaigns.admin.shared.base import BaseAdmin
from campaigns.admin.shared.database_errors import friendly_errors
from campaigns.admin.shared.display import link_to, table
from campaigns.admin.shared.fields import KeyAutocomplete
from campaigns.admin.shared.messages import describe_changes, warn_about_unknown_zones
from campaigns.admin.shared.preview_table import (
    EFFECTS,
    SHOWN,
    PreviewPage,
    effects_table,
    status_counts,
    title,
    zone_notes,
)
from campaigns.database.clock import database_now
from campaigns.models import Brand, Campaign, CampaignLink
from campaigns.rules.money import format_money
from campaigns.rules.platforms import SOURCES, shown_id
from campaigns.services.audit_log import AuditEntry, log_rows
from campaigns.services.enforcement.saving import Effects
from campaigns.services.naming.find_names import find_campaigns
from campaigns.services.permissions import assigned_brands, visible_to
from campaigns.services.totals.assignment import (
    Assignment,
    AssignmentRefused,
    assign_spend,
    by_name,
    ensure_links,
    of_campaign,
    preview_assignment,
)
from campaigns.services.totals.links import ignore_waiting
from campaigns.services.totals.unassigned import Unassigned, UnassignedSpend, unassigned_spend

SAME, NEW, ONE, IGNORE = "same", "new", "one", "ignore"
CHOICES = (
    (SAME, "A brand’s campaigns of the same names"),
    (NEW, "The same; add the missing ones"),
    (ONE, "One campaign"),
    (IGNORE, "None: ignore it"),
)
ADDRESS = "admin:campaigns_campaignlink_unassigned"
MISSING = "Choose a brand."


class CampaignField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic when Django runs
    """The campaign that is chosen from suggestions, as text: its ID; the form reads a name in the brand, too."""

    def to_python(self, value: Any) -> Any:
        return str(value or "").strip()

    def validate(self, value: Any) -> None:
        """Accept any text: the form looks the campaign up."""


class AssignForm(forms.Form):
    """What to do with the chosen spend. Brands and campaigns are those that the person sees."""

    what = forms.ChoiceField(label="Assign to", choices=CHOICES, initial=SAME, widget=UnfoldAdminRadioSelectWidget)
    brand = forms.ModelChoiceField(
        Brand.objects.none(),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="The brand whose campaigns the spend is of.",
    )
    campaign = CampaignField(
        Campaign.objects.none(),
        required=False,
        help_text="Only for “One campaign”. Type a part of its name, its ID or its brand.",
    )
    note = forms.CharField(
        required=False, max_length=200, widget=UnfoldAdminTextInputWidget, help_text="For ignoring: why. Optional."
    )

    def __init__(self, data: Any, *, person: Any, spend: Sequence[UnassignedSpend]) -> None:
        suggested = next((each.brand_id for each in spend if each.brand_id), None)
        super().__init__(data, initial={"brand": suggested})
        brands: Any = self.fields["brand"]
        brands.queryset = visible_to(person, Brand.objects.not_archived(), "pk").order_by("name")
        self.campaigns = visible_to(person, Campaign.objects.select_related("brand"), "brand")
        campaign: Any = self.fields["campaign"]
        campaign.queryset = self.campaigns
        campaign.widget = KeyAutocomplete(CampaignLink._meta.get_field("campaign"), admin.site)
        campaign.widget.choices = campaign.choices
        self.spend = spend

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        what, brand = cleaned.get("what"), cleaned.get("brand")
        try:
            if what in (SAME, NEW):
                if brand is None:
                    raise forms.ValidationError({"brand": MISSING})
                cleaned["assignment"] = by_name(self.spend, brand, create=what == NEW)
            elif what == ONE:
                cleaned["assignment"] = of_campaign(self.spend, self._campaign(cleaned.get("campaign") or "", brand))
        except AssignmentRefused as refusal:
            raise forms.ValidationError({"brand": str(refusal)}) from refusal
        return cleaned

    def _campaign(self, text: str, brand: Brand | None) -> Campaign:
        """Return the campaign with this id, or of this name in the brand."""
        found = self.campaigns.filter(pk=int(text)) if text.isdecimal() and len(text) < 19 else self.campaigns.none()
        if not found and brand is not None:
            named = find_campaigns({(brand.pk, text)}).ids
            found = self.campaigns.filter(pk__in=list(named.values()))
        campaign = found.first()
        if campaign is None:
            where = f" in “{brand}”" if brand else ""
            raise forms.ValidationError({"campaign": f"No campaign has the ID or name “{text}”{where}."})
        return campaign


class UnassignedMixin(BaseAdmin):
    """Adds the page of unassigned spend, for people who may change links. Needs the model CampaignLink."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.unassigned_view)
        return [path("unassigned/", view, name="campaigns_campaignlink_unassigned"), *super().get_urls()]

    def unassigned_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST" and not self.has_change_permission(request):
            raise PermissionDenied
        return friendly_errors(request, self.model, lambda: self._page(request))

    def _page(self, request: HttpRequest) -> HttpResponse:
        found = unassigned_spend(assigned_brands(request.user))
        chosen = self._chosen(request, found)
        if request.method == "POST" and not chosen:
            messages.warning(request, "Choose what to assign. What was chosen before may be booked by now.")
            return HttpResponseRedirect(reverse(ADDRESS))
        form = AssignForm(request.POST if "what" in request.POST else None, person=request.user, spend=chosen)
        if "what" in request.POST and form.is_valid():
            return self._carry_out(request, form, chosen)
        if chosen:
            return self._ask(request, form, chosen)
        return self.dialogue(
            request,
            "unassigned",
            title="Unassigned spend",
            groups=list(groups(found.open)),
            ignored=list(groups(found.ignored)),
            money=[format_money(amount, currency or "–") for currency, amount in found.money.items()],
            is_capped=found.is_capped,
            may_change=self.has_change_permission(request),
        )

    def _chosen(self, request: HttpRequest, found: Unassigned) -> list[UnassignedSpend]:
        keys = set(request.POST.getlist("spend"))
        return [each for each in found.spend if each.key in keys]

    def _ask(
        self, request: HttpRequest, form: AssignForm, chosen: Sequence[UnassignedSpend], **shown: Any
    ) -> HttpResponse:
        return self.dialogue(
            request,
            "assign_spend",
            title="Assign spend",
            form=form,
            chosen=[each.key for each in chosen],
            chosen_table=_table(chosen),
            back=reverse(ADDRESS),
            media=self.media + form.media,
            **shown,
        )

    def _carry_out(self, request: HttpRequest, form: AssignForm, chosen: Sequence[UnassignedSpend]) -> HttpResponse:
        """Show what the form would do, and do it once that is confirmed."""
        is_confirmed = "confirmed" in request.POST
        if form.cleaned_data["what"] == IGNORE:
            self._ignore(request, chosen, form.cleaned_data["note"])
            return HttpResponseRedirect(reverse(ADDRESS))
        assignment: Assignment = form.cleaned_data["assignment"]
        if is_confirmed:
            self._assign(request, assignment)
            return HttpResponseRedirect(reverse(ADDRESS))
        if not request.user.has_perm("campaigns.add_campaign") and assignment.new:
            form.add_error("what", "You may not add campaigns. Choose another way, or ask an administrator.")
            return self._ask(request, form, chosen)
        preview = _preview(assignment, *preview_assignment(assignment, clock=database_now))
        return self._ask(request, form, chosen, preview=preview)

    def _assign(self, request: HttpRequest, assignment: Assignment) -> None:
        if assignment.new and not request.user.has_perm("campaigns.add_campaign"):
            raise PermissionDenied
        with transaction.atomic():
            enforced = assign_spend(assignment, actor=request.user.get_username(), clock=database_now)
            log_rows(request.user, CampaignLink, _audit(assignment.spend, "Assigned."))
        warn_about_unknown_zones(request, enforced)
        messages.success(
            request,
            f"Assigned {_counted(len(assignment.spend))} to “{assignment.brand}”."
            f" {when_booked(assignment.spend)}"
            f" {describe_changes(enforced) if enforced.changed else ''}",
        )

    def _ignore(self, request: HttpRequest, chosen: Sequence[UnassignedSpend], note: str) -> None:
        with transaction.atomic():
            ignore_waiting(ensure_links(chosen).values(), note)
            log_rows(request.user, CampaignLink, _audit(chosen, "Ignored."))
        messages.success(request, f"Ignored {_counted(len(chosen))}. Assign them again from the list below.")


def _audit(spend: Iterable[UnassignedSpend], what: str) -> list[AuditEntry]:
    return [AuditEntry(pk, campaign_name(each), (what,)) for each, pk in ensure_links(spend).items()]


def _counted(count: int) -> str:
    return f"{count:,} platform campaign{'' if count == 1 else 's'}"


def _table(chosen: Sequence[UnassignedSpend]) -> Any:
    rows = [
        (
            SOURCES[each.source],
            account_name(each),
            campaign_name(each),
            shown_id(each.campaign),
            format_money(each.amount, each.currency or "–"),
        )
        for each in chosen[:SHOWN]
    ]
    label = title("Chosen", len(chosen))
    return table(
        ("Platform", "Account", "Campaign", "ID", "Spend"), rows, numbers=(4,), empty="", cards=True, label=label
    )


def _preview(assignment: Assignment, effects: Effects, added: set[int]) -> PreviewPage:
    rows: list[tuple[Any, ...]] = [
        (campaign_name(each), link_to(campaign), format_money(each.amount, each.currency or "–"))
        for each, campaign in assignment.campaigns.items()
    ]
    rows += [
        (campaign_name(each), format_html("{} (new)", name), format_money(each.amount, each.currency or "–"))
        for each, name in assignment.new.items()
    ]
    label = title(f"Assigned to campaigns of {assignment.brand}", len(rows))
    heads = ("Platform’s campaign", "Campaign", "Spend")
    tables: list[Any] = [(label, table(heads, rows[:SHOWN], numbers=(2,), empty="", cards=True, label=label))]
    if changes := effects.changes:
        tables.append((title(EFFECTS, len(changes)), effects_table(effects, added)))
    counts = [(f"{len(rows):,}", "to assign"), *status_counts(effects)]
    if assignment.new:
        counts.insert(1, (f"{len(added):,}", "new campaigns" if len(added) != 1 else "new campaign"))
    notes = [
        "All that waits is booked, at the days of the account, within 10 seconds of your confirmation. Days that are"
        " booked already stay with their campaign."
    ]
    if without_zone(assignment.spend):
        notes = [f"The time zone of an account is unknown. {when_booked(assignment.spend)}"]
    currencies = {each.currency for each in assignment.spend} - {assignment.brand.currency}
    if currencies:
        notes.append(
            f"“{assignment.brand}” is in {assignment.brand.currency}: spend in another or an unknown currency isn’t"
            " booked and stays here. Set the account’s currency on its page."
        )
    return PreviewPage(counts, [*notes, *zone_notes(effects)], tables, bool(rows))
