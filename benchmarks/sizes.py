"""How much of everything a run makes and measures."""

from __future__ import annotations

from dataclasses import dataclass

CAMPAIGNS_PER_BRAND = 10


@dataclass(frozen=True)
class Sizes:
    """Counts of rows; `runs` is odd, so that the median is one of them."""

    brands: int
    # Of the world that the large one is compared with.
    small_brands: int
    due_brands: int
    # Of totals.
    days: int
    runs: int
    warm_up: bool
    pending: int
    # By each of 8 connections in a run.
    single_rows: int
    # Of 1,000 rows, by each of 4 connections in a run.
    batches: int
    copied: int
    # Spend records of a young and an old ledger of the same campaigns.
    years_rows: tuple[int, int]
    sqlite_rows: int
    # Seconds for which people and writers are watched with no check beside them.
    alone: float


SIZES = {
    "full": Sizes(
        brands=100_000,
        small_brands=1_000,
        due_brands=100,
        days=30,
        runs=5,
        warm_up=True,
        pending=1_000_000,
        single_rows=3_000,
        batches=75,
        copied=1_000_000,
        years_rows=(1_000_000, 10_000_000),
        sqlite_rows=1_000_000,
        alone=10.0,
    ),
    "quick": Sizes(5_000, 200, 20, 10, 3, True, 50_000, 400, 8, 50_000, (40_000, 400_000), 50_000, 2.0),
    # For the tests of the benchmarks.
    "tiny": Sizes(20, 4, 1, 2, 1, False, 200, 5, 1, 100, (400, 800), 80, 0.1),
}
