"""The instants of a person's last digest, and of the last look at a brand's spend."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0024_counted_twice")]

    operations = [
        migrations.AddField(
            model_name="alertpreference",
            name="digested_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(model_name="brandquiet", name="looked_minute", field=models.IntegerField(null=True)),
    ]
