"""How long people and spend writers wait beside a check, and how large its process becomes; and all of SQLite.

A wait is the time from the beginning of a save or an insert to its commit; the longest of all runs counts.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

from django.db import transaction

from benchmarks.checks import check_at, go_back, idle_check
from benchmarks.databases import Bench
from benchmarks.figures import Figure, seconds, values
from benchmarks.quick import fill_pending
from benchmarks.workers import Worker, is_stopped
from benchmarks.world import CAMPAIGNS_PER_BRAND, World
from campaigns.database.connection import execute
from campaigns.models import Campaign
from campaigns.services.enforcement.saving import begin_change, finish_change
from campaigns.services.ledger.fold import fold
from campaigns.services.scope import Scope

# By role, the number of waits and the longest one in seconds, of work that was watched.
Waits = dict[str, tuple[int, float]]
Watch = Callable[[Callable[[], object]], Waits]

# Seconds between two saves or inserts, so that workers don't take all cores.
REST = 0.001
# SQLite has no queue for its lock: a person who saves without a rest keeps it for hours.
SQLITE_REST = 0.2
SQLITE_DAYS = 10
INSERT = "INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount) VALUES (%s, %s, 0.000001)"


def measure(bench: Bench) -> list[Figure]:
    checks: list[tuple[float, float]] = []
    with bench.inside(bench.large_world()) as world, crew(world, people=2) as watch, Worker() as check:
        check_at(world.noon)
        alone = watch(lambda: time.sleep(bench.sizes.alone))
        beside = watch_checks(bench, world, watch, lambda: checks.append(check.call(weigh_check, world.next_noon)))
    return [
        values("peak memory of the process that checks", [megabytes for _, megabytes in checks], "MB", most=150),
        longest_wait("person", "a person who saves beside it", alone, beside, 1000),
        longest_wait("writer", "a spend writer beside it", alone, beside, 50),
        values("that check, beside them", [taken for taken, _ in checks], "s"),
    ]


@contextmanager
def crew(world: World, *, people: int, rest: float = REST) -> Iterator[Watch]:
    """Start people who save and a spend writer; yield a function that lets them act while some work is done."""
    with ExitStack() as stack:
        workers = [Worker() for _ in range(1 + people)]
        writer, *savers = [stack.enter_context(worker) for worker in workers]

        def watch(work: Callable[[], object]) -> Waits:
            writer.begin(insert_spend, world.brands)
            for saver in savers:
                saver.begin(save_campaigns, world.next_noon, world.brands, rest)
            work()
            saved = [saver.stop() for saver in savers]
            return {"person": total(saved), "writer": writer.stop()}

        yield watch


def total(waits: Sequence[tuple[int, float]]) -> tuple[int, float]:
    counts, longest = zip(*waits, strict=True)
    return sum(counts), max(longest)


def watch_checks(bench: Bench, world: World, watch: Watch, check: Callable[[], object]) -> Waits:
    """Watch them beside checks of the next noon, in which half of all campaigns change and every day is closed."""
    waits = []
    for _ in range(bench.sizes.runs):
        go_back(world)
        waits.append(watch(check))
    return {role: total([each[role] for each in waits]) for role in waits[0]}


def longest_wait(role: str, who: str, alone: Waits, beside: Waits, most: float) -> Figure:
    times, longest = beside[role]
    note = f"with no check {alone[role][1] * 1000:.0f} ms; {times:,} times"
    return Figure(f"longest wait of {who}", longest * 1000, "ms", most=most, note=note)


def weigh_check(at: datetime) -> tuple[float, float]:
    """Do a full check; return its seconds, and the most megabytes that this process has had."""
    taken = seconds(lambda: check_at(at))
    status = Path("/proc/self/status")
    if status.exists():  # Linux's getrusage would include the parent's
        (kilobytes,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return taken, int(kilobytes) / 2**10
    return taken, getrusage(RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def save_campaigns(at: datetime, brands: int, rest: float) -> tuple[int, float]:
    """Save campaigns as the admin does, of brands with even ids: those that a check changes."""

    def save() -> None:
        brand = 2 * random.randint(1, brands // 2)
        campaign = brand * CAMPAIGNS_PER_BRAND - random.randrange(CAMPAIGNS_PER_BRAND)
        with transaction.atomic():
            begin_change([brand], clock=lambda: at)
            Campaign.objects.filter(pk=campaign).update(daily_spend_limit=random.randint(900_000, 999_999))
            finish_change(Scope.of_campaigns([campaign]), clock=lambda: at, actor="bench")

    return repeat(save, rest)


def insert_spend(brands: int) -> tuple[int, float]:
    """Insert one row after the other, as a connector does."""

    def insert() -> None:
        brand = random.randint(1, brands)
        execute(INSERT, [brand, brand * CAMPAIGNS_PER_BRAND - random.randrange(CAMPAIGNS_PER_BRAND)])

    return repeat(insert, REST)


def repeat(work: Callable[[], object], rest: float) -> tuple[int, float]:
    taken = [seconds(work)]
    while not is_stopped(rest):
        taken.append(seconds(work))
    return len(taken), max(taken)


def sqlite(bench: Bench) -> list[Figure]:
    """The full check at small scale, and how long a writer and a person wait beside it."""
    sizes, brands = bench.sizes, bench.sizes.small_brands
    per_day = max(1, sizes.rows // (brands * CAMPAIGNS_PER_BRAND) // SQLITE_DAYS)
    rows = sizes.brands
    with bench.inside(World(brands, SQLITE_DAYS, per_day)) as world:
        idle = [idle_check(world) for _ in range(sizes.runs)]
        with crew(world, people=1, rest=SQLITE_REST) as watch:
            alone = watch(lambda: time.sleep(sizes.alone))
            checks = watch_checks(bench, world, watch, lambda: check_at(world.next_noon))
            go_back(world)
            fill_pending(world, rows)
            folding = watch(fold)
    stages = {"checks on SQLite in which half changes": checks, f"a fold of {rows:,} rows on SQLite": folding}
    size = f"on SQLite, {world.campaigns:,} campaigns, {world.campaigns * SQLITE_DAYS * per_day:,} records"
    return [
        values(f"full check, nothing to change, {size}", idle, "s", most=0.5),
        *(
            longest_wait(role, f"a {role} beside {what}", alone, waits, 200)
            for what, waits in stages.items()
            for role in waits
        ),
    ]
