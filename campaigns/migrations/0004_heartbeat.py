from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("campaigns", "0003_pending_recorded_at"),)
    operations = (
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("beat", "Beat"), ("worker", "Worker")], max_length=10)),
                ("name", models.CharField(help_text="The host that it runs on.", max_length=255)),
                ("seen_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "name"), name="heartbeat_unique"),
                ],
            },
        ),
    )
