"""Money: exact decimals with at most six places, kept as whole millionths ("micros") where sums are stored."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from campaigns.rules.currencies import decimals_of

PLACES = 6
MICROS = 10**PLACES
SMALLEST = Decimal(1).scaleb(-PLACES)
# Amounts lie strictly between -AMOUNT_LIMIT and AMOUNT_LIMIT, budgets below it: within that, SQLite is exact too.
AMOUNT_LIMIT = 10**9
DAY_TOTAL_LIMIT = 100_000_000_000 * MICROS
# In millionths: what a total of a day or month may come to, far above every budget. Spend beyond it stays pending.
MONTH_TOTAL_LIMIT = 10 * DAY_TOTAL_LIMIT
# In millionths: sums of pending spend are exact up to here, and beyond it are taken for this much.
#
# A decision adds such a sum to the month's total less its days ahead, at most 4.1 * MONTH_TOTAL_LIMIT. So what it adds
# up fits into 64 bits, and a sum that was cut is above every budget, or below 0, as the true one is.
SUM_LIMIT = 5 * MONTH_TOTAL_LIMIT

# An amount as people and files write it: no exponents, no thousands separators, no digits but 0 to 9.
PLAIN_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?|[0-9]*\.[0-9]+)")


def to_micros(amount: Decimal | int) -> int:
    """Return the amount in millionths; ValueError where it is finer than six decimals."""
    if not Decimal(amount).is_finite():
        raise ValueError(f"{amount} is not a number of money")
    micros = Fraction(amount) * MICROS
    if micros.denominator != 1:
        raise ValueError(f"{amount} is finer than {PLACES} decimals")
    return int(micros)


def from_micros(micros: int | Decimal) -> Decimal:
    return Decimal(int(micros)).scaleb(-PLACES)


def round_money(amount: Decimal) -> Decimal:
    """Return the amount rounded half away from zero to six decimals, as PostgreSQL rounds what a connector inserts.

    It is one rule for every file that people give us. An amount of a billion and more comes back as it is, it is out of
    bounds anyway.
    """
    if amount.copy_abs() >= AMOUNT_LIMIT:
        return amount
    return amount.quantize(SMALLEST, rounding=ROUND_HALF_UP)


def format_amount(amount: Decimal | None, currency: str) -> str:
    """Return the amount for people, its currency named elsewhere: thousands separated; a dash for None.

    It has the decimals of its currency (two where none is known), and more only where they are there.
    """
    if amount is None:
        return "–"
    exact = amount.normalize()
    places = max(decimals_of(currency), -int(exact.as_tuple().exponent))
    return f"{exact:,.{places}f}"


def format_money(amount: Decimal | None, currency: str) -> str:
    """Return the amount as format_amount() does, and its currency."""
    shown = format_amount(amount, currency)
    return shown if amount is None else f"{shown} {currency}".rstrip()
