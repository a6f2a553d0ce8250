"""Folding pending rows, beside a bare GROUP BY and upsert of the same rows (issue: at most 1.5 times)."""

from __future__ import annotations

from benchmarks import baselines
from benchmarks.bench import Bench, Measured
from benchmarks.timing import seconds, side_by_side
from benchmarks.world import NUMBERS, World, settle
from campaigns.database.connection import execute, is_postgresql
from campaigns.rules.periods import quarter_of
from campaigns.services.ledger.fold import fold

WRITTEN = ("campaigns_pendingspend", "campaigns_campaignday", "campaigns_brandperiod")
QUARTERS = 8
"""Up to noon of the world's day, when it is the same day in all its zones."""

FILL = f"""
INSERT INTO campaigns_pendingspend (brand_id, campaign_id, quarter, amount)
{NUMBERS}, picked AS (SELECT n, {{at_random}} + 1 AS campaign_id FROM numbers)
SELECT campaign.brand_id, campaign.id, %s - picked.n %% {QUARTERS}, 1
FROM picked JOIN campaigns_campaign AS campaign ON campaign.id = picked.campaign_id
"""


def measure(bench: Bench) -> Measured:
    with bench.inside(bench.large_world()) as world:
        empty()

        def prepare() -> None:
            fill(world, bench.sizes.pending)
            settle(WRITTEN)

        pairs = side_by_side(
            lambda: seconds(lambda: fold_all(bench.sizes.pending)),
            add_up,
            bench.sizes,
            before=prepare,
        )
        taking = side_by_side(
            lambda: seconds(lambda: fold_all(bench.sizes.pending)),
            lambda: seconds(baselines.add_up_pending) + seconds(delete),
            bench.sizes,
            before=prepare,
        )
    rows = f"{bench.sizes.pending:,} pending rows"
    return Measured(
        [
            pairs.figure(f"fold of {rows}, to a bare GROUP BY and upsert", most=1.5),
            taking.figure("the same, to a bare GROUP BY, upsert and DELETE"),
        ]
    )


def add_up() -> float:
    """Measure the baseline, which leaves the rows where they are; then take them away."""
    taken = seconds(baselines.add_up_pending)
    empty()
    return taken


def fill(world: World, rows: int) -> None:
    count = world.campaigns
    at_random = f"floor(random() * {count})::bigint" if is_postgresql() else f"abs(random() %% {count})"
    execute(FILL.format(at_random=at_random), [rows, quarter_of(world.noon)])


def fold_all(rows: int) -> None:
    folded = fold()
    if folded != rows:
        raise AssertionError(f"{rows} pending rows were to be folded, and {folded} were")


def empty() -> None:
    execute("TRUNCATE campaigns_pendingspend" if is_postgresql() else "DELETE FROM campaigns_pendingspend")


def delete() -> None:
    execute("DELETE FROM campaigns_pendingspend")
