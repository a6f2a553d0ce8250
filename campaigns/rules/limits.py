"""When a limit is reached (R2): in SQL for decisions, in Python for what pages reckon; a test compares the two."""

from __future__ import annotations

from decimal import Decimal


def reached(limit: str, spend: str) -> str:
    """Return the SQL of the rule; false where there is no limit."""
    return f"({limit} = 0 OR {spend} >= {limit})"


def is_reached(limit: Decimal | None, spend: Decimal) -> bool:
    """Tell the same of amounts in one currency; False where there is no limit."""
    return limit is not None and (limit == 0 or spend >= limit)
