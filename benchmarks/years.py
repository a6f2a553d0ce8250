"""A young and an old ledger of the same campaigns: checks, folds and the admin's pages in each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from benchmarks.checks import go_back, idle_check, resume_half
from benchmarks.databases import Bench
from benchmarks.figures import Figure, compare, pairs_of, seconds
from benchmarks.fold import fill, fold_all
from benchmarks.pages import compare_pages
from benchmarks.sizes import CAMPAIGNS_PER_BRAND
from benchmarks.world import World

RECORDS_PER_DAY = 10


def measure(bench: Bench) -> list[Figure]:
    brands, today = bench.sizes.small_brands, datetime.now(UTC).date()  # the admin shows no other day
    young, old = (
        World(brands, max(1, rows // (brands * CAMPAIGNS_PER_BRAND * RECORDS_PER_DAY)), RECORDS_PER_DAY, today)
        for rows in bench.sizes.years_rows
    )
    works: dict[str, Callable[[World], float]] = {
        "full check, nothing to change": idle_check,
        "half of all campaigns change": change_half,
        "fold": lambda world: fold_some(world, bench.sizes.pending // 100),
    }

    def inside(work: Callable[[World], float], world: World) -> float:
        with bench.inside(world):
            return work(world)

    figures = []
    for name, work in works.items():
        pairs = pairs_of(lambda: inside(work, old), lambda: inside(work, young), bench.sizes)  # noqa: B023
        figures.append(compare(f"{name}, old ledger to young", pairs, most=1.25))
    worst = max(compare_pages(bench, old, young), key=lambda page: page.measured)
    records = old.campaigns * old.days * RECORDS_PER_DAY
    return [
        *figures,
        Figure("the admin's page that grows most", worst.measured, "times", most=2, note=worst.name),
        Figure("spend records of the old ledger", records, "rows"),
    ]


def change_half(world: World) -> float:
    taken = seconds(lambda: resume_half(world))
    go_back(world)
    return taken


def fold_some(world: World, rows: int) -> float:
    fill(world, rows)
    return fold_all(rows)
