from typing import Any

from django.db import migrations, models

import campaigns.models.brand
from campaigns.sql.triggers import AddTriggers, CreateTriggers


def wait_five_seconds(apps: Any, schema_editor: Any) -> None:
    """Fail rather than wait longer for a table: checks and saves wait behind whoever waits for it."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET LOCAL lock_timeout = '5s'")


class Migration(migrations.Migration):
    """A currency is one of ISO 4217, and stays once there is spend or a closed statement. No table is altered."""

    dependencies = (("campaigns", "0021_spend_preview"),)
    operations = (
        migrations.RunPython(wait_five_seconds, migrations.RunPython.noop),
        migrations.AlterField(
            "brand",
            "currency",
            models.CharField(
                db_default="USD",
                default="USD",
                help_text="A code of ISO 4217, like EUR. All amounts of the brand are in this currency.",
                max_length=3,
                validators=[campaigns.models.brand.validate_currency],
            ),
        ),
        CreateTriggers(only="sqlite"),
        AddTriggers("campaigns_brand_currency_guard"),
    )
