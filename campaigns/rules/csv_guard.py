"""Texts in CSV that no spreadsheet takes for a formula, wherever it splits the file.

A spreadsheet that splits a file at semicolons, say, pays no heed to the quotes around a text that holds one. So '
stands before everything that would be a formula then: at the beginning, and behind each separator.
"""

from __future__ import annotations

import re

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# The shortest run: a longest one would be looked for anew behind each tab or line break in it.
FORMULA = rf"[\s\"']*?[{''.join(re.escape(start) for start in FORMULA_STARTS)}]"
SEPARATORS = r"[;,|\t\r\n]"
TO_GUARD = re.compile(rf"(^|{SEPARATORS})(?={FORMULA})")
GUARDED = re.compile(rf"(^|{SEPARATORS})'(?={FORMULA})")
# Amounts below 0 stand behind commas in lines of spend files; a program that splits there heeds the quotes around them.
LINE_TO_GUARD = re.compile(rf"(^|[;|\t\r\n])(?={FORMULA})")


def guarded(text: str) -> str:
    """Return the text with ' where it is needed."""
    return TO_GUARD.sub(r"\1'", text)


def unguarded(text: str) -> str:
    """Return a text without what guarded() put there; others come back as they are."""
    return GUARDED.sub(r"\1", text)


def guarded_line(text: str) -> str:
    """Return a line of a spend file with ' where it is needed, to stand as one quoted text in a file with commas."""
    return LINE_TO_GUARD.sub(r"\1'", text)
