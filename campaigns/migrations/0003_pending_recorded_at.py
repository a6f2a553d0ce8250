from django.db import migrations, models
from django.db.models.functions import Now

from campaigns.sql.triggers import CreateTriggers, DropTriggers


class Migration(migrations.Migration):
    dependencies = (("campaigns", "0002_triggers"),)
    operations = (
        DropTriggers(only="sqlite"),
        migrations.AddField(
            model_name="pendingspend",
            name="recorded_at",
            field=models.DateTimeField(db_default=Now(), help_text="When the statement began that appended the row."),
        ),
        CreateTriggers(only="sqlite"),
    )
