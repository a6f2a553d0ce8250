"""The decimal separator and the signs of a whole file: by the numbers that allow only one reading.

An amount like 1,234 can be 1234 or 1.234. It is read only if another number of the file decides, or if a person has.
An amount in parentheses is negative in accounting formats; where all of a file are, they may be costs instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from campaigns.rules.amounts import SIGN, SPACE, Amount, DecimalMark, is_blank_amount, read_amount
from campaigns.rules.money import from_micros
from campaigns.rules.text import quote

# Longer texts aren't amounts.
MAX_AMOUNT = 40
MARKS = (DecimalMark.POINT, DecimalMark.COMMA)
# Groups that begin with 0 don't separate thousands: 0.125 is a fraction in any country.
ZERO_GROUP = re.compile(r"[^0-9]*0(?P<mark>[.,])[0-9]+[^0-9]*")
PERCENT = re.compile(r"\s*%\s*$|^\s*%\s*")
NUMBER_LIKE = re.compile(r"[^0-9]{0,6}[0-9][0-9.,'’\s]*[^0-9]{0,6}")
# “(12.34)”, with the currency inside or outside.
IN_PARENTHESES = re.compile(
    rf"(?P<before>(?:{SIGN})?)[{SPACE}]*\([{SPACE}]*(?P<inside>[^()+\u2212-]*[0-9][^()+\u2212-]*)\)[{SPACE}]*"
    rf"(?P<after>(?:{SIGN})?)"
)
# “12.34-”. A minus after a separator is none: “12,-” is 12.00 in Dutch and German.
MINUS_AFTER = re.compile(
    rf"(?P<number>.*[0-9])[{SPACE}]*(?P<between>(?:{SIGN})?)[\u2212-][{SPACE}]*(?P<after>(?:{SIGN})?)"
)
# Zero in accounting formats.
DASH_WITH_SIGN = re.compile(rf"(?:{SIGN})?[{SPACE}]*[-–—]{{1,2}}[{SPACE}]*(?:{SIGN})?")
# As millionths, below the largest amount of a spend record.
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,15}")
NO_VALUE = ("n/a", "na", "null", "none", "nan", "n.v.", "n. v.", "s/o")


class Parentheses(StrEnum):
    """What amounts in parentheses are."""

    CREDIT = "credit"
    SPEND = "spend"


def is_no_amount(text: str) -> bool:
    """Return whether a cell says that there is no value: empty, a dash, “n/a”, “$ -”."""
    if is_blank_amount(text) or text.strip(" .").casefold() in NO_VALUE or not text.strip("-–— "):
        return True
    return len(text) <= MAX_AMOUNT and bool(DASH_WITH_SIGN.fullmatch(text.strip()))


def is_in_parentheses(text: str) -> bool:
    return len(text) <= MAX_AMOUNT and bool(IN_PARENTHESES.fullmatch(text.strip()))


def _with_minus_before(text: str) -> str:
    """Return an amount that is negative by parentheses, or a minus after it, with the minus before it."""
    text = text.strip()
    if found := IN_PARENTHESES.fullmatch(text):
        return f"-{found['before']}{found['inside'].strip()}{found['after']}"
    if found := MINUS_AFTER.fullmatch(text):
        return f"-{found['number']}{found['between']}{found['after']}"
    return text


@lru_cache(maxsize=50_000)
def read_with(text: str, mark: DecimalMark) -> Amount:
    """Parse an amount with a known decimal separator. Raises ValueError with a message for people."""
    if len(text) > MAX_AMOUNT:
        raise ValueError(f"{quote(text)} isn’t a valid amount.")
    amount = read_amount(_with_minus_before(text), mark)
    zero = ZERO_GROUP.fullmatch(text.strip())
    if zero and zero["mark"] != ("." if mark is DecimalMark.POINT else ",") and amount.value:
        raise ValueError(f"The amount {quote(text)} has another decimal separator than the file.")
    return amount


def read_micros(text: str) -> Amount:
    """Parse an amount in millionths, a whole number. Raises ValueError with a message for people."""
    if not WHOLE_NUMBER.fullmatch(text):
        raise ValueError(f"{quote(text)} isn’t a whole number of millionths, as the heading says.")
    return Amount(from_micros(int(text)), is_rounded=False)


def possible_marks(texts: Iterable[str]) -> tuple[set[DecimalMark], bool]:
    """Return the separators with which all amounts can be read, and whether they give different amounts."""
    found, differs = set(MARKS), False
    for text in set(texts):
        values: dict[DecimalMark, Decimal] = {}
        for mark in sorted(found):
            try:
                values[mark] = read_with(text, mark).value
            except ValueError:
                found.discard(mark)
        differs = differs or len(set(values.values())) > 1
    return found, differs and len(found) > 1


def mark_of_columns(columns: Iterable[Sequence[str]]) -> DecimalMark | None:
    """Return the separator that the numbers of other columns decide for, None if none does, or if they disagree."""
    decided: set[DecimalMark] = set()
    for texts in columns:
        filled = [text for text in texts if not is_no_amount(text)]
        numbers = [PERCENT.sub("", text) for text in filled if len(text) <= MAX_AMOUNT]
        if not numbers or len(numbers) < len(filled) or not all(NUMBER_LIKE.fullmatch(number) for number in numbers):
            continue
        marks, _ = possible_marks(numbers)
        if len(marks) == 1:
            decided |= marks
    return decided.pop() if len(decided) == 1 else None


def parentheses_are_clear(amounts: Iterable[tuple[str, Decimal]]) -> bool:
    """Return whether amounts in parentheses are negative without doubt: others are positive, and none has a minus.

    Where all costs are in parentheses, they may be expenses as bookkeepers write them.
    """
    others = [value for text, value in amounts if not is_in_parentheses(text)]
    return any(value > 0 for value in others) and all(value >= 0 for value in others)
