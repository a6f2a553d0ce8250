"""Pruning the status history: old lines go, but each campaign keeps its last one, whatever its age (R13).

So what is left still ends in today's state: the first line that a campaign has tells from where it went on. Lines are
deleted in batches in the order in which they were written, each batch one statement and one transaction, which waits
for nobody. An interrupted run is continued by the next one.

With it goes what imports of platforms' reports remember, row by row, to be reversed: their lines in the list of imports
stay. The history of settings is kept unless asked for: it is small beside the other, and says who set a limit long ago.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
    deleted. Then the batches of that time leave the feed of status changes, and positions in them are unknown from then
    on. The ledger isn't touched. on_batch hears after each batch. Not for the inside of a transaction.
    """
    lines = _prune_table("campaigns_statuschange", PRUNABLE, before, dry_run, on_batch)
    if not dry_run:
        execute(PRUNE_FEED, {"before": connection.ops.adapt_datetimefield_value(before)})
    return lines


def prune_settings(*, before: datetime, dry_run: bool = False, on_batch: Callable[[Pruned], None]) -> int:
    """Delete the changes of settings from before an instant, in the same way; return how many, or would be."""
    return _prune_table("campaigns_settingchange", PRUNABLE_SETTINGS, before, dry_run, on_batch)


def prune_restated(*, before: datetime, dry_run: bool = False, on_batch: Callable[[Pruned], None]) -> int:
    """Delete what reports imported before an instant have restated; return how many totals, or would be.

    Such an import can't be reversed any more. It stays in the list of imports.
    """
    return _prune_table("campaigns_restatedtotal", PRUNABLE_RESTATED, before, dry_run, on_batch)


def _prune_table(table: str, prunable: str, before: datetime, dry_run: bool, on_batch: Callable[[Pruned], None]) -> int:
    first, last = fetch_all(f"SELECT COALESCE(MIN(id), 0) - 1, COALESCE(MAX(id), -1) FROM {table}")[0]
    lines, instant = 0, connection.ops.adapt_datetimefield_value(before)
    for above, up_to in _batches(table, first, last):
        lines += _prune(table, prunable, {"above": above, "up_to": up_to, "before": instant}, dry_run)
        on_batch(Pruned(first, up_to, last, lines))
    return lines


def _batches(table: str, above: int, last: int) -> Iterator[tuple[int, int]]:
    """Cut the lines into batches by id: after years of pruning most of the numbers are gone."""
    while above < last:
        ((up_to,),) = fetch_all(BATCH_END.format(table=table), {"above": above, "last": last, "batch": BATCH})
        if up_to is None:
            return
        yield above, up_to
        above = up_to


BATCH_END = """
    SELECT MAX(id) FROM (
        SELECT id FROM {table} WHERE id > %(above)s AND id <= %(last)s ORDER BY id LIMIT %(batch)s
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

# The newest batch stays: it knows the last position. One that isn't published yet is still to be read.
PRUNE_FEED = """
    DELETE FROM campaigns_feedbatch
    WHERE at < %(before)s AND first_position < (SELECT MAX(first_position) FROM campaigns_feedbatch)
"""

# All lines of an operation have the same instant, so they go together.
PRUNABLE_SETTINGS = """
    SELECT line.id
    FROM campaigns_settingchange AS line
    WHERE line.id > %(above)s AND line.id <= %(up_to)s AND line.at < %(before)s
"""

# The ids rise with the imports, so these are the first batches, and others find nothing.
PRUNABLE_RESTATED = """
    SELECT line.id
    FROM campaigns_restatedtotal AS line
    WHERE line.id > %(above)s AND line.id <= %(up_to)s
        AND line.report_id IN (SELECT id FROM campaigns_reportimport WHERE imported_at < %(before)s)
"""


def _prune(table: str, prunable: str, params: dict[str, Any], dry_run: bool) -> int:
    if dry_run:
        ((lines,),) = fetch_all(f"SELECT COUNT(*) FROM ({prunable}) AS prunable", params)
        return int(lines)
    return execute(f"DELETE FROM {table} WHERE id IN ({prunable} {skip_locked('line')})", params)
