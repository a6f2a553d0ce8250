"""The currencies of ISO 4217, and how many decimals the amounts of each have.

Codes that are no money to spend (gold, test codes, “no currency”) have no decimals in the list, and aren't taken. SQL
may have written another code: it is shown as it is, with two decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from iso4217 import Currency

DECIMALS: Mapping[str, int] = MappingProxyType(
    {each.code: each.exponent for each in Currency if each.exponent is not None}
)
NAMES: Mapping[str, str] = MappingProxyType({each.code: each.currency_name for each in Currency})
USUAL_DECIMALS = 2


def find_currency(text: str) -> str | None:
    """Return the code that is written here, in capital letters or small ones; None where there is none of it."""
    code = text.strip().upper()
    return code if code in DECIMALS else None


def unknown_currency(text: str) -> str:
    """Return the sentence that refuses a text that is no code."""
    return f"“{text}” isn't a currency we know. Enter a code of ISO 4217, like EUR."


def decimals_of(currency: str) -> int:
    return DECIMALS.get(currency, USUAL_DECIMALS)


def smallest_unit(currency: str) -> Decimal:
    """Return what estimates are rounded to: 0.01 EUR, 1 JPY."""
    return Decimal(1).scaleb(-decimals_of(currency))
