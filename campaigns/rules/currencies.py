"""The currencies of ISO 4217 and their decimals.

Codes without decimals in the list (gold, test codes, “no currency”) aren't accepted. Another code, written by SQL, is
shown unchanged with two decimals.
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
    """Return the currency code in upper case, None if it is unknown."""
    code = text.strip().upper()
    return code if code in DECIMALS else None


def unknown_currency(text: str) -> str:
    """Return the error message for an unknown code."""
    return f"“{text}” isn't a currency we know. Enter a code of ISO 4217, like EUR."


def decimals_of(currency: str) -> int:
    return DECIMALS.get(currency, USUAL_DECIMALS)


def smallest_unit(currency: str) -> Decimal:
    """Return the unit to which estimates are rounded: 0.01 EUR, 1 JPY."""
    return Decimal(1).scaleb(-decimals_of(currency))
