import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

STATES = [("waiting", "Waiting"), ("running", "Running"), ("done", "Done"), ("failed", "Failed")]


class Migration(migrations.Migration):
    dependencies = (
        ("campaigns", "0014_import_draft"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    )
    operations = (
        migrations.CreateModel(
            name="SpendUpload",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("who", models.CharField(max_length=150, verbose_name="by")),
                ("name", models.CharField(max_length=200, verbose_name="file")),
                ("size", models.PositiveBigIntegerField(help_text="In bytes.")),
                ("create_missing", models.BooleanField(default=False)),
                ("skip_errors", models.BooleanField(default=False)),
                ("timezone", models.CharField(max_length=64, verbose_name="time zone")),
                ("state", models.CharField(choices=STATES, default="waiting", max_length=10)),
                ("created_at", models.DateTimeField(verbose_name="uploaded")),
                ("started_at", models.DateTimeField(null=True, verbose_name="started")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                ("seen_at", models.DateTimeField(null=True)),
                ("task_id", models.CharField(default="", max_length=64)),
                ("attempt", models.PositiveSmallIntegerField(default=0)),
                ("bytes_done", models.PositiveBigIntegerField(default=0)),
                ("lines_done", models.PositiveBigIntegerField(default=0)),
                ("imported", models.PositiveBigIntegerField(default=0)),
                ("repeated", models.PositiveBigIntegerField(default=0)),
                ("refused", models.PositiveBigIntegerField(default=0)),
                ("without_external_id", models.PositiveBigIntegerField(default=0)),
                ("created_brands", models.PositiveBigIntegerField(default=0)),
                ("created_campaigns", models.PositiveBigIntegerField(default=0)),
                ("problem", models.TextField(default="")),
                ("refusals", models.TextField(default="")),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "spend import",
                "ordering": ("-id",),
                "default_permissions": ("add", "view"),
            },
        ),
        migrations.CreateModel(
            name="SpendUploadPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("data", models.BinaryField()),
                (
                    "upload",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="campaigns.spendupload",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("upload", "number"), name="spend_upload_part_unique"),
                ],
            },
        ),
    )
