"""Loads the SQL statements in campaigns/sql.

FOLDER/NAME.sql serves both databases; where a statement differs as a whole, NAME.postgresql.sql and NAME.sqlite.sql
stand beside each other. Parameters are bound by name, %(today)s, so a literal percent sign is written twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.db import connection

FOLDER = Path(__file__).parent.parent / "sql"


def statement(name: str, **fragments: str) -> str:
    """Return the text of a statement for the database in use, without comments, with each {fragment} filled in."""
    return _text(name, connection.vendor).format(**fragments)


def script(name: str, **fragments: str) -> list[str]:
    """Return the statements of a file that has several."""
    return list(split(statement(name, **fragments)))


def split(text: str) -> Iterator[str]:
    """Split a script where SQLite says that a statement is complete."""
    part = ""
    for line in text.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            yield part
            part = ""
    if part.strip():
        yield part


@cache
def _text(name: str, vendor: str) -> str:
    of_vendor = FOLDER / f"{name}.{vendor}.sql"
    text = (of_vendor if of_vendor.exists() else FOLDER / f"{name}.sql").read_text()
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
