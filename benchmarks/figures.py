"""A figure: a measurement, beside its baseline, against its target. Ours and the baseline alternate."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeVar

Found = TypeVar("Found")
Pairs = list[tuple[float, float]]


@dataclass(frozen=True)
class Sizes:
    """Counts; `runs` is odd, so that the median is one of them."""

    brands: int
    # Of the world that the large one is compared with.
    small_brands: int
    due_brands: int
    # Of totals.
    days: int
    runs: int
    # By each of 8 connections in a run.
    single_rows: int
    # Of 1,000 rows, by each of 4 connections in a run.
    batches: int
    # Of each of 5 requests in a run; the largest that the API takes.
    request_rows: int
    # Seconds for which people and writers are watched with no check beside them.
    alone: float
    # Brands that cross a threshold at the same time.
    alerting_brands: int

    @property
    def rows(self) -> int:
        """Of what is pending, copied, in a young ledger, and on SQLite; an old ledger has ten times as many."""
        return 10 * self.brands


SIZES = {
    "full": Sizes(100_000, 1_000, 100, 30, 5, 3_000, 75, 10_000, 10, 10_000),
    "quick": Sizes(2_000, 100, 20, 10, 3, 200, 4, 10_000, 2, 1_000),
    # For the tests of the benchmarks.
    "tiny": Sizes(20, 4, 1, 2, 1, 5, 1, 100, 0.1, 8),
}


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
    spread: Sequence[float] = ()
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


def timed(work: Callable[[], Found]) -> tuple[float, Found]:
    """Return the seconds of the work, and its result."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def seconds(work: Callable[[], Any]) -> float:
    return timed(work)[0]


def values(name: str, found: Sequence[float], unit: str, **others: Any) -> Figure:
    """Return the figure of a value that has no baseline, from several runs."""
    return Figure(name=name, ours=median(found), unit=unit, spread=(min(found), max(found)), **others)


def compare(name: str, pairs: Pairs, unit: str = "s", **others: Any) -> Figure:
    """Return the figure of pairs of ours and the baseline; its ratio is the median of their ratios."""
    ours, baseline = zip(*pairs, strict=True)
    ratios = [first / second for first, second in pairs]
    spread = (min(ratios), max(ratios))
    return Figure(name, median(ours), unit, median(baseline), median(ratios), spread, **others)


def pairs_of(
    ours: Callable[[], float], baseline: Callable[[], float], sizes: Sizes, *, before: Callable[[], Any] = lambda: None
) -> Pairs:
    """Measure ours, baseline, ours, baseline, …; before() comes before each, untimed. A first pair warms up."""
    pairs: Pairs = []
    for _ in range(1 + sizes.runs):
        before()
        first = ours()
        before()
        pairs.append((first, baseline()))
    return pairs[1:]
