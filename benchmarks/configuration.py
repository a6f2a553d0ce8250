"""What PostgreSQL's settings change for a check, a midnight and a fold; only what a session can set for itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from benchmarks import baselines, fold, midnight
from benchmarks.bench import Bench, Measured
from benchmarks.check import idle_check
from benchmarks.figures import Figure
from benchmarks.timing import seconds, side_by_side
from benchmarks.world import World, settle
from campaigns.database.connection import execute
from campaigns.services.jobs.full_check import full_check

SETTINGS = (
    ("work_mem", "64MB", ("full check", "half changing", "fold")),
    ("jit", "off", ("full check", "half changing", "fold")),
    ("max_parallel_workers_per_gather", "0", ("full check",)),
)
"""Each with what it is tried on."""


def measure(bench: Bench) -> Measured:
    figures: list[Figure] = []
    with bench.inside(bench.large_world()) as world:
        full_check("bench", clock=lambda: world.noon)
        settle()
        for name, value, tried in SETTINGS:
            bench.say(f"trying {name} = {value}")
            for what, work in works(bench, world).items():
                if what in tried:
                    figures.append(compare(bench, f"{what} with {name} = {value}, to without", name, value, work))
    return Measured(figures)


def works(bench: Bench, world: World) -> dict[str, Callable[[], float]]:
    def change_half() -> float:
        taken = seconds(lambda: midnight.resume_half(world))
        baselines.pause_half(world)
        settle(midnight.WRITTEN)
        return taken

    def fold_some() -> float:
        fold.fill(world, bench.sizes.pending)
        settle(fold.WRITTEN)
        return seconds(lambda: fold.fold_all(bench.sizes.pending))

    return {
        "full check": lambda: seconds(lambda: idle_check(world)),
        "half changing": change_half,
        "fold": fold_some,
    }


def compare(bench: Bench, title: str, name: str, value: str, work: Callable[[], float]) -> Figure:
    def with_setting() -> float:
        execute(f"SET {name} = '{value}'")
        try:
            return work()
        finally:
            execute(f"RESET {name}")

    sizes = replace(bench.sizes, runs=bench.sizes.setting_runs, warm_up=False)
    return side_by_side(with_setting, work, sizes).figure(title)
