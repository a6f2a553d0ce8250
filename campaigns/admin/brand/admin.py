from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Field, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AllValuesCheckboxFilter

from campaigns.admin.alerts.alerts import alerts_panel
from campaigns.admin.brand.columns import BrandColumnsMixin
from campaigns.admin.brand.filters import NearBudgetFilter, PaceFilter
from campaigns.admin.brand.lists import campaigns_of, history_of
from campaigns.admin.brand.owner import OwnerChoice, OwnerFilter, OwnerForm
from campaigns.admin.brand.page import summary_context
from campaigns.admin.brand.pause import PauseBrandMixin
from campaigns.admin.brand.zone_change import ConfirmTimeZoneChangeMixin
from campaigns.admin.bulk.archive import ARCHIVE_ACTIONS, ArchivedFilter, ArchiveMixin
from campaigns.admin.bulk.forms import BrandBudgetForm, TurnOffForm, TurnOnForm
from campaigns.admin.bulk.mixin import BulkAction
from campaigns.admin.campaign.of_brand import add_address
from campaigns.admin.exchange.mixin import ExchangeMixin
from campaigns.admin.ledger.change_history import ChangeHistoryMixin
from campaigns.admin.ledger.spend_page import SpendPageMixin
from campaigns.admin.ledger.statements import recent_statements
from campaigns.admin.platforms.counted_twice import twice_list
from campaigns.admin.platforms.known import known_table
from campaigns.admin.shared.base import BaseAdmin, may_view
from campaigns.admin.shared.database_errors import FriendlyDatabaseErrorsMixin
from campaigns.admin.shared.deletion import ProtectHistoryMixin
from campaigns.admin.shared.enforce_on_save import EnforceOnSaveMixin
from campaigns.admin.shared.fields import CurrencyField, CurrencyWidget, ZoneField, ZoneWidget
from campaigns.admin.shared.filters import BrandEnabledFilter, RiskFilter
from campaigns.admin.shared.forms import NamedForm
from campaigns.admin.shared.money_field import NAMES_THE_VALUE, MoneyField, MoneyWidget
from campaigns.admin.shared.notes import NotesMixin
from campaigns.admin.shared.saved_filters import SavedFiltersMixin
from campaigns.admin.shared.search import brands_named
from campaigns.models import Alert, Brand, BrandPeriod, Campaign, StatusChange
from campaigns.rules.currencies import find_currency, read_currency, unknown_currency
from campaigns.services.exchange.columns import Kind
from campaigns.services.ledger.currency_lock import brands_that_keep_their_currency, currency_is_kept
from campaigns.services.people.owners import possible_owners
from campaigns.services.permissions import sees_only_assigned_brands
from campaigns.services.totals.silence import accounts_of_brand
from campaigns.services.totals.waiting import free_brands


class BrandForm(NamedForm[Brand]):
    class Meta:
        model = Brand
        fields = ("name", "enabled", "currency", "timezone", "owner", "daily_budget", "monthly_budget")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "owner" in self.fields:
            people = possible_owners()
            # The owner that the brand has stays a choice, also after leaving.
            self.fields["owner"].queryset = people | User.objects.filter(pk=self.instance.owner_id or 0)  # type: ignore[attr-defined]
        if "currency" in self.fields and not self.is_new and self.keeps_its_currency:
            field = self.fields["currency"]
            field.help_text = "The brand has spend or final statements in this currency, so it can't change."
            field.widget.attrs["readonly"] = True

    @property
    def currency(self) -> str:
        return self.instance.currency

    def entered_currency(self) -> str:
        entered = self.data.get(self.add_prefix("currency")) if "currency" in self.fields else None
        return read_currency(entered or "") or self.currency

    @property
    def keeps_its_currency(self) -> bool:
        return bool(brands_that_keep_their_currency([self.instance.pk]))

    def clean_currency(self) -> str:
        """Refuse an unknown code, unless it is the stored one (SQL may have written it)."""
        code = str(self.cleaned_data["currency"])
        if "currency" in self.changed_data and find_currency(code) is None:
            raise ValidationError(unknown_currency(code), code=NAMES_THE_VALUE)
        return code

    def clean(self) -> dict[str, Any]:
        """Refuse another currency once the brand has spend; it may be new since the form was opened."""
        cleaned = super().clean()
        changes = not self.is_new and "currency" in self.changed_data and "currency" in cleaned
        if changes and self.keeps_its_currency:
            self.add_error("currency", currency_is_kept(self.initial["name"], self.initial["currency"]))
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # Django's, unknown to its stubs
        is_there = not self.is_new and "currency" not in self.changed_data
        return excluded | {"currency"} if is_there else excluded


