"""The quick check: with nothing due, and with due brands among few and among many (issue: at most twice)."""

from __future__ import annotations

from math import gcd

from benchmarks.bench import Bench, Measured
from benchmarks.figures import Figure, Pairs, values
from benchmarks.sizes import CAMPAIGNS_OF_A_BRAND
from benchmarks.timing import seconds
from benchmarks.watch import statements
from benchmarks.world import FAR, NUMBERS, ZONES, World, instant, settle
from campaigns.database.connection import execute
from campaigns.services.jobs.full_check import full_check
from campaigns.services.jobs.quick_check import QuickCheck, run_quick_check
from campaigns.services.ledger.fold import fold

# One record of each of some brands with odd ids, which are far from their budgets, spread over all of them.
TOUCH = f"""
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp)
{NUMBERS}, touched AS (SELECT 2 * ((n - 1) * %s) + 1 AS brand FROM numbers)
SELECT brand, brand * {CAMPAIGNS_OF_A_BRAND}, %s, %s FROM touched
"""
ALL_OF_IT = FAR
"""Reaches such a brand's budget."""


def measure(bench: Bench) -> Measured:
    sizes = bench.sizes
    many, few = bench.large_world(), World(sizes.small_brands, sizes.days)
    for world in (few, many):
        with bench.inside(world):
            be_at_noon(world)
    pairs = [(turn(bench, many, sizes.touched), turn(bench, few, sizes.touched)) for _ in range(sizes.runs)]
    more = [(turn(bench, many, 10 * sizes.touched), turn(bench, many, sizes.touched)) for _ in range(sizes.runs)]
    with bench.inside(many):
        idle = [1000 * seconds(lambda: quick(many)) for _ in range(sizes.runs)]
        with statements() as seen:
            quick(many)
    compared = Pairs(*zip(*pairs, strict=True))
    return Measured(
        [
            Figure("statements of a quick check with nothing due", len(seen), "statements", most=2),
            values("such a quick check", idle, "ms"),
            compared.figure(f"{sizes.touched:,} due brands among {many.brands:,}, to among {few.brands:,}", most=2),
            Pairs(*zip(*more, strict=True)).figure(f"{10 * sizes.touched:,} due brands, to {sizes.touched:,}"),
        ]
    )


def be_at_noon(world: World) -> None:
    fold()
    full_check("bench", clock=lambda: world.noon)
    settle()


def turn(bench: Bench, world: World, brands: int) -> float:
    """Let brands reach their budgets and go below them again; return what the second pass takes, on a warm connection.

    In each, all campaigns of the due brands change.
    """
    with bench.inside(world):
        for amount in (ALL_OF_IT, -ALL_OF_IT):
            touch(world, brands, amount)
            taken = seconds(lambda: expect(world, brands))
        return taken


def touch(world: World, brands: int, amount: int) -> None:
    apart = world.brands // 2 // brands
    while gcd(apart, len(ZONES)) > 1:  # or all would be in a few of the zones
        apart -= 1
    execute(TOUCH, [brands, apart, amount, instant(world.noon)])


def expect(world: World, brands: int) -> None:
    done = quick(world)
    if done.changed != brands * CAMPAIGNS_OF_A_BRAND:
        raise AssertionError(f"all campaigns of {brands} brands were to change, and {done.changed} have changed")


def quick(world: World) -> QuickCheck:
    return run_quick_check(clock=lambda: world.noon)
