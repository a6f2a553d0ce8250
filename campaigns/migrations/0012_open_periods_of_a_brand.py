from django.db import migrations, models


class Migration(migrations.Migration):
    """Closing finds the open periods of a few brands at once, however old their books are."""

    dependencies = (("campaigns", "0011_history_of_a_campaign"),)
    operations = (
        migrations.RemoveIndex("brandperiod", "brand_period_open"),
        migrations.AddIndex(
            "brandperiod",
            models.Index(
                fields=("brand", "kind", "starts_on"),
                name="brand_period_open",
                condition=models.Q(closed_at__isnull=True),
            ),
        ),
    )
