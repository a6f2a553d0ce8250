"""`python -m benchmarks compare CHECKOUT`: this checkout beside another one, on one PostgreSQL server.

Each has a database and a process of its own, and they alternate task by task. The other checkout needs no benchmarks:
its process runs the tasks below with its own application.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from benchmarks import baselines, quick
from benchmarks.checks import CHANGED, idle_check, resume_half
from benchmarks.databases import Databases
from benchmarks.figures import compare, seconds
from benchmarks.fold import fill, fold_all
from benchmarks.page import figures_table
from benchmarks.workers import Worker, ready
from benchmarks.world import NUMBERS, World, empty_ledger, make_world, settle
from campaigns.database.connection import execute

PENDING = 100_000
INSERTED = 20_000
INSERT = f"""
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp)
{NUMBERS} SELECT campaign.brand_id, campaign.id, 0.001234, %s
FROM numbers JOIN campaigns_campaign AS campaign ON campaign.id = 1 + numbers.n * 7919 %% %s
"""

Task = Callable[[], float]


def tasks(brands: int) -> dict[str, Task]:
    """Return what is measured, by name; each returns its seconds. The first one only makes the data."""
    world = World(brands, days=30)

    def make() -> float:
        call_command("migrate", verbosity=0, interactive=False)
        return seconds(lambda: make_world(world))

    def change_half() -> float:
        settle(*CHANGED)
        taken = seconds(lambda: resume_half(world))
        baselines.pause_half(world)
        settle(*CHANGED)
        return taken

    def fold() -> float:
        fill(world, PENDING)
        return fold_all(PENDING)

    def write() -> float:
        taken = seconds(lambda: execute(INSERT, [INSERTED, world.noon, world.campaigns]))
        empty_ledger()
        return taken

    return {
        "make": make,
        f"quick check of {brands // 100:,} due brands": lambda: quick.pause_and_resume(world, brands // 100),
        "full check, nothing to change": lambda: idle_check(world),
        "half of all campaigns change": change_half,
        f"fold of {PENDING:,} pending rows": fold,
        f"INSERT of {INSERTED:,} rows": write,
    }


def run(other: Path, *, brands: int, rounds: int) -> str:
    """Return a table of the tasks: ours is this checkout, the baseline the other one. A first round warms up."""
    make, *names = tasks(brands)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    with Databases() as databases:
        workers: list[Worker] = []
        for label, path in (("this", settings.BASE_DIR), ("other", other.resolve(strict=True))):
            databases.create(label)
            with databases.use(label):
                workers.append(Worker("checkout", path=path, brands=brands))
        with ready(*workers):
            for worker in workers:
                do(worker, make)
            for number in range(rounds + 1):
                for name in names:
                    order = workers if number % 2 else workers[::-1]
                    taken = {worker: do(worker, name) for worker in order}
                    if number:
                        found[name].append((taken[workers[0]], taken[workers[1]]))
                    ours, theirs = taken[workers[0]], taken[workers[1]]
                    sys.stderr.write(f"round {number}: {name}: {ours:.3f} s, the other {theirs:.3f} s\n")
    return figures_table([compare(name, pairs) for name, pairs in found.items()])


def do(worker: Worker, task: str) -> float:
    worker.begin(task=task)
    return float(worker.stop()["seconds"])
