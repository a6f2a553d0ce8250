"""Insert throughput with our trigger, beside the same table with the same constraints and no trigger.

Every run begins with an empty ledger. Single rows, transactions and batches are inserted by pgbench, which takes little
of the machine and comes with PostgreSQL.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable

from django.db import connection

from benchmarks.databases import Bench, log, url_of_default
from benchmarks.figures import Figure, compare, pairs_of, seconds
from benchmarks.world import CAMPAIGNS_PER_BRAND, empty_ledger
from campaigns.database.connection import execute, fetch_all

ROWS_PER_BATCH = 1_000
# Campaigns that get 80 % of the rows in the runs that aren't uniform.
HOT = 10

# The same campaign for the whole row, so that the brand is the campaign's.
PICKED = f"""
SELECT (campaign - 1) / {CAMPAIGNS_PER_BRAND} + 1, campaign, 0.001234, {{key}} FROM (
    SELECT n, 1 + floor(random() * CASE WHEN random() < {{hot}} THEN {HOT} ELSE {{campaigns}} END)::bigint AS campaign
    FROM generate_series(1, {{rows}}) AS n
) AS picked
"""
COLUMNS = "campaigns_spendrecord (brand_id, campaign_id, amount, external_id)"
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
BENCH_KEY = "concat(CAST(:key AS bigint), '-', n)"
TRIGGER = "campaigns_spend_inserted"
TRANSACTIONS = re.compile(r"number of transactions actually processed: (\d+)")
PER_SECOND = re.compile(r"tps = ([\d.]+) \(without initial")

# Writes, and returns the rows or transactions per second.
Write = Callable[[], float]


def measure(bench: Bench) -> list[Figure]:
    with bench.inside(bench.large_world()) as world:
        ((before,),) = fetch_all(DEADLOCKS)
        figures = [
            measure_way(bench, f"{name}, {spread}", unit, least, write)
            for hot, spread in ((0.0, "uniform"), (0.8, "80 % on 10 campaigns"))
            for name, unit, least, write in ways(bench, world.campaigns, hot)
        ]
        empty_ledger()
        ((after,),) = fetch_all(DEADLOCKS)
    return [*figures, Figure("deadlocks in all of these", after - before, "", most=0)]


def ways(bench: Bench, campaigns: int, hot: float) -> list[tuple[str, str, float, Write]]:
    """Return the ways to write: name, unit, target and function."""
    sizes = bench.sizes

    def picked(rows: int, key: str) -> str:
        return PICKED.format(key=key, hot=hot, campaigns=campaigns, rows=rows)

    def insert(rows: int) -> str:
        return f"\\set key random(1, 1000000000000000)\nINSERT INTO {COLUMNS} {picked(rows, BENCH_KEY)};\n"

    def copy() -> float:
        client = connection.connection
        with client.cursor() as cursor:
            with cursor.copy(f"COPY ({picked(sizes.rows, 'n')}) TO STDOUT") as rows:
                content = b"".join(bytes(block) for block in rows)

            def put_in() -> None:
                with cursor.copy(f"COPY {COLUMNS} FROM STDIN") as target:
                    target.write(content)

            return sizes.rows / seconds(put_in)

    one, three, thousand = insert(1), f"BEGIN;\n{3 * insert(1)}COMMIT;\n", insert(ROWS_PER_BATCH)
    return [
        ("single rows, 8 connections", "rows/s", 0.75, lambda: pgbench(one, 8, sizes.single_rows)),
        (
            "transactions of three inserts, 8 connections",
            "transactions/s",
            0.85,
            lambda: pgbench(three, 8, sizes.single_rows // 2),
        ),
        (
            "batches of 1,000, 4 connections",
            "rows/s",
            0.85,
            lambda: pgbench(thousand, 4, sizes.batches) * ROWS_PER_BATCH,
        ),
        (f"COPY of {sizes.rows:,}", "rows/s", 0.85, copy),
    ]


def measure_way(bench: Bench, name: str, unit: str, least: float, write: Write) -> Figure:
    log(f"writing {name}")

    def without_trigger() -> float:
        execute(f"ALTER TABLE campaigns_spendrecord DISABLE TRIGGER {TRIGGER}")
        try:
            return write()
        finally:
            execute(f"ALTER TABLE campaigns_spendrecord ENABLE TRIGGER {TRIGGER}")

    return compare(name, pairs_of(write, without_trigger, bench.sizes, before=empty_ledger), unit, least=least)


def pgbench(script: str, clients: int, transactions: int) -> float:
    """Let each client do so many transactions; return how many were done per second."""
    done = subprocess.run(
        [
            *("pgbench", "--no-vacuum", "--protocol", "prepared", "--file", "-"),
            *("--client", str(clients), "--jobs", "2", "--transactions", str(transactions), url_of_default()),
        ],
        input=script,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    processed, rate = TRANSACTIONS.search(done.stdout), PER_SECOND.search(done.stdout)
    if done.returncode or not processed or not rate or int(processed[1]) != clients * transactions:
        raise SystemExit(f"pgbench failed: {done.stderr.strip() or done.stdout.strip()}")
    return float(rate[1])
