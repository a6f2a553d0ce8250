"""The form field of budgets and limits: understands amounts as people write them, and shows them with separators."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminTextInputWidget

from campaigns.rules.amounts import AmbiguousAmount, OtherCurrency, parse_form_amount
from campaigns.rules.money import format_amount, format_money

# The code of an error whose sentence includes the entered value.
NAMES_THE_VALUE = "names_the_value"


def _no_currency() -> str:
    return ""


def _not_shown() -> None:
    return None


def read_only_money(field: models.Field[Any, Any]) -> Callable[[Any], str]:
    """Return how a page that can't be changed shows an amount: with its currency, and a dash for no limit."""

    @admin.display(description=field.verbose_name)
    def shown(row: Any) -> str:
        amount, brand = getattr(row, field.name), getattr(row, "brand", row)
        return "–" if amount is None else format_money(amount, brand.currency)

    return shown


class MoneyWidget(UnfoldAdminTextInputWidget):
    """A text input with the currency beside the amount. The browser's number input changes amounts by arrow keys."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"inputmode": "decimal", "autocomplete": "off"} | (attrs or {}))
        self.currency: Callable[[], str] = _no_currency

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        beside = f"{(attrs or {}).get('id', name)}_currency"
        described = " ".join(filter(None, [(attrs or {}).get("aria-describedby"), beside]))
        context = super().get_context(name, value, (attrs or {}) | {"aria-describedby": described})
        classes = context["widget"]["attrs"].get("class", "")
        context["widget"]["attrs"]["class"] = f"{classes} campaigns-money"
        label = '<span id="{}" class="campaigns-currency">{}</span>'
        context["widget"]["suffix"] = format_html(label, beside, self.currency())
        return context


class MoneyField(forms.DecimalField):
    """An amount as text.

    Forms set `currency`, which returns the currency that is entered beside the amount, and `shown`, which returns the
    text that the field had before it was edited: that isn't ambiguous.
    """

    widget: Any = MoneyWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.currency: Callable[[], str] = _no_currency
        self.shown: Callable[[], str | None] = _not_shown

    def use_currency(self, entered: Callable[[], str]) -> None:
        self.currency = entered
        if isinstance(self.widget, MoneyWidget):
            self.widget.currency = entered

    def to_python(self, value: Any) -> Any:
        """Parse an amount; validators refuse a seventh decimal (R12)."""
        if not isinstance(value, str) or not value.strip():
            return super().to_python(value)
        try:
            return parse_form_amount(value, self.currency(), is_shown=value == self.shown())
        except (AmbiguousAmount, OtherCurrency) as error:
            raise ValidationError(str(error), code=NAMES_THE_VALUE) from error
        except ValueError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error

    def prepare_value(self, value: Any) -> Any:
        return format_amount(value, self.currency()) if isinstance(value, Decimal) else value
