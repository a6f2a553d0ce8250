from django.db import migrations

from campaigns.sql.triggers import CreateTriggers


class Migration(migrations.Migration):
    dependencies = (("campaigns", "0001_tables"),)
    operations = (CreateTriggers(),)
