"""Full checks: with nothing to change, where half of all campaigns change, and in two shards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from benchmarks import baselines
from benchmarks.databases import Bench
from benchmarks.figures import Figure, compare, pairs_of, seconds, values
from benchmarks.workers import Worker, ready
from benchmarks.world import World, accounting_table, settle
from campaigns.database.connection import execute
from campaigns.services.enforcement.enforce import enforce
from campaigns.services.jobs.full_check import CHECK_BUDGETS, full_check
from campaigns.services.jobs.shards import begin_check
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.scope import Scope

CHANGED = ("campaigns_campaign", "campaigns_statuschange", "campaigns_brand")
REOPEN_DAY = """
UPDATE campaigns_brandperiod SET closed_at = NULL, spend_at_close = NULL, budget_at_close = NULL
WHERE closed_at IS NOT NULL AND kind = 'day' AND starts_on = %s
"""


def idle(bench: Bench) -> list[Figure]:
    with bench.inside(bench.large_world()) as world:
        check_at_noon(world)
        settle()
        whole = idle_pairs(bench, world)
        deciding = pairs_of(
            lambda: seconds(lambda: enforce(Scope.everything(), clock=lambda: world.noon, actor="bench")),
            lambda: seconds(lambda: baselines.join(world)),
            bench.sizes,
        )
    return [
        compare("full check, nothing to change, to a bare join", whole, most=2),
        compare("of it: enforcement alone", deciding),
    ]


def idle_pairs(bench: Bench, world: World) -> list[tuple[float, float]]:
    return pairs_of(lambda: idle_check(world), lambda: seconds(lambda: baselines.join(world)), bench.sizes)


def idle_check(world: World) -> float:
    changed: list[int] = []
    taken = seconds(lambda: changed.append(check_at_noon(world)))
    expect(0, changed[0])
    return taken


def check_at_noon(world: World) -> int:
    """Do a full check; return how many campaigns have changed."""
    return full_check("bench", clock=lambda: world.noon).enforcement.changed


def expect(changes: int, changed: int | None) -> None:
    if changed != changes:
        raise AssertionError(f"{changes} campaigns were to change, and {changed} have changed")


def half(bench: Bench) -> list[Figure]:
    with bench.inside(bench.large_world()) as world:
        check_at_noon(world)
        pairs = half_pairs(bench, world)
        closing = [close_day(world) for _ in range(bench.sizes.runs)]
        reopen_day(world)
    return [
        compare("half of all campaigns change, to a bare UPDATE and INSERT", pairs, most=2),
        values("closing the day of every brand, which comes with midnight", closing, "s"),
    ]


def half_pairs(bench: Bench, world: World) -> list[tuple[float, float]]:
    """Ours goes on to the next noon, and the baseline back: the same rows and columns, the other way."""
    return pairs_of(
        lambda: seconds(lambda: resume_half(world)),
        lambda: seconds(lambda: baselines.pause_half(world)),
        bench.sizes,
        before=lambda: settle(*CHANGED),
    )


def resume_half(world: World) -> None:
    done = enforce(Scope.everything(), clock=lambda: world.next_noon, actor="bench")
    expect(world.campaigns // 2, done.changed)


def close_day(world: World) -> float:
    reopen_day(world)
    settle("campaigns_brandperiod", accounting_table())
    return seconds(lambda: close_periods(now=world.next_noon))


def reopen_day(world: World) -> None:
    """Reopen the world's last day, as if it had not ended."""
    today = world.today.isoformat()
    execute(REOPEN_DAY, [today])
    sql = f"UPDATE {accounting_table()} SET closed_before = %s WHERE kind = 'day' AND closed_before > %s"
    execute(sql, [today, today])


def go_back(world: World) -> None:
    """Undo a full check of the next noon."""
    baselines.pause_half(world)
    reopen_day(world)
    settle(*CHANGED, "campaigns_brandperiod", accounting_table())


def shards(bench: Bench) -> list[Figure]:
    """Two processes take a shard each, against one that takes the whole as one shard; all without parallel query."""
    with bench.inside(bench.large_world()) as world:
        check_at_noon(world)
        settle()
        workers = [Worker("shard") for _ in range(2)]
        with ready(*workers):
            nothing = pairs_of(
                lambda: check_in_shards(workers, world.noon, 0),
                lambda: check_in_shards(workers[:1], world.noon, 0),
                bench.sizes,
            )
            changing = pairs_of(
                lambda: change_half(workers, world), lambda: change_half(workers[:1], world), bench.sizes
            )
    return [
        compare("full check, nothing to change, in two shards to one", nothing, most=0.65),
        compare("half of all campaigns change, in two shards to one", changing, most=0.65),
    ]


def change_half(workers: Sequence[Worker], world: World) -> float:
    taken = check_in_shards(workers, world.next_noon, world.campaigns // 2)
    go_back(world)
    return taken


def check_in_shards(workers: Sequence[Worker], at: datetime, changes: int) -> float:
    """Return the seconds from the beginning of a check to the end of its last shard, folding and closing included."""

    def check() -> None:
        run = begin_check(CHECK_BUDGETS, of=len(workers), clock=lambda: at)
        for number, worker in enumerate(workers):
            worker.begin(check=run, number=number, at=at.isoformat())
        answers = [worker.stop()["changed"] for worker in workers]
        expect(changes, max((changed for changed in answers if changed is not None), default=None))

    return seconds(check)
