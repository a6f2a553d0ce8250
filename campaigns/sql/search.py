"""The names of brands and campaigns as they are searched: tables with triggers on PostgreSQL, a function on SQLite."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation

from campaigns.rules.search_text import LETTERS, search_text
from campaigns.sql.triggers import run_file

TABLES = ("campaigns_brandsearch", "campaigns_campaignsearch")

NO_TRIGRAMS = (
    "search reads all names, because PostgreSQL's extension pg_trgm is missing: install it (CREATE EXTENSION pg_trgm)"
    " and migrate again"
)


class CreateSearch(Operation):
    """Create the tables of searched names with their triggers, filled; on SQLite there are none."""

    reversible = True
    reduces_to_sql = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            run_file(schema_editor, "postgresql_search", folded=_folded(schema_editor.connection))
            run_file(schema_editor, "postgresql_close")

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            run_file(schema_editor, "postgresql_search_drop")

    def describe(self) -> str:
        return "Create the tables of searched names"


def add_search_text(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Give a new connection to SQLite the function campaigns_search_text, as a receiver of connection_created."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("campaigns_search_text", 1, search_text, deterministic=True)


def ensure_trigrams(connection: BaseDatabaseWrapper) -> str:
    """Create the indexes that find parts of names; return why there are none, or "".

    They need pg_trgm. Since PostgreSQL 13 a role that may create schemas in the database may install it.
    """
    if connection.vendor != "postgresql":
        return ""
    missing = [table for table in TABLES if _is_there(connection, table) and not _is_there(connection, _index(table))]
    if not missing:
        return ""
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            # It may have been installed in a schema that isn't searched.
            cursor.execute(
                "SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace"
                " WHERE extname = 'pg_trgm'"
            )
            (schema,) = cursor.fetchone()
            for table in missing:
                cursor.execute(f"CREATE INDEX {_index(table)} ON {table} USING gin (text {schema}.gin_trgm_ops)")
    except DatabaseError:
        return NO_TRIGRAMS
    return ""


def _index(table: str) -> str:
    return f"{table}_trigrams"


def _is_there(connection: BaseDatabaseWrapper, name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(current_schema() || '.' || %s) IS NOT NULL", [name])
        (there,) = cursor.fetchone()
    return bool(there)


def _folded(connection: BaseDatabaseWrapper) -> str:
    """Return the SQL expression for the text of a name that isn't ASCII."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT getdatabaseencoding() = 'UTF8', EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu')"
        )
        is_unicode, has_icu = cursor.fetchone()
    if not is_unicode:
        return "lower(name)"  # the only encoding that PostgreSQL decomposes
    folded = r"regexp_replace(normalize(name, NFKD), '[\u0300-\u036f]', '', 'g')"
    # Without ICU it depends on the locale of the database which letters have a lower case: with "C" only a to z.
    folded = f'lower({folded} COLLATE "und-x-icu")' if has_icu else f"lower({folded})"
    for letter, plain in LETTERS.items():
        if len(plain) > 1:
            folded = f"replace({folded}, '{letter}', '{plain}')"
    single = [(letter, plain) for letter, plain in LETTERS.items() if len(plain) == 1]
    return f"translate({folded}, '{''.join(one for one, _ in single)}', '{''.join(plain for _, plain in single)}')"
