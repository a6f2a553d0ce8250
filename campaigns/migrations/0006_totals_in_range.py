from django.db import migrations, models

from campaigns.models.fields import within
from campaigns.rules.money import DAY_TOTAL_LIMIT, MONTH_TOTAL_LIMIT
from campaigns.sql.triggers import CreateTriggers, DropTriggers


class Migration(migrations.Migration):
    """Totals have limits, so that no sum of theirs passes 64 bits; triggers that take any number of large amounts."""

    dependencies = (("campaigns", "0005_close_functions"),)
    operations = (
        DropTriggers(),
        migrations.AddConstraint(
            "brandperiod",
            models.CheckConstraint(
                name="brand_period_spend_in_range",
                condition=models.Q(kind="day", spend__range=within(DAY_TOTAL_LIMIT))
                | models.Q(kind="month", spend__range=within(MONTH_TOTAL_LIMIT)),
            ),
        ),
        migrations.AddConstraint(
            "campaignday",
            models.CheckConstraint(
                name="campaign_day_spend_in_range", condition=models.Q(spend__range=within(DAY_TOTAL_LIMIT))
            ),
        ),
        CreateTriggers(),
    )
