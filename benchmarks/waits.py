"""How long people and spend writers wait beside a midnight check, and how large its process becomes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmarks.actors import Actor, on_stage
from benchmarks.bench import Bench, Measured
from benchmarks.figures import Figure, values
from benchmarks.midnight import go_back
from benchmarks.sizes import CAMPAIGNS_OF_A_BRAND
from benchmarks.world import World
from campaigns.services.jobs.full_check import full_check

Answer = dict[str, Any]
Found = dict[str, list[Answer]]
"""What the actors of each role have said."""


def measure(bench: Bench) -> Measured:
    with bench.inside(bench.large_world()) as world:
        full_check("bench", clock=lambda: world.noon)
        alone, beside = watch_all(bench, world)
    return Measured(
        [
            values(
                "peak memory of the process that checks", [run["megabytes"] for run in beside["check"]], "MB", most=150
            ),
            longest_wait("a person who saves beside it", "person", alone, beside, 1000),
            longest_wait("a spend writer beside it", "writer", alone, beside, 50),
            values("that check, beside them", [run["seconds"] for run in beside["check"]], "s"),
        ]
    )


def watch_all(bench: Bench, world: World) -> tuple[Found, Found]:
    """Watch people and a writer for a while without a check, then beside full checks of the next noon."""
    at, who = world.next_noon.isoformat(), crowd(world)
    people = [Actor("person", at=at, **who) for _ in range(bench.sizes.people)]
    writer, check = Actor("writer", **who), Actor("check", at=at)
    crew = {"person": people, "writer": [writer]}
    beside: Found = {}
    with on_stage(*people, writer, check):
        alone = watch(crew, lambda: time.sleep(bench.sizes.alone))
        go_back(world)
        for _ in range(bench.sizes.runs):
            for role, answers in watch(crew, lambda: beside.setdefault("check", []).append(play(check))).items():
                beside.setdefault(role, []).extend(answers)
            go_back(world)
    return alone, beside


def crowd(world: World) -> dict[str, int]:
    """Return what people and writers are told of the world."""
    return {"brands": world.brands, "campaigns_of_each": CAMPAIGNS_OF_A_BRAND}


def play(actor: Actor, **what: Any) -> Answer:
    """Let an actor do what ends by itself."""
    actor.go(**what)
    return actor.stop()


def watch(crew: Mapping[str, Sequence[Actor]], work: Callable[[], object]) -> Found:
    """Let the crew act while the work is done, and return what they say."""
    for actors in crew.values():
        for actor in actors:
            actor.go()
    work()
    return {role: [actor.stop() for actor in actors] for role, actors in crew.items()}


def longest_wait(who: str, role: str, alone: Found, beside: Found, most: float) -> Figure:
    times = sum(int(answer["count"]) for answer in beside[role])
    note = f"with no check {longest(alone[role]):.0f} ms; {times:,} times"
    return values(f"longest wait of {who}", [longest(beside[role])], "ms", most=most, note=note)


def longest(answers: Iterable[Answer]) -> float:
    """Return the longest wait in milliseconds."""
    return max(float(answer["longest"]) for answer in answers) * 1000
