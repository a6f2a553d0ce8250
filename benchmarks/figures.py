"""A figure: a measurement, beside its baseline, against its target. Ours and the baseline alternate."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.sizes import Sizes


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
    spread: Sequence[float] | None = None
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


def seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def values(name: str, found: Sequence[float], unit: str, **others: Any) -> Figure:
    """Return the figure of a value that has no baseline, from several runs."""
    return Figure(name=name, ours=median(found), unit=unit, spread=(min(found), max(found)), **others)


def compare(name: str, pairs: Sequence[tuple[float, float]], unit: str = "s", **others: Any) -> Figure:
    """Return the figure of pairs of ours and the baseline; its ratio is the median of their ratios."""
    ours, baseline = zip(*pairs, strict=True)
    ratios = [first / second for first, second in pairs]
    of_both = {"baseline": median(baseline), "ratio": median(ratios), "spread": (min(ratios), max(ratios))}
    return Figure(name=name, ours=median(ours), unit=unit, **of_both | others)


def pairs_of(
    ours: Callable[[], float], baseline: Callable[[], float], sizes: Sizes, *, before: Callable[[], Any] = lambda: None
) -> list[tuple[float, float]]:
    """Measure ours, baseline, ours, baseline, …; before() comes before each, untimed. A first pair may warm up."""
    pairs: list[tuple[float, float]] = []
    for _ in range(sizes.runs + sizes.warm_up):
        before()
        first = ours()
        before()
        pairs.append((first, baseline()))
    return pairs[sizes.warm_up :]
