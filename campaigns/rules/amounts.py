"""Parsing amounts of money as people, spreadsheets and ad platforms write them into files.

Separators are accepted if they are unambiguous: "1,234.50", "1.234,50", "1 234,50" and "1250,50". "1.250" could be 1.25
or 1,250 and is refused, unless the decimal separator is known: a file with commas between values has decimal points,
and users can choose it. More than six decimals are rounded, as the database rounds them for the connector.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from campaigns.rules.currencies import SIGNS, currencies_of, decimals_of
from campaigns.rules.money import AMOUNT_LIMIT, round_money
from campaigns.rules.text import quote


class DecimalMark(StrEnum):
    """What is known about the decimal separator of a file."""

    POINT = "point"
    COMMA = "comma"
    # In a file with commas between values: a single point is a decimal point.
    USUALLY_POINT = "usually point"
    UNKNOWN = "unknown"


class Amount(NamedTuple):
    # At most six decimals; smaller amounts are rounded to 0.
    value: Decimal
    is_rounded: bool
    # The possible currencies of the sign beside the number; empty without a sign.
    currencies: tuple[str, ...] = ()


class AmbiguousAmount(ValueError):
    """An amount with one comma or point before three digits, which may separate thousands or decimals."""

    def __init__(self, sentence: str, grouped: Decimal) -> None:
        super().__init__(sentence)
        # The amount with a separator of thousands.
        self.grouped = grouped


class OtherCurrency(ValueError):
    """An amount with the sign or code of another currency than its field's."""


# Blank amounts, as platforms and spreadsheets write them.
BLANK = ("", "-", "--", "–", "—")

SPACE = r" \u00a0\u2009\u202f"
SIGN = "|".join(re.escape(sign) for sign in sorted(SIGNS, key=len, reverse=True)) + "|[A-Z]{3}"
COMMON = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,6})?")
WRITTEN = re.compile(
    rf"(?P<minus>[+\u2212-]?)[{SPACE}]*(?P<before>{SIGN})?[{SPACE}]*(?P<minus_after>[+\u2212-]?)"
    rf"(?P<number>[0-9.,'’{SPACE}]*[0-9.,])(?P<exponent>[eE][+-]?[0-9]{{1,4}})?[{SPACE}]*(?P<after>{SIGN})?"
)
PLAIN = re.compile(r"[0-9]+\.?|[0-9]*\.[0-9]+")
AMBIGUOUS = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
GROUPED = {mark: re.compile(rf"[0-9]{{1,3}}(?:{re.escape(mark)}[0-9]{{3}})+") for mark in ",.'’ \u00a0\u2009\u202f"}


def is_blank_amount(text: str) -> bool:
    """Return whether a cell is blank or a dash."""
    return text.strip() in BLANK


def read_amount(text: str, mark: DecimalMark) -> Amount:
    """Parse an amount. Raises ValueError with a message for people."""
    text = text.strip()
    if mark in (DecimalMark.POINT, DecimalMark.USUALLY_POINT) and COMMON.fullmatch(text):
        return Amount(Decimal(text), is_rounded=False)
    found = _match(text, mark)
    exact = Decimal(f"{_plain(text, found['number'], mark)}{found['exponent'] or ''}")
    amount = round_money(exact)
    if amount.copy_abs() >= AMOUNT_LIMIT:
        bounds = f"-{AMOUNT_LIMIT:,} and {AMOUNT_LIMIT:,}"
        raise ValueError(f"The amount {quote(text)} is too large: amounts must be between {bounds}.")
    sign = found["before"] or found["after"]
    return Amount(
        amount.copy_negate() if _is_negative(found) else amount,
        is_rounded=amount != exact,
        currencies=currencies_of(sign) if sign else (),
    )


