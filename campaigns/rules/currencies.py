"""The currencies of ISO 4217 and their decimals.

Codes without decimals in the list (gold, test codes, “no currency”) aren't accepted. Another code, written by SQL, is
shown unchanged with two decimals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from functools import cache, lru_cache
from types import MappingProxyType

from iso4217 import Currency

from campaigns.rules.text import quote

DECIMALS: Mapping[str, int] = MappingProxyType(
    {each.code: each.exponent for each in Currency if each.exponent is not None}
)
NAMES: Mapping[str, str] = MappingProxyType({each.code: each.currency_name for each in Currency})
USUAL_DECIMALS = 2

# Currency signs and the currencies that use them. A code of three letters means itself.
SIGNS = {
    "$": (
        *("USD", "ARS", "AUD", "CAD", "CLP", "COP", "HKD", "MXN", "NZD", "SGD", "TWD"),
        *("BBD", "BMD", "BND", "BSD", "BZD", "CUP", "DOP", "FJD", "GYD", "JMD", "KYD"),
        *("LRD", "NAD", "SBD", "SRD", "TTD", "UYU", "XCD"),
    ),
    "US$": ("USD",),
    "A$": ("AUD",),
    "C$": ("CAD",),
    "CA$": ("CAD",),
    "HK$": ("HKD",),
    "NZ$": ("NZD",),
    "R$": ("BRL",),
    "€": ("EUR",),
    "£": ("GBP", "EGP"),
    "¥": ("JPY", "CNY"),
    "￥": ("JPY", "CNY"),
    "₹": ("INR",),
    "₩": ("KRW",),
    "₽": ("RUB",),
    "₺": ("TRY",),
    "₴": ("UAH",),
    "₫": ("VND",),
    "₱": ("PHP",),
    "฿": ("THB",),
    "₪": ("ILS",),
    "zł": ("PLN",),
    "Kč": ("CZK",),
    "kr": ("SEK", "DKK", "NOK", "ISK"),
}


def find_currency(text: str) -> str | None:
    """Return the currency code in upper case, None if it is unknown."""
    code = text.strip().upper()
    return code if code in DECIMALS else None


def read_currency(text: str) -> str | None:
    """Return the code of the currency that a text names: by its code, its name, or a sign that only it has."""
    text = text.strip()
    code = find_currency(text) or _by_name().get(text.casefold())
    signs = SIGNS.get(text, ())
    return signs[0] if code is None and len(signs) == 1 else code


def unknown_currency(text: str) -> str:
    """Return the error message for a text that names no currency, with the codes that it may mean."""
    text = text.strip()
    if text in SIGNS and len(SIGNS[text]) > 1:
        return f"{quote(text)} could be {codes_in_words(SIGNS[text])}. Enter the code."
    near = get_close_matches(text.casefold(), _by_name(), 1, cutoff=0.8)
    similar = [_by_name()[name] for name in near] or get_close_matches(text.upper(), DECIMALS, 1, cutoff=0.8)
    advice = f"Try {similar[0]} ({NAMES[similar[0]]})." if similar else "Enter a code of ISO 4217, like EUR."
    return f"{quote(text)} isn't a currency we know. {advice}"


@cache
def _by_name() -> dict[str, str]:
    return {NAMES[code].casefold(): code for code in DECIMALS}


@lru_cache(maxsize=1_000)
def currencies_of(sign: str) -> tuple[str, ...]:
    """Return the codes of the currencies that a sign, name or code can mean."""
    return SIGNS.get(sign) or (_by_name().get(sign.casefold(), sign.upper()),)


def decimals_of(currency: str) -> int:
    return DECIMALS.get(currency, USUAL_DECIMALS)


def smallest_unit(currency: str) -> Decimal:
    """Return the unit to which estimates are rounded: 0.01 EUR, 1 JPY."""
    return Decimal(1).scaleb(-decimals_of(currency))


def common_currency(written: Iterable[tuple[str, ...]]) -> tuple[str, frozenset[str]]:
    """Return the only currency that all of a row's codes and signs can mean, or else those that are possible.

    “$” can be USD, CAD or MXN, but not EUR: a sign that contradicts the currency is never ignored. Raises ValueError
    if they contradict each other, or if a code isn't a currency's.
    """
    possible: frozenset[str] = frozenset()
    for codes in written:
        for code in codes:
            if not find_currency(code):
                raise ValueError(f"The currency {quote(code)} isn’t known.")
        common = possible & set(codes) if possible else frozenset(codes)
        if not common:
            named = " and ".join((codes_in_words(possible), codes_in_words(codes)))
            raise ValueError(f"The row names several currencies: {named}.")
        possible = common
    return (min(possible), frozenset()) if len(possible) == 1 else ("", possible)


def codes_in_words(codes: Iterable[str]) -> str:
    """Return the codes for a sentence: “EUR”; of many, the first: “USD, ARS, AUD or another one”."""
    *others, last = sorted(codes, key=lambda code: (_places().get(code, 0), code))
    if len(others) >= 3:
        return f"{', '.join(others[:3])} or another one"
    return f"{', '.join(others)} or {last}" if others else last


@cache
def _places() -> dict[str, int]:
    """Return the place of each currency among those of its signs, the usual ones first."""
    return {code: place for codes in reversed(SIGNS.values()) for place, code in enumerate(codes)}
