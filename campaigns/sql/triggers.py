"""Migration operations that create and drop every trigger of the ledger.

Django rebuilds a SQLite table to alter it and silently drops its triggers. A migration that alters one of our tables
therefore puts DropTriggers() before its operations and CreateTriggers() after them.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation

from campaigns.database.connection import LEDGER_LOCK

FOLDER = Path(__file__).parent


def trigger_names(vendor: str) -> set[str]:
    """Return the triggers that the database of this vendor must have."""
    return set(re.findall(r"^CREATE TRIGGER (\w+)", _text(vendor), re.MULTILINE))


def installed_trigger_names(connection: BaseDatabaseWrapper) -> set[str]:
    """Return the triggers that the database has now."""
    if connection.vendor == "postgresql":
        sql = (
            "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE NOT tgisinternal AND relname LIKE 'campaigns\\_%' AND relnamespace = current_schema()::regnamespace"
        )
    else:
        sql = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return {name for (name,) in cursor.fetchall()}


class CreateTriggers(Operation):
    """Create every trigger, after dropping what is there of them; reversing drops them.

    only="sqlite" leaves PostgreSQL alone, where a table is altered with its triggers in place and to make the foreign
    key of the ledger anew would read all of it, with writers waiting.
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, only: str | None = None) -> None:
        self.only = only

    def concerns(self, schema_editor: BaseDatabaseSchemaEditor) -> bool:
        return self.only in (None, schema_editor.connection.vendor)

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if self.concerns(schema_editor):
            drop_triggers(schema_editor)
            create_triggers(schema_editor)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if self.concerns(schema_editor):
            drop_triggers(schema_editor)
            drop_foreign_key(schema_editor)

    def describe(self) -> str:
        return "Create the triggers of the spend ledger"


class DropTriggers(CreateTriggers):
    """Drop every trigger; reversing creates them."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if self.concerns(schema_editor):
            drop_triggers(schema_editor)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if self.concerns(schema_editor):
            drop_triggers(schema_editor)
            create_triggers(schema_editor)

    def describe(self) -> str:
        return "Drop the triggers of the spend ledger"


class OfFunctions(CreateTriggers):
    """Something done to the functions that PostgreSQL's triggers run; reversed, it stays done. SQLite has none."""

    def __init__(self) -> None:
        super().__init__(only="postgresql")

    def change(self, schema_editor: BaseDatabaseSchemaEditor) -> None:
        raise NotImplementedError

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if self.concerns(schema_editor):
            self.change(schema_editor)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        pass


class ReplaceFunctions(OfFunctions):
    """Replace the functions where the text of one has changed: no table is locked, as to make triggers anew would."""

    def change(self, schema_editor: BaseDatabaseSchemaEditor) -> None:
        functions = re.findall(r"^CREATE FUNCTION .*?^END \$\$;", _text("postgresql"), re.MULTILINE | re.DOTALL)
        for function in functions:
            _run(schema_editor, function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))

    def describe(self) -> str:
        return "Replace the functions of the triggers of the spend ledger"


class AddTriggers(ReplaceFunctions):
    """Add triggers that are new to a database made before them, and their functions; reversing drops the triggers.

    SQLite's are made anew, all of them, by CreateTriggers(only="sqlite").
    """

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.names = names

    def change(self, schema_editor: BaseDatabaseSchemaEditor) -> None:
        super().change(schema_editor)
        for name in self.names:
            statement = self.statement(name)[0]
            _run(schema_editor, statement.replace("CREATE TRIGGER", "CREATE OR REPLACE TRIGGER", 1))
        _run_file(schema_editor, "postgresql_close")

    def statement(self, name: str) -> re.Match[str]:
        """Return the statement that creates a trigger; its group is the table."""
        pattern = rf"^CREATE TRIGGER {name} .*? ON {{schema}}\.(\w+).*?;$"
        found = re.search(pattern, _text("postgresql"), re.MULTILINE | re.DOTALL)
        if not found:
            raise LookupError(f"The trigger {name} isn't in postgresql.sql.")
        return found

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if self.concerns(schema_editor):
            for name in self.names:
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {name} ON {self.statement(name)[1]}", params=None)

    def describe(self) -> str:
        return f"Add the triggers {' and '.join(self.names)}"