def parse_form_amount(text: str, currency: str = "", *, is_shown: bool = False) -> Decimal:
    """Parse an amount typed into a form, exactly, with or without the sign or code of its currency.

    It is read as forms show amounts: commas before groups of exactly three digits separate thousands. Other notations
    are accepted if they are unambiguous. A single point before three digits isn't, as many people write thousands so,
    unless the currency has three decimals or the form itself showed the text. Raises ValueError with a message for
    people, of the class AmbiguousAmount or OtherCurrency if the text is an amount.
    """
    found = _match(text.strip(), DecimalMark.USUALLY_POINT)
    if found["exponent"]:
        raise ValueError(_invalid(text, DecimalMark.USUALLY_POINT))
    number = found["number"]
    try:
        amount = Decimal(_plain(text, number, DecimalMark.USUALLY_POINT))
    except AmbiguousAmount as ambiguous:
        # The only separator is a comma, before three digits.
        amount = ambiguous.grouped
    if "." in number and AMBIGUOUS.fullmatch(number) and not is_shown and decimals_of(currency) != 3:
        whole, decimal = _meanings(number)
        shown = f"{whole:,} or {Decimal(number).normalize():f}"
        raise AmbiguousAmount(f"{quote(text.strip())} can mean {shown}: write {whole} or {decimal}.", Decimal(whole))
    sign = found["before"] or found["after"]
    if sign and currency not in currencies_of(sign):
        raise OtherCurrency(
            f"{quote(text.strip())} isn’t in {currency}, the currency of this amount: enter the number in {currency}."
            if currency
            else f"{quote(text.strip())} includes a currency: enter only the number."
        )
    return amount.copy_negate() if _is_negative(found) else amount


def _match(text: str, mark: DecimalMark) -> re.Match[str]:
    found = WRITTEN.fullmatch(text)
    if not found or (found["minus"] and found["minus_after"]) or (found["before"] and found["after"]):
        raise ValueError(_invalid(text, mark))
    return found


def _is_negative(found: re.Match[str]) -> bool:
    return (found["minus"] or found["minus_after"]) in ("-", "\u2212")


def _plain(text: str, number: str, mark: DecimalMark) -> str:
    """Return the number with a decimal point and no thousands separators."""
    decimal = _decimal_mark(text, number, mark)
    whole, _, fraction = number.partition(decimal) if decimal else (number, "", "")
    groups = {char for char in whole if not char.isdigit()}
    if groups:
        (group,) = groups if len(groups) == 1 else (None,)
        if group is None or group == decimal or not GROUPED[group].fullmatch(whole):
            raise ValueError(_invalid(text, mark))
        whole = whole.replace(group, "")
    plain = f"{whole}.{fraction}" if decimal else whole
    if not PLAIN.fullmatch(plain):
        raise ValueError(_invalid(text, mark))
    return plain


def _decimal_mark(text: str, number: str, mark: DecimalMark) -> str:
    """Return the decimal separator of the number, or ""."""
    if mark is DecimalMark.POINT:
        return "."
    if mark is DecimalMark.COMMA:
        return ","
    points, commas = number.count("."), number.count(",")
    if points and commas:
        return "." if number.rindex(".") > number.rindex(",") else ","
    if points + commas != 1:
        return ""
    single = "." if points else ","
    is_known = mark is DecimalMark.USUALLY_POINT and single == "."
    if not is_known and AMBIGUOUS.fullmatch(number):
        raise _ambiguous(text, number.replace(",", "."))
    return single


def _ambiguous(text: str, number: str) -> AmbiguousAmount:
    whole, decimal = _meanings(number)
    return AmbiguousAmount(
        f"The amount {quote(text)} could mean {Decimal(number).normalize():f} or {whole:,}: write"
        f" {whole} or {decimal}, or choose the file's decimal separator, point or comma.",
        Decimal(whole),
    )


def _meanings(number: str) -> tuple[int, str]:
    """Return both meanings of a number with a point before three digits, as they are unambiguous."""
    # Three decimals would be ambiguous again.
    return int(number.replace(".", "")), number[:-1] if number.endswith("0") else f"{number}0"


def _invalid(text: str, mark: DecimalMark) -> str:
    if mark is DecimalMark.COMMA:
        return f"The amount {quote(text)} isn't a valid amount with a decimal comma: use the form 12,50 or -0,75."
    return f"The amount {quote(text)} isn't a valid amount: use the form 12.50 or -0.75."
