"""Money: exact decimals with at most six places, kept as whole millionths ("micros") where sums are stored."""

from __future__ import annotations

from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

from campaigns.rules.currencies import decimals_of, smallest_unit

PLACES = 6
MICROS = 10**PLACES
SMALLEST = Decimal(1).scaleb(-PLACES)
# Amounts are strictly between -AMOUNT_LIMIT and AMOUNT_LIMIT, and budgets below it, where SQLite is exact too.
AMOUNT_LIMIT = 10**9
# Maximum totals of a day and a month in millionths, far above every budget. Spend beyond them stays pending.
DAY_TOTAL_LIMIT = 100_000_000_000 * MICROS
MONTH_TOTAL_LIMIT = 10 * DAY_TOTAL_LIMIT
# Sums of pending spend in millionths are clamped to this.
#
# A decision adds such a sum to the month's total less its days ahead, at most 4.1 * MONTH_TOTAL_LIMIT. So the result
# fits into 64 bits, and a clamped sum is above every budget, or below 0, like the true one.
SUM_LIMIT = 5 * MONTH_TOTAL_LIMIT


def to_micros(amount: Decimal | int) -> int:
    """Return the amount in millionths. Raises ValueError for more than six decimals."""
    if not Decimal(amount).is_finite():
        raise ValueError(f"{amount} isn't a finite amount")
    micros = Fraction(amount) * MICROS
    if micros.denominator != 1:
        raise ValueError(f"{amount} has more than {PLACES} decimals")
    return int(micros)


def from_micros(micros: int | Decimal) -> Decimal:
    return Decimal(int(micros)).scaleb(-PLACES)


def round_money(amount: Decimal) -> Decimal:
    """Return the amount rounded half away from zero to six decimals, as PostgreSQL rounds what a connector inserts.

    Amounts of a billion and more, which are out of range, are returned unchanged.
    """
    if amount.copy_abs() >= AMOUNT_LIMIT:
        return amount
    return amount.quantize(SMALLEST, rounding=ROUND_HALF_UP)


def format_amount(amount: Decimal | None, currency: str) -> str:
    """Return the amount with thousands separators and without its currency; a dash for None.

    It has the decimals of its currency (two if that is unknown), and more only if the amount does.
    """
    if amount is None:
        return "–"
    exact = amount.normalize()
    # Not by as_tuple(), which takes as long as the rest: texts are made of thousands of amounts.
    places = max(decimals_of(currency), len(f"{exact:f}".partition(".")[2]))
    return f"{exact:,.{places}f}"


def format_money(amount: Decimal | None, currency: str) -> str:
    """Return the amount as format_amount() does, with its currency."""
    shown = format_amount(amount, currency)
    return shown if amount is None else f"{shown} {currency}".rstrip()


def round_estimate(amount: Decimal, currency: str) -> Decimal:
    """Return an estimate in the smallest unit of its currency."""
    return amount.quantize(smallest_unit(currency), ROUND_HALF_EVEN)


def rounded(amount: Decimal, currency: str, limit: Decimal | None = None) -> Decimal:
    """Return the amount with the decimals of its currency, for pages that show how much was spent.

    An amount below a limit isn't rounded up to it: the page says that it isn't reached. One that would be 0 stays as it
    is. Books, single records and files have exact amounts.
    """
    shown = round_estimate(amount, currency)
    if limit is not None and amount < limit <= shown:
        shown = amount.quantize(smallest_unit(currency), ROUND_FLOOR)
    return shown or amount


def format_spend(amount: Decimal, currency: str, limit: Decimal | None = None) -> str:
    """Return the amount as format_amount() does, rounded."""
    return format_amount(rounded(amount, currency, limit), currency)


def format_spend_money(amount: Decimal, currency: str) -> str:
    """Return the amount as format_money() does, rounded."""
    return format_money(rounded(amount, currency), currency)
