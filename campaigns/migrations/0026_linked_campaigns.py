"""A campaign's totals are found by its links, not by an index that kept booking from being a HOT update."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import deletion

from campaigns.sql.triggers import CreateTriggers, DropTriggers

KEEP_LINKS = """
INSERT INTO campaigns_linkedcampaign (source, account, campaign, linked_campaign_id)
SELECT account.source, account.external_id, link.external_id, link.campaign_id
FROM campaigns_campaignlink AS link
JOIN campaigns_platformaccount AS account ON account.id = link.account_id
WHERE link.campaign_id IS NOT NULL
UNION
SELECT account.source, account.external_id, link.external_id, earlier.campaign_id
FROM campaigns_earlierlink AS earlier
JOIN campaigns_campaignlink AS link ON link.id = earlier.link_id
JOIN campaigns_platformaccount AS account ON account.id = link.account_id
UNION
SELECT source, account, campaign, booked_campaign_id
FROM campaigns_spendtotal WHERE booked_campaign_id IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0025_looks_and_digests")]

    operations = [
        DropTriggers(),
        migrations.CreateModel(
            name="LinkedCampaign",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=20)),
                ("account", models.CharField(max_length=255)),
                ("campaign", models.CharField(max_length=255)),
                (
                    "linked_campaign",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=deletion.DO_NOTHING,
                        related_name="+",
                        to="campaigns.campaign",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("linked_campaign", "source", "account", "campaign"), name="linked_campaign_unique"
                    )
                ],
            },
        ),
        migrations.RunSQL(KEEP_LINKS, migrations.RunSQL.noop),
        migrations.RemoveIndex(model_name="spendtotal", name="spend_total_of_campaign"),
        CreateTriggers(),
    ]
