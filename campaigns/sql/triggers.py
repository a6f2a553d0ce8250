"""Migration operations that create and drop every trigger of the ledger.

Django rebuilds a SQLite table to alter it and silently drops its triggers. A migration that alters one of our tables
therefore puts DropTriggers() before its operations and CreateTriggers() after them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation

from campaigns.database.connection import LEDGER_LOCK
from campaigns.database.statements import split

FOLDER = Path(__file__).parent


def trigger_names(vendor: str) -> set[str]:
    """Return the triggers of the ledger that the database of this vendor must have."""
    return _names(vendor) | _names(f"totals/{vendor}")


def file_of_trigger(name: str, vendor: str) -> str:
    """Return the file of this folder that creates a trigger, without its ending."""
    return vendor if name in _names(vendor) else f"totals/{vendor}"


def _names(file: str) -> set[str]:
    return set(re.findall(r"^CREATE TRIGGER (\w+)", _text(file), re.MULTILINE))


def installed_trigger_names(connection: BaseDatabaseWrapper) -> set[str]:
    """Return the triggers that the database has now, without those of searched names (see campaigns.sql.search)."""
    if connection.vendor == "postgresql":
        sql = (
            "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE NOT tgisinternal AND relname LIKE 'campaigns\\_%' AND relnamespace = current_schema()::regnamespace"
            " AND tgname NOT LIKE 'campaigns\\_search\\_%'"
        )
    else:
        sql = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return {name for (name,) in cursor.fetchall()}


class CreateTriggers(Operation):
    """Create every trigger, after dropping those that exist; reversing drops them."""

    reversible = True
    reduces_to_sql = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        drop_triggers(schema_editor)
        create_triggers(schema_editor)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        drop_triggers(schema_editor)
        drop_foreign_key(schema_editor)

    def describe(self) -> str:
        return "Create the triggers of the spend ledger"


class DropTriggers(CreateTriggers):
    """Drop every trigger; reversing creates them."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        drop_triggers(schema_editor)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        drop_triggers(schema_editor)
        create_triggers(schema_editor)

    def describe(self) -> str:
        return "Drop the triggers of the spend ledger"


def create_triggers(schema_editor: BaseDatabaseSchemaEditor) -> None:
    run_file(schema_editor, schema_editor.connection.vendor)
    # A later migration creates these tables, and creates the triggers again then.
    if "campaigns_spendtotal" in schema_editor.connection.introspection.table_names():
        run_file(schema_editor, f"totals/{schema_editor.connection.vendor}")
    if schema_editor.connection.vendor == "postgresql":
        run_file(schema_editor, "postgresql_close")


def drop_triggers(schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        run_file(schema_editor, "postgresql_drop")
        run_file(schema_editor, "totals/postgresql_drop")
        return
    for name in trigger_names("sqlite"):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}", params=None)


# Triggers that append pending spend, time zones and linked campaigns for new rows, each with its table.
COUNTING = {
    "campaigns_spend_inserted": "campaigns_spendrecord",
    "campaigns_spend_updated": "campaigns_spendrecord",
    "campaigns_brand_inserted": "campaigns_brand",
    "campaigns_link_kept": "campaigns_campaignlink",
}

HISTORY = {
    "campaigns_history_updated": "campaigns_statuschange",
    "campaigns_history_of_settings_updated": "campaigns_settingchange",
}

# Triggers of tables, or that write tables, that a later migration creates than the first that creates triggers.
LATER = re.compile(
    r"(?:BEFORE UPDATE ON|INSERT INTO|FROM)"
    r" (campaigns_settingchange|campaigns_daytobook|campaigns_linkedcampaign)"
)


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
        run_file(schema_editor, "postgresql_drop_foreign_key")


def run_file(schema_editor: BaseDatabaseSchemaEditor, name: str, **fragments: str) -> None:
    """Run a file of this folder, with fragments of SQL filled in by name."""
    text = _text(name)
    for fragment, sql in fragments.items():
        text = text.replace(f"{{{fragment}}}", sql)
    _run(schema_editor, text)


def _text(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text()


def _run(schema_editor: BaseDatabaseSchemaEditor, text: str) -> None:
    if schema_editor.connection.vendor == "postgresql":
        text = text.replace("{schema}", _schema(schema_editor)).replace("{ledger_lock}", str(LEDGER_LOCK))
        schema_editor.execute(text, params=None)
        return
    connection = schema_editor.connection
    for statement in split(text):
        later = LATER.search(statement)
        if later is None or later[1] in connection.introspection.table_names():
            schema_editor.execute(statement, params=None)


def _schema(schema_editor: BaseDatabaseSchemaEditor) -> str:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        (schema,) = cursor.fetchone()
    return str(schema)
