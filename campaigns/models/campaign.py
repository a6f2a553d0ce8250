from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now

from campaigns.models.brand import Brand
from campaigns.models.checks import IsPlainDate, IsPlainTimestamp, IsSwitch, IsText, IsWholeNumber
from campaigns.models.fields import NameKeyField, SavesNameKey, limit_field, limit_in_range
from campaigns.models.spend_queries import CampaignSpend, campaigns_with_spend
from campaigns.rules.reasons import ALL_REASONS, PauseReason

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


# Columns of an existing campaign that only enforcement writes.
COMPUTED = ("pause_reasons", "next_change_minute")
# Columns that a plain save of an existing campaign doesn't write.
KEPT = (*COMPUTED, "name_key")

ENDS_BEFORE_START = "The end date is before the start date. They can be the same day."


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def with_spend(self, now: datetime) -> models.QuerySet[WithAnnotations[Campaign, CampaignSpend]]:
        """Annotate spend_today, and the brand's brand_spend_today and brand_spend_this_month.

        Exact Decimals in the brand's zone at now, folded + pending.
        """
        return campaigns_with_spend(self, now)

    def not_archived(self) -> CampaignQuerySet:
        """Leave out archived campaigns, and those of archived brands."""
        # A subquery instead of a join: it is read once, and the campaigns in whatever order the list has.
        archived = Brand.objects.filter(archived_at__isnull=False).order_by()
        return self.filter(archived_at__isnull=True).exclude(brand__in=archived.values("pk"))

    def archived(self) -> CampaignQuerySet:
        """Keep only archived campaigns, and those of archived brands, found by the indexes of what is archived."""
        own = Campaign.objects.filter(archived_at__isnull=False).order_by()
        of_brands = Campaign.objects.filter(brand__archived_at__isnull=False).order_by()
        return self.filter(pk__in=own.values("pk").union(of_brands.values("pk")))


class Campaign(SavesNameKey):
    """A campaign of a brand. Its status is computed (R1); only people turn it on and off (R5)."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, db_index=False, related_name="campaigns")
    name = models.CharField(max_length=200)
    enabled = models.BooleanField(
        "on",
        default=True,
        db_default=True,
        help_text="Turn off to pause this campaign until someone turns it back on. The system never changes this.",
    )
    daily_spend_limit = limit_field(
        "daily spend limit",
        "The campaign pauses until midnight once today's spend reaches this. Leave empty for no limit; 0 pauses it.",
    )
    starts_on = models.DateField(
        null=True,
        blank=True,
        help_text="First day the campaign can run (brand time). Leave empty to start now.",
    )
    ends_on = models.DateField(
        null=True, blank=True, help_text="Last day the campaign can run (brand time). Leave empty for no end date."
    )
    pause_reasons = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="All current pause reasons, as bit flags; 0 means active.",
    )
    next_change_minute = models.PositiveIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="When the clock can next change the reasons, in minutes since 1970-01-01 00:00 UTC; 0 means at once.",
    )
    status = models.GeneratedField(
        expression=Case(When(pause_reasons=0, then=Value("active")), default=Value("paused")),
        output_field=models.CharField(max_length=6, choices=Status.choices),
        db_persist=True,
    )
    archived_at = models.DateTimeField(
        "archived",
        null=True,
        editable=False,
        help_text="When the campaign was archived; empty if it isn't. An archived campaign is off and hidden from"
        " lists.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    name_key = NameKeyField()

    objects = CampaignQuerySet.as_manager()

    class Meta:
        ordering = ("brand__name", "name")
        indexes = (
            models.Index(fields=("next_change_minute",), name="campaign_next_change"),
            # Campaigns whose key is computed when a name of the brand is looked up.
            models.Index(fields=("brand",), name="campaign_without_name_key", condition=Q(name_key__isnull=True)),
            models.Index(fields=("id",), name="campaign_archived", condition=Q(archived_at__isnull=False)),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("brand", "name"),
                condition=~Q(name=""),  # always true; without it, a rename would lock spend writers out
                name="campaign_name_unique_in_brand",
                violation_error_message="The brand already has a campaign with this name. Choose another name.",
            ),
            models.UniqueConstraint(
                fields=("brand", "name_key"),
                condition=Q(name_key__isnull=False),
                name="campaign_name_key_unique_in_brand",
                violation_error_message="The brand already has a campaign with this name, spelled differently. Choose"
                " another name.",
            ),
            # The target of the ledger's foreign key, and the index on brand.
            models.UniqueConstraint(fields=("brand", "id"), name="campaign_and_brand_referenced_by_spend"),
            models.CheckConstraint(
                name="campaign_has_a_name",
                condition=Q(name__gt=""),
                violation_error_message="Enter a name for the campaign.",
            ),
            models.CheckConstraint(
                name="campaign_name_is_text",
                condition=Q(IsText("name")),
                violation_error_message="The name must be text.",
            ),
            models.CheckConstraint(
                name="campaign_enabled_is_on_or_off",
                condition=Q(IsSwitch("enabled")),
                violation_error_message="A campaign must be on (true, 1) or off (false, 0).",
            ),
            models.CheckConstraint(
                name="campaign_archived_is_off",
                condition=Q(archived_at__isnull=True) | (Q(enabled=False) & Q(IsPlainTimestamp("archived_at"))),
                violation_error_message="An archived campaign is off. Restore the campaign before turning it on.",
            ),
            models.CheckConstraint(
                name="campaign_daily_spend_limit_in_range",
                condition=limit_in_range("daily_spend_limit"),
                violation_error_message="A daily spend limit must be empty, or at least 0 and below 1,000,000,000.",
            ),
            models.CheckConstraint(
                name="campaign_dates_well_formed",
                condition=Q(IsPlainDate("starts_on")) & Q(IsPlainDate("ends_on")),
                violation_error_message="Start and end must be dates like 2026-12-31.",
            ),
            models.CheckConstraint(
                name="campaign_ends_on_or_after_start",
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                violation_error_message=ENDS_BEFORE_START,
            ),
            models.CheckConstraint(
                name="campaign_pause_reasons_known",
                condition=Q(IsWholeNumber("pause_reasons")) & Q(pause_reasons__range=(0, int(ALL_REASONS))),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save the campaign, but never the pause reasons of an existing one: only enforcement writes those (R5, R13).

        As with update_fields, raises DatabaseError if the row is gone.
        """
        is_plain = not (args or kwargs or self._state.adding or self.pk is None or self.get_deferred_fields())
        if update_fields is None and is_plain:
            update_fields = [
                field.name
                for field in self._meta.concrete_fields
                if not field.generated and not field.primary_key and field.name not in KEPT
            ]
            super(SavesNameKey, self).save(update_fields=update_fields)
            return
        super().save(*args, update_fields=update_fields, **kwargs)

    @property
    def reasons(self) -> PauseReason:
        return PauseReason(self.pause_reasons)
