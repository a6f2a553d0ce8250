from django.db import migrations, models

from campaigns.sql.triggers import CreateTriggers, DropTriggers


class Migration(migrations.Migration):
    """When time can next change a campaign's reasons; at first every campaign is due at once."""

    dependencies = (("campaigns", "0008_touched_brand"),)
    operations = (
        DropTriggers(only="sqlite"),
        migrations.AddField(
            "campaign",
            "next_change_minute",
            models.PositiveIntegerField(
                default=0,
                db_default=0,
                editable=False,
                help_text="Minutes since 1970-01-01 00:00 UTC: when time can next change the reasons; 0 is at once.",
            ),
        ),
        migrations.AddIndex("campaign", models.Index(fields=("next_change_minute",), name="campaign_next_change")),
        CreateTriggers(only="sqlite"),
    )
