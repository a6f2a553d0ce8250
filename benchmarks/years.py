"""A young and an old ledger of the same campaigns: what checks, folds and the admin's pages cost in each."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

from benchmarks import fold, midnight
from benchmarks.bench import Bench, Measured
from benchmarks.check import idle_check
from benchmarks.figures import Figure, Pairs
from benchmarks.pages import compare_pages, table_of
from benchmarks.sizes import CAMPAIGNS_OF_A_BRAND, Sizes
from benchmarks.timing import seconds
from benchmarks.world import World, settle
from campaigns.models import SpendRecord
from campaigns.services.ledger.prune import Pruned, prune_history

RECORDS_A_DAY = 10
NEAR_1 = 1.25
"""What a ratio of the old ledger to the young may come to and still be called near 1."""

Work = Callable[[World], float]


def measure(bench: Bench) -> Measured:
    young, old = (ledger(bench.sizes, rows) for rows in bench.sizes.years_rows)
    for world in (young, old):
        with bench.inside(world):
            settle()
    works: dict[str, Work] = {
        "full check, nothing to change": lambda world: seconds(lambda: idle_check(world)),
        "half of all campaigns change": change_half,
        "fold": lambda world: fold_some(world, bench.sizes.pending // 100),
    }
    figures = [compare(bench, name, work, young, old) for name, work in works.items()]
    pages = compare_pages(bench, old, young)
    worst = max(pages, key=lambda figure: figure.ratio or 0)
    figures.append(Figure("the admin's page that grows most", worst.measured, "times", most=2, note=worst.name))
    with bench.inside(old):
        figures.append(prune(old))
        figures.append(Figure("spend records of the old ledger", SpendRecord.objects.count(), "rows"))
    for world in {young, old}:
        bench.forget(world)
    return Measured(figures, table_of(pages, "young", "old"))


def ledger(sizes: Sizes, rows: int) -> World:
    a_day = sizes.years_brands * CAMPAIGNS_OF_A_BRAND * RECORDS_A_DAY
    return World(
        sizes.years_brands,
        days=max(1, rows // a_day),
        records_a_day=RECORDS_A_DAY,
        history=True,
        today=datetime.now(UTC).date(),  # the pages know no other
    )


def compare(bench: Bench, name: str, work: Work, young: World, old: World) -> Figure:
    """Let old and young alternate."""
    found: list[tuple[float, float]] = []
    for _ in range(bench.sizes.runs + bench.sizes.warm_up):
        with bench.inside(old):
            of_old = work(old)
        with bench.inside(young):
            found.append((of_old, work(young)))
    kept = found[bench.sizes.warm_up :]
    pairs = Pairs([pair[0] for pair in kept], [pair[1] for pair in kept])
    return pairs.figure(f"{name}, old ledger to young", most=NEAR_1)


def change_half(world: World) -> float:
    taken = seconds(lambda: midnight.resume_half(world))
    midnight.go_back(world)
    return taken


def fold_some(world: World, rows: int) -> float:
    fold.fill(world, rows)
    return seconds(lambda: fold.fold_all(rows))


def prune(world: World) -> Figure:
    """Prune all history of the old ledger but each campaign's last line, and tell how long its longest batch took."""
    batches = [time.perf_counter()]

    def note(_: Pruned) -> None:
        batches.append(time.perf_counter())

    pruned = prune_history(before=world.noon, on_batch=note)
    longest = max((after - before for before, after in pairwise(batches)), default=0)
    note_text = f"{pruned:,} lines; the longest batch took {longest * 1000:.0f} ms"
    return Figure("pruning the old history", batches[-1] - batches[0], note=note_text)
