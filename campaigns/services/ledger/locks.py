"""Row locks: on brands, the lock that every change of statuses takes, and on rows that are about to go.

The order is always brands, then campaigns, then the ledger lock (campaigns.database.connection.take_ledger_lock), each
by id. No wait is without an end: a person's save gives up after SAVE_WAIT, a job after JOB_WAIT or, where it can,
skips what is locked. On SQLite the transaction itself is the lock.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Model

from campaigns.database.connection import LOCK_HOLDER_TIMEOUT, fetch_all, is_postgresql, limit_lock_waits
from campaigns.database.dialects import in_list, list_param
from campaigns.database.statements import statement
from campaigns.services.scope import Scope

# Seconds for which a person's save, or a job, waits for a row that another transaction has locked.
SAVE_WAIT: float = 5
JOB_WAIT: float = 1

# How many brands that stay locked a job waits for, each for JOB_WAIT.
MOST_WAITS = 3

# Seconds for which a job waits for the ledger lock.
LEDGER_WAIT: float = 5


def _settings(wait: float) -> str:
    """Return what a locking SELECT sets for the rest of its transaction, before it waits for its first row."""
    return f"{LOCK_HOLDER_TIMEOUT}, set_config('lock_timeout', '{wait}s', true)"


def lock_brands(brand_ids: Iterable[int], *, by_job: bool = False) -> dict[int, str]:
    """Wait for the brands' locks, in order of id, and hold them to the end of the transaction.

    Return the brands' time zones by id.

    Everyone who edits a brand, its campaigns or their windows, or writes their statuses, holds this lock. It doesn't
    hinder spend writers, nor folds that add a brand's periods: their foreign keys only need the row to stay.
    Raises OperationalError (see is_lock_timeout) where a wait takes too long.
    """
    return _lock(brand_ids, JOB_WAIT if by_job else SAVE_WAIT, "FOR NO KEY UPDATE")


def lock_free_brands(brand_ids: Iterable[int]) -> dict[int, str]:
    """Lock those of the brands that nobody else has locked, and return their time zones by id; wait for none."""
    return _lock(brand_ids, JOB_WAIT, "FOR NO KEY UPDATE SKIP LOCKED")


def _lock(brand_ids: Iterable[int], wait: float, lock: str) -> dict[int, str]:
    columns, lock = (f"id, timezone, {_settings(wait)}", lock) if is_postgresql() else ("id, timezone", "")
    sql = f"SELECT {columns} FROM campaigns_brand WHERE {in_list('id')} ORDER BY id {lock}"
    return {row[0]: row[1] for row in fetch_all(sql, [list_param(set(brand_ids))])}


def lock_free_campaigns(scope: Scope) -> tuple[list[int], list[int]]:
    """Lock those campaigns of the scope that nobody else has locked; return their ids, and the ids of the others."""
    campaigns = f"SELECT id FROM campaigns_campaign WHERE {scope.condition('brand_id', 'id')} ORDER BY id"
    everyone = [row[0] for row in fetch_all(campaigns, scope.params)]
    if not is_postgresql():
        return everyone, []
    free = [row[0] for row in fetch_all(f"{campaigns} FOR NO KEY UPDATE SKIP LOCKED", scope.params)]
    return free, sorted(set(everyone) - set(free))


def limit_job_waits() -> None:
    """Limit a job transaction's waits, for the ledger lock and for locks taken before it, to LEDGER_WAIT."""
    limit_lock_waits(LEDGER_WAIT)


def lock_rows_that_go(model: type[Model], ids: Iterable[int]) -> None:
    """Wait for everyone who refers to these brands or campaigns, as a spend writer does: their rows go, or their keys.

    Take it before the ledger lock: the writer may take long. The caller holds the brands' locks.
    """
    if is_postgresql():
        table = model._meta.db_table
        fetch_all(f"SELECT id FROM {table} WHERE {in_list('id')} ORDER BY id FOR UPDATE", [list_param(set(ids))])


def brands_open_to_references(brand_ids: Iterable[int]) -> list[int]:
    """Return the brands that no transaction is deleting, so that totals can refer to them without waiting."""
    ids = sorted(set(brand_ids))
    if not is_postgresql():
        return ids
    sql = f"SELECT id FROM campaigns_brand WHERE {in_list('id')} ORDER BY id FOR KEY SHARE SKIP LOCKED"
    return [row[0] for row in fetch_all(sql, [list_param(ids)])]


def brands_with_locked_totals() -> list[int]:
    """Return the brands whose totals another transaction locks, so that adding pending spend would wait."""
    return [brand_id for (brand_id,) in fetch_all(statement("ledger/locked_totals"))] if is_postgresql() else []
