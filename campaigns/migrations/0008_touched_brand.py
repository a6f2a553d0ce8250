import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("campaigns", "0007_switches_and_texts"),)
    operations = (
        migrations.CreateModel(
            name="TouchedBrand",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_quarter", models.IntegerField(help_text="Quarter-hours since 1970-01-01 00:00 UTC.")),
                (
                    "brand",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="campaigns.brand",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["due_quarter"], name="touched_brand_due")],
            },
        ),
    )
