"""Acknowledgements keep the status change that they are about, so that drift is found without reading the history."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0022_days_to_book")]

    operations = [
        migrations.AddField(
            model_name="appliedstatus",
            name="applied_line",
            field=models.BigIntegerField(
                null=True,
                help_text="The ID of the status change that began the acknowledged pause; empty if it isn't known.",
            ),
        ),
    ]
