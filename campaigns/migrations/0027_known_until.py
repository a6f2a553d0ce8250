"""What is known of an account's spend isn't known more than an hour ahead."""

from __future__ import annotations

from django.db import migrations

from campaigns.sql.triggers import CreateTriggers, DropTriggers


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0026_linked_campaigns")]

    operations = [DropTriggers(), CreateTriggers()]