@admin.register(Brand)
class BrandAdmin(
    ChangeHistoryMixin,
    ConfirmTimeZoneChangeMixin,
    PauseBrandMixin,
    SpendPageMixin,
    ArchiveMixin,
    ExchangeMixin,
    FriendlyDatabaseErrorsMixin,
    EnforceOnSaveMixin,
    ProtectHistoryMixin,
    NotesMixin,
    SavedFiltersMixin,
    BrandColumnsMixin,
    BaseAdmin,
):
    form = BrandForm
    bulk_actions = {
        "switch_on": BulkAction("Resume", TurnOnForm, confirm="Resume {rows}", done="Resumed {rows}"),
        "switch_off": BulkAction("Pause", TurnOffForm, confirm="Pause {rows}", done="Paused {rows}"),
        "change_budget": BulkAction("Change budgets", BrandBudgetForm),
        "change_owner": BulkAction("Change owner", OwnerForm),
        **ARCHIVE_ACTIONS,
    }
    file_kinds = (Kind.BRANDS,)
    change_form_outer_before_template: Any = "campaigns/admin/brand/top.html"
    brand_path = "pk"
    list_display = (
        "name",
        "enabled",
        "today",
        "this_month",
        "pace",
        "projected",
        "over_or_under",
        "campaign_counts",
        "zone_name",
        "id",
    )
    list_filter = (
        RiskFilter,
        PaceFilter,
        NearBudgetFilter,
        OwnerFilter,
        ("enabled", BrandEnabledFilter),
        ("currency", AllValuesCheckboxFilter),
        ("timezone", AllValuesCheckboxFilter),
        ArchivedFilter,
    )
    search_fields = ("name",)
    search_help_text = "Search by name or id"
    nothing_yet = "Add a brand to set budgets for its campaigns. You only see brands you have access to."
    ordering = ("name",)
    fieldsets = (
        ("Settings", {"fields": ("name", "enabled", "currency", "timezone", "owner")}),
        (
            "Budgets",
            {
                "fields": ("daily_budget", "monthly_budget"),
                "description": "A new budget applies to the whole current day or month, including what has already been"
                " spent.",
            },
        ),
    )

    class Media:
        css = {"all": ["campaigns/home.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not sees_only_assigned_brands(request.user)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """People who see only some brands can't rename any: an error would reveal the names of others."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "name") if sees_only_assigned_brands(request.user) else fields

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        return brands_named(search_term, queryset), False

    def panels(self, request: HttpRequest, obj: Any) -> Iterable[tuple[str, SafeString]]:
        if may_view(request, Campaign):
            yield "Campaigns", campaigns_of(obj, add_address(request, obj))
        if may_view(request, Alert):
            yield "Open alerts", alerts_panel(request, obj, timezone.now())
        yield self.notes_panel(request, obj)
        if known := accounts_of_brand(obj.pk, now=timezone.now()):
            yield "Platforms", known_table(request, known, obj.timezone)
            if twice := twice_list(obj.pk, timezone.now()):
                yield "Spend from two senders", twice
        if may_view(request, BrandPeriod):
            yield "Statements: days", recent_statements(obj, BrandPeriod.Kind.DAY)
            yield "Statements: months", recent_statements(obj, BrandPeriod.Kind.MONTH)
        if may_view(request, StatusChange):
            yield "Status changes", history_of(obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "currency" in form.changed_fields:
            free_brands([obj.pk])  # reported totals that wait for it

    def extra_form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        top = summary_context(obj, may_change=self.has_change_permission(request, obj))
        top["add_campaign"] = add_address(request, obj)
        return super().extra_form_context(request, obj) | {"brand_top": top}

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("daily_budget", "monthly_budget"):
            kwargs |= {"form_class": MoneyField, "widget": MoneyWidget()}
        if db_field.name == "currency":
            kwargs |= {"form_class": CurrencyField, "widget": CurrencyWidget()}
        if db_field.name == "owner":
            kwargs |= {"form_class": OwnerChoice, "empty_label": "No owner"}
        if db_field.name == "timezone":
            kwargs |= {"form_class": ZoneField, "widget": ZoneWidget()}
        return super().formfield_for_dbfield(db_field, request, **kwargs)
