"""A full check in two shards at once, beside the same in one (issue: on two cores at most 0.65)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from benchmarks.actors import Actor, on_stage
from benchmarks.bench import Bench, Measured
from benchmarks.midnight import go_back
from benchmarks.timing import seconds, side_by_side
from benchmarks.world import World, settle
from campaigns.services.jobs.full_check import CHECK_BUDGETS, full_check
from campaigns.services.jobs.shards import begin_check

MOST = 0.65


def measure(bench: Bench) -> Measured:
    with bench.inside(bench.large_world()) as world:
        full_check("bench", clock=lambda: world.noon)
        settle()
        workers = [Actor("shard") for _ in range(2)]
        with on_stage(*workers):
            idle = side_by_side(
                lambda: seconds(lambda: check_in_shards(workers, world.noon, 0)),
                lambda: seconds(lambda: check_in_shards(workers[:1], world.noon, 0)),
                bench.sizes,
            )
            half = side_by_side(
                lambda: change_half(workers, world), lambda: change_half(workers[:1], world), bench.sizes
            )
    return Measured(
        [
            idle.figure("full check, nothing to change, in two shards to one", most=MOST),
            half.figure("half of all campaigns change, in two shards to one", most=MOST),
        ]
    )


def change_half(workers: Sequence[Actor], world: World) -> float:
    taken = seconds(lambda: check_in_shards(workers, world.next_noon, world.campaigns // 2))
    go_back(world)
    return taken


def check_in_shards(workers: Sequence[Actor], at: datetime, changes: int) -> None:
    """Let as many processes as there are shards take one each, all without parallel query."""
    check = begin_check(CHECK_BUDGETS, of=len(workers), clock=lambda: at)
    for number, worker in enumerate(workers):
        worker.go(check=check, number=number, at=at.isoformat())
    ended = [changed for worker in workers if (changed := worker.stop()["changed"]) is not None]
    if changes not in ended:
        raise AssertionError(f"{changes} campaigns were to change, and {ended or 'no shards'} have")
