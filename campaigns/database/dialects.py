"""SQL text where PostgreSQL and SQLite differ.

Statements elsewhere are written in the SQL that both understand, with the fragments of this module put in; values
are always bound, never pasted. What differs in how statements run stands in campaigns.database.connection.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from typing import Any

from campaigns.database.connection import is_postgresql
from campaigns.rules.money import MICROS, SUM_LIMIT

MATERIALIZED, NOT_MATERIALIZED = "AS MATERIALIZED", "AS NOT MATERIALIZED"

# In millionths: it takes 92 million amounts up to this to pass 64 bits.
LARGE = 100_000 * MICROS


def rows_sql(columns: Mapping[str, str], param: str = "%s") -> str:
    """Return a SELECT that turns one bound parameter (see rows_param) into rows.

    columns maps each column's name to its SQL type; SQLite keeps dates and times as the text they are. Put it into a
    WITH … AS MATERIALIZED: SQLite would parse the parameter anew for every row that it joins.
    """
    if is_postgresql():
        typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        return f"SELECT * FROM json_to_recordset({param}::json) AS given({typed})"
    picked = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in columns)
    return f"SELECT {picked} FROM json_each({param})"


def rows_param(columns: Iterable[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return the rows as the text that rows_sql reads; dates and times in ISO form."""
    names = list(columns)
    # Row by row: ten thousands of them at once would start the garbage collector's search of everything.
    return json_rows(_encode(dict(zip(names, row, strict=True))) for row in rows)


def _to_text(value: date | time) -> str:
    return value.isoformat()


_encode = json.JSONEncoder(default=_to_text).encode


def row_as_json(columns: Iterable[str], table: str) -> str:
    """Return the columns of a row as a text that json_rows hands on: an object of what rows_sql reads."""
    pairs = ", ".join(f"'{name}', {table}.{name}" for name in columns)
    return f"CAST(json_build_object({pairs}) AS text)" if is_postgresql() else f"json_object({pairs})"


def json_rows(rows: Iterable[str]) -> str:
    """Return rows that row_as_json has written as the text that rows_sql reads."""
    return f"[{','.join(rows)}]"


def in_list(column: str, *, hashed: bool = False, param: str = "%s") -> str:
    """Return the condition "column is one of a bound list" (see list_param).

    hashed is for ids of rows that are read anyway: PostgreSQL hashes a list that is of the column's type. Otherwise it
    compares each row, of a million that may be pending, with each id of the list.
    """
    if is_postgresql():
        return f"{column} = ANY(CAST({param} AS bigint[]))" if hashed else f"{column} = ANY({param})"
    return f"{column} IN (SELECT value FROM json_each({param}))"


def list_param(values: Iterable[Any]) -> Any:
    return list(values) if is_postgresql() else json.dumps(list(values), default=_to_text)


def skip_locked(table: str) -> str:
    """Return the end of a SELECT of rows to delete that skips locked rows: their transaction deletes them."""
    return f"FOR UPDATE OF {table} SKIP LOCKED" if is_postgresql() else ""


def in_subquery_by_index(column: str, subquery: str) -> str:
    """Return the condition "column is one of what a subquery gives", which is looked up by the column's index.

    Whatever is known of the sizes: statistics of the pending table are those of another moment.
    """
    if is_postgresql():
        return f"{column} = ANY(ARRAY({subquery}))"
    return f"{column} IN ({subquery})"


def row_locator() -> str:
    """Return the column that finds a row at once, as long as the row isn't updated."""
    return "ctid" if is_postgresql() else "id"


def ids_as_text(values: str) -> str:
    """Return what collects addresses or ids of a group into one text, which Python hands on as it is."""
    return f"CAST(array_agg({values}) AS text)" if is_postgresql() else f"json_group_array({values})"


def quarter_sql(column: str) -> str:
    """Return the quarter-hour number of a timestamp column (see campaigns.rules.periods)."""
    if is_postgresql():
        return f"CAST(FLOOR(DATE_PART('epoch', {column}) / 900) AS integer)"
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


def day_text(column: str) -> str:
    """Return a date as text, 2026-11-29."""
    return f"to_char({column}, 'YYYY-MM-DD')" if is_postgresql() else column


def month_text(column: str) -> str:
    """Return the month of a date as text, 2026-11."""
    return f"to_char({column}, 'YYYY-MM')" if is_postgresql() else f"substr({column}, 1, 7)"


def day_before(column: str) -> str:
    """Return the day before a date."""
    return f"({column} - 1)" if is_postgresql() else f"date({column}, '-1 day')"


def minute_text(column: str) -> str:
    """Return a number of minutes since 1970 as text, 2026-11-29T13:05, in UTC."""
    if is_postgresql():
        return f"to_char(to_timestamp({column} * 60.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI')"
    return f"strftime('%%Y-%%m-%%dT%%H:%%M', {column} * 60, 'unixepoch')"


def least() -> str:
    """Return the name of the function that gives the least of some values, of which none is NULL."""
    return "LEAST" if is_postgresql() else "MIN"


def greatest() -> str:
    """Return the name of the function that gives the greatest of some values, of which none is NULL."""
    return "GREATEST" if is_postgresql() else "MAX"


def microseconds_now() -> str:
    """Return the database's clock in microseconds since 1970; SQLite's has milliseconds."""
    if is_postgresql():
        return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
    return "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS integer) * 1000"


def hour_ahead() -> str:
    """Return SQL for the instant an hour from now, by the database's clock."""
    if is_postgresql():
        return "STATEMENT_TIMESTAMP() + INTERVAL '1 hour'"
    return "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '+1 hour')"


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


def sum_function() -> str:
    """Return the aggregate that sums millionths beyond 64 bits: PostgreSQL's is exact, SQLite's is ours and clamped.

    See campaigns.database.connection.add_exact_sum.
    """
    return "SUM" if is_postgresql() else "exact_sum"


def clamped_sum(amount: str) -> str:
    """Return the sum of an amount in millionths, exact up to SUM_LIMIT and clamped beyond it."""
    if is_postgresql():
        return _clamped(f"SUM({amount})", f"SUM({amount})", SUM_LIMIT)
    units, micros = f"SUM(({amount}) / {MICROS})", f"SUM(({amount}) %% {MICROS})"
    return _clamped(units, f"{units} * {MICROS} + {micros}", SUM_LIMIT // MICROS)


def shown_sum(amount: str) -> str:
    """Return the sum of an amount in millionths as pages show it: PostgreSQL tells any sum, SQLite a clamped one."""
    return f"SUM({amount})" if is_postgresql() else clamped_sum(amount)


def group_large_amounts_separately(amount: str, key: str) -> str:
    """Return what a GROUP BY adds on SQLite so that no sum passes 64 bits: large amounts are groups of their own."""
    return "" if is_postgresql() else f", CASE WHEN ABS({amount}) > {LARGE} THEN {key} END"


def _clamped(compared: str, value: str, limit: int) -> str:
    return (
        f"CAST(CASE WHEN {compared} > {limit} THEN {SUM_LIMIT} WHEN {compared} < -{limit} THEN -{SUM_LIMIT}"
        f" ELSE {value} END AS bigint)"
    )


def each_worker() -> str:
    """Return the hint for a small SELECT of a WITH that each of PostgreSQL's parallel workers is to run for itself.

    Only the leader reads what is materialized. SQLite has no workers.
    """
    return NOT_MATERIALIZED if is_postgresql() else MATERIALIZED
