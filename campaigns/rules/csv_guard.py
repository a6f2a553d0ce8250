"""Protection of CSV against formula injection in spreadsheets, whatever separator they use.

A spreadsheet that splits a file at another separator, such as a semicolon, ignores the quotes around a text that
contains one. So ' is put before everything that would be a formula then: at the start and after each separator.
"""

from __future__ import annotations

import re

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Non-greedy, because a greedy run would be searched again after each tab or line break in it.
FORMULA = rf"[\s\"']*?[{''.join(re.escape(start) for start in FORMULA_STARTS)}]"
SEPARATORS = r"[;,|\t\r\n]"
TO_GUARD = re.compile(rf"(^|{SEPARATORS})(?={FORMULA})")
GUARDED = re.compile(rf"(^|{SEPARATORS})'(?={FORMULA})")
# Lines of spend files have negative amounts after commas; a program that splits at commas respects the quotes.
LINE_TO_GUARD = re.compile(rf"(^|[;|\t\r\n])(?={FORMULA})")


def guarded(text: str) -> str:
    """Return the text with ' where needed."""
    return TO_GUARD.sub(r"\1'", text)


def unguarded(text: str) -> str:
    """Undo guarded(); return other texts unchanged."""
    return GUARDED.sub(r"\1", text)


def guarded_line(text: str) -> str:
    """Return a line of a spend file with ' where needed, for use as one quoted text in a file with commas."""
    return LINE_TO_GUARD.sub(r"\1'", text)
