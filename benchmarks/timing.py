"""Timing: ours and the baseline alternate, so that what else the machine does falls on both."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from benchmarks.figures import Pairs
from benchmarks.sizes import Sizes

Measured = Callable[[], float]


def seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def side_by_side(
    ours: Measured, baseline: Measured, sizes: Sizes, *, before: Callable[[], Any] = lambda: None
) -> Pairs:
    """Measure ours, baseline, ours, baseline, …; before comes before each, untimed. A first pair may warm up.

    Both return what they measured of themselves.
    """
    pairs: list[tuple[float, float]] = []
    for _ in range(sizes.runs + sizes.warm_up):
        before()
        first = ours()
        before()
        pairs.append((first, baseline()))
    kept = pairs[sizes.warm_up :]
    return Pairs([pair[0] for pair in kept], [pair[1] for pair in kept])
