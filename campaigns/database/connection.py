"""Running statements, and where PostgreSQL and SQLite differ in it: locks, snapshots, plans, errors.

Where they differ in what statements say stands in campaigns.database.dialects.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import date
from functools import partial
from time import sleep
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

Params = Sequence[Any] | Mapping[str, Any]

OUT_OF_RANGE, CHECK_VIOLATION = "22003", "23514"
"""PostgreSQL's codes for a number that doesn't fit into its column, and for one that a check refuses."""


LEDGER_LOCK = 0x6275646765740001
"""Key of the advisory lock that folding, re-booking, repairing and closing take ("budget", 1)."""


LOCK_HOLDER_TIMEOUT = "set_config('idle_in_transaction_session_timeout', '60s', true)"
"""Put beside a lock on PostgreSQL: whoever holds it and says nothing for a minute loses it.

A machine that vanishes, or is stopped with everything on it, would keep its locks for hours.
"""


LOCK_WAIT_TIMEOUT = "set_config('lock_timeout', '1s', true)"
"""Put after the ledger lock: nobody holds it for long while waiting for a row, since every fold would wait too."""


YIELD_SECONDS = 0.055


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def read_any_text(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Let a new connection to SQLite read bytes in a text that are no UTF-8 as "�", as a receiver of
    connection_created.

    SQLite takes whatever a client writes, and one such name would stop every check and every page that reads it (R6).
    """
    if connection.vendor == "sqlite":
        connection.connection.text_factory = partial(str, encoding="utf-8", errors="replace")


def is_out_of_range(error: DatabaseError) -> bool:
    """Tell whether a statement failed because a sum doesn't fit into its column, or is more than a check allows."""
    if is_postgresql():
        return getattr(error.__cause__, "sqlstate", None) in (OUT_OF_RANGE, CHECK_VIOLATION)
    return "integer overflow" in str(error) or "CHECK constraint failed" in str(error)


def take_ledger_lock() -> None:
    """Wait for the ledger lock and hold it to the end of the transaction.

    On SQLite the transaction itself, begun IMMEDIATE, is the lock. Brands are locked before the ledger, never
    after it, or a person's save and a job could wait for each other. What is decided under the lock must be
    read in a statement that begins after this one.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("the ledger lock needs a transaction: call it inside transaction.atomic()")
    block_truncate()
    if is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {LOCK_HOLDER_TIMEOUT}, pg_advisory_xact_lock(%s), {LOCK_WAIT_TIMEOUT}", [LEDGER_LOCK]
            )


def yield_to_waiting_writers() -> None:
    """Between two transactions of a job, let those in who wait.

    On PostgreSQL they stand in a queue. On SQLite they ask again after up to 50 ms, or 100 ms if they have waited for a
    quarter of a second: who begins anew at once would keep them out. Inside a transaction there is nothing to give.
    """
    if not is_postgresql() and not connection.in_atomic_block:
        sleep(YIELD_SECONDS)


def block_truncate() -> None:
    """Let a TRUNCATE of the ledger's rows wait for the end of the transaction, or wait for one that has begun.

    It locks everybody out of the rows and then asks for the ledger lock: whoever read rows under that lock and it would
    wait for each other. And snapshots that are older than it find the rows gone already. Writers aren't hindered.
    """
    if is_postgresql():
        execute("LOCK TABLE campaigns_spendrecord IN ACCESS SHARE MODE")


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Let all statements inside read the database as it is at the first of them; nobody waits for it.

    Inside a transaction of the caller's it changes nothing: they read what that transaction sees.
    """
    if connection.in_atomic_block:
        yield
        return
    execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if is_postgresql() else "BEGIN DEFERRED")
    try:
        yield
    finally:
        with suppress(DatabaseError):  # a lost connection has told of itself already
            execute("ROLLBACK")


@contextmanager
def analytic_query(*, megabytes: int = 64, few_rows: bool = False) -> Iterator[None]:
    """Let the queries inside read one snapshot, and sort and hash millions of rows in memory on PostgreSQL.

    Compiling such a statement (JIT) takes longer than it saves. few_rows is for queries that read much and return
    little, which the planner can't know: it would find the rows too dear for parallel workers to hand over. Inside a
    transaction of the caller's all of this lasts as long as the transaction.
    """
    with one_snapshot():
        if is_postgresql():
            _set_for_transaction(work_mem=f"{megabytes}MB", jit="off")
            if few_rows:
                _set_for_transaction(parallel_tuple_cost="0")
        yield


