from typing import Any

from django.db import migrations, models

import campaigns.models.fields
from campaigns.sql.triggers import AddTriggers, CreateTriggers, DropTriggers


def wait_five_seconds(apps: Any, schema_editor: Any) -> None:
    """Fail rather than wait longer for a table: checks and saves wait behind whoever waits for it."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET LOCAL lock_timeout = '5s'")


class Migration(migrations.Migration):
    """The key by which names are compared, unique among brands and among the campaigns of a brand; 0019 fills it."""

    dependencies = (("campaigns", "0017_cheaper_for_writers"),)
    operations = (
        migrations.RunPython(wait_five_seconds, migrations.RunPython.noop),
        DropTriggers(only="sqlite"),
        migrations.AddField("brand", "name_key", campaigns.models.fields.NameKeyField()),
        migrations.AddField("campaign", "name_key", campaigns.models.fields.NameKeyField()),
        migrations.AddIndex(
            "brand",
            models.Index(fields=["id"], name="brand_without_name_key", condition=models.Q(name_key__isnull=True)),
        ),
        migrations.AddIndex(
            "campaign",
            models.Index(fields=["brand"], name="campaign_without_name_key", condition=models.Q(name_key__isnull=True)),
        ),
        migrations.AddConstraint(
            "brand",
            models.UniqueConstraint(
                fields=("name_key",),
                condition=models.Q(name_key__isnull=False),
                name="brand_name_key_unique",
                violation_error_message="There is a brand of this name in another spelling: choose another name.",
            ),
        ),
        migrations.AddConstraint(
            "campaign",
            models.UniqueConstraint(
                fields=("brand", "name_key"),
                condition=models.Q(name_key__isnull=False),
                name="campaign_name_key_unique_in_brand",
                violation_error_message="The brand has this name in another spelling: choose another name.",
            ),
        ),
        CreateTriggers(only="sqlite"),
        AddTriggers("campaigns_brand_renamed", "campaigns_campaign_renamed"),
    )
