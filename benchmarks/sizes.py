"""How much of everything a run makes and measures."""

from __future__ import annotations

from dataclasses import dataclass

CAMPAIGNS_OF_A_BRAND = 10


@dataclass(frozen=True)
class Sizes:
    """Counts of rows; `runs` is odd, so that the median is one of them."""

    # Of the large world, with ten campaigns each; as many windows as campaigns.
    brands: int
    # Of the world that a quick check over as many due brands is compared with.
    small_brands: int
    touched: int
    # Of totals.
    days: int
    runs: int
    warm_up: bool
    pending: int
    # Inserted by each of 8 connections in a run; transactions insert three times as many.
    single_rows: int
    # Of 1,000 rows by each of 4 connections in a run.
    batches: int
    copied: int
    years_brands: int
    # Spend records of a young and an old ledger of the same campaigns.
    years_rows: tuple[int, int]
    sqlite_brands: int
    sqlite_rows: int
    # Who save beside a check.
    people: int
    # Seconds for which people and writers are watched with no check beside them.
    alone: float


FULL = Sizes(
    brands=100_000,
    small_brands=1_000,
    touched=100,
    days=30,
    runs=5,
    warm_up=True,
    pending=1_000_000,
    single_rows=3_000,
    batches=75,
    copied=1_000_000,
    years_brands=1_000,
    years_rows=(1_000_000, 10_000_000),
    sqlite_brands=1_000,
    sqlite_rows=1_000_000,
    people=2,
    alone=10.0,
)

QUICK = Sizes(
    brands=5_000,
    small_brands=200,
    touched=20,
    days=10,
    runs=3,
    warm_up=True,
    pending=50_000,
    single_rows=400,
    batches=8,
    copied=50_000,
    years_brands=100,
    years_rows=(20_000, 200_000),
    sqlite_brands=200,
    sqlite_rows=50_000,
    people=2,
    alone=2.0,
)

# For the tests of the bench itself.
TINY = Sizes(
    brands=20,
    small_brands=4,
    touched=1,
    days=2,
    runs=1,
    warm_up=False,
    pending=200,
    single_rows=5,
    batches=1,
    copied=100,
    years_brands=2,
    years_rows=(200, 400),
    sqlite_brands=4,
    sqlite_rows=80,
    people=1,
    alone=0.1,
)

SIZES = {"full": FULL, "quick": QUICK, "tiny": TINY}
