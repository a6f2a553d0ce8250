from django.db import migrations

from campaigns.sql.triggers import ReplaceFunctions


class Migration(migrations.Migration):
    """An insert of one row groups nothing."""

    dependencies = (("campaigns", "0015_spend_upload"),)
    operations = (ReplaceFunctions(),)
