"""Cells of the exchange files: each column type parses its text and formats its value.

An exported value is imported again as the same value. Amounts are plain digits, exact to six
decimals, and read as campaigns.rules.amounts reads them; dates are ISO dates; times are HH:MM.
"""

from __future__ import annotations

import re
from datetime import date, time
from decimal import Decimal
from typing import Any

from django.db.models import BigIntegerField
from import_export.widgets import Widget

from campaigns.models.dayparting import DAYS, EVERY_DAY
from campaigns.rules.amounts import AMBIGUOUS, DecimalMark, read_amount
from campaigns.rules.currencies import read_currency, unknown_currency
from campaigns.rules.money import AMOUNT_LIMIT, SMALLEST
from campaigns.rules.names import normal_name
from campaigns.rules.text import quote
from campaigns.rules.zones import read_zone, unknown_zone
from campaigns.services.exchange.files import Value

ALWAYS = "always"
NAME_LENGTH = 200
ON, OFF = ("on", "yes", "true", "1"), ("off", "no", "false", "0")
KEY, MAX_KEY = re.compile(r"-?[0-9]{1,19}"), BigIntegerField.MAX_BIGINT
CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::00)?")
ISO_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]00:00:00)?")
DAY_NUMBERS = {name.lower(): number for number, name in enumerate(DAYS)}


def read_key(text: str) -> int | None:
    """Return the id in a cell, or None. Rows inserted by SQL can have negative ids."""
    found = KEY.fullmatch(text.strip())
    return int(found[0]) if found and -MAX_KEY <= int(found[0]) <= MAX_KEY else None


class Cell(Widget):
    """Base of all column types. clean() raises ValueError with a message for people."""

    def __init__(self) -> None:
        Widget.__init__(self)

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> Any:
        return value

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else str(value)

    def value(self, text: str) -> Value:
        """Return the file's value for a text from render(): a string, number or date."""
        return text


class NameCell(Cell):
    """A name in its normal form."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str:
        name = normal_name(value)
        if not name:
            raise ValueError("The name is empty: enter one.")
        if len(name) > NAME_LENGTH:
            raise ValueError(f"{quote(name)} has {len(name)} characters: a name has at most {NAME_LENGTH}.")
        return name


class KeyCell(Cell):
    """A row's id; empty to match by name."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> int | None:
        if not value.strip():
            return None
        key = read_key(value)
        if key is None:
            raise ValueError(
                f"{quote(value)} isn’t a valid id: use the exported id, or leave it empty to match by name."
            )
        return key

    def value(self, text: str) -> Value:
        return int(text) if text else None


class SwitchCell(Cell):
    def clean(self, value: str, row: Any = None, **kwargs: Any) -> bool:
        text = value.strip().lower()
        if text not in ON + OFF:
            raise ValueError(f"Enter “on” or “off”, not {quote(value)}.")
        return text in ON

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "on" if value else "off"


class OwnerCell(Cell):
    """The username of the brand's owner, or empty; the plan looks up whether there is such a user."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str | None:
        return value.strip() or None


class CurrencyCell(Cell):
    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str:
        code = read_currency(value)
        if code is None:
            raise ValueError(unknown_currency(value))
        return code


class ZoneCell(Cell):
    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str:
        zone = read_zone(value)
        if zone is None:
            raise ValueError(unknown_zone(value))
        return zone


class AmountCell(Cell):
    """A budget or limit; empty means no limit. More than six decimals are rounded."""

    def clean(
        self, value: str, row: Any = None, *, decimal: DecimalMark = DecimalMark.USUALLY_POINT, **kwargs: Any
    ) -> Decimal | None:
        text = value.strip()
        if not text:
            return None
        try:
            amount = read_amount(text, decimal)
        except ValueError:
            raise ValueError(_why_no_amount(text)) from None
        if amount.currencies:
            raise ValueError(f"{quote(value)} includes a currency: enter the number only, in the brand’s currency.")
        if amount.value < 0 or amount.value >= AMOUNT_LIMIT:
            raise ValueError(f"{quote(value)} is out of range: use a number from 0 to below {AMOUNT_LIMIT:,}.")
        if amount.is_rounded and not amount.value:
            raise ValueError(f"{quote(value)} rounds to 0, and a limit of 0 pauses: use 0, or at least {SMALLEST:f}.")
        return amount.value.copy_abs()

    def is_rounded(self, text: str, decimal: DecimalMark) -> bool:
        """Return whether a valid amount has more than six decimals."""
        return bool(text.strip()) and read_amount(text, decimal).is_rounded

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        if value is None:
            return ""
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    def value(self, text: str) -> Value:
        return Decimal(text) if text else None


def _why_no_amount(text: str) -> str:
    if AMBIGUOUS.fullmatch(text):
        whole, fraction = text.replace(",", ".").split(".")
        # Three decimals would be ambiguous again.
        decimal = f"{whole}.{fraction}0" if fraction[2] != "0" else f"{whole}.{fraction[:2]}"
        thousands = f"{whole}{fraction}"
        return f"{quote(text)} could mean {int(thousands):,} or {decimal}: write {thousands} or {decimal}."
    return (
        f"{quote(text)} isn’t a valid amount. Use a number like 1250.50, below {AMOUNT_LIMIT:,}, or leave it"
        " empty for no limit."
    )


class DateCell(Cell):
    def clean(self, value: str, row: Any = None, **kwargs: Any) -> date | None:
        text = value.strip()
        if not text:
            return None
        try:
            found = ISO_DATE.fullmatch(text)
            return date.fromisoformat(found[1] if found else "")
        except ValueError:
            raise ValueError(
                f"{quote(value)} isn’t a valid date: use the form 2026-12-31, or leave it empty."
            ) from None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else value.isoformat()

    def value(self, text: str) -> Value:
        return date.fromisoformat(text) if text else None


class DaysCell(Cell):
    """Days as a bit mask: "Mon Tue Wed", "Mon-Fri", "every day"; 0 for "always", a campaign without windows."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> int:
        text = " ".join(re.sub(r"\s*[-–]\s*", "-", value.replace(",", " ")).lower().split())
        if text == ALWAYS:
            return 0
        if text == "every day":
            return EVERY_DAY
        try:
            mask = 0
            for part in text.split():
                mask |= self._part(part)
        except (KeyError, ValueError):
            mask = 0
        if not mask:
            raise ValueError(f"{quote(value)} aren’t valid days: use “Mon Wed”, “Mon-Fri”, “every day” or “{ALWAYS}”.")
        return mask

    def _part(self, text: str) -> int:
        first, _, last = text.partition("-")
        start, end = DAY_NUMBERS[first[:3]], DAY_NUMBERS[(last or first)[:3]]
        return sum(1 << number % 7 for number in range(start, end + (1 if end >= start else 8)))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return " ".join(DAYS[number] for number in range(7) if value >> number & 1) or ALWAYS


class ClockCell(Cell):
    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str:
        text = value.strip()
        if not text:
            return ""
        found = CLOCK.fullmatch(text)
        if not found or int(found[1]) > 23 or int(found[2]) > 59:
            raise ValueError(f"{quote(value)} isn’t a valid time: use 00:00 to 23:59, like 09:00.")
        return f"{int(found[1]):02}:{found[2]}"

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return f"{value:%H:%M}" if isinstance(value, time) else ""
