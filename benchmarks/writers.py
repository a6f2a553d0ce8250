"""Insert throughput with our trigger, beside the same table with the same constraints and no trigger.

Every run begins with an empty ledger. Single rows, transactions and batches are inserted by pgbench, which costs the
machine little and comes with PostgreSQL.
"""

from __future__ import annotations

import os
import random
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from django.db import connection

from benchmarks.databases import Bench, url_of_default
from benchmarks.figures import Figure, compare, pairs_of, seconds
from benchmarks.sizes import CAMPAIGNS_PER_BRAND
from benchmarks.world import empty_ledger
from campaigns.database.connection import execute, fetch_all

ROWS_PER_BATCH = 1_000
# Campaigns that get 80 % of the rows in the runs that aren't uniform.
HOT = 10

INSERT_ONE = rf"""
\set dice random(1, 100)
\if :dice <= {{hot_percent}}
\set campaign random(1, {HOT})
\else
\set campaign random(1, {{campaigns}})
\endif
\set brand (:campaign - 1) / {CAMPAIGNS_PER_BRAND} + 1
\set key random(1, 1000000000000000)
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, external_id)
VALUES (:brand, :campaign, 0.001234, CAST(CAST(:key AS bigint) AS text));
"""
INSERT_BATCH = rf"""
\set key random(1, 1000000000000000)
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, external_id)
SELECT (campaign - 1) / {CAMPAIGNS_PER_BRAND} + 1, campaign, 0.001234, concat(CAST(:key AS bigint), '-', n)
FROM unnest(CAST('{{{{{{picked}}}}}}' AS bigint[])) WITH ORDINALITY AS given(campaign, n);
"""
COPY = "COPY campaigns_spendrecord (brand_id, campaign_id, amount, external_id) FROM STDIN"
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
TRIGGER = "campaigns_spend_inserted"
TRANSACTIONS = re.compile(r"number of transactions actually processed: (\d+)")
PER_SECOND = re.compile(r"tps = ([\d.]+) \(without initial")

# Writes, and returns the rows or transactions per second, and the share of one core that the clients took.
Write = Callable[[], tuple[float, float]]


def measure(bench: Bench) -> list[Figure]:
    sizes = bench.sizes
    with bench.inside(bench.large_world()) as world:
        ((before,),) = fetch_all(DEADLOCKS)
        figures = [
            measure_way(bench, f"{name}, {spread}", unit, least, write)
            for hot_percent, spread in ((0, "uniform"), (80, "80 % on 10 campaigns"))
            for name, unit, least, write in ways(bench, world.campaigns, hot_percent)
        ]
        empty_ledger()
        ((after,),) = fetch_all(DEADLOCKS)
    bench.log(f"{sizes.runs} runs of each")
    return [*figures, Figure("deadlocks in all of these", after - before, "", most=0)]


def ways(bench: Bench, campaigns: int, hot_percent: int) -> list[tuple[str, str, float, Write]]:
    """Return the ways to write: name, unit, target and function."""
    sizes = bench.sizes
    one = INSERT_ONE.format(hot_percent=hot_percent, campaigns=campaigns)

    def pick() -> int:
        return random.randint(1, HOT if random.random() * 100 < hot_percent else campaigns)

    def batch() -> str:
        return INSERT_BATCH.format().format(picked=",".join(str(pick()) for _ in range(ROWS_PER_BATCH)))

    def copy() -> tuple[float, float]:
        picked = ((n, pick()) for n in range(sizes.copied))
        content = "".join(f"{(c - 1) // CAMPAIGNS_PER_BRAND + 1}\t{c}\t0.001234\t{n}\n" for n, c in picked).encode()
        with connection.cursor() as cursor:

            def put_in() -> None:
                with cursor.cursor.copy(COPY) as target:
                    target.write(content)

            return sizes.copied / seconds(put_in), 0.0

    batches = [batch() for _ in range(20)]
    three = [f"BEGIN;{3 * one}\nCOMMIT;\n"]
    return [
        ("single rows, 8 connections", "rows/s", 0.75, lambda: pgbench([one], 8, sizes.single_rows)),
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
            lambda: pgbench(batches, 4, sizes.batches, rows=ROWS_PER_BATCH),
        ),
        (f"COPY of {sizes.copied:,}", "rows/s", 0.85, copy),
    ]


def measure_way(bench: Bench, name: str, unit: str, least: float, write: Write) -> Figure:
    bench.log(f"writing {name}")
    cores: list[float] = []

    def with_trigger() -> float:
        rate, core = write()
        cores.append(core)
        return rate

    def without_trigger() -> float:
        execute(f"ALTER TABLE campaigns_spendrecord DISABLE TRIGGER {TRIGGER}")
        try:
            return with_trigger()
        finally:
            execute(f"ALTER TABLE campaigns_spendrecord ENABLE TRIGGER {TRIGGER}")

    pairs = pairs_of(with_trigger, without_trigger, bench.sizes, before=empty_ledger)
    note = f"the clients took {max(cores):.2f} of a core" if max(cores) else ""
    return compare(name, pairs, unit, least=least, note=note)


def pgbench(scripts: list[str], clients: int, transactions: int, *, rows: int = 1) -> tuple[float, float]:
    """Let each client do so many transactions, each one of the scripts at random."""
    with tempfile.TemporaryDirectory() as directory:
        files: list[str] = []
        for number, script in enumerate(scripts):
            path = Path(directory) / f"{number}.sql"
            path.write_text(script)
            files += ["--file", str(path)]
        counts = ["--client", str(clients), "--jobs", str(min(clients, 2)), "--transactions", str(transactions)]
        before, started = _processor_seconds(), time.perf_counter()
        done = subprocess.run(
            [find_pgbench(), "--no-vacuum", "--protocol", "prepared", *counts, *files, url_of_default()],
            capture_output=True,
            text=True,
            env={**os.environ, "LC_ALL": "C"},
        )
        core = (_processor_seconds() - before) / (time.perf_counter() - started)
    processed, rate = TRANSACTIONS.search(done.stdout), PER_SECOND.search(done.stdout)
    if done.returncode or not processed or not rate or int(processed[1]) != clients * transactions:
        raise SystemExit(f"pgbench failed: {done.stderr.strip() or done.stdout.strip()}")
    return float(rate[1]) * rows, core


def find_pgbench() -> str:
    """Return pgbench's path: on the PATH, or where Debian keeps the newest server's programs."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"), key=lambda path: float(path.parts[4]))
    path = shutil.which("pgbench") or (str(versions[-1]) if versions else None)
    if path is None:
        raise SystemExit("pgbench is missing: install PostgreSQL's server package, which brings it.")
    return path


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
