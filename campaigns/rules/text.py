"""How error messages quote an entered value."""

from __future__ import annotations

MAX_QUOTED = 60


def shorten(text: str) -> str:
    """Return the text, cut off after MAX_QUOTED characters."""
    return text if len(text) <= MAX_QUOTED else f"{text[: MAX_QUOTED - 1]}…"


def quote(text: str) -> str:
    return f"“{shorten(text)}”"
