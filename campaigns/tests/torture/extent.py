"""How long a torture goes on: EXTENT=short takes minutes, for continuous integration; full takes more than an hour.

A short one leaves no kind of proof out, but repeats little of it, and nothing that `make test` does anyway.
"""

from __future__ import annotations

import os

NAMES = ("short", "full")


def extent(*, short: int, full: int) -> int:
    """Return the number (of runs, seconds, rows) for the extent that the environment asks for; default: full."""
    name = os.environ.get("EXTENT") or "full"
    if name not in NAMES:
        raise ValueError(f"EXTENT={name} isn't known: write one of {', '.join(NAMES)}.")
    return short if name == "short" else full
