import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = (("campaigns", "0011_reached_days"),)
    operations = (
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(max_length=60, help_text="What uses the key, such as “Airbyte, production”."),
                ),
                (
                    "public_id",
                    models.CharField("ID", max_length=12, help_text="The second part of the key, which isn't secret."),
                ),
                ("secret_sha256", models.CharField(max_length=64)),
                ("scopes", models.CharField(max_length=200)),
                ("all_brands", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField("created", db_default=Now())),
                ("created_by", models.CharField(max_length=150)),
                ("expires_at", models.DateTimeField("expires", null=True, blank=True)),
                ("last_used_at", models.DateTimeField("last used", null=True)),
                ("revoked_at", models.DateTimeField("revoked", null=True)),
                ("revoked_by", models.CharField(max_length=150, blank=True, default="", db_default="")),
            ],
            options={
                "verbose_name": "API key",
                "ordering": ("-id",),
                "default_permissions": (),
                "constraints": (
                    models.UniqueConstraint(fields=("public_id",), name="api_key_public_id_unique"),
                    models.CheckConstraint(
                        name="api_key_has_a_name_an_id_and_a_hash",
                        condition=~models.Q(name="")
                        & models.Q(public_id__length=12)
                        & models.Q(secret_sha256__length=64),
                    ),
                ),
            },
        ),
        migrations.CreateModel(
            name="ApiKeyBrand",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.ForeignKey(
                        "campaigns.apikey",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="given_brands",
                    ),
                ),
                (
                    "brand",
                    models.ForeignKey(
                        "campaigns.brand", on_delete=django.db.models.deletion.CASCADE, related_name="+"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": (models.UniqueConstraint(fields=("key", "brand"), name="api_key_brand_unique"),),
            },
        ),
        migrations.CreateModel(
            name="ApiKeyRequests",
            fields=[
                (
                    "key",
                    models.OneToOneField(
                        "campaigns.apikey",
                        primary_key=True,
                        serialize=False,
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                    ),
                ),
                (
                    "minute",
                    models.BigIntegerField(help_text="Minutes since 1970-01-01 00:00 UTC."),
                ),
                ("requests", models.IntegerField()),
            ],
            options={"default_permissions": ()},
        ),
    )
