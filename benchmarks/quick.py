"""The quick check: with nothing due, and with due brands among few and among many."""

from __future__ import annotations

from math import gcd
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.checks import check_at_noon, expect
from benchmarks.databases import Bench
from benchmarks.figures import Figure, compare, seconds, values
from benchmarks.sizes import CAMPAIGNS_PER_BRAND
from benchmarks.world import HIGH_BUDGET, NUMBERS, ZONES, World, instant, settle
from campaigns.database.connection import execute
from campaigns.services.jobs import quick_check
from campaigns.services.ledger.fold import fold

# One record of each of some brands with odd ids, which are far from their budgets, spread over all of them.
SPEND = f"""
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp)
{NUMBERS}, due AS (SELECT 2 * ((n - 1) * %s) + 1 AS brand FROM numbers)
SELECT brand, brand * {CAMPAIGNS_PER_BRAND}, %s, %s FROM due
"""


def measure(bench: Bench) -> list[Figure]:
    sizes, due = bench.sizes, bench.sizes.due_brands
    many, few = bench.large_world(), World(sizes.small_brands, sizes.days)
    for world in (few, many):
        with bench.inside(world):
            fold()
            check_at_noon(world)
            settle()

    def turn(world: World, brands: int) -> float:
        with bench.inside(world):
            return pause_and_resume(world, brands)

    pairs = [(turn(many, due), turn(few, due)) for _ in range(sizes.runs)]
    more = [(turn(many, 10 * due), turn(many, due)) for _ in range(sizes.runs)]
    with bench.inside(many):
        idle = [1000 * seconds(lambda: run(many)) for _ in range(sizes.runs)]
        with CaptureQueriesContext(connection) as statements:
            run(many)
    return [
        Figure("statements of a quick check with nothing due", len(statements), "statements", most=2),
        values("such a quick check", idle, "ms"),
        compare(f"{due:,} due brands among {many.brands:,}, to among {few.brands:,}", pairs, most=2),
        compare(f"{10 * due:,} due brands, to {due:,}", more),
    ]


def pause_and_resume(world: World, brands: int) -> float:
    """Let brands reach their budgets and go below them again; return the seconds of the second quick check.

    In each, all campaigns of the due brands change. The second one has a warm connection.
    """
    apart = world.brands // 2 // brands
    while gcd(apart, len(ZONES)) > 1:  # or all would be in a few of the zones
        apart -= 1
    for amount in (HIGH_BUDGET, -HIGH_BUDGET):
        execute(SPEND, [brands, apart, amount, instant(world.noon)])
        done: list[Any] = []
        taken = seconds(lambda: done.append(run(world)))  # noqa: B023  # it is called here
        expect(brands * CAMPAIGNS_PER_BRAND, done[0].changed)
    return taken


def run(world: World) -> Any:
    # `compare` measures commits in which it is called run_quick_pass.
    name = "run_quick_check" if hasattr(quick_check, "run_quick_check") else "run_quick_pass"
    return getattr(quick_check, name)(clock=lambda: world.noon)
