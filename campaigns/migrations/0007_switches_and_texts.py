from typing import Any

from django.db import migrations, models

from campaigns.models.checks import IsSwitch, IsText
from campaigns.sql.triggers import CreateTriggers, DropTriggers

SWITCHES = "UPDATE {table} SET enabled = CASE WHEN enabled THEN 1 ELSE 0 END WHERE enabled NOT IN (0, 1)"
TEXTS = "UPDATE {table} SET {column} = CAST({column} AS text) WHERE typeof({column}) <> 'text'"


def settle(apps: Any, schema_editor: Any) -> None:
    """Write what SQLite took for a switch or a text as it was read until now."""
    if schema_editor.connection.vendor != "sqlite":
        return
    for table in ("campaigns_brand", "campaigns_campaign"):
        schema_editor.execute(SWITCHES.format(table=table))
        schema_editor.execute(TEXTS.format(table=table, column="name"))
    for column in ("currency", "timezone"):
        schema_editor.execute(TEXTS.format(table="campaigns_brand", column=column))


class Migration(migrations.Migration):
    """Switches are on or off, and texts are text, on SQLite too."""

    dependencies = (("campaigns", "0006_totals_in_range"),)
    operations = (
        DropTriggers(),
        migrations.RunPython(settle, migrations.RunPython.noop),
        migrations.AddConstraint(
            "brand",
            models.CheckConstraint(
                name="brand_name_currency_and_timezone_are_text",
                condition=models.Q(IsText("name")) & models.Q(IsText("currency")) & models.Q(IsText("timezone")),
                violation_error_message="Name, currency and time zone are text.",
            ),
        ),
        migrations.AddConstraint(
            "brand",
            models.CheckConstraint(
                name="brand_enabled_is_on_or_off",
                condition=models.Q(IsSwitch("enabled")),
                violation_error_message="A brand is switched on (true, 1) or off (false, 0).",
            ),
        ),
        migrations.AddConstraint(
            "campaign",
            models.CheckConstraint(
                name="campaign_name_is_text",
                condition=models.Q(IsText("name")),
                violation_error_message="A name is text.",
            ),
        ),
        migrations.AddConstraint(
            "campaign",
            models.CheckConstraint(
                name="campaign_enabled_is_on_or_off",
                condition=models.Q(IsSwitch("enabled")),
                violation_error_message="A campaign is switched on (true, 1) or off (false, 0).",
            ),
        ),
        CreateTriggers(),
    )
