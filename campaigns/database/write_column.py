"""Writing one column of many rows, each with a value of its own, in few statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from django.db import connection, models

from campaigns.database.connection import execute
from campaigns.database.dialects import rows_param, rows_sql

T = TypeVar("T")

# As many ids as every database takes as parameters of one statement.
ROWS_IN_A_STATEMENT = 5_000


def in_pieces(rows: Sequence[T]) -> Iterator[list[T]]:
    """Cut a list into pieces that every database takes as parameters of one statement."""
    for start in range(0, len(rows), ROWS_IN_A_STATEMENT):
        yield list(rows[start : start + ROWS_IN_A_STATEMENT])


def write_column(field: models.Field[Any, Any], values: Mapping[int, Any]) -> None:
    """Write the column of the rows with these ids, and nothing else of them. The caller has locked the rows."""
    table, column = field.model._meta.db_table, field.column
    columns = {"id": "bigint", "value": str(field.db_type(connection))}
    statement = f"""
        WITH given AS MATERIALIZED ({rows_sql(columns)})
        UPDATE {table} SET {column} = given.value FROM given WHERE given.id = {table}.id"""
    prepared = [(pk, _prepared(field, value)) for pk, value in sorted(values.items())]
    for piece in in_pieces(prepared):
        execute(statement, [rows_param(columns, piece)])


def _prepared(field: models.Field[Any, Any], value: Any) -> Any:
    """Return the value as the driver would be given it, an exact amount as text."""
    prepared = field.get_db_prep_save(value, connection)
    return prepared if prepared is None or isinstance(prepared, bool | int) else str(prepared)
