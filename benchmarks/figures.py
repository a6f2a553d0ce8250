"""A figure: what was measured, beside its baseline, against its target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Pairs:
    """What runs of ours and of the baseline, one beside the other, took; in seconds, or rows a second."""

    ours: Sequence[float]
    baseline: Sequence[float]

    @property
    def ratios(self) -> list[float]:
        return [ours / base for ours, base in zip(self.ours, self.baseline, strict=True)]

    def figure(self, name: str, unit: str = "s", **others: Any) -> Figure:
        ratios = self.ratios
        return Figure(
            name=name,
            unit=unit,
            ours=median(self.ours),
            baseline=median(self.baseline),
            ratio=median(ratios),
            spread=(min(ratios), max(ratios)),
            **others,
        )


@dataclass(frozen=True)
class Figure:
    """Medians. The target, at most or at least, is one of the ratio; without a baseline, of the value itself.

    The spread is the smallest and the largest of what the target is about.
    """

    name: str
    ours: float
    unit: str = "s"
    baseline: float | None = None
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    most: float | None = None
    least: float | None = None
    note: str = ""

    @property
    def measured(self) -> float:
        return self.ours if self.ratio is None else self.ratio

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.most is not None:
            return self.measured <= self.most
        return self.measured >= self.least if self.least is not None else None

    @property
    def missed_by(self) -> float | None:
        """By what share of the target it is missed; None where it isn't."""
        target = self.least if self.most is None else self.most
        return abs(self.measured - target) / target if self.met is False and target else None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Figure:
        spread = fields["spread"]
        return cls(**fields | {"spread": spread and (spread[0], spread[1])})


def values(name: str, found: Sequence[float], unit: str, **others: Any) -> Figure:
    """Return the figure of a value that has no baseline, from several runs."""
    return Figure(name=name, ours=median(found), unit=unit, spread=(min(found), max(found)), **others)
