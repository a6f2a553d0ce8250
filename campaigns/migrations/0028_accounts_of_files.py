"""Accounts whose reports are imported as files have the interval 0: they are never silent."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q

from campaigns.models.checks import IsWholeNumber
from campaigns.sql.triggers import CreateTriggers, DropTriggers


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0027_known_until")]

    operations = [
        DropTriggers(),
        migrations.RemoveConstraint("platformaccount", "platform_account_interval_of_1_to_10000_hours"),
        migrations.AddConstraint(
            "platformaccount",
            models.CheckConstraint(
                name="platform_account_interval_of_0_to_10000_hours",
                condition=Q(IsWholeNumber("interval_hours")) & Q(interval_hours__range=(0, 10_000)),
                violation_error_message="The interval must be 0 to 10,000 hours.",
            ),
        ),
        migrations.AlterField(
            "platformaccount",
            "interval_hours",
            models.PositiveSmallIntegerField(
                "silent after",
                default=3,
                db_default=3,
                help_text="Hours without a report after which the account is shown as silent. 0: never, as for an"
                " account whose reports are imported as files; enter hours once a connector reports it.",
            ),
        ),
        migrations.AlterField(
            "platformaccount",
            "reported_until",
            models.DateTimeField(
                null=True,
                blank=True,
                help_text="Up to when the account's spend is known: the end of the last sync, or of the last day of an"
                " imported report, if that is earlier than the report.",
            ),
        ),
        CreateTriggers(),
    ]
