from typing import Any

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from campaigns.sql.triggers import CreateTriggers, DropTriggers

FLAG_DAYS = """
INSERT INTO campaigns_daytobook (source, account, day)
SELECT DISTINCT source, account, day FROM campaigns_spendtotal
WHERE waiting = 0 AND CAST(ROUND(total * 1000000) AS bigint) <> booked
"""


def leave_room(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Leave half of each page of totals free, so that restating and booking them are HOT updates.

    That takes no more disk than before: each total is updated at least once, which left its first version behind.
    """
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE campaigns_spendtotal SET (fillfactor = 50)")


def fill_pages(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE campaigns_spendtotal RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0021_alert_kinds")]

    operations = [
        DropTriggers(),
        migrations.CreateModel(
            name="DayToBook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=20)),
                ("account", models.CharField(max_length=255)),
                ("day", models.DateField()),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["-day", "source", "account"], name="day_to_book_newest_first")],
            },
        ),
        migrations.RunSQL(FLAG_DAYS, migrations.RunSQL.noop),
        migrations.RemoveIndex(model_name="spendtotal", name="spend_total_to_book"),
        migrations.RunPython(leave_room, fill_pages),
        CreateTriggers(),
    ]
