"""The decimal separator of a whole file: by the numbers that allow only one.

An amount like 1,234 can be 1234 or 1.234. It is read only if another number of the file decides, or if a person has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache

from campaigns.rules.amounts import Amount, DecimalMark, is_blank_amount, read_amount
from campaigns.rules.text import quote

# Longer texts aren't amounts.
MAX_AMOUNT = 40
MARKS = (DecimalMark.POINT, DecimalMark.COMMA)
# Groups that begin with 0 don't separate thousands: 0.125 is a fraction in any country.
ZERO_GROUP = re.compile(r"[^0-9]*0(?P<mark>[.,])[0-9]+[^0-9]*")
PERCENT = re.compile(r"\s*%\s*$|^\s*%\s*")
NUMBER_LIKE = re.compile(r"[^0-9]{0,6}[0-9][0-9.,'’\s]*[^0-9]{0,6}")
NO_VALUE = ("n/a", "na", "null", "none", "nan", "n.v.", "n. v.", "s/o")


def is_no_amount(text: str) -> bool:
    """Return whether a cell says that there is no value: empty, a dash, “n/a”."""
    return is_blank_amount(text) or text.strip(" .").casefold() in NO_VALUE or not text.strip("-–— ")


@lru_cache(maxsize=50_000)
def read_with(text: str, mark: DecimalMark) -> Amount:
    """Parse an amount with a known decimal separator. Raises ValueError with a message for people."""
    if len(text) > MAX_AMOUNT:
        raise ValueError(f"{quote(text)} isn’t a valid amount.")
    amount = read_amount(text, mark)
    zero = ZERO_GROUP.fullmatch(text.strip())
    if zero and zero["mark"] != ("." if mark is DecimalMark.POINT else ",") and amount.value:
        raise ValueError(f"The amount {quote(text)} has another decimal separator than the file.")
    return amount


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
