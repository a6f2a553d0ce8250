from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Field, QuerySet
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_stubs_ext import WithAnnotations
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from campaigns.admin.bulk.archive import ARCHIVE_ACTIONS, ArchivedFilter, ArchiveMixin
from campaigns.admin.bulk.forms import CampaignLimitForm, ScheduleForm, TurnOffForm, TurnOnForm
from campaigns.admin.bulk.mixin import BulkAction
from campaigns.admin.campaign.applied import DriftFilter
from campaigns.admin.campaign.currency import currency_of_brand
from campaigns.admin.campaign.month_spend import MonthSpendFilter, chosen_brand
from campaigns.admin.campaign.near_limit import NearLimitFilter
from campaigns.admin.campaign.of_brand import AddToBrandMixin
from campaigns.admin.campaign.page import campaign_now
from campaigns.admin.campaign.schedule import WindowInline, schedules
from campaigns.admin.exchange.mixin import ExchangeMixin
from campaigns.admin.ledger.change_history import ChangeHistoryMixin
from campaigns.admin.ledger.history import recent_history
from campaigns.admin.ledger.spend_page import SpendPageMixin
from campaigns.admin.platforms.known import known_table
from campaigns.admin.shared.base import BaseAdmin
from campaigns.admin.shared.database_errors import FriendlyDatabaseErrorsMixin
from campaigns.admin.shared.deletion import ProtectHistoryMixin
from campaigns.admin.shared.display import link_to, spend_bar, status_chips
from campaigns.admin.shared.enforce_on_save import EnforceOnSaveMixin
from campaigns.admin.shared.fields import KeyAutocomplete, is_key
from campaigns.admin.shared.filters import EnabledFilter, ReasonFilter, VisibleAutocompleteFilter
from campaigns.admin.shared.forms import NamedForm
from campaigns.admin.shared.lists import ScalableListMixin
from campaigns.admin.shared.money_field import MoneyField, MoneyWidget
from campaigns.admin.shared.notes import NotesMixin
from campaigns.admin.shared.saved_filters import SavedFiltersMixin
from campaigns.admin.shared.search import campaigns_named
from campaigns.admin.shared.times import viewer_time
from campaigns.database.clock import database_now
from campaigns.models import Brand, Campaign, DaypartingSchedule, SpendRecord
from campaigns.models.campaign import ENDS_BEFORE_START
from campaigns.models.spend_queries import (
    CampaignMonth,
    CampaignSpend,
    campaigns_with_month,
    campaigns_with_spend,
)
from campaigns.rules.money import format_spend_money
from campaigns.services.bulk.schedules import shorten_windows
from campaigns.services.enforcement.saving import begin_move
from campaigns.services.exchange.columns import Kind
from campaigns.services.insight.forecast import forecast
from campaigns.services.insight.percent_today import campaigns_with_percent_today
from campaigns.services.notes import move_notes
from campaigns.services.permissions import visible_to
from campaigns.services.totals.silence import accounts_of


class CampaignForm(NamedForm[Campaign]):
    class Meta:
        model = Campaign
        fields = ("brand", "name", "enabled", "daily_spend_limit", "starts_on", "ends_on")

    @property
    def currency(self) -> str:
        return "" if self.is_new else self.instance.brand.currency

    def entered_currency(self) -> str:
        """Return the currency of the chosen brand, which Django validates before the amounts."""
        brand = getattr(self, "cleaned_data", {}).get("brand")
        return brand.currency if brand else self.currency

    def clean(self) -> dict[str, Any]:
        """Refuse to move a campaign that has spend, and dates the wrong way round, beside the field."""
        cleaned = super().clean()
        starts_on, ends_on = cleaned.get("starts_on"), cleaned.get("ends_on")
        if starts_on and ends_on and ends_on < starts_on:
            self.add_error("ends_on", ENDS_BEFORE_START)
        moves = not self.is_new and "brand" in self.changed_data and "brand" in cleaned
        if moves and SpendRecord.objects.filter(campaign=self.instance.pk).exists():
            self.add_error(
                "brand",
                f"“{self.instance}” has spend, which stays with its brand “{self.instance.brand}”. Turn the campaign"
                " off and create a new one for the other brand.",
            )
        joins = "brand" in cleaned and (self.is_new or "brand" in self.changed_data)
        if joins and cleaned["brand"].archived_at:
            self.add_error("brand", f"The brand “{cleaned['brand']}” is archived. Restore it or choose another brand.")
        return cleaned


