"""Texts in CSV that no spreadsheet takes for a formula, wherever it splits the file.

A spreadsheet that splits a file at semicolons, say, pays no heed to the quotes around a text that holds one. So '
stands before everything that would be a formula then: at the beginning, and behind each separator.
"""

from __future__ import annotations

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
SEPARATORS = ";,|\t\r\n"
# Amounts below 0 stand behind commas in lines of spend files; a program that splits there heeds the quotes around them.
SEPARATORS_IN_A_LINE = SEPARATORS.replace(",", "")


def guarded(text: str, separators: str = SEPARATORS) -> str:
    """Return the text with ' where it is needed."""
    begins = _begins_a_formula(text, separators)
    return "".join(f"'{char}" if begins[place] else char for place, char in enumerate(text))


def unguarded(text: str) -> str:
    """Return a text without what guarded() put there; others come back as they are."""
    if "'" not in text:
        return text
    begins = _begins_a_formula(text, SEPARATORS)
    return "".join(char for place, char in enumerate(text) if char != "'" or not begins[place])


def guarded_line(text: str) -> str:
    """Return a line of a spend file with ' where it is needed, to stand as one quoted text in a file with commas."""
    return guarded(text, SEPARATORS_IN_A_LINE)


def _begins_a_formula(text: str, separators: str) -> list[bool]:
    """Tell for each place whether a cell may begin there that is a formula behind space and quotes.

    It goes through the text once, from its end: a pattern that looks ahead would take ever longer for long ones.
    """
    begins, is_formula = [False] * len(text), False
    for place in range(len(text) - 1, -1, -1):
        char = text[place]
        is_formula = char in FORMULA_STARTS or (is_formula and (char in "'\"" or char.isspace()))
        begins[place] = is_formula and (place == 0 or text[place - 1] in separators)
    return begins
