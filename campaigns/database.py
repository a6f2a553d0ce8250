"""The one place where PostgreSQL and SQLite differ in what our statements say.

Statements elsewhere are written in the SQL that both understand, with the fragments of this module put in; values
are always bound, never pasted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import date, time
from functools import partial
from time import sleep
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from campaigns.money import MICROS, SUM_LIMIT

OUT_OF_RANGE, CHECK_VIOLATION = "22003", "23514"
"""PostgreSQL's codes for a number that doesn't fit into its column, and for one that a check refuses."""

LARGE = 100_000 * MICROS
"""In millionths: it takes 92 million amounts up to this to pass 64 bits."""

LEDGER_LOCK = 0x6275646765740001
"""Key of the advisory lock that folding, re-booking, repairing and closing take ("budget", 1)."""


LET_GO = "set_config('idle_in_transaction_session_timeout', '60s', true)"
"""Put beside a lock on PostgreSQL: whoever holds it and says nothing for a minute loses it.

A machine that vanishes, or is stopped with everything on it, would keep its locks for hours.
"""


GIVE_WAY_SECONDS = 0.03


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def read_any_text(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Let a new connection to SQLite read bytes in a text that are no UTF-8 as "�", as a receiver of
    connection_created.

    SQLite takes whatever a client writes, and one such name would stop every check and every page that reads it (R6).
    """
    if connection.vendor == "sqlite":
        connection.connection.text_factory = partial(str, encoding="utf-8", errors="replace")


def rows_sql(columns: Mapping[str, str]) -> str:
    """Return a SELECT that turns one bound parameter (see rows_param) into rows.

    columns maps each column's name to its SQL type; SQLite keeps dates and times as the text they are. Put it into a
    WITH … AS MATERIALIZED: SQLite would parse the parameter anew for every row that it joins.
    """
    if is_postgresql():
        typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        return f"SELECT * FROM json_to_recordset(%s::json) AS given({typed})"
    picked = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in columns)
    return f"SELECT {picked} FROM json_each(%s)"


