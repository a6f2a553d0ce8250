"""What verify_spend finds of spend that two senders report for the same days is stored for pages."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import campaigns.models.checks


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0023_applied_line")]

    operations = [
        migrations.CreateModel(
            name="CountedTwice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("name_and_id", "totals by name and by ID"),
                            ("records", "spend records and totals"),
                        ],
                        max_length=20,
                    ),
                ),
                ("days", models.PositiveIntegerField()),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("found_at", models.DateTimeField(help_text="When the verification found it.")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="campaigns.platformaccount",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="campaigns.campaign",
                    ),
                ),
            ],
            options={
                "ordering": ("kind", "pk"),
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("campaign", "account", "kind"), name="counted_twice_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["name_and_id", "records"]),
                            campaigns.models.checks.IsWholeNumber("days"),
                            ("days__gte", 1),
                            ("last_day__gte", models.F("first_day")),
                        ),
                        name="counted_twice_on_one_day_or_more",
                    ),
                ],
            },
        ),
    ]
