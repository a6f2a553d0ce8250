"""The parts of the bench, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import (
    check,
    fold,
    midnight,
    pages,
    quick,
    shards,
    small,
    waits,
    writers,
    years,
)
from benchmarks.bench import Bench, Measured

POSTGRESQL, SQLITE = "postgresql", "sqlite"


@dataclass(frozen=True)
class Part:
    name: str
    title: str
    measure: Callable[[Bench], Measured]
    vendor: str = POSTGRESQL


PARTS = (
    Part("quick", "The quick check", quick.measure),
    Part("check", "Full check with nothing to change", check.measure),
    Part("midnight", "Half of all campaigns change", midnight.measure),
    Part("waits", "People and writers beside a midnight check", waits.measure),
    Part("shards", "A full check in shards", shards.measure),
    Part("fold", "Folding", fold.measure),
    Part("writers", "Writers", writers.measure),
    Part("years", "Years of spend", years.measure),
    Part("pages", "The admin at size", pages.measure),
    Part("sqlite", "SQLite", small.measure, SQLITE),
)
NAMES = tuple(part.name for part in PARTS)
