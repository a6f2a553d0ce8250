from django.db import migrations, models

STATES = [
    ("checking", "Checking"),
    ("ready", "to confirm"),
    ("waiting", "Waiting"),
    ("running", "Running"),
    ("done", "Done"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
]


class Migration(migrations.Migration):
    """Defaults of the database let the version before keep uploads while both run."""

    dependencies = (("campaigns", "0019_fill_name_keys"),)
    operations = (
        migrations.AddField(
            "spendupload",
            "decimal",
            models.CharField(db_default="unknown", default="unknown", max_length=20, verbose_name="decimal separator"),
        ),
        migrations.AddField("spendupload", "sha256", models.CharField(db_default="", default="", max_length=64)),
        migrations.AddField("spendupload", "preview", models.JSONField(null=True)),
        migrations.AddField("spendupload", "without_spend", models.PositiveBigIntegerField(db_default=0, default=0)),
        migrations.AddField("spendupload", "notes", models.PositiveBigIntegerField(db_default=0, default=0)),
        migrations.AddField("spendupload", "rounded", models.PositiveBigIntegerField(db_default=0, default=0)),
        migrations.AlterField(
            "spendupload", "state", models.CharField(choices=STATES, default="waiting", max_length=10)
        ),
        migrations.AlterField(
            "spendupload", "timezone", models.CharField(blank=True, max_length=64, verbose_name="time zone")
        ),
        migrations.AddIndex("spendupload", models.Index(fields=["sha256"], name="spend_upload_sha256")),
    )
