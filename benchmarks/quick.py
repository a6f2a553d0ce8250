"""The quick check with nothing due, and with due brands among few and among many; and folding."""

from __future__ import annotations

from math import gcd
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks import baselines
from benchmarks.checks import check_at, expect
from benchmarks.databases import Bench
from benchmarks.figures import Figure, compare, pairs_of, seconds, timed, values
from benchmarks.world import CAMPAIGNS_PER_BRAND, HIGH_BUDGET, NUMBERS, ZONES, World, instant, settle
from campaigns.database.connection import execute, is_postgresql
from campaigns.rules.periods import quarter_of
from campaigns.services.jobs import quick_check
from campaigns.services.ledger.fold import fold

# One record of each of some brands with odd ids, which are far from their budgets, spread over all of them.
SPEND = f"""
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp)
{NUMBERS}, due AS (SELECT 2 * ((n - 1) * %s) + 1 AS brand FROM numbers)
SELECT brand, brand * {CAMPAIGNS_PER_BRAND}, %s, %s FROM due
"""
# Of random campaigns and eight quarter-hours up to noon, when it is the same day in all zones.
FILL = f"""
INSERT INTO campaigns_pendingspend (brand_id, campaign_id, quarter, amount)
{NUMBERS}, picked AS (SELECT n, {{at_random}} + 1 AS campaign_id FROM numbers)
SELECT campaign.brand_id, campaign.id, %s - picked.n %% 8, 1
FROM picked JOIN campaigns_campaign AS campaign ON campaign.id = picked.campaign_id
"""
DELETE = "DELETE FROM campaigns_pendingspend"


def measure(bench: Bench) -> list[Figure]:
    sizes, due = bench.sizes, bench.sizes.due_brands
    many, few = bench.large_world(), World(sizes.small_brands, sizes.days)
    for world in (few, many):
        with bench.inside(world):
            fold()
            check_at(world.noon)
            settle()

    def turn(world: World) -> float:
        with bench.inside(world):
            return pause_and_resume(world, due)

    pairs = pairs_of(lambda: turn(many), lambda: turn(few), sizes)
    with bench.inside(many):
        idle = [1000 * seconds(lambda: run(many)) for _ in range(sizes.runs)]
        with CaptureQueriesContext(connection) as statements:
            run(many)
        count = sum(query["sql"] not in ("BEGIN", "COMMIT") for query in statements.captured_queries)
    return [
        Figure("statements of a quick check with nothing due", count, "statements", most=2),
        values("such a quick check", idle, "ms"),
        compare(f"{due:,} due brands among {many.brands:,}, to among {few.brands:,}", pairs, most=2),
    ]


def pause_and_resume(world: World, brands: int) -> float:
    """Let brands reach their budgets and go below them again; return the seconds of the second quick check.

    In each, all campaigns of the due brands change. The second one has a warm connection.
    """
    apart = world.brands // 2 // brands
    while gcd(apart, len(ZONES)) > 1:  # or all would be in a few of the zones
        apart -= 1
    taken = 0.0
    for amount in (HIGH_BUDGET, -HIGH_BUDGET):
        execute(SPEND, [brands, apart, amount, instant(world.noon)])
        taken, done = timed(lambda: run(world))
        expect(brands * CAMPAIGNS_PER_BRAND, done.changed)
    return taken


def run(world: World) -> Any:
    # `compare` measures commits in which it is called run_quick_pass.
    name = "run_quick_check" if hasattr(quick_check, "run_quick_check") else "run_quick_pass"
    return getattr(quick_check, name)(clock=lambda: world.noon)


def measure_fold(bench: Bench) -> list[Figure]:
    """Beside a bare GROUP BY and upsert of the same rows."""
    rows = bench.sizes.rows
    with bench.inside(bench.large_world()) as world:
        pairs = pairs_of(
            lambda: fold_all(rows),
            lambda: seconds(baselines.add_up_pending),
            bench.sizes,
            before=lambda: fill_pending(world, rows),
        )
        execute(DELETE)
    return [compare(f"fold of {rows:,} pending rows, to a bare GROUP BY and upsert", pairs, most=1.5)]


def fill_pending(world: World, rows: int) -> None:
    """Let so many rows be pending, and no others."""
    execute("TRUNCATE campaigns_pendingspend" if is_postgresql() else DELETE)
    count = world.campaigns
    at_random = f"floor(random() * {count})::bigint" if is_postgresql() else f"abs(random() %% {count})"
    execute(FILL.format(at_random=at_random), [rows, quarter_of(world.noon)])
    settle("campaigns_pendingspend", "campaigns_campaignday", "campaigns_brandperiod")


def fold_all(rows: int) -> float:
    taken, folded = timed(fold)
    if folded != rows:
        raise AssertionError(f"{rows} pending rows were to be folded, and {folded} were")
    return taken
