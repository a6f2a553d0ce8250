"""A number of the home page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Number:
    """A number that links to the list behind it; `label` says what it counts."""

    count: int
    label: str
    address: str
    described: str = ""
    # Percentage of the total, for the bar.
    value: int = 0
    is_capped: bool = False

    @property
    def text(self) -> str:
        return f"{'more than ' if self.is_capped else ''}{self.count:,}"
