"""How long people and spend writers wait beside a check, and how large its process becomes; and all of SQLite.

A wait is the time from the beginning of a save or an insert to its commit; the longest of all runs counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from benchmarks import fold
from benchmarks.checks import check_at_noon, go_back, half_pairs, idle_pairs
from benchmarks.databases import Bench
from benchmarks.figures import Figure, compare, values
from benchmarks.sizes import CAMPAIGNS_PER_BRAND
from benchmarks.workers import Worker, ready
from benchmarks.world import World
from campaigns.services.jobs.full_check import full_check

# What people and writers have answered.
Waits = dict[str, list[dict[str, Any]]]

SQLITE_DAYS = 10
SQLITE_LIMIT = 200
# Seconds between two saves of a person. SQLite has no queue for its lock: who saves without a rest keeps it for hours.
SQLITE_REST = 0.2


def measure(bench: Bench) -> list[Figure]:
    with bench.inside(bench.large_world()) as world:
        check_at_noon(world)
        check = Worker("check", at=world.next_noon.isoformat())
        people = [person(world), person(world)]
        checks: list[dict[str, Any]] = []

        def run_check() -> None:
            check.begin()
            checks.append(check.stop())

        with ready(*people, check, writer := person_or_writer("writer", world)):
            crew = {"person": people, "writer": [writer]}
            alone = watch(crew, lambda: time.sleep(bench.sizes.alone))
            beside = watch_checks(bench, world, crew, run_check)
    memory = [run["megabytes"] for run in checks]
    return [
        values("peak memory of the process that checks", memory, "MB", most=150),
        longest_wait("a person who saves beside it", alone["person"], beside["person"], 1000),
        longest_wait("a spend writer beside it", alone["writer"], beside["writer"], 50),
        values("that check, beside them", [run["seconds"] for run in checks], "s"),
    ]


def person(world: World, **options: Any) -> Worker:
    return person_or_writer("person", world, at=world.next_noon.isoformat(), **options)


def person_or_writer(role: str, world: World, **options: Any) -> Worker:
    return Worker(role, brands=world.brands, campaigns_per_brand=CAMPAIGNS_PER_BRAND, **options)


def watch(crew: dict[str, list[Worker]], work: Callable[[], object]) -> Waits:
    """Let people and writers act while the work is done; return their answers."""
    for workers in crew.values():
        for worker in workers:
            worker.begin()
    work()
    return {role: [worker.stop() for worker in workers] for role, workers in crew.items()}


def watch_checks(bench: Bench, world: World, crew: dict[str, list[Worker]], check: Callable[[], object]) -> Waits:
    """Watch them beside checks of the next noon, in which half of all campaigns change and every day is closed."""
    waits: Waits = {role: [] for role in crew}
    for _ in range(bench.sizes.runs):
        go_back(world)
        for role, answers in watch(crew, check).items():
            waits[role] += answers
    return waits


def longest_wait(who: str, alone: list[dict[str, Any]], beside: list[dict[str, Any]], most: float) -> Figure:
    without, beside_it = (max(answer["longest"] for answer in answers) * 1000 for answers in (alone, beside))
    times = sum(answer["count"] for answer in beside)
    note = f"with no check {without:.0f} ms; {times:,} times"
    return Figure(f"longest wait of {who}", beside_it, "ms", most=most, note=note)


def sqlite(bench: Bench) -> list[Figure]:
    """The full check at small scale, and how long a writer and a person wait beside it."""
    sizes, brands = bench.sizes, bench.sizes.small_brands
    per_day = max(1, sizes.sqlite_rows // (brands * CAMPAIGNS_PER_BRAND) // SQLITE_DAYS)
    rows = sizes.pending // 10
    with bench.inside(World(brands, SQLITE_DAYS, per_day)) as world:
        idle = idle_pairs(bench, world)
        half = half_pairs(bench, world)
        crew = {"person": [person(world, rest=SQLITE_REST)], "writer": [person_or_writer("writer", world)]}
        with ready(*crew["person"], *crew["writer"]):
            alone = watch(crew, lambda: time.sleep(sizes.alone))
            checks = watch_checks(bench, world, crew, lambda: full_check("bench", clock=lambda: world.next_noon))
            fold.fill(world, rows)
            folding = watch(crew, lambda: fold.fold_all(rows))
    stages = {"checks on SQLite in which half changes": checks, f"a fold of {rows:,} rows on SQLite": folding}
    size = f"on SQLite, {world.campaigns:,} campaigns, {world.campaigns * SQLITE_DAYS * per_day:,} records"
    return [
        values(f"full check, nothing to change, {size}", [ours for ours, _ in idle], "s", most=0.5),
        compare("the same, to a bare join", idle),
        compare("half of all campaigns change, to a bare UPDATE and INSERT", half),
        *(
            longest_wait(f"a {role} beside {what}", alone[role], waits[role], SQLITE_LIMIT)
            for what, waits in stages.items()
            for role in crew
        ),
    ]
