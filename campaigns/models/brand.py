from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Length, Now

from campaigns.models.checks import IsPlainTimestamp, IsSwitch, IsText
from campaigns.models.fields import NameKeyField, SavesNameKey, limit_field, limit_in_range
from campaigns.models.pace_queries import BrandWithPace, brands_with_pace
from campaigns.models.spend_queries import BrandSpend, brands_with_spend
from campaigns.rules.currencies import find_currency, unknown_currency
from campaigns.rules.periods import EARLIEST, LATEST, find_zone
from campaigns.rules.zones import unknown_zone

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def validate_zone(name: str) -> None:
    if find_zone(name) is None:
        raise ValidationError(unknown_zone(name), code="unknown_zone")


def validate_currency(code: str) -> None:
    if find_currency(code) != code:
        raise ValidationError(unknown_currency(code), code="unknown_currency")


models.CharField.register_lookup(Length)


def default_zone() -> str:
    return settings.TIME_ZONE


class BrandQuerySet(models.QuerySet["Brand"]):
    def with_spend(self, now: datetime) -> models.QuerySet[WithAnnotations[Brand, BrandSpend]]:
        """Annotate spend_today and spend_this_month: exact Decimals in each brand's zone at now, folded + pending."""
        return brands_with_spend(self, now)

    def with_pace(self, now: datetime) -> models.QuerySet[WithAnnotations[Brand, BrandWithPace]]:
        """Annotate spend, pace and the projection of the month; see BrandWithPace."""
        return brands_with_pace(self, now)

    def not_archived(self) -> BrandQuerySet:
        return self.filter(archived_at__isnull=True)

    def archived(self) -> BrandQuerySet:
        return self.filter(archived_at__isnull=False)


class Brand(SavesNameKey):
    """An advertiser, whose budgets apply to all its campaigns together."""

    name = models.CharField(max_length=200)
    enabled = models.BooleanField(
        "on",
        default=True,
        db_default=True,
        help_text="Turn off to pause all campaigns of this brand. Only people change this; it is never switched"
        " automatically.",
    )
    currency = models.CharField(
        max_length=3,
        default="USD",
        db_default="USD",
        validators=[validate_currency],
        help_text="An ISO 4217 code like EUR. All amounts of this brand are in this currency.",
    )
    timezone = models.CharField(
        "time zone",
        max_length=64,
        default=default_zone,
        db_default="UTC",
        validators=[validate_zone],
        help_text="Days, months and ad schedules follow this time zone.",
    )
    daily_budget = limit_field(
        "daily budget",
        "All campaigns of the brand pause until midnight once today's spend reaches this. Leave empty for no limit; 0"
        " pauses them at once.",
    )
    monthly_budget = limit_field(
        "monthly budget",
        "All campaigns of the brand pause until the 1st once this month's spend reaches this. Leave empty for no"
        " limit; 0 pauses them at once.",
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who looks after the brand; gives no access by itself.",
    )
    archived_at = models.DateTimeField(
        "archived",
        null=True,
        editable=False,
        help_text="When the brand was archived; empty if it isn't. An archived brand is paused and hidden from lists.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    name_key = NameKeyField()

    objects = BrandQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        indexes = (
            # Brands whose key is computed when a name is looked up.
            models.Index(fields=("id",), name="brand_without_name_key", condition=models.Q(name_key__isnull=True)),
            # The few archived brands, whose campaigns lists leave out.
            models.Index(fields=("id",), name="brand_archived", condition=models.Q(archived_at__isnull=False)),
        )
        constraints = (
            # The condition is always true; without it, this would be a key, and a rename would block folds.
            models.UniqueConstraint(
                fields=("name",),
                condition=~models.Q(name=""),
                name="brand_name_unique",
                violation_error_message="Another brand already has this name. Choose another name.",
            ),
            models.UniqueConstraint(
                fields=("name_key",),
                condition=models.Q(name_key__isnull=False),
                name="brand_name_key_unique",
                violation_error_message="Another brand already has this name, spelled differently. Choose another"
                " name.",
            ),
            models.CheckConstraint(
                name="brand_has_a_name",
                condition=models.Q(name__gt=""),
                violation_error_message="Enter a name for the brand.",
            ),
            models.CheckConstraint(
                name="brand_name_currency_and_timezone_are_text",
                condition=models.Q(IsText("name")) & models.Q(IsText("currency")) & models.Q(IsText("timezone")),
                violation_error_message="Name, currency and time zone must be text.",
            ),
            models.CheckConstraint(
                name="brand_enabled_is_on_or_off",
                condition=models.Q(IsSwitch("enabled")),
                violation_error_message="A brand must be on (true, 1) or paused (false, 0).",
            ),
            models.CheckConstraint(
                name="brand_archived_is_paused",
                condition=models.Q(archived_at__isnull=True)
                | (models.Q(enabled=False) & models.Q(IsPlainTimestamp("archived_at"))),
                violation_error_message="An archived brand is paused. Restore the brand before resuming it.",
            ),
            models.CheckConstraint(
                name="brand_currency_has_three_letters",
                condition=models.Q(currency__length=3),
                violation_error_message="A currency must have three letters, like EUR.",
            ),
            models.CheckConstraint(
                name="brand_created_between_2012_and_2100",
                condition=models.Q(IsPlainTimestamp("created_at"))
                & models.Q(created_at__gte=EARLIEST, created_at__lt=LATEST),
                violation_error_message="The creation time must be between 2012 and 2100.",
            ),
            models.CheckConstraint(
                name="brand_daily_budget_in_range",
                condition=limit_in_range("daily_budget"),
                violation_error_message="A daily budget must be empty, or at least 0 and below 1,000,000,000.",
            ),
            models.CheckConstraint(
                name="brand_monthly_budget_in_range",
                condition=limit_in_range("monthly_budget"),
                violation_error_message="A monthly budget must be empty, or at least 0 and below 1,000,000,000.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class BrandAssignment(models.Model):
    """A brand that a user may see; it matters only for users with the permission below."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")

    class Meta:
        verbose_name = "assigned brand"
        default_permissions = ()
        permissions = (("only_assigned_brands", "Sees only assigned brands"),)
        constraints = (
            models.UniqueConstraint(
                fields=("user", "brand"),
                name="brand_assignment_unique",
                violation_error_message="This user already has access to this brand.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.brand} for {self.user}"
