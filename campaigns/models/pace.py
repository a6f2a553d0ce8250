"""What a brand usually spends on each weekday, and by how much projections were wrong."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q

from campaigns.models.brand import Brand
from campaigns.models.checks import IsDigits
from campaigns.models.fields import MicrosField
from campaigns.rules.money import from_micros
from campaigns.rules.pace import DAYS_LEFT, HISTORY_DAYS, MAX_DAY, MAX_ERROR, REACHED_DAYS, VOLATILITY_NAMES

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# For each hour from 0 to 24, four digits: the minutes in which a campaign may run from midnight up to then.
OPEN_MINUTES_LENGTH = 100


def _expected() -> MicrosField[Any, Any]:
    return MicrosField(default=0)


class BrandPace(models.Model):
    """The profile of a brand, as of the beginning of a local day. Only refresh_pace() writes it.

    Without a row, or with one of too few days, it's too early to project.
    """

    # No foreign key in the database: it would lock the brand, for which a person's save may be waiting.
    brand = models.OneToOneField(
        Brand, on_delete=models.CASCADE, primary_key=True, db_constraint=False, related_name="+"
    )
    day = models.DateField(help_text="The local day that it was computed for.")
    first_day = models.DateField(null=True, help_text="The brand's first day with spend in the last 8 weeks.")
    days = models.PositiveSmallIntegerField(help_text="The number of days that it is computed from.")
    volatility = models.PositiveSmallIntegerField(help_text="From 0, steady, to 2, volatile.")
    monday = _expected()
    tuesday = _expected()
    wednesday = _expected()
    thursday = _expected()
    friday = _expected()
    saturday = _expected()
    sunday = _expected()
    open_minutes = models.CharField(max_length=OPEN_MINUTES_LENGTH)
    range_low = models.SmallIntegerField(null=True, help_text="Error of the range's lower end, in thousandths.")
    range_high = models.SmallIntegerField(null=True, help_text="Error of the range's upper end, in thousandths.")

    reached_days = models.PositiveSmallIntegerField(
        default=0, help_text=f"On how many of the last {REACHED_DAYS} days the daily budget was reached."
    )

    class Meta:
        default_permissions = ()
        constraints = (
            models.CheckConstraint(
                name="brand_pace_reached_days_in_range", condition=Q(reached_days__range=(0, REACHED_DAYS))
            ),
            models.CheckConstraint(
                name="brand_pace_days_in_range",
                condition=Q(days__range=(0, HISTORY_DAYS), volatility__range=(0, len(VOLATILITY_NAMES) - 1)),
            ),
            models.CheckConstraint(
                name="brand_pace_expected_in_range",
                condition=Q(**{f"{name}__range": (0, from_micros(MAX_DAY)) for name in WEEKDAYS}),
            ),
            models.CheckConstraint(
                name="brand_pace_open_minutes_are_digits",
                condition=Q(IsDigits("open_minutes")) & Q(open_minutes__length=OPEN_MINUTES_LENGTH),
            ),
            models.CheckConstraint(
                name="brand_pace_range_is_in_order",
                condition=Q(range_low__isnull=True, range_high__isnull=True)
                | Q(range_low__isnull=False, range_high__isnull=False)
                & Q(range_low__gte=-1000, range_low__lte=F("range_high"), range_high__lte=MAX_ERROR),
            ),
        )

    def __str__(self) -> str:
        return f"{self.day}"


class PaceError(models.Model):
    """The errors of projections in a closed month, of brands of one class of volatility and with some days left."""

    month = models.DateField()
    volatility = models.PositiveSmallIntegerField()
    days_left = models.PositiveSmallIntegerField(help_text="The class of days left after the day of the projection.")
    errors = models.PositiveIntegerField(help_text="How many projections were compared with what was spent.")
    low = models.SmallIntegerField(help_text="A tenth of the errors are below it, in thousandths.")
    high = models.SmallIntegerField(help_text="A tenth of the errors are above it, in thousandths.")
    held = models.PositiveIntegerField(help_text="How many of them the range held that was shown in that month.")

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("month", "volatility", "days_left"), name="pace_error_unique"),
            models.CheckConstraint(
                name="pace_error_classes_known",
                condition=Q(volatility__range=(0, len(VOLATILITY_NAMES) - 1), days_left__range=(0, len(DAYS_LEFT) - 1)),
            ),
            models.CheckConstraint(
                name="pace_error_range_is_in_order",
                condition=Q(low__gte=-1000, low__lte=F("high"), high__lte=MAX_ERROR, held__lte=F("errors")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"