def rows_param(columns: Iterable[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return the rows as the text that rows_sql reads; dates and times in ISO form."""
    names = list(columns)
    return json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=_to_text)


def _to_text(value: date | time) -> str:
    return value.isoformat()


def among(column: str) -> str:
    """Return the condition "column is one of a bound list" (see among_param)."""
    if is_postgresql():
        return f"{column} = ANY(%s)"
    return f"{column} IN (SELECT value FROM json_each(%s))"


def among_read(column: str) -> str:
    """Return the same condition on ids where no index is of use: PostgreSQL hashes a list that is of the ids' type.

    Otherwise it compares each row, of a million that may be pending, with each id of the list.
    """
    return f"{column} = ANY(CAST(%s AS bigint[]))" if is_postgresql() else among(column)


def among_param(values: Iterable[Any]) -> Any:
    return list(values) if is_postgresql() else json.dumps(list(values), default=_to_text)


def skip_locked(table: str) -> str:
    """Return what ends a SELECT of rows to delete, so that it waits for nobody: what others hold, they delete."""
    return f"FOR UPDATE OF {table} SKIP LOCKED" if is_postgresql() else ""


def in_few(column: str, subquery: str) -> str:
    """Return the condition "column is one of what a subquery gives", which is looked up by the column's index.

    Whatever is known of the sizes: statistics of the pending table are those of another moment.
    """
    if is_postgresql():
        return f"{column} = ANY(ARRAY({subquery}))"
    return f"{column} IN ({subquery})"


def row_address() -> str:
    """Return the column that finds a row of a table at once, as long as nobody updates the row."""
    return "ctid" if is_postgresql() else "id"


def collected(values: str) -> str:
    """Return what collects addresses or ids of a group into one text, which Python hands on as it is."""
    return f"CAST(array_agg({values}) AS text)" if is_postgresql() else f"json_group_array({values})"


def at_addresses() -> str:
    """Return the condition "the row is at one of the collected addresses", one bound parameter.

    On PostgreSQL another row may lie there, if the one that was collected is gone.
    """
    if is_postgresql():
        return "ctid = ANY(CAST(%s AS tid[]))"
    return among("id")


def among_collected(column: str) -> str:
    """Return the condition "column is one of the collected ids", one bound parameter."""
    return f"{column} = ANY(CAST(%s AS bigint[]))" if is_postgresql() else among(column)


def quarter_sql(column: str) -> str:
    """Return the quarter-hour number of a timestamp column (see campaigns.periods)."""
    if is_postgresql():
        return f"CAST(FLOOR(EXTRACT(EPOCH FROM {column}) / 900) AS integer)"
    return f"CAST(strftime('%%s', substr({column}, 1, 19)) AS integer) / 900"


def micros_sql(column: str) -> str:
    """Return a decimal column in whole millionths; SQLite holds it as a float, rounded here once."""
    return f"CAST(ROUND({column} * 1000000) AS bigint)"


def minute_of_day(time: str) -> str:
    """Return the minutes from 00:00 to a time of day."""
    if is_postgresql():
        return f"CAST(EXTRACT(HOUR FROM {time}) * 60 + EXTRACT(MINUTE FROM {time}) AS integer)"
    return f"(CAST(substr({time}, 1, 2) AS integer) * 60 + CAST(substr({time}, 4, 2) AS integer))"


def days_between(later: str, earlier: str) -> str:
    """Return the number of days from one date to a later one."""
    return (
        f"({later} - {earlier})" if is_postgresql() else f"CAST(julianday({later}) - julianday({earlier}) AS integer)"
    )


def least(*values: str) -> str:
    """Return the least of some values, of which none is NULL."""
    return f"{'LEAST' if is_postgresql() else 'MIN'}({', '.join(values)})"


def exact_sum(amount: str, name: str) -> str:
    """Return what selects the sum of an amount in millionths under a name, exact however large it is.

    It can be summed again (sum_of_sums) and read (clamped). PostgreSQL sums into a numeric; SQLite's integers end at 64
    bits, so there it is a sum of whole units and one of the millionths beside them.
    """
    if is_postgresql():
        return f"SUM({amount}) AS {name}"
    return f"SUM(({amount}) / {MICROS}) AS {name}_units, SUM(({amount}) %% {MICROS}) AS {name}_micros"


def sum_of_sums(name: str) -> str:
    """Return what selects, under its own name, the sum of what exact_sum selected."""
    if is_postgresql():
        return f"SUM({name}) AS {name}"
    return f"SUM({name}_units) AS {name}_units, SUM({name}_micros) AS {name}_micros"


def clamped(name: str) -> str:
    """Return an exact sum as 64 bits: SUM_LIMIT with its sign where it is beyond that; NULL for NULL."""
    if is_postgresql():
        return _clamped(name, name, SUM_LIMIT)
    return _clamped(f"{name}_units", f"{name}_units * {MICROS} + {name}_micros", SUM_LIMIT // MICROS)


def clamped_sum(amount: str) -> str:
    """Return the sum of an amount in millionths, exact up to SUM_LIMIT and clamped beyond it."""
    if is_postgresql():
        return _clamped(f"SUM({amount})", f"SUM({amount})", SUM_LIMIT)
    units, micros = f"SUM(({amount}) / {MICROS})", f"SUM(({amount}) %% {MICROS})"
    return _clamped(units, f"{units} * {MICROS} + {micros}", SUM_LIMIT // MICROS)


def shown_sum(amount: str) -> str:
    """Return the sum of an amount in millionths as pages show it: PostgreSQL tells any sum, SQLite a clamped one."""
    return f"SUM({amount})" if is_postgresql() else clamped_sum(amount)


def large_apart(amount: str, key: str) -> str:
    """Return what a GROUP BY adds on SQLite so that no sum passes 64 bits: large amounts are groups of their own."""
    return "" if is_postgresql() else f", CASE WHEN ABS({amount}) > {LARGE} THEN {key} END"


def _clamped(compared: str, value: str, limit: int) -> str:
    return (
        f"CAST(CASE WHEN {compared} > {limit} THEN {SUM_LIMIT} WHEN {compared} < -{limit} THEN -{SUM_LIMIT}"
        f" ELSE {value} END AS bigint)"
    )


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
    hold_off_truncation()
    if is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {LET_GO}, pg_advisory_xact_lock(%s)", [LEDGER_LOCK])


def give_way() -> None:
    """Between two transactions of a job, let those in who wait.

    On PostgreSQL they stand in a queue. On SQLite they ask again after up to 25 ms, or 100 ms if they have waited for
    long: who begins anew at once would keep them out. Inside a transaction there is nothing to give.
    """
    if not is_postgresql() and not connection.in_atomic_block:
        sleep(GIVE_WAY_SECONDS)


def hold_off_truncation() -> None:
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
def one_large_query() -> Iterator[None]:
    """Let what is asked inside read one snapshot, and give PostgreSQL the memory to join millions of rows at once.

    Compiling such a statement takes longer than it saves. Few rows come out of it, which PostgreSQL can't know: it
    would find them too dear for parallel workers to hand over.
    """
    with one_snapshot():
        if is_postgresql():
            execute("SET LOCAL work_mem = '64MB'")
            execute("SET LOCAL jit = off")
            execute("SET LOCAL parallel_tuple_cost = 0")
        yield


def in_each_worker() -> str:
    """Return what stands before a small SELECT of a WITH so that PostgreSQL's parallel workers join it, each its own.

    What is kept for a whole statement is read by the leader only. SQLite has no workers.
    """
    return "AS NOT MATERIALIZED" if is_postgresql() else "AS MATERIALIZED"


@contextmanager
def impatient(seconds: int) -> Iterator[None]:
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
        execute("SELECT set_config('statement_timeout', %s, true)", [str(1000 * seconds)])
        yield


def plan_for_many_rows() -> None:
    """Tell PostgreSQL, for the rest of the transaction, to join by hashing.

    The pending table is empty at one moment and holds a million rows at the next: a plan made on old statistics would
    look each of them up one by one. The price that this puts on a loop that can't be avoided isn't worth compiling for.
    """
    if is_postgresql():
        execute("SET LOCAL enable_nestloop = off")
        execute("SET LOCAL jit = off")


def plan_for_addresses() -> None:
    """Tell PostgreSQL, for the rest of the transaction, that every table is read by address or index, never as a whole.

    It takes thousands of addresses for dearer than the whole of a table that may be about to grow, or to be emptied.
    """
    if is_postgresql():
        execute("SET LOCAL enable_seqscan = off")


CONFLICTS = {"40P01", "40001"}
"""PostgreSQL's codes for a transaction that it ended because of another one's: a deadlock, a failed serialization."""


def is_conflict(error: DatabaseError) -> bool:
    """Whether a transaction failed because of what others did at that moment: begun again, it may well succeed."""
    return getattr(error.__cause__, "sqlstate", None) in CONFLICTS


def execute(sql: str, params: Sequence[Any] = ()) -> int:
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


def fetch_all(sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
