from typing import Any

from django.db import migrations

from campaigns.sql.triggers import CreateTriggers

DROP_KEY = "ALTER TABLE campaigns_pendingspend DROP CONSTRAINT campaigns_pendingspend_pkey, REPLICA IDENTITY FULL"


def drop_key_of_pending_spend(apps: Any, schema_editor: Any) -> None:
    """All writers would meet at the last page of its index, and every decision and fold reads the whole table anyway.

    A publication of all tables has no key then to delete the rows by, so it gets them whole.
    """
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP_KEY)


class Migration(migrations.Migration):
    dependencies = (("campaigns", "0001_initial"),)
    operations = (
        migrations.RunPython(drop_key_of_pending_spend, migrations.RunPython.noop),
        CreateTriggers(),
    )
