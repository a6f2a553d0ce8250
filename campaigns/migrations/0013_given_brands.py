import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (
        ("campaigns", "0012_open_periods_of_a_brand"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    )
    operations = (
        migrations.CreateModel(
            name="GivenBrand",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "brand",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="campaigns.brand"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "given brand",
                "default_permissions": (),
                "permissions": (("only_given_brands", "Sees only the brands that are given to the person"),),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "brand"),
                        name="given_brand_unique",
                        violation_error_message="The person has been given this brand already.",
                    ),
                ],
            },
        ),
    )
