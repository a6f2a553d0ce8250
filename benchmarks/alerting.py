"""Alerts beside the quick check that they follow: all brands of a world cross a threshold of their monthly budgets."""

from __future__ import annotations

from benchmarks.checks import check_at, expect
from benchmarks.databases import Bench
from benchmarks.figures import Figure, compare, seconds, timed, values
from benchmarks.world import CAMPAIGNS_PER_BRAND, HIGH_BUDGET, World, instant, settle
from campaigns.database.connection import execute
from campaigns.services.alerts.evaluate import evaluate
from campaigns.services.jobs.quick_check import QuickCheck, quick_check
from campaigns.services.ledger.fold import fold

# A record of a campaign of each brand.
SPEND = f"""
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp)
SELECT id, id * {CAMPAIGNS_PER_BRAND}, %s, %s FROM campaigns_brand
"""
# Without daily budgets, which half of the brands have reached, no campaign is paused before.
PREPARE = f"UPDATE campaigns_brand SET daily_budget = NULL, monthly_budget = {HIGH_BUDGET}"
REACHED, NEARLY = HIGH_BUDGET, HIGH_BUDGET * 9 // 10


def measure(bench: Bench) -> list[Figure]:
    world = World(bench.sizes.alerting_brands, 2)
    brands, runs = f"{world.brands:,} brands", bench.sizes.runs
    with bench.inside(world):
        execute(PREPARE)
        fold()
        check_at(world.noon)
        one = [cross(world, REACHED, alerts=1, changes=world.campaigns, before=NEARLY) for _ in range(1 + runs)][1:]
        both = [cross(world, REACHED, alerts=2, changes=world.campaigns) for _ in range(1 + runs)][1:]
        running = [cross(world, NEARLY, alerts=1, changes=0) for _ in range(1 + runs)][1:]
        again = [1000 * look_again(world, NEARLY) for _ in range(1 + runs)][1:]
    return [
        compare(f"alerts of {brands} that reach 100 % after 80 %, to the check that pauses them", one, most=0.2),
        compare(f"alerts of {brands} that reach both at once, to the check that pauses them", both),
        compare(f"alerts of {brands} that reach 80 %, to the check in which nothing pauses", running),
        values(f"looking at {brands} whose alerts are open", again, "ms"),
    ]


def cross(world: World, amount: int, *, alerts: int, changes: int, before: int = 0) -> tuple[float, float]:
    """Let all brands spend an amount, a part of it before; return the seconds of evaluating, and of the check."""
    if before:
        execute(SPEND, [before, instant(world.noon)])
        evaluate(check(world).looked_at, now=world.noon)
    execute(SPEND, [amount - before, instant(world.noon)])
    settle()
    taken, done = timed(lambda: check(world))
    expect(changes, done.changed)
    evaluating, evaluated = timed(lambda: evaluate(done.looked_at, now=world.noon))
    if evaluated.fired != alerts * world.brands:
        raise AssertionError(f"{alerts * world.brands} alerts were to fire, and {evaluated.fired} have fired")
    undo(world, amount)
    return evaluating, taken


def undo(world: World, amount: int) -> None:
    execute(SPEND, [-amount, instant(world.noon)])
    check(world)
    execute("DELETE FROM campaigns_alert")
    settle()


def look_again(world: World, amount: int) -> float:
    execute(SPEND, [amount, instant(world.noon)])
    done = check(world)
    evaluate(done.looked_at, now=world.noon)
    settle()
    taken = seconds(lambda: evaluate(done.looked_at, now=world.noon))
    undo(world, amount)
    return taken


def check(world: World) -> QuickCheck:
    return quick_check("bench", clock=lambda: world.noon)
