"""The full check with nothing to change, beside a bare join over the same rows (issue: at most twice)."""

from __future__ import annotations

from benchmarks import baselines
from benchmarks.bench import Bench, Measured
from benchmarks.figures import Figure
from benchmarks.timing import seconds, side_by_side
from benchmarks.watch import statements
from benchmarks.world import World, settle
from campaigns.services.enforcement.enforce import enforce
from campaigns.services.jobs.full_check import FullCheck, full_check
from campaigns.services.scope import Scope


def measure(bench: Bench) -> Measured:
    with bench.inside(bench.large_world()) as world:
        check(world)
        settle()
        pairs = side_by_side(
            lambda: seconds(lambda: idle_check(world)), lambda: seconds(lambda: baselines.join(world)), bench.sizes
        )
        deciding = side_by_side(
            lambda: seconds(lambda: decide(world)), lambda: seconds(lambda: baselines.join(world)), bench.sizes
        )
        with statements() as seen:
            check(world)
    return Measured(
        [
            pairs.figure("full check, nothing to change, to a bare join", most=2),
            deciding.figure("of it: enforcement alone"),
            Figure("statements of such a check", len(seen), "statements"),
        ]
    )


def check(world: World) -> FullCheck:
    return full_check("bench", clock=lambda: world.noon)


def idle_check(world: World) -> None:
    changed = check(world).enforcement.changed
    if changed:
        raise AssertionError(f"nothing was to change, and {changed} campaigns have changed")


def decide(world: World) -> None:
    enforce(Scope.everything(), clock=lambda: world.noon, actor="bench")
