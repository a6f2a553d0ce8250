"""The forms of bulk actions; each returns the operation that it describes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget

from campaigns.admin.shared.fields import KeyAutocomplete
from campaigns.admin.shared.money_field import MoneyField, MoneyWidget
from campaigns.models import Campaign, DaypartingSchedule
from campaigns.models.fields import SMALLEST
from campaigns.rules.money import AMOUNT_LIMIT
from campaigns.services.bulk.operations import Adjustment, ApplySchedule, ArchiveTo, ChangeLimit, Operation, SwitchTo
from campaigns.services.bulk.schedules import BUSINESS_HOURS, EVENINGS, PRESETS, WEEKENDS, format_schedule, schedule_of
from campaigns.services.permissions import Person, visible_to

COPY = "copy"


class TurnOnForm(forms.Form):
    """A form without fields: the page shows the preview at once."""

    def __init__(self, data: Any = None, *, person: Person) -> None:
        super().__init__(data)

    def operation(self) -> Operation:
        return SwitchTo(True)


class TurnOffForm(TurnOnForm):
    def operation(self) -> Operation:
        return SwitchTo(False)


class ArchiveForm(TurnOnForm):
    def operation(self) -> Operation:
        return ArchiveTo(True)


class RestoreForm(TurnOnForm):
    def operation(self) -> Operation:
        return ArchiveTo(False)


class LimitForm(forms.Form):
    """How to change a budget or limit, and by how much."""

    limits: Sequence[tuple[str, str]] = ()

    limit = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    how = forms.ChoiceField(
        label="What to do",
        choices=(
            (Adjustment.SET, "Set to an amount"),
            (Adjustment.RAISE_PERCENT, "Raise by percent"),
            (Adjustment.LOWER_PERCENT, "Lower by percent"),
            (Adjustment.RAISE, "Raise by an amount"),
            (Adjustment.LOWER, "Lower by an amount"),
            (Adjustment.REMOVE, "Remove the limit"),
        ),
        widget=UnfoldAdminSelectWidget,
    )
    amount = MoneyField(
        required=False,
        min_value=0,
        max_value=AMOUNT_LIMIT - SMALLEST,
        max_digits=18,
        decimal_places=6,
        widget=MoneyWidget(),
        help_text="In each brand’s currency or in percent (10 raises 200 to 220). Leave empty to remove the limit.",
        error_messages={
            "invalid": "Enter a number like 1250 or 1250.50.",
            "min_value": "Enter 0 or more. To reduce, choose “Lower”.",
            "max_value": f"Enter less than {AMOUNT_LIMIT:,}.",
            "max_decimal_places": "Enter at most six decimals.",
            "max_digits": f"Enter less than {AMOUNT_LIMIT:,}.",
            "max_whole_digits": f"Enter less than {AMOUNT_LIMIT:,}.",
        },
    )

    def __init__(self, data: Any = None, *, person: Person) -> None:
        super().__init__(data)
        limit = cast(forms.ChoiceField, self.fields["limit"])
        limit.choices = list(self.limits)
        if len(self.limits) == 1:
            limit.widget, limit.initial = forms.HiddenInput(), self.limits[0][0]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        how, amount = cleaned.get("how"), cleaned.get("amount")
        if how == Adjustment.REMOVE or "amount" not in cleaned:
            return cleaned
        if amount is None:
            self.add_error("amount", ValidationError("Enter an amount or a percentage."))
        elif how == Adjustment.LOWER_PERCENT and amount > 100:
            self.add_error("amount", ValidationError("You can’t lower by more than 100 %."))
        return cleaned

    def operation(self) -> Operation:
        how = Adjustment(self.cleaned_data["how"])
        amount = Decimal(0) if how == Adjustment.REMOVE else self.cleaned_data["amount"]
        return ChangeLimit(self.cleaned_data["limit"], how, amount)


class CampaignLimitForm(LimitForm):
    limits = (("daily_spend_limit", "Daily spend limit"),)


class BrandBudgetForm(LimitForm):
    limits = (("daily_budget", "Daily budget"), ("monthly_budget", "Monthly budget"))


class ScheduleForm(forms.Form):
    """A preset schedule, or that of another campaign."""

    schedule = forms.ChoiceField(
        label="Schedule",
        choices=(
            ("always", "Always: no windows"),
            ("business", f"Business hours: {format_schedule(BUSINESS_HOURS)}"),
            ("evenings", f"Evenings: {format_schedule(EVENINGS)}"),
            ("weekends", f"Weekends: {format_schedule(WEEKENDS)}"),
            (COPY, "Same as another campaign"),
        ),
        initial="business",
        widget=UnfoldAdminRadioSelectWidget,
        help_text="Replaces each campaign’s current schedule. Times are in each brand’s time zone.",
    )
    campaign = forms.ModelChoiceField(
        Campaign.objects.none(),
        label="Copy from campaign",
        required=False,
        help_text="Only for “Same as another campaign”.",
    )

    def __init__(self, data: Any = None, *, person: Person) -> None:
        super().__init__(data)
        field = cast("forms.ModelChoiceField[Campaign]", self.fields["campaign"])
        field.queryset = visible_to(person, Campaign.objects.select_related("brand"), "brand")
        field.widget = KeyAutocomplete(DaypartingSchedule._meta.get_field("campaign"), admin.site)
        field.widget.choices = field.choices

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("schedule") == COPY and not cleaned.get("campaign") and "campaign" not in self.errors:
            self.add_error("campaign", ValidationError("Choose the campaign to copy from."))
        return cleaned

    def operation(self) -> Operation:
        chosen = self.cleaned_data["schedule"]
        if chosen == COPY:
            return ApplySchedule(schedule_of(self.cleaned_data["campaign"].windows.all()))
        return ApplySchedule(PRESETS[chosen])