@contextmanager
def separate_connection(seconds: int) -> Iterator[None]:
    """Send the queries inside over a connection of their own, where none waits longer than this (2 s and more).

    Not for an answer, a lock, or a server that doesn't let anyone in, whatever has become of this thread's ordinary
    connection, which stays as it is. What the caller hasn't committed isn't seen.
    """
    ordinary = connections[DEFAULT_DB_ALIAS]
    own = ordinary.copy()
    own.settings_dict["OPTIONS"] |= (
        {"connect_timeout": seconds, "tcp_user_timeout": 1000 * seconds} if is_postgresql() else {"timeout": seconds}
    )
    connections[DEFAULT_DB_ALIAS] = own
    try:
        with _statement_timeout(seconds) if is_postgresql() else nullcontext():
            yield
    finally:
        connections[DEFAULT_DB_ALIAS] = ordinary
        own.close()


@contextmanager
def _statement_timeout(seconds: int) -> Iterator[None]:
    """For one transaction, so that a pooler's next client doesn't inherit it."""
    with transaction.atomic():
        _set_for_transaction(statement_timeout=str(1000 * seconds))
        yield


def plan_for_many_rows(*, by_address: bool = False) -> None:
    """Tell PostgreSQL, for the rest of the transaction, to join by hashing; by_address: to read no table as a whole.

    The pending table is empty at one moment and holds a million rows at the next: a plan made on old statistics would
    look each of them up one by one, or take thousands of addresses for dearer than the whole of a table that may be
    about to grow, or to be emptied. The price that this puts on a loop that can't be avoided isn't worth compiling for.
    """
    if is_postgresql():
        scans = {"enable_seqscan": "off"} if by_address else {}
        _set_for_transaction(enable_nestloop="off", jit="off", **scans)


def _set_for_transaction(**settings: str) -> None:
    """Set parameters of PostgreSQL to the end of the transaction, in one statement."""
    values = ", ".join("set_config(%s, %s, true)" for _ in settings)
    execute(f"SELECT {values}", [part for setting in settings.items() for part in setting])


LOCK_TIMEOUT = "55P03"
"""PostgreSQL's code for a statement that has waited for a lock as long as lock_timeout lets it."""


def is_lock_timeout(error: DatabaseError) -> bool:
    """Tell whether a statement gave up waiting for a lock that another transaction holds."""
    return getattr(error.__cause__, "sqlstate", None) == LOCK_TIMEOUT


def limit_lock_waits(seconds: float) -> None:
    """Let no statement wait for a lock for longer than this, to the end of the transaction.

    SQLite has a single lock, whose timeout is the connection's.
    """
    if is_postgresql():
        _set_for_transaction(lock_timeout=f"{round(seconds * 1000)}ms")


CONFLICTS = {"40P01", "40001"}
"""PostgreSQL's codes for a transaction that it ended because of another one's: a deadlock, a failed serialization."""


def is_conflict(error: DatabaseError) -> bool:
    """Whether a transaction failed because of what others did at that moment: begun again, it may well succeed."""
    return getattr(error.__cause__, "sqlstate", None) in CONFLICTS


def is_busy(error: Exception) -> bool:
    """Whether the rows were in use by others for as long as we wait, or a deadlock ended us: nothing is broken.

    SQLite has one lock for all: there a large import of all or nothing may hold it for longer than a person waits.
    """
    if not isinstance(error, DatabaseError):
        return False
    code = getattr(error.__cause__, "sqlite_errorcode", 0)
    return is_conflict(error) or is_lock_timeout(error) or code & 0xFF == sqlite3.SQLITE_BUSY


def execute(sql: str, params: Params = ()) -> int:
    """Run one statement and return the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        if cursor.rowcount == -1 and not is_postgresql():
            cursor.execute("SELECT changes()")  # Python's sqlite3 doesn't count for statements that begin with WITH
            ((count,),) = cursor.fetchall()
            return int(count)
        return int(cursor.rowcount)


def as_date(value: date | str) -> date:
    """Return a date as the database's driver gives it: SQLite's is a text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def fetch_all(sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
