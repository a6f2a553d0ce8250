"""Insert throughput with our triggers, beside the same table with the same constraints and none.

(Issue: at least 0.85, single rows 0.75, and no deadlock.) Every run begins with an empty ledger.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from django.db import connection

from benchmarks import pgbench
from benchmarks.bench import Bench, Measured
from benchmarks.figures import Figure
from benchmarks.sizes import CAMPAIGNS_OF_A_BRAND, Sizes
from benchmarks.timing import seconds, side_by_side
from benchmarks.world import World, settle
from campaigns.database.connection import execute, fetch_all

ROWS_OF_A_BATCH = 1_000
BATCHES_TO_PICK_FROM = 20
HOT = 10
"""Campaigns that get 80 % of the rows, or all are alike."""

PICK = r"""
\set campaign random(1, {campaigns})
"""
PICK_HOT = rf"""
\set dice random(1, 100)
\if :dice <= 80
\set campaign random(1, {HOT})
\else
\set campaign random(1, {{campaigns}})
\endif
"""
INSERT_ONE = rf"""
{{pick}}
\set brand (:campaign - 1) / {CAMPAIGNS_OF_A_BRAND} + 1
\set key random(1, 1000000000000000)
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, external_id)
VALUES (:brand, :campaign, 0.001234, CAST(CAST(:key AS bigint) AS text));
"""
INSERT_BATCH = rf"""
\set key random(1, 1000000000000000)
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, external_id)
SELECT (campaign - 1) / {CAMPAIGNS_OF_A_BRAND} + 1, campaign, 0.001234, concat(CAST(:key AS bigint), '-', n)
FROM unnest(CAST('{{picked}}' AS bigint[])) WITH ORDINALITY AS given(campaign, n);
"""
ROWS_TO_COPY = f"""
COPY (
    SELECT (campaign - 1) / {CAMPAIGNS_OF_A_BRAND} + 1, campaign, 0.001234, n FROM (
        SELECT n, CASE WHEN %s AND random() < 0.8 THEN 1 + floor(random() * {HOT})::bigint
            ELSE 1 + floor(random() * %s)::bigint END AS campaign
        FROM generate_series(1, %s) AS n
    ) AS picked
) TO STDOUT
"""
COPY_IN = "COPY campaigns_spendrecord (brand_id, campaign_id, amount, external_id) FROM STDIN"
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
TRIGGER = "campaigns_spend_inserted"

Write = Callable[[], float]
"""Writes, and returns how many rows, or transactions, that were in a second."""


def measure(bench: Bench) -> Measured:
    with bench.inside(bench.large_world()) as world:
        before = deadlocks()
        figures: list[Figure] = []
        for hot in (False, True):
            for way in Ways(bench.sizes, world, hot).all():
                bench.say(f"writing {way.name}")
                figures.append(way.measure(bench.sizes))
        empty_ledger()
        figures.append(Figure("deadlocks in all of these", deadlocks() - before, "", most=0))
    return Measured(figures)


class Way:
    """A way to write, measured with the trigger and without it."""

    def __init__(self, name: str, unit: str, least: float, write: Write, cost: list[float]) -> None:
        self.name, self.unit, self.least, self.write, self.cost = name, unit, least, write, cost

    def measure(self, sizes: Sizes) -> Figure:
        pairs = side_by_side(self.write, self.without_trigger, sizes, before=empty_ledger)
        clients = f"the clients took {max(self.cost):.2f} of a core" if self.cost else ""
        return pairs.figure(self.name, self.unit, least=self.least, note=clients)

    def without_trigger(self) -> float:
        execute(f"ALTER TABLE campaigns_spendrecord DISABLE TRIGGER {TRIGGER}")
        try:
            return self.write()
        finally:
            execute(f"ALTER TABLE campaigns_spendrecord ENABLE TRIGGER {TRIGGER}")


class Ways:
    def __init__(self, sizes: Sizes, world: World, hot: bool) -> None:
        self.sizes, self.world, self.hot = sizes, world, hot
        self.rows = "80 % on 10 campaigns" if hot else "uniform"

    def all(self) -> list[Way]:
        one = INSERT_ONE.format(pick=(PICK_HOT if self.hot else PICK).format(campaigns=self.world.campaigns))
        single, several = self.sizes.single_rows, self.sizes.single_rows // 2
        batches = [self.batch() for _ in range(BATCHES_TO_PICK_FROM)]
        return [
            self.by_pgbench("single rows, 8 connections", "rows/s", 0.75, [one], clients=8, transactions=single),
            self.by_pgbench(
                "transactions of three inserts, 8 connections",
                "transactions/s",
                0.85,
                [f"BEGIN;{3 * one}\nCOMMIT;\n"],
                clients=8,
                transactions=several,
            ),
            self.by_pgbench(
                "batches of 1,000, 4 connections",
                "rows/s",
                0.85,
                batches,
                clients=4,
                transactions=self.sizes.batches,
                rows=ROWS_OF_A_BATCH,
            ),
            Way(f"COPY of {self.sizes.copied:,}, {self.rows}", "rows/s", 0.85, self.copy, []),
        ]

    def by_pgbench(
        self,
        name: str,
        unit: str,
        least: float,
        scripts: list[str],
        *,
        clients: int,
        transactions: int,
        rows: int = 1,
    ) -> Way:
        cost: list[float] = []

        def write() -> float:
            load = pgbench.run(scripts, clients=clients, transactions=transactions)
            cost.append(load.core)
            return load.per_second * rows

        return Way(f"{name}, {self.rows}", unit, least, write, cost)

    def batch(self) -> str:
        picked = ",".join(str(self.pick()) for _ in range(ROWS_OF_A_BATCH))
        return INSERT_BATCH.format(picked=f"{{{picked}}}")

    def pick(self) -> int:
        hot = self.hot and random.random() < 0.8
        return random.randint(1, HOT if hot else self.world.campaigns)

    def copy(self) -> float:
        client = connection.connection
        with client.cursor() as cursor:
            with cursor.copy(ROWS_TO_COPY, (self.hot, self.world.campaigns, self.sizes.copied)) as rows:
                blocks = list(rows)
            content = b"".join(blocks)

            def put_in() -> None:
                with cursor.copy(COPY_IN) as target:
                    target.write(content)

            return self.sizes.copied / seconds(put_in)


def empty_ledger() -> None:
    """Take all records away, and leave the totals as they are."""
    execute("SET session_replication_role = replica")
    execute("TRUNCATE campaigns_spendrecord, campaigns_pendingspend")
    execute("RESET session_replication_role")
    settle(("campaigns_spendrecord", "campaigns_pendingspend"))


def deadlocks() -> int:
    ((count,),) = fetch_all(DEADLOCKS)
    return int(count)
