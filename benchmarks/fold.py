"""Folding pending rows, beside a bare GROUP BY and upsert of the same rows."""

from __future__ import annotations

from benchmarks import baselines
from benchmarks.databases import Bench
from benchmarks.figures import Figure, compare, pairs_of, seconds
from benchmarks.world import NUMBERS, World, settle
from campaigns.database.connection import execute, is_postgresql
from campaigns.rules.periods import quarter_of
from campaigns.services.ledger.fold import fold

# Of eight quarter-hours up to noon, when it is the same day in all zones.
FILL = f"""
INSERT INTO campaigns_pendingspend (brand_id, campaign_id, quarter, amount)
{NUMBERS}, picked AS (SELECT n, {{at_random}} + 1 AS campaign_id FROM numbers)
SELECT campaign.brand_id, campaign.id, %s - picked.n %% 8, 1
FROM picked JOIN campaigns_campaign AS campaign ON campaign.id = picked.campaign_id
"""
DELETE = "DELETE FROM campaigns_pendingspend"


def measure(bench: Bench) -> list[Figure]:
    rows = bench.sizes.pending
    with bench.inside(bench.large_world()) as world:

        def add_up() -> float:
            return seconds(baselines.add_up_pending)

        pairs, deleting = (
            pairs_of(lambda: fold_all(rows), baseline, bench.sizes, before=lambda: fill(world, rows))
            for baseline in (add_up, lambda: add_up() + seconds(lambda: execute(DELETE)))
        )
        execute(DELETE)
    return [
        compare(f"fold of {rows:,} pending rows, to a bare GROUP BY and upsert", pairs, most=1.5),
        compare("the same, to a bare GROUP BY, upsert and DELETE", deleting),
    ]


def fill(world: World, rows: int) -> None:
    """Let so many rows of random campaigns be pending, and no others."""
    execute("TRUNCATE campaigns_pendingspend" if is_postgresql() else DELETE)
    count = world.campaigns
    at_random = f"floor(random() * {count})::bigint" if is_postgresql() else f"abs(random() %% {count})"
    execute(FILL.format(at_random=at_random), [rows, quarter_of(world.noon)])
    settle("campaigns_pendingspend", "campaigns_campaignday", "campaigns_brandperiod")


def fold_all(rows: int) -> float:
    folded: list[int] = []
    taken = seconds(lambda: folded.append(fold()))
    if folded != [rows]:
        raise AssertionError(f"{rows} pending rows were to be folded, and {folded} were")
    return taken
