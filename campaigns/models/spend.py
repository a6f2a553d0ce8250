"""Spend: the ledger of records, pending spend that isn't folded yet, and totals by campaign and day.

The connector inserts records by plain SQL; triggers (campaigns/sql) append each statement's changes to the pending
spend; folding (campaigns/services/ledger/fold.py) moves these into the totals. Readers of a total add the pending
spend.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, ProtectedError, Q
from django.db.models.functions import Now

from campaigns.models.brand import Brand
from campaigns.models.campaign import Campaign
from campaigns.models.checks import IsPlainTimestamp, RoundedIsNotZero
from campaigns.models.fields import SMALLEST, MicrosField, within
from campaigns.rules.money import AMOUNT_LIMIT, DAY_TOTAL_LIMIT, PLACES, format_money
from campaigns.rules.periods import EARLIEST, LATEST, find_zone
from campaigns.rules.times import format_time


def protect_spend(collector: Any, field: Any, sub_objs: models.QuerySet[Any], using: str) -> None:
    """Refuse to delete campaigns with spend (R14), as PROTECT does, but without loading millions of rows."""
    # Unordered: to find the last record of campaigns without any, a database may scan the whole ledger.
    for example in sub_objs.using(using).order_by()[:1]:
        raise ProtectedError("It has spend history and can't be deleted. Archive it instead.", {example})


protect_spend.lazy_sub_objs = True  # type: ignore[attr-defined]  # Django's own protocol for on_delete functions


class SpendRecord(models.Model):
    """A row of the ledger: money that a campaign spent at a point in time; negative for a refund or credit (R10)."""

    brand = models.ForeignKey(Brand, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    campaign = models.ForeignKey(
        Campaign, on_delete=protect_spend, db_constraint=False, db_index=False, related_name="spend_records"
    )
    amount = models.DecimalField(
        max_digits=18,
        decimal_places=PLACES,
        validators=[MinValueValidator(SMALLEST - AMOUNT_LIMIT), MaxValueValidator(AMOUNT_LIMIT - SMALLEST)],
        help_text="In the brand's currency, to six decimals. Negative for a refund or credit; never 0.",
    )
    timestamp = models.DateTimeField(
        db_default=Now(),
        help_text="When the money was spent. The amount counts on that day and month, not when it arrived.",
    )
    recorded_at = models.DateTimeField(db_default=Now(), editable=False, help_text="When the row arrived.")
    external_id = models.CharField(
        max_length=255,
        null=True,
        blank=True,
        help_text="The sender's ID for the row, unique within the campaign: a row sent twice counts once.",
    )

    # The reported total whose change the record is, and the number of the change: booking writes them, and no
    # connector's role may (campaigns.services.totals.book).
    total = models.ForeignKey(
        "campaigns.SpendTotal",
        null=True,
        editable=False,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="records",
    )
    revision = models.IntegerField(null=True, editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = (
            # A second booking of the same change is refused.
            models.UniqueConstraint(
                fields=("total", "revision"),
                name="spend_of_a_total_booked_once",
                condition=Q(total__isnull=False),
            ),
            models.CheckConstraint(
                name="spend_of_a_total_has_a_revision",
                condition=Q(total__isnull=True, revision__isnull=True)
                | Q(total__isnull=False, revision__isnull=False, revision__gte=1, external_id__isnull=True),
            ),
            models.UniqueConstraint(
                fields=("campaign", "external_id"),
                name="spend_external_id_unique_in_campaign",
                violation_error_message="The campaign already has a record with this external ID; it counts once.",
            ),
            models.CheckConstraint(
                name="spend_amount_in_range_and_not_zero",
                condition=Q(amount__gte=SMALLEST - AMOUNT_LIMIT, amount__lte=AMOUNT_LIMIT - SMALLEST)
                & Q(RoundedIsNotZero("amount")),
                violation_error_message="The amount must not be 0, and must be between -1,000,000,000 and"
                " 1,000,000,000.",
            ),
            models.CheckConstraint(
                name="spend_timestamp_is_yyyy_mm_dd_hh_mm_ss_in_utc",
                condition=Q(IsPlainTimestamp("timestamp")),
                violation_error_message="The timestamp must be a point in time; on SQLite, written as YYYY-MM-DD"
                " HH:MM:SS in UTC.",
            ),
            models.CheckConstraint(
                name="spend_timestamp_between_2012_and_2100",
                condition=Q(timestamp__gte=EARLIEST, timestamp__lt=LATEST),
                violation_error_message="The timestamp must be between 2012 and 2100.",
            ),
            models.CheckConstraint(name="spend_recorded_at_well_formed", condition=Q(IsPlainTimestamp("recorded_at"))),
            models.CheckConstraint(
                name="spend_external_id_has_1_to_255_characters",
                condition=Q(external_id__length__range=(1, 255)),
                violation_error_message="An external ID must be left out (NULL) or have 1 to 255 characters.",
            ),
        )

    def __str__(self) -> str:
        brand = self.campaign.brand
        at = format_time(self.timestamp, find_zone(brand.timezone) or ZoneInfo("UTC"), seconds=False)
        return f"{format_money(self.amount, brand.currency)} at {at}"


class SpendCorrection(models.Model):
    """That a person corrected a record: by another record, of the difference. Neither of them is ever edited (R10).

    No foreign key and no index on the ledger itself, so that spend writers pay nothing for it.
    """

    record = models.ForeignKey(
        SpendRecord, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="corrections"
    )
    # The number of the correction among those of its record. Of two people who correct at once, one is refused.
    number = models.PositiveSmallIntegerField()
    added = models.ForeignKey(
        SpendRecord, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    at = models.DateTimeField()
    who = models.CharField("by", max_length=150)
    note = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        ordering = ("record", "number")
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("record", "number"), name="spend_correction_once"),
            models.UniqueConstraint(fields=("added",), name="spend_correction_adds_a_record_of_its_own"),
            models.CheckConstraint(
                name="spend_correction_by_somebody_of_another_record",
                condition=~Q(who="") & ~Q(record=F("added")) & Q(number__gte=1),
            ),
        )

    def __str__(self) -> str:
        return f"correction {self.number} of record {self.record_id}"


class PendingSpend(models.Model):
    """A change of the ledger that isn't in the totals yet: appended by triggers, removed by folding.

    No foreign keys and no index, on PostgreSQL not even on the primary key, so that writers never wait for each other.
    """

    brand = models.ForeignKey(Brand, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    campaign = models.ForeignKey(
        Campaign, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    quarter = models.IntegerField(help_text="Quarter-hours since 1970-01-01 00:00 UTC.")
    amount = MicrosField()
    recorded_at = models.DateTimeField(db_default=Now(), help_text="When the statement began that appended the row.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.amount} pending"


class DueBrand(models.Model):
    """A dirty flag: from this quarter on the brand's campaigns must be checked, because its totals have changed.

    Folding appends one for each day that it books (campaigns/services/ledger/due_brands.py), due when that day begins:
    spend dated ahead counts when its day comes (R3). Rows are never merged: a check clears just those that it has read.
    """

    brand = models.ForeignKey(Brand, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    due_quarter = models.IntegerField(help_text="Quarter-hours since 1970-01-01 00:00 UTC.")

    class Meta:
        default_permissions = ()
        indexes = (models.Index(fields=("due_quarter",), name="due_brand_due"),)

    def __str__(self) -> str:
        return f"brand {self.brand_id} from quarter {self.due_quarter}"


class CampaignDay(models.Model):
    """A campaign's folded spend of one local day of its brand."""

    pk = models.CompositePrimaryKey("day", "campaign_id")
    campaign = models.ForeignKey(
        Campaign, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="days"
    )
    day = models.DateField()
    spend = MicrosField(default=0)

    class Meta:
        default_permissions = ()
        constraints = (
            models.CheckConstraint(
                name="campaign_day_spend_in_range", condition=Q(spend__range=within(DAY_TOTAL_LIMIT))
            ),
        )

    def __str__(self) -> str:
        return f"{self.day}: {self.spend}"
