"""Half of all campaigns change, beside a bare UPDATE and INSERT of as many rows (issue: at most twice)."""

from __future__ import annotations

from benchmarks import baselines
from benchmarks.bench import Bench, Measured
from benchmarks.figures import Figure, Pairs, values
from benchmarks.timing import seconds, side_by_side
from benchmarks.watch import statements, statements_of_a_batch
from benchmarks.world import World, settle
from campaigns.database.connection import execute
from campaigns.services.enforcement.enforce import enforce
from campaigns.services.jobs.full_check import full_check
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.scope import Scope

WRITTEN = ("campaigns_campaign", "campaigns_statuschange", "campaigns_brand")

OPEN_PERIODS = """
UPDATE campaigns_brandperiod SET closed_at = NULL, spend_at_close = NULL, budget_at_close = NULL
WHERE closed_at IS NOT NULL AND kind = 'day' AND starts_on = %s
"""
OPEN_BOOKS = "UPDATE campaigns_accountingtimezone SET closed_before = %s WHERE kind = 'day' AND closed_before > %s"


def measure(bench: Bench) -> Measured:
    with bench.inside(bench.large_world()) as world:
        full_check("bench", clock=lambda: world.noon)
        pairs = change_half(bench, world)
        with statements() as seen:
            resume_half(world)
        batches, of_each = statements_of_a_batch(seen)
        baselines.pause_half(world)
        closing = [close_day(world) for _ in range(bench.sizes.runs)]
        reopen_day(world)
    return Measured(
        [
            pairs.figure("half of all campaigns change, to a bare UPDATE and INSERT", most=2),
            Figure(
                f"statements for each of {batches} batches",
                of_each,
                "statements",
                note="of how many campaigns a batch has they are independent",
            ),
            values("closing the day of every brand, which comes with midnight", closing, "s"),
        ]
    )


def change_half(bench: Bench, world: World) -> Pairs:
    """Ours goes on to the next noon, and the baseline back: the same rows, the same columns, the other way."""
    return side_by_side(
        lambda: seconds(lambda: resume_half(world)),
        lambda: seconds(lambda: baselines.pause_half(world)),
        bench.sizes,
        before=lambda: settle(WRITTEN),
    )


def resume_half(world: World) -> None:
    done = enforce(Scope.everything(), clock=lambda: world.next_noon, actor="bench")
    if done.changed != world.campaigns // 2:
        raise AssertionError(f"half of {world.campaigns} campaigns were to change, and {done.changed} have changed")


def close_day(world: World) -> float:
    reopen_day(world)
    settle(("campaigns_brandperiod", "campaigns_accountingtimezone"))
    return seconds(lambda: close_periods(now=world.next_noon))


def reopen_day(world: World) -> None:
    """Let the day of the world be open again, as if it had not ended."""
    today = world.today.isoformat()
    execute(OPEN_PERIODS, [today])
    execute(OPEN_BOOKS, [today, today])


def go_back(world: World) -> None:
    """Put everything back to noon after a full check of the next noon."""
    baselines.pause_half(world)
    reopen_day(world)
    settle((*WRITTEN, "campaigns_brandperiod", "campaigns_accountingtimezone"))
