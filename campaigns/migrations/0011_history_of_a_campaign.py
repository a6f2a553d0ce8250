from django.db import migrations, models

OLD = "campaigns_statuschange_campaign_id_5d46f0cf"


class Migration(migrations.Migration):
    """The index on the campaign of a line has its number too, so that a campaign's last lines are found at once.

    To alter the field would make PostgreSQL look at every line for its foreign key, and SQLite copy the table.
    """

    dependencies = (("campaigns", "0010_check_shard"),)
    operations = (
        migrations.AddIndex("statuschange", models.Index(fields=("campaign", "id"), name="status_change_of_campaign")),
        migrations.SeparateDatabaseAndState(
            database_operations=(
                migrations.RunSQL(
                    f"DROP INDEX IF EXISTS {OLD}",
                    f"CREATE INDEX {OLD} ON campaigns_statuschange (campaign_id)",
                ),
            ),
            state_operations=(
                migrations.AlterField(
                    "statuschange",
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.CASCADE,
                        related_name="status_changes",
                        to="campaigns.campaign",
                    ),
                ),
            ),
        ),
    )
