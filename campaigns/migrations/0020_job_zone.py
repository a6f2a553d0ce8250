from django.db import migrations, models


class Migration(migrations.Migration):
    """The zone that a reset's crontab was made in, and how far a process's clock is ahead of the database's."""

    dependencies = (("campaigns", "0019_fill_name_keys"),)
    operations = (
        migrations.CreateModel(
            name="JobZone",
            fields=[
                ("task", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("timezone", models.CharField(max_length=64)),
            ],
            options={"default_permissions": ()},
        ),
        migrations.AddField(model_name="heartbeat", name="seconds_ahead", field=models.FloatField(null=True)),
    )
