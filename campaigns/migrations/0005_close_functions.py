from django.db import migrations

from campaigns.sql.triggers import CloseFunctions


class Migration(migrations.Migration):
    dependencies = (("campaigns", "0004_heartbeat"),)
    operations = (CloseFunctions(),)
