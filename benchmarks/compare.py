"""`python -m benchmarks compare CHECKOUT`: this checkout beside another one, on one PostgreSQL server.

Each has a database and a process of its own, and they alternate task by task. The other checkout needs no benchmarks:
its process runs the tasks below with its own application.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from benchmarks import baselines
from benchmarks.checks import CHANGED, idle_check, resume_half
from benchmarks.databases import database, log, use
from benchmarks.figures import Pairs, compare, seconds
from benchmarks.page import figures_table
from benchmarks.quick import fill_pending, fold_all, pause_and_resume
from benchmarks.workers import Worker
from benchmarks.world import NUMBERS, World, empty_ledger, make_world, settle
from campaigns.database.connection import execute

PENDING = 100_000
INSERTED = 20_000
INSERT = f"""
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp)
{NUMBERS} SELECT campaign.brand_id, campaign.id, 0.001234, %s
FROM numbers JOIN campaigns_campaign AS campaign ON campaign.id = 1 + numbers.n * 7919 %% %s
"""


def tasks(brands: int) -> dict[str, Callable[[], float]]:
    """Return what is measured, by name; each returns its seconds. The first one only makes the data."""
    world = World(brands, days=30)

    def make() -> float:
        call_command("migrate", verbosity=0, interactive=False)
        return seconds(lambda: make_world(world))

    def change_half() -> float:
        settle(*CHANGED)
        taken = resume_half(world)
        baselines.pause_half(world)
        settle(*CHANGED)
        return taken

    def fold() -> float:
        fill_pending(world, PENDING)
        return fold_all(PENDING)

    def write() -> float:
        taken = seconds(lambda: execute(INSERT, [INSERTED, world.noon, world.campaigns]))
        empty_ledger()
        return taken

    return {
        "make": make,
        f"quick check of {brands // 100:,} due brands": lambda: pause_and_resume(world, brands // 100),
        "full check, nothing to change": lambda: idle_check(world),
        "half of all campaigns change": change_half,
        f"fold of {PENDING:,} pending rows": fold,
        f"INSERT of {INSERTED:,} rows": write,
    }


def do_task(task: str, brands: int) -> float:
    return tasks(brands)[task]()


def run(other: Path, *, brands: int, rounds: int) -> str:
    """Return a table of the tasks: ours is this checkout, the baseline the other one. A first round warms up."""
    make, *names = tasks(brands)
    found: dict[str, Pairs] = {name: [] for name in names}
    with ExitStack() as stack:
        workers = []
        for label, checkout in (("this", settings.BASE_DIR), ("other", other)):
            (checkout / "campaigns").resolve(strict=True)  # or the other's tasks would run here
            with use(stack.enter_context(database(label))):
                workers.append(stack.enter_context(Worker(checkout.resolve())))
        for worker in workers:
            worker.call(do_task, make, brands)
        for number in range(rounds + 1):
            for name in names:
                order = workers if number % 2 else workers[::-1]
                taken = {worker: worker.call(do_task, name, brands) for worker in order}
                ours, theirs = (taken[worker] for worker in workers)
                log(f"round {number}: {name}: {ours:.3f} s, the other {theirs:.3f} s")
                found[name].append((ours, theirs))
    return figures_table([compare(name, pairs[1:]) for name, pairs in found.items()])