@admin.register(Campaign)
class CampaignAdmin(
    ChangeHistoryMixin,
    SpendPageMixin,
    AddToBrandMixin,
    ArchiveMixin,
    ExchangeMixin,
    FriendlyDatabaseErrorsMixin,
    EnforceOnSaveMixin,
    ProtectHistoryMixin,
    NotesMixin,
    SavedFiltersMixin,
    ScalableListMixin,
    BaseAdmin,
):
    form = CampaignForm
    bulk_actions = {
        "switch_on": BulkAction("Turn on", TurnOnForm, confirm="Turn on {rows}", done="Turned on {rows}"),
        "switch_off": BulkAction("Turn off", TurnOffForm, confirm="Turn off {rows}", done="Turned off {rows}"),
        "change_limit": BulkAction("Change daily spend limit", CampaignLimitForm),
        "apply_schedule": BulkAction("Apply a schedule", ScheduleForm),
        **ARCHIVE_ACTIONS,
    }
    file_kinds = (Kind.CAMPAIGNS, Kind.SCHEDULES)
    brand_path = "brand_id"
    inlines = (WindowInline,)
    autocomplete_fields = ("brand",)
    list_display = (
        "name",
        "brand_name",
        "enabled",
        "status_in_words",
        "until_when",
        "today",
        "this_month",
        "schedule",
        "id",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ReasonFilter,
        NearLimitFilter,
        DriftFilter,
        ("brand", VisibleAutocompleteFilter),
        MonthSpendFilter,
        ("enabled", EnabledFilter),
        ArchivedFilter,
    )
    search_fields = ("name", "brand__name")
    search_help_text = "Search by campaign, brand or id"
    nothing_yet = "Campaigns belong to brands. Add a brand first."
    ordering = ("brand__name", "name")
    figures = ("percent_today", "spend_this_month")
    fieldsets = (("Settings", {"fields": ("brand", "name", "enabled", "daily_spend_limit", "starts_on", "ends_on")}),)
    change_form_outer_before_template: Any = "campaigns/admin/campaign_before.html"

    class Media:
        css = {"all": ["campaigns/campaign.css", "campaigns/week_grid.css"]}

    def get_urls(self) -> list[Any]:
        views = {"schedules": schedules, "currency": currency_of_brand}
        ours = [
            path(f"{name}/", self.admin_site.admin_view(view), name=f"campaigns_campaign_{name}")
            for name, view in views.items()
        ]
        return [*ours, *super().get_urls()]

    def lock_for_save(self, request: HttpRequest, pk: int | None, brand_ids: set[int]) -> None:
        """Lock the brand that the form names too: both brands of a campaign that moves, at once and in order of id."""
        posted = request.POST.get("brand", "")
        if is_key(posted) and int(posted) not in brand_ids:
            named = visible_to(request.user, Brand.objects.filter(pk=int(posted)), "pk").order_by()
            brand_ids = brand_ids | set(named.values_list("pk", flat=True))
        if pk is not None and len(brand_ids) > 1:
            begin_move(pk, brand_ids, clock=database_now)
        else:
            super().lock_for_save(request, pk, brand_ids)

    def describe_rows(self, formset: Any) -> str:
        if not super().describe_rows(formset):
            return ""
        named, more = shorten_windows(list(DaypartingSchedule.objects.filter(campaign=formset.instance)))
        return f"schedule {', '.join(filter(None, [*named, more])) or 'always'}"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "brand" in form.changed_fields:
            move_notes(obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        return super().get_queryset(request).select_related("brand").prefetch_related("windows")

    def with_figures(self, rows: QuerySet[Any], ids: Sequence[int] | None = None) -> QuerySet[Any]:
        return campaigns_with_month(rows, database_now(), ids)

    def with_figures_of_all(self, rows: QuerySet[Any], sorted_by: set[str], request: HttpRequest) -> QuerySet[Any]:
        if "spend_this_month" not in sorted_by:
            return campaigns_with_percent_today(rows, database_now())
        of_brand = rows.filter(brand=chosen_brand(request)).order_by()
        return campaigns_with_month(rows, database_now(), list(of_brand.values_list("pk", flat=True)))

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Sort by spend of the month within a brand only; see campaigns.admin.campaign.month_spend."""
        columns: Any = super().get_sortable_by(request)
        return [column for column in columns if column != "this_month" or chosen_brand(request)]

    def with_figures_of_one(self, rows: QuerySet[Any], pk: int) -> QuerySet[Any]:
        """Include the brand's spend, which the page of a campaign shows too."""
        return campaigns_with_spend(rows, database_now(), [pk])

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Campaign], search_term: str) -> Any:
        return campaigns_named(search_term, queryset), False

    def extra_form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return super().extra_form_context(request, obj) | {"campaign_now": campaign_now(obj, database_now())}

    def panels(self, request: HttpRequest, obj: Campaign) -> Iterable[tuple[str, SafeString]]:
        yield self.notes_panel(request, obj)
        if known := accounts_of(campaigns=[obj.pk], now=timezone.now()):
            yield "Platforms", known_table(request, known, obj.brand.timezone)
        yield "Status changes", recent_history(obj)

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "daily_spend_limit":
            kwargs |= {"form_class": MoneyField, "widget": MoneyWidget()}
        if db_field.name == "brand":
            kwargs["widget"] = KeyAutocomplete(
                db_field, self.admin_site, attrs={"data-currency": reverse("admin:campaigns_campaign_currency")}
            )
            kwargs["queryset"] = visible_to(request.user, Brand.objects.all(), "pk")
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description="brand", ordering="brand__name")
    def brand_name(self, campaign: Campaign) -> SafeString:
        return link_to(campaign.brand)

    @admin.display(description="status", ordering="pause_reasons")
    def status_in_words(self, campaign: Campaign) -> SafeString:
        return status_chips(campaign.reasons)

    @admin.display(description="paused until")
    def until_when(self, campaign: WithAnnotations[Campaign, CampaignMonth]) -> SafeString | str:
        if not campaign.reasons:
            return "–"
        now = campaign.figures_at
        found = forecast(campaign, list(campaign.windows.all()), now)
        if found.at is None or found.at <= now:
            return found.text
        return viewer_time(found.at, campaign.brand.timezone, seconds=False)

    @admin.display(description="spent today", ordering="percent_today")
    def today(self, campaign: WithAnnotations[Campaign, CampaignSpend]) -> SafeString:
        return spend_bar(
            campaign.spend_today, campaign.daily_spend_limit, campaign.brand.currency, of="daily spend limit"
        )

    @admin.display(description="spent this month", ordering="spend_this_month")
    def this_month(self, campaign: WithAnnotations[Campaign, CampaignMonth]) -> str:
        return format_spend_money(campaign.spend_this_month, campaign.brand.currency)

    @admin.display(description="schedule")
    def schedule(self, campaign: Campaign) -> SafeString | str:
        named, more = shorten_windows(list(campaign.windows.all()))
        if not named:
            return format_html('<span class="campaigns-usual">{}</span>', "always")
        lines = format_html_join("", "<span>{}</span>", [(line,) for line in (*named, more) if line])
        return format_html('<span class="campaigns-lines">{}</span>', lines)
