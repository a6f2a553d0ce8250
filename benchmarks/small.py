"""SQLite at small scale: the full check, and how long a writer and a person wait beside it."""

from __future__ import annotations

import time

from benchmarks import baselines, fold, midnight
from benchmarks.actors import Actor, on_stage
from benchmarks.bench import Bench, Measured
from benchmarks.check import idle_check
from benchmarks.figures import Figure, values
from benchmarks.sizes import CAMPAIGNS_OF_A_BRAND
from benchmarks.timing import seconds, side_by_side
from benchmarks.waits import Found, crowd, longest_wait, watch
from benchmarks.world import World
from campaigns.services.jobs.full_check import full_check
from campaigns.services.ledger.fold import fold as fold_pending

DAYS = 10
MOST_WAIT = 200
"""Milliseconds."""
REST = 0.2
"""Seconds between two saves of a person. SQLite has no queue: who saves without a rest keeps the lock for hours."""


def measure(bench: Bench) -> Measured:
    sizes = bench.sizes
    campaigns = sizes.sqlite_brands * CAMPAIGNS_OF_A_BRAND
    records_a_day = max(1, sizes.sqlite_rows // campaigns // DAYS)
    with bench.inside(World(sizes.sqlite_brands, DAYS, records_a_day)) as world:
        idle = side_by_side(
            lambda: seconds(lambda: idle_check(world)), lambda: seconds(lambda: baselines.join(world)), sizes
        )
        half = midnight.change_half(bench, world)
        waits = watch_all(bench, world)
    size = f"on SQLite, {world.campaigns:,} campaigns, {world.campaigns * DAYS * records_a_day:,} records"
    return Measured(
        [
            values(f"full check, nothing to change, {size}", idle.ours, "s", most=0.5),
            idle.figure("the same, to a bare join"),
            half.figure("half of all campaigns change, to a bare UPDATE and INSERT"),
            *waits,
        ]
    )


def watch_all(bench: Bench, world: World) -> list[Figure]:
    """Watch a person and a writer with nothing beside them, beside checks, and beside a fold."""
    who, rows = crowd(world), bench.sizes.pending // 10
    person, writer = Actor("person", at=world.next_noon.isoformat(), rest=REST, **who), Actor("writer", **who)
    crew = {"person": [person], "writer": [writer]}
    beside_checks: Found = {"person": [], "writer": []}
    with on_stage(person, writer):
        alone = watch(crew, lambda: time.sleep(bench.sizes.alone))
        for _ in range(bench.sizes.runs):
            midnight.go_back(world)
            for role, answers in watch(crew, lambda: check_next_noon(world)).items():
                beside_checks[role] += answers
        fold.empty()
        fold.fill(world, rows)
        beside_fold = watch(crew, fold_pending)
    stages = {
        "checks on SQLite in which half changes": beside_checks,
        f"a fold of {rows:,} rows on SQLite": beside_fold,
    }
    return [
        longest_wait(f"a {role} beside {what}", role, alone, beside, MOST_WAIT)
        for what, beside in stages.items()
        for role in crew
    ]


def check_next_noon(world: World) -> None:
    """Go on to the next noon, where half of all campaigns change and every brand's day is closed."""
    full_check("bench", clock=lambda: world.next_noon)
