"""What stands in a cell of a file of brands, campaigns or schedules: values as text, and text as values.

What is written is read again as the same value, whatever the names are made of. Amounts are plain digits, exact to six
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
from campaigns.rules.amounts import TWO_READINGS, DecimalMark, read_amount
from campaigns.rules.currencies import find_currency, unknown_currency
from campaigns.rules.money import AMOUNT_LIMIT, SMALLEST
from campaigns.rules.names import normal_name
from campaigns.rules.periods import find_zone
from campaigns.services.exchange.files import Value, shortened

ALWAYS = "always"
NAME_LENGTH = 200
ON, OFF = ("on", "yes", "true", "1"), ("off", "no", "false", "0")
KEY, LARGEST_KEY = re.compile(r"-?[0-9]{1,19}"), BigIntegerField.MAX_BIGINT
CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::00)?")
ISO_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]00:00:00)?")
DAY_NUMBERS = {name.lower(): number for number, name in enumerate(DAYS)}


def shown(text: str) -> str:
    """Return a value for a sentence, the beginning of a long one."""
    return f"“{shortened(text)}”"


def read_key(text: str) -> int | None:
    """Return the id that a cell holds, None where it holds none. Rows that SQL has written may have negative ids."""
    found = KEY.fullmatch(text.strip())
    return int(found[0]) if found and -LARGEST_KEY <= int(found[0]) <= LARGEST_KEY else None


class Cell(Widget):
    """A value in a cell. clean() raises ValueError with a sentence that names the text and the remedy."""

    def __init__(self) -> None:
        Widget.__init__(self)

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> Any:
        return value

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else str(value)

    def value(self, text: str) -> Value:
        """Return what is written to a file for a text that render() gave: a text, a number or a date."""
        return text


class NameCell(Cell):
    """A name, in the form in which it is stored; one that is there already needs no reading."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str:
        name = normal_name(value)
        if not name:
            raise ValueError("The name is empty: write one.")
        if len(name) > NAME_LENGTH:
            raise ValueError(f"{shown(name)} has {len(name)} characters: a name has at most {NAME_LENGTH}.")
        return name


class KeyCell(Cell):
    """The number by which a row is known; empty where it is to be found by its name."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> int | None:
        if not value.strip():
            return None
        key = read_key(value)
        if key is None:
            raise ValueError(f"{shown(value)} is no id: leave the id as it was exported, or empty to go by the name.")
        return key

    def value(self, text: str) -> Value:
        return int(text) if text else None


class SwitchCell(Cell):
    def clean(self, value: str, row: Any = None, **kwargs: Any) -> bool:
        text = value.strip().lower()
        if text not in ON + OFF:
            raise ValueError(f"{shown(value)} is neither on nor off: write one of these.")
        return text in ON

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "on" if value else "off"


class CurrencyCell(Cell):
    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str:
        code = find_currency(value)
        if code is None:
            raise ValueError(unknown_currency(shortened(value.strip())))
        return code


class ZoneCell(Cell):
    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str:
        text = value.strip()
        if find_zone(text) is None:
            raise ValueError(f"Unknown time zone {shown(value)}: write a name like Europe/Paris or UTC.")
        return text


class AmountCell(Cell):
    """A budget or limit: empty is none, 0 lets nothing be spent. What is finer than six decimals is rounded."""

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
            raise ValueError(f"{shown(value)} has a currency, which is the brand’s: write the number alone.")
        if amount.value < 0 or amount.value >= AMOUNT_LIMIT:
            raise ValueError(f"{shown(value)} is out of range: write 0 or more and less than {AMOUNT_LIMIT:,}.")
        if amount.is_rounded and not amount.value:
            raise ValueError(
                f"{shown(value)} rounds to 0, and 0 lets nothing be spent: write 0, or {SMALLEST:f} or more."
            )
        return amount.value.copy_abs()

    def is_rounded(self, text: str, decimal: DecimalMark) -> bool:
        """Tell whether an amount that clean() takes has more decimals than six."""
        return bool(text.strip()) and read_amount(text, decimal).is_rounded

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        if value is None:
            return ""
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    def value(self, text: str) -> Value:
        return Decimal(text) if text else None


def _why_no_amount(text: str) -> str:
    if TWO_READINGS.fullmatch(text):
        whole, fraction = text.replace(",", ".").split(".")
        # With three decimals it would have two readings again.
        decimal = f"{whole}.{fraction}0" if fraction[2] != "0" else f"{whole}.{fraction[:2]}"
        thousands = f"{whole}{fraction}"
        return f"{shown(text)} can be read as {int(thousands):,} and as {decimal}: write {thousands} or {decimal}."
    return (
        f"{shown(text)} isn’t a valid amount: write a number like 1250.50, less than {AMOUNT_LIMIT:,}, or leave it"
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
            raise ValueError(f"{shown(value)} is no date: write it like 2026-12-31, or nothing for any.") from None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else value.isoformat()

    def value(self, text: str) -> Value:
        return date.fromisoformat(text) if text else None


class DaysCell(Cell):
    """Days as a mask: "Mon Tue Wed", "Mon-Fri", "every day"; 0 is "always", a campaign without windows."""

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
            raise ValueError(f"{shown(value)} are no days: write like “Mon Wed”, “Mon-Fri”, “every day” or “{ALWAYS}”.")
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
            raise ValueError(f"{shown(value)} is no time: write it like 09:00, from 00:00 to 23:59.")
        return f"{int(found[1]):02}:{found[2]}"

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return f"{value:%H:%M}" if isinstance(value, time) else ""
