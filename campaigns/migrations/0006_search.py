from django.db import migrations

from campaigns.sql.search import CreateSearch


class Migration(migrations.Migration):
    dependencies = (("campaigns", "0005_setting_changes"),)
    operations = (CreateSearch(),)
