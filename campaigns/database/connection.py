"""Runs statements, and holds the differences between PostgreSQL and SQLite in locks, snapshots, plans and errors.

The differences in the text of statements are in campaigns.database.dialects.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, date, datetime
from functools import partial
from time import sleep
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from campaigns.rules.money import SUM_LIMIT

Params = Sequence[Any] | Mapping[str, Any]

# PostgreSQL's SQLSTATE codes.
OUT_OF_RANGE, CHECK_VIOLATION, LOCK_TIMEOUT = "22003", "23514", "55P03"
CONFLICTS = {"40P01", "40001"}  # deadlock, serialization failure

# Key of the advisory lock on the totals, "budget" and 1: taken to fold, close, repair, and to recompute open periods.
LEDGER_LOCK = 0x6275646765740001

# Key of the advisory lock on platforms' links: taken to save some, and shared to book what isn't booked yet.
LINKS_LOCK = 0x6275646765740002
# And 3: held to publish status changes in the feed, one publisher at a time.
FEED_LOCK = 0x6275646765740003

# Selected beside a lock on PostgreSQL: a session that holds the lock and is idle for a minute loses it. A machine that
# vanishes would otherwise keep its locks for hours.
LOCK_HOLDER_TIMEOUT = "set_config('idle_in_transaction_session_timeout', '60s', true)"

# See block_truncate().
BLOCK_TRUNCATE = "LOCK TABLE campaigns_spendrecord IN ACCESS SHARE MODE"

# Selected after the ledger lock: its holder doesn't wait long for a row, since every fold waits for the ledger lock.
LOCK_WAIT_TIMEOUT = "set_config('lock_timeout', '1s', true)"

# A little longer than the 50 ms after which SQLite asks again for its lock.
YIELD_SECONDS = 0.055


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def read_any_text(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Read bytes that aren't valid UTF-8 as "�" on SQLite; a receiver of connection_created.

    SQLite accepts any bytes as text, and one such name would stop every check and every page that reads it (R6).
    """
    if connection.vendor == "sqlite":
        connection.connection.text_factory = partial(str, encoding="utf-8", errors="replace")


class ExactSum:
    """An aggregate for SQLite, whose own SUM fails beyond 64 bits: the exact sum, clamped to SUM_LIMIT."""

    def __init__(self) -> None:
        self.total: int | None = None

    def step(self, amount: int | None) -> None:
        if amount is not None:
            self.total = (self.total or 0) + amount

    def finalize(self) -> int | None:
        return None if self.total is None else max(-SUM_LIMIT, min(self.total, SUM_LIMIT))