class CloseFunctions(OfFunctions):
    """Let nobody but their owner make triggers of the functions, which run as their owner."""

    def change(self, schema_editor: BaseDatabaseSchemaEditor) -> None:
        _run_file(schema_editor, "postgresql_close")

    def describe(self) -> str:
        return "Take the trigger functions of the spend ledger from everybody but their owner"


def create_triggers(schema_editor: BaseDatabaseSchemaEditor) -> None:
    _run_file(schema_editor, schema_editor.connection.vendor)
    if schema_editor.connection.vendor == "postgresql":
        _run_file(schema_editor, "postgresql_close")


def drop_triggers(schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        _run_file(schema_editor, "postgresql_drop")
        return
    for name in trigger_names("sqlite"):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}", params=None)


COUNTING = {
    "campaigns_spend_inserted": "campaigns_spendrecord",
    "campaigns_spend_updated": "campaigns_spendrecord",
    "campaigns_brand_inserted": "campaigns_brand",
}
"""Triggers that write totals-to-be and zones for rows that appear, each with its table."""

NEEDS_COLUMN = {
    "campaigns_brand_renamed": ("campaigns_brand", "name_key"),
    "campaigns_campaign_renamed": ("campaigns_campaign", "name_key"),
}

HISTORY = {"campaigns_history_updated": "campaigns_statuschange"}


@contextmanager
def without_counting(connection: BaseDatabaseWrapper, *, history: bool) -> Iterator[None]:
    """Switch off, in the transaction that is open, what counts rows, and on request what guards the history.

    An error leaves the triggers to the rollback. Writers wait until the end, so none of their rows is missed.
    """
    editor = connection.schema_editor()
    triggers = COUNTING | (HISTORY if history else {})
    for name, table in triggers.items():
        if connection.vendor == "postgresql":
            editor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}", params=None)
        else:
            editor.execute(f"DROP TRIGGER {name}", params=None)
    yield
    if connection.vendor != "postgresql":
        drop_triggers(editor)
        create_triggers(editor)
        return
    for name, table in triggers.items():
        editor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {name}", params=None)


def drop_foreign_key(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop what create_triggers adds to the ledger and drop_triggers leaves there, because to make it anew is slow."""
    if schema_editor.connection.vendor == "postgresql":
        _run_file(schema_editor, "postgresql_drop_foreign_key")


def _run_file(schema_editor: BaseDatabaseSchemaEditor, name: str) -> None:
    _run(schema_editor, _text(name))


def _text(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text()


def _run(schema_editor: BaseDatabaseSchemaEditor, text: str) -> None:
    if schema_editor.connection.vendor == "postgresql":
        text = text.replace("{schema}", _schema(schema_editor)).replace("{ledger_lock}", str(LEDGER_LOCK))
        schema_editor.execute(text, params=None)
        return
    early = _too_early(schema_editor)
    for statement in _statements(text):
        if not any(f"CREATE TRIGGER {name} " in statement for name in early):
            schema_editor.execute(statement, params=None)


def _too_early(schema_editor: BaseDatabaseSchemaEditor) -> list[str]:
    """Return the triggers that speak of a column that a later migration makes: SQLite alters no table beside them."""
    with schema_editor.connection.cursor() as cursor:
        return [
            name
            for name, place in NEEDS_COLUMN.items()
            if not cursor.execute("SELECT 1 FROM pragma_table_info(%s) WHERE name = %s", place).fetchone()
        ]


def _schema(schema_editor: BaseDatabaseSchemaEditor) -> str:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        (schema,) = cursor.fetchone()
    return str(schema)


def _statements(text: str) -> Iterator[str]:
    """Split a SQLite script where SQLite itself says that a statement is complete."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
