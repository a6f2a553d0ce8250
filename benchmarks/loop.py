"""The usual loop over campaigns at growing sizes, beside ours in the same database."""

from __future__ import annotations

from collections import Counter

from benchmarks import baselines, midnight
from benchmarks.bench import Bench, Measured, Points
from benchmarks.check import idle_check
from benchmarks.figures import Figure, Pairs
from benchmarks.timing import seconds, side_by_side
from benchmarks.usual import loop
from benchmarks.watch import statements
from benchmarks.world import World, settle
from campaigns.models import Campaign

DAYS = 10


def measure(bench: Bench) -> Measured:
    figures: list[Figure] = []
    points: Points = {}
    for brands in bench.sizes.loops:
        with bench.inside(World(brands, DAYS, records_a_day=1)) as world:
            bench.say(f"looping over {world.campaigns:,} campaigns")
            figures += measure_at(bench, world, points)
    return Measured(figures, points=points)


def measure_at(bench: Bench, world: World, points: Points) -> list[Figure]:
    idle = side_by_side(
        lambda: seconds(lambda: idle_check(world)), lambda: seconds(lambda: baselines.join(world)), bench.sizes
    )
    half = midnight.change_half(bench, world)
    ours = statuses()
    settle()
    times = 1 if world.campaigns >= bench.sizes.loop_once_from else bench.sizes.runs
    with statements() as seen:
        loops = [seconds(lambda: loop(world.noon)) for _ in range(times)]
    if statuses() != ours:
        raise AssertionError(f"the loop has come to {statuses()}, and ours to {ours}")
    slowest, fastest = max(half.ours), min(loops)
    for name, found in (
        ("ours, nothing changes", min(idle.ours)),
        ("bare join", min(idle.baseline)),
        ("ours, half changes", min(half.ours)),
        ("bare UPDATE and INSERT", min(half.baseline)),
        ("the usual loop", fastest),
    ):
        points.setdefault(name, {})[world.campaigns] = found
    return [
        Pairs(half.ours[: len(loops)], loops).figure(
            f"{world.campaigns:,} campaigns, half of them changing, to the usual loop",
            note=f"ours is {fastest / slowest:,.0f} times as fast; the loop takes {len(seen) // times:,} statements",
        ),
        Pairs(idle.ours[: len(loops)], loops).figure(f"{world.campaigns:,} campaigns, nothing to change, to the loop"),
    ]


def statuses() -> Counter[int]:
    """Return how many campaigns have each set of reasons."""
    return Counter(Campaign.objects.values_list("pause_reasons", flat=True))
