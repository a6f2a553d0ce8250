from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("campaigns", "0009_campaign_next_change"),)
    operations = (
        migrations.CreateModel(
            name="CheckShard",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("check_id", models.UUIDField(help_text="Which check it is a part of.")),
                ("job", models.CharField(help_text="The job that the check is run as.", max_length=100)),
                (
                    "number",
                    models.PositiveSmallIntegerField(
                        help_text="From 0 on: it has the brands whose id leaves this remainder."
                    ),
                ),
                ("of", models.PositiveSmallIntegerField(help_text="Into how many shards the check is cut.")),
                ("begun_at", models.DateTimeField(help_text="When the check began.")),
                ("finished_at", models.DateTimeField(help_text="When this shard was done; empty: not yet.", null=True)),
                ("changed", models.PositiveIntegerField(default=0)),
                ("paused", models.PositiveIntegerField(default=0)),
                ("resumed", models.PositiveIntegerField(default=0)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=["check_id", "number"], name="check_shard_unique"),
                ],
            },
        ),
    )
