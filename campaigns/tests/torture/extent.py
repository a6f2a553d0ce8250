"""How long a torture goes on: EXTENT=short takes a few minutes in all; full takes much longer."""

from __future__ import annotations

import os

NAMES = ("short", "full")


def extent(*, short: int, full: int) -> int:
    """Return the number (of runs, seconds, rows) for the extent that the environment asks for; default: full."""
    name = os.environ.get("EXTENT") or "full"
    if name not in NAMES:
        raise ValueError(f"EXTENT={name} isn't known: write one of {', '.join(NAMES)}.")
    return short if name == "short" else full
