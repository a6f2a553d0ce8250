"""Computing the comparison keys of names that have none, and naming the twins among them.

A migration runs it, so it relies on tables and columns, not on today's models.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.db import IntegrityError, transaction

from campaigns.database.connection import execute, fetch_all, is_postgresql
from campaigns.database.dialects import among, among_param, rows_param, rows_sql
from campaigns.rules.names import name_key

PIECE = 5_000
ATTEMPTS = 3

SCOPES = {"brand": "0", "campaign": "brand_id"}
"""Within what the names of a table are unique."""


class Twin(NamedTuple):
    """A brand, or a campaign of a brand, whose name is another one's, written differently: no key can be stored."""

    kind: str
    id: int
    name: str
    other: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id} “{self.name}” is also “{self.other}”"


def fill_name_keys() -> Iterator[Twin]:
    """Give every name its key and yield those that can't have it, because another row has it.

    Call it outside of a transaction: each piece is one of its own. A row that somebody else holds at that moment is
    passed over. Without a key it is compared all the same, only slower.
    """
    for kind in SCOPES:
        last: int | None = None
        while True:
            twins, last = _piece_again_after_conflicts(kind, last)
            yield from twins
            if last is None:
                break


def _piece_again_after_conflicts(kind: str, last: int | None) -> tuple[list[Twin], int | None]:
    """Do a piece, and do it again where somebody saved one of its names meanwhile."""
    for attempt in itertools.count(1):
        try:
            with transaction.atomic():
                return _fill_piece(kind, last)
        except IntegrityError:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _fill_piece(kind: str, last: int | None) -> tuple[list[Twin], int | None]:
    """Fill the keys of the next rows; return the twins among them, and the last row's id where more may follow."""
    rows = _without_key(kind, last)
    there = _with_key(kind, [key for _, _, _, key in rows])
    keys: list[tuple[int, str, str]] = []
    twins: list[Twin] = []
    for pk, scope, name, key in rows:
        first, other = there.setdefault((scope, key), (pk, name))
        if first == pk and key:
            keys.append((pk, name, key))
        elif key:
            twins.append(Twin(kind, pk, name, other))
    _write(kind, keys)
    return twins, rows[-1][0] if rows else None


def _without_key(kind: str, last: int | None) -> list[tuple[int, int, str, str]]:
    after, params = ("AND id > %s", [last]) if last is not None else ("", [])
    unlocked = "FOR NO KEY UPDATE SKIP LOCKED" if is_postgresql() else ""
    sql = f"""
        SELECT id, {SCOPES[kind]}, name FROM campaigns_{kind}
        WHERE name_key IS NULL {after} ORDER BY id LIMIT {PIECE} {unlocked}"""
    return [(pk, scope, name, name_key(name)) for pk, scope, name in fetch_all(sql, params)]


def _with_key(kind: str, keys: Sequence[str]) -> dict[tuple[int, str], tuple[int, str]]:
    sql = f"SELECT id, {SCOPES[kind]}, name, name_key FROM campaigns_{kind} WHERE {among('name_key')}"
    return {(scope, key): (pk, name) for pk, scope, name, key in fetch_all(sql, [among_param(set(keys))])}


def _write(kind: str, keys: Sequence[tuple[int, str, str]]) -> None:
    columns = {"id": "bigint", "name": "text", "name_key": "text"}
    sql = f"""
        WITH given AS MATERIALIZED ({rows_sql(columns)})
        UPDATE campaigns_{kind} SET name_key = given.name_key FROM given
        WHERE given.id = campaigns_{kind}.id AND given.name = campaigns_{kind}.name"""
    execute(sql, [rows_param(columns, keys)])
