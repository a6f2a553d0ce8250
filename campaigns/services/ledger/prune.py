"""Pruning the status history: old lines go, but each campaign keeps its last one, whatever its age (R13).

So what is left still ends in today's state: the first line that a campaign has tells from where it went on. Lines are
deleted in batches in the order in which they were written, each batch one statement and one transaction, which waits
for nobody. An interrupted run is continued by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from campaigns.database.connection import execute, fetch_all
from campaigns.database.dialects import skip_locked

# Lines examined in one statement, which takes about a tenth of a second if all of them are deleted.
BATCH = 5_000


@dataclass(frozen=True)
class Pruned:
    """How far pruning has come: the ids at which it began, is and ends, and how many lines it deleted until now."""

    first: int
    at: int
    last: int
    lines: int


def prune_history(*, before: datetime, dry_run: bool = False, on_batch: Callable[[Pruned], None]) -> int:
    """Delete the lines of history that were recorded before an instant; return how many, or with dry_run would be.

    A campaign's last line stays: only a line that a later one of its campaign has followed, and was committed, is
    deleted. The ledger isn't touched. on_batch hears after each batch. Not for the inside of a transaction.
    """
    first, last = fetch_all("SELECT COALESCE(MIN(id), 0) - 1, COALESCE(MAX(id), -1) FROM campaigns_statuschange")[0]
    lines = 0
    for above, up_to in _batches(first, last):
        lines += _prune(above, up_to, before, dry_run)
        on_batch(Pruned(first, up_to, last, lines))
    return lines


def _batches(above: int, last: int) -> Iterator[tuple[int, int]]:
    """Cut the lines into batches by id: after years of pruning most of the numbers are gone."""
    while above < last:
        ((up_to,),) = fetch_all(BATCH_END, {"above": above, "last": last, "batch": BATCH})
        if up_to is None:
            return
        yield above, up_to
        above = up_to


BATCH_END = """
    SELECT MAX(id) FROM (
        SELECT id FROM campaigns_statuschange WHERE id > %(above)s AND id <= %(last)s ORDER BY id LIMIT %(batch)s
    ) AS batch
"""

# A subquery for each line finds the campaign's last line: a join would read the whole history for each batch.
PRUNABLE = """
    SELECT line.id
    FROM campaigns_statuschange AS line
    WHERE line.id > %(above)s AND line.id <= %(up_to)s AND line.recorded_at < %(before)s
        AND line.id < (
            SELECT MAX(later.id) FROM campaigns_statuschange AS later WHERE later.campaign_id = line.campaign_id
        )
"""


def _prune(above: int, up_to: int, before: datetime, dry_run: bool) -> int:
    params = {"above": above, "up_to": up_to, "before": connection.ops.adapt_datetimefield_value(before)}
    if dry_run:
        ((lines,),) = fetch_all(f"SELECT COUNT(*) FROM ({PRUNABLE}) AS prunable", params)
        return int(lines)
    return execute(f"DELETE FROM campaigns_statuschange WHERE id IN ({PRUNABLE} {skip_locked('line')})", params)
