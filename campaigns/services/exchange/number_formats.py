"""What a number format of a workbook says about its numbers: that they are dates, durations or money."""

from __future__ import annotations

import re
from functools import lru_cache

from openpyxl.styles.numbers import is_date_format, is_timedelta_format

from campaigns.rules.currencies import DECIMALS, SIGNS

# Length of a number format, as in spreadsheets.
MAX_LENGTH = 255
# Formats with lower numbers are built in: a spreadsheet shows them with the currency of its own locale.
FIRST_CUSTOM_FORMAT = 164

PART = re.compile(
    r"""\\(?P<escaped>.)
    | [_*].                                # a space as wide as a character, and a character that fills the cell
    | "(?P<quoted>[^"]*)"
    | \[\$(?P<currency>[^\]-]*)[^\]]*\]    # [$€-407]: the sign, and the locale that it is of
    | \[[^\]]*\]                           # a colour or a condition
    | (?P<end>;)                           # what follows is for negative numbers
    | (?P<plain>.)""",
    re.VERBOSE | re.DOTALL,
)
# What stands between texts: digits and their separators, signs and spaces.
BETWEEN = re.compile(r"[0#?.,%/+()\s\u00a0\u202f-]+")

# Many styles share few formats.
is_date = lru_cache(maxsize=1_000)(is_date_format)
is_duration = lru_cache(maxsize=1_000)(is_timedelta_format)


@lru_cache(maxsize=1_000)
def currencies_of_format(number_format: str) -> tuple[str, ...]:
    """Return the currencies that the signs and codes of a number format can mean, none if it shows none."""
    codes = [SIGNS.get(text) or (text,) for text in _texts(number_format) if text in SIGNS or text in DECIMALS]
    return tuple(sorted(frozenset.intersection(*map(frozenset, codes)))) if codes else ()


def _texts(number_format: str) -> list[str]:
    """Return the texts that stand before and after a positive number."""
    shown = ""
    for part in PART.finditer(number_format):
        if part["end"]:
            break
        if part["currency"] is not None:
            shown += f" {part['currency']} "
        else:
            shown += part["escaped"] or part["quoted"] or part["plain"] or ""
    return [text for text in BETWEEN.split(shown) if text]
