from typing import Any

from django.db import migrations

from campaigns.sql.triggers import ReplaceFunctions

DROP_KEY = """
ALTER TABLE campaigns_pendingspend DROP CONSTRAINT IF EXISTS campaigns_pendingspend_pkey, REPLICA IDENTITY FULL
"""
ADD_KEY = "ALTER TABLE campaigns_pendingspend ADD PRIMARY KEY (id), REPLICA IDENTITY DEFAULT"


def drop_key(apps: Any, schema_editor: Any) -> None:
    alter_on_postgresql(schema_editor, DROP_KEY)


def add_key(apps: Any, schema_editor: Any) -> None:
    alter_on_postgresql(schema_editor, ADD_KEY)


def alter_on_postgresql(schema_editor: Any, sql: str) -> None:
    """Do it or fail within five seconds: writers, checks and saves wait behind whoever waits for the table."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET LOCAL lock_timeout = '5s'")
        schema_editor.execute(sql)


class Migration(migrations.Migration):
    """PostgreSQL reckons a record's quarter-hour in a third of the time, and keeps no index of pending rows.

    All that writers do there ended at the same page of that index. It only told the oldest and the newest row, and the
    table is read as a whole by every decision and fold anyway. Ids still come from a sequence. A publication of all
    tables has no key then to delete the rows by, so it gets them whole. Fold what is pending before you go back.
    """

    dependencies = (("campaigns", "0016_cheaper_insert_trigger"),)
    operations = (ReplaceFunctions(), migrations.RunPython(drop_key, add_key))
