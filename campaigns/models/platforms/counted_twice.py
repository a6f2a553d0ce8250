"""Campaigns whose spend two senders report for the same days, as the latest `verify_spend` found them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from campaigns.models.campaign import Campaign
from campaigns.models.checks import IsWholeNumber
from campaigns.models.platforms.accounts import PlatformAccount


class CountedTwice(models.Model):
    """Days of a campaign whose spend comes twice: stored, so that pages need not read the ledger to find them."""

    class Kind(models.TextChoices):
        # The same platform campaign by its name and by its ID: the same spend counts twice.
        NAME_AND_ID = "name_and_id", "totals by name and by ID"
        # Spend records of another sender beside totals: the same spend may count twice.
        RECORDS = "records", "spend records and totals"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, db_index=False, related_name="+")
    account = models.ForeignKey(PlatformAccount, on_delete=models.CASCADE, db_index=False, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    days = models.PositiveIntegerField()
    first_day = models.DateField()
    last_day = models.DateField()
    found_at = models.DateTimeField(help_text="When the verification found it.")

    class Meta:
        ordering = ("kind", "pk")
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("campaign", "account", "kind"), name="counted_twice_unique"),
            models.CheckConstraint(
                name="counted_twice_on_one_day_or_more",
                condition=Q(kind__in=["name_and_id", "records"])
                & Q(IsWholeNumber("days"))
                & Q(days__gte=1, last_day__gte=F("first_day")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.campaign}: {self.get_kind_display()}"
