"""Full checks: with nothing to change, where half of all campaigns change, and in two shards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from benchmarks import baselines
from benchmarks.databases import Bench
from benchmarks.figures import Figure, compare, pairs_of, seconds, timed
from benchmarks.workers import Worker
from benchmarks.world import World, accounting_table, settle
from campaigns.database.connection import execute
from campaigns.services.enforcement.enforce import enforce
from campaigns.services.jobs.full_check import CHECK_BUDGETS, full_check
from campaigns.services.jobs.shards import begin_check, run_shard
from campaigns.services.scope import Scope

CHANGED = ("campaigns_campaign", "campaigns_statuschange", "campaigns_brand")
REOPEN_DAY = """
UPDATE campaigns_brandperiod SET closed_at = NULL, spend_at_close = NULL, budget_at_close = NULL
WHERE closed_at IS NOT NULL AND kind = 'day' AND starts_on = %s
"""


def idle(bench: Bench) -> list[Figure]:
    with bench.inside(bench.large_world()) as world:
        check_at(world.noon)
        settle()
        pairs = pairs_of(lambda: idle_check(world), lambda: seconds(lambda: baselines.join(world)), bench.sizes)
    return [compare("full check, nothing to change, to a bare join", pairs, most=2)]


def idle_check(world: World) -> float:
    taken, changed = timed(lambda: check_at(world.noon))
    expect(0, changed)
    return taken


def check_at(now: datetime) -> int:
    """Do a full check; return how many campaigns have changed."""
    return full_check("bench", clock=lambda: now).enforcement.changed


def expect(changes: int, changed: int | None) -> None:
    if changed != changes:
        raise AssertionError(f"{changes} campaigns were to change, and {changed} have changed")


def half(bench: Bench) -> list[Figure]:
    """Ours goes on to the next noon, and the baseline back: the same rows and columns, the other way."""
    with bench.inside(bench.large_world()) as world:
        check_at(world.noon)
        pairs = pairs_of(
            lambda: resume_half(world),
            lambda: seconds(lambda: baselines.pause_half(world)),
            bench.sizes,
            before=lambda: settle(*CHANGED),
        )
    return [compare("half of all campaigns change, to a bare UPDATE and INSERT", pairs, most=2)]


def resume_half(world: World) -> float:
    taken, done = timed(lambda: enforce(Scope.everything(), clock=lambda: world.next_noon, actor="bench"))
    expect(world.campaigns // 2, done.changed)
    return taken


def go_back(world: World) -> None:
    """Undo a full check of the next noon, which has closed the day of every brand."""
    baselines.pause_half(world)
    today = world.today.isoformat()
    execute(REOPEN_DAY, [today])
    sql = f"UPDATE {accounting_table()} SET closed_before = %s WHERE kind = 'day' AND closed_before > %s"
    execute(sql, [today, today])
    settle(*CHANGED, "campaigns_brandperiod", accounting_table())


def shards(bench: Bench) -> list[Figure]:
    """Two processes take a shard each, against one that takes the whole as one shard; all without parallel query."""
    with bench.inside(bench.large_world()) as world, Worker() as first, Worker() as second:
        check_at(world.noon)
        settle()
        return [
            compare(
                f"{name}, in two shards to one",
                pairs_of(lambda: check([first, second], world), lambda: check([first], world), bench.sizes),  # noqa: B023
                most=0.65,
            )
            for name, check in (
                ("full check, nothing to change", lambda workers, world: check_in_shards(workers, world.noon, 0)),
                ("half of all campaigns change", change_half_in_shards),
            )
        ]


def change_half_in_shards(workers: Sequence[Worker], world: World) -> float:
    taken = check_in_shards(workers, world.next_noon, world.campaigns // 2)
    go_back(world)
    return taken


def check_in_shards(workers: Sequence[Worker], at: datetime, changes: int) -> float:
    """Return the seconds from the beginning of a check to the end of its last shard, folding and closing included."""

    def check() -> list[int | None]:
        run = begin_check(CHECK_BUDGETS, of=len(workers), clock=lambda: at)
        for number, worker in enumerate(workers):
            worker.begin(take_shard, run, number, at)
        return [worker.stop() for worker in workers]

    taken, answers = timed(check)
    expect(changes, max((changed for changed in answers if changed is not None), default=None))
    return taken


def take_shard(check: UUID, number: int, at: datetime) -> int | None:
    """Return how many campaigns the whole check has changed, if this was its last shard."""
    execute("SET max_parallel_workers_per_gather = 0")
    ended = run_shard(check, number, clock=lambda: at)
    return ended.enforcement.changed if ended else None