def add_exact_sum(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Give a new connection to SQLite the aggregate exact_sum(millionths), as a receiver of connection_created.

    Triggers and constraints can't use it: the connector's client hasn't got it.
    """
    if connection.vendor == "sqlite":
        connection.connection.create_aggregate("exact_sum", 1, ExactSum)


def is_out_of_range(error: DatabaseError) -> bool:
    """Return whether a statement failed because a sum doesn't fit into its column, or exceeds what a check allows."""
    if is_postgresql():
        return getattr(error.__cause__, "sqlstate", None) in (OUT_OF_RANGE, CHECK_VIOLATION)
    return "integer overflow" in str(error) or "CHECK constraint failed" in str(error)


def take_ledger_lock() -> None:
    """Wait for the ledger lock and hold it to the end of the transaction.

    On SQLite the transaction itself, begun IMMEDIATE, is the lock. Lock brands before the ledger, never after it, or a
    save and a job may deadlock. Read what depends on the lock in a statement that begins after this one.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("the ledger lock needs a transaction: call it inside transaction.atomic()")
    if is_postgresql():
        lock = f"SELECT {LOCK_HOLDER_TIMEOUT}, pg_advisory_xact_lock({LEDGER_LOCK}), {LOCK_WAIT_TIMEOUT}"
        with connection.cursor() as cursor:
            cursor.execute(f"{BLOCK_TRUNCATE}; {lock}")


def yield_to_waiting_writers() -> None:
    """Pause between two transactions of a job, so that other writers get their turn.

    PostgreSQL queues them. On SQLite a waiting writer retries every 50 ms (100 ms after 0.25 s), so a job
    that begins its next transaction at once would starve it. Inside a transaction this does nothing.
    """
    if not is_postgresql() and not connection.in_atomic_block:
        sleep(YIELD_SECONDS)


def block_truncate() -> None:
    """Make a TRUNCATE of the ledger wait for the end of this transaction, or wait here for one that has begun.

    TRUNCATE locks the table and then takes the ledger lock (in a trigger), so it would deadlock with a transaction that
    reads rows under the ledger lock. Older snapshots would also see the rows gone. Other writers aren't blocked.
    """
    if is_postgresql():
        execute(BLOCK_TRUNCATE)


@contextmanager
def one_snapshot(**settings: str) -> Iterator[None]:
    """Run the statements inside on one read-only snapshot, without locks, with these parameters of PostgreSQL.

    Inside an open transaction the statements see what that transaction sees, and the parameters last until its end.
    """
    if connection.in_atomic_block:
        if settings and is_postgresql():
            _set_for_transaction(**settings)
        yield
        return
    # In one message, as each takes a round trip.
    changes = "".join(f"; SET LOCAL {name} = '{value}'" for name, value in settings.items())
    execute(f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY{changes}" if is_postgresql() else "BEGIN DEFERRED")
    try:
        yield
    finally:
        with suppress(DatabaseError):  # the error of a lost connection has been raised already
            execute("ROLLBACK")


@contextmanager
def analytic_query(*, megabytes: int = 64, few_rows: bool = False) -> Iterator[None]:
    """Run the queries inside on one snapshot; on PostgreSQL with memory to sort and hash millions of rows.

    JIT compilation takes longer than it saves here. few_rows is for queries that read much and return little: the
    planner overestimates their rows, and without it finds parallel workers too expensive. Inside an open transaction
    the settings last until its end.
    """
    settings = {"work_mem": f"{megabytes}MB", "jit": "off"} | ({"parallel_tuple_cost": "0"} if few_rows else {})
    with one_snapshot(**settings):
        yield


@contextmanager
def separate_connection(seconds: int) -> Iterator[None]:
    """Run the queries inside on a new connection that waits at most this long (2 s or more) to connect, lock or answer.

    The thread's usual connection isn't touched, even if it is broken; its uncommitted changes aren't visible inside.
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
    """Set the timeout for one transaction only, so that a pooler's next client doesn't inherit it."""
    with transaction.atomic():
        _set_for_transaction(statement_timeout=str(1000 * seconds))
        yield


def plan_for_many_rows(*, by_address: bool = False) -> None:
    """Make PostgreSQL prefer hash joins for the rest of the transaction; by_address: and avoid sequential scans.

    Statistics of the pending table are often stale: it is empty now and holds a million rows a second later. With them
    the planner would use nested loops, or prefer a sequential scan to thousands of row addresses (ctid). JIT is off
    because the cost that enable_nestloop adds to an unavoidable loop would trigger it.
    """
    if is_postgresql():
        scans = {"enable_seqscan": "off"} if by_address else {}
        _set_for_transaction(enable_nestloop="off", jit="off", **scans)


def disable_jit() -> None:
    """Turn PostgreSQL's JIT compilation off for the rest of the transaction: it takes longer than it saves."""
    if is_postgresql():
        _set_for_transaction(jit="off")


def _set_for_transaction(**settings: str) -> None:
    """Set PostgreSQL parameters until the end of the transaction, in one statement."""
    values = ", ".join("set_config(%s, %s, true)" for _ in settings)
    execute(f"SELECT {values}", [part for setting in settings.items() for part in setting])


def is_lock_timeout(error: DatabaseError) -> bool:
    """Return whether a statement failed because it waited longer than lock_timeout."""
    return getattr(error.__cause__, "sqlstate", None) == LOCK_TIMEOUT


def limit_lock_waits(seconds: float) -> None:
    """Set lock_timeout until the end of the transaction. SQLite has a single lock; its timeout is the connection's."""
    if is_postgresql():
        _set_for_transaction(lock_timeout=f"{round(seconds * 1000)}ms")


@contextmanager
def without_waiting_on_sqlite() -> Iterator[None]:
    """Let a transaction that begins inside fail at once while SQLite has another writer, by an error that is_busy().

    For what readers write beside: they must not wait for the writer. Inside an open transaction this does nothing.
    """
    if is_postgresql() or connection.in_atomic_block:
        yield
        return
    ((timeout,),) = fetch_all("PRAGMA busy_timeout")
    execute("PRAGMA busy_timeout = 0")
    try:
        yield
    finally:
        execute(f"PRAGMA busy_timeout = {int(timeout)}")


def is_conflict(error: DatabaseError) -> bool:
    """Return whether a transaction failed because of a concurrent one, so that a retry may succeed."""
    return getattr(error.__cause__, "sqlstate", None) in CONFLICTS


def is_busy(error: Exception) -> bool:
    """Return whether rows stayed locked by others for too long, or a deadlock ended the transaction: nothing is broken.

    On SQLite, whose lock is of the whole database, a large all-or-nothing import may outlast the timeout.
    """
    if not isinstance(error, DatabaseError):
        return False
    code = getattr(error.__cause__, "sqlite_errorcode", 0)
    return is_conflict(error) or is_lock_timeout(error) or code & 0xFF == sqlite3.SQLITE_BUSY


def execute(sql: str, params: Params = ()) -> int:
    """Run a statement and return the number of rows it affected."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        if cursor.rowcount == -1 and not is_postgresql():
            cursor.execute("SELECT changes()")  # Python's sqlite3 doesn't count for statements that begin with WITH
            ((count,),) = cursor.fetchall()
            return int(count)
        return int(cursor.rowcount)


def as_date(value: date | str) -> date:
    """Return the date in a value from the database: on SQLite it is text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def as_instant(value: datetime | str) -> datetime:
    """Return the time in a value from the database: on SQLite it is text, in UTC."""
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def fetch_all(sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
    """Run a query and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
