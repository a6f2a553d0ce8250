"""Form fields of the admin: days of the week, currencies, time zones, times of day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db import models
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSingleTimeWidget,
    UnfoldAdminTextInputWidget,
)

from campaigns.models.dayparting import DAYS, EVERY_DAY
from campaigns.rules.currencies import DECIMALS, NAMES, read_currency
from campaigns.rules.periods import known_zones
from campaigns.rules.zones import read_zone

LARGEST = models.BigIntegerField.MAX_BIGINT


def is_key(text: str) -> bool:
    """Return whether the text is a valid primary key for the database."""
    digits = text.removeprefix("-")  # rows written by SQL may have negative keys
    return digits.isascii() and digits.isdecimal() and len(digits) < 20 and -LARGEST <= int(text) <= LARGEST


class DaysWidget(UnfoldAdminCheckboxSelectMultipleWidget):
    template_name = "campaigns/admin/widgets/days.html"


class DaysField(forms.MultipleChoiceField):
    """Days of the week as seven checkboxes; the value is a bit mask, Monday 1 to Sunday 64."""

    widget = DaysWidget
    default_error_messages = {"required": "Choose at least one day of the week."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[(str(1 << number), name) for number, name in enumerate(DAYS)], **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, int):
            return value
        return [str(1 << number) for number in range(7) if value >> number & 1]

    def to_python(self, value: Any) -> Any:
        if isinstance(value, int):
            return value
        mask = 0
        for bits in value or ():
            mask |= self._bits(bits)
        return mask

    def _bits(self, text: str) -> int:
        if not is_key(str(text)) or not 0 < int(text) <= EVERY_DAY:
            raise ValidationError(
                "“%(value)s” isn’t a day of the week. Monday is 1, Tuesday 2, and so on to Sunday, 64.",
                params={"value": text},
            )
        return int(text)

    def validate(self, value: Any) -> None:
        if not value and self.required:
            raise ValidationError(self.error_messages["required"], code="required")

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except ValidationError:
            return True


class KeyAutocomplete(AutocompleteSelect):
    """Django's widget, but showing no selection if the posted value isn't a valid key, where Django's raises."""

    def optgroups(self, name: str, value: Sequence[str], attrs: dict[str, Any] | None = None) -> Any:
        return super().optgroups(name, [key for key in value if is_key(str(key))], attrs)


class ClockWidget(UnfoldAdminSingleTimeWidget):
    """A time of day as HH:MM."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        hints = {"placeholder": "HH:MM", "inputmode": "numeric", "autocomplete": "off"}
        super().__init__(attrs=hints | (attrs or {}), format="%H:%M")


class CurrencyField(forms.CharField):
    """A currency by its code, name or sign. The form refuses unknown ones if the field was changed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs | {"max_length": None})

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        return read_currency(text) or text


class CurrencyWidget(UnfoldAdminTextInputWidget):
    """A text input that offers the codes of all currencies, with their names."""

    template_name = "campaigns/admin/widgets/currency.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        offered = f"{name}-currencies"
        more = {"list": offered, "autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        context: dict[str, Any] = super().get_context(name, value, (attrs or {}) | more)
        context["widget"] |= {"offered": offered, "currencies": sorted((code, NAMES[code]) for code in DECIMALS)}
        return context


class ZoneField(forms.CharField):
    """A time zone by its name in any case, or by its city. The model's validator refuses unknown ones."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        return read_zone(text) or text


class ZoneWidget(UnfoldAdminTextInputWidget):
    """A text input that offers the names of all time zones."""

    template_name = "campaigns/admin/widgets/zone.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        offered = f"{name}-zones"
        context: dict[str, Any] = super().get_context(name, value, (attrs or {}) | {"list": offered})
        context["widget"] |= {"offered": offered, "zones": sorted(known_zones())}
        return context
