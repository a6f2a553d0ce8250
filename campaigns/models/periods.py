"""A brand's days and months, and the time zones of its accounting periods."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db import models
from django.db.models import Q

from campaigns.models.brand import Brand
from campaigns.models.fields import MicrosField, within
from campaigns.rules.money import DAY_TOTAL_LIMIT, MONTH_TOTAL_LIMIT


class BrandPeriod(models.Model):
    """A day or month of a brand: its folded spend and, once it is closed, its final figures.

    Closing stores the spend at that moment and the budget in force. Rows that arrive later change the spend, and show
    as an adjustment.
    """

    class Kind(models.TextChoices):
        DAY = "day"
        MONTH = "month"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, db_index=False, related_name="periods")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    starts_on = models.DateField("period", help_text="The day, or the first day of the month, in the brand's zone.")
    spend = MicrosField(default=0, help_text="Spend recorded for the period up to the last fold.")
    closed_at = models.DateTimeField(null=True, help_text="When the period was closed; empty while it is open.")
    spend_at_close = MicrosField(null=True, help_text="Spend at the moment of closing.")
    budget_at_close = MicrosField(
        "budget", null=True, help_text="The budget at the moment of closing; empty means no limit."
    )

    reported_until = models.DateTimeField(
        null=True,
        help_text="Up to when all of the brand's platform accounts had reported at the moment of closing.",
    )

    class Meta:
        verbose_name = "statement"
        ordering = ("-starts_on", "kind", "brand")
        default_permissions = ("view",)
        constraints = (
            models.UniqueConstraint(fields=("starts_on", "kind", "brand"), name="brand_period_unique"),
            models.CheckConstraint(name="brand_period_kind_known", condition=Q(kind__in=["day", "month"])),
            models.CheckConstraint(
                name="brand_period_spend_in_range",
                condition=Q(kind="day", spend__range=within(DAY_TOTAL_LIMIT))
                | Q(kind="month", spend__range=within(MONTH_TOTAL_LIMIT)),
            ),
            models.CheckConstraint(
                name="brand_period_closed_with_spend",
                condition=Q(closed_at__isnull=True) | Q(spend_at_close__isnull=False),
            ),
        )
        indexes = (
            models.Index(fields=("brand", "kind", "starts_on"), name="brand_period_of_brand"),
            models.Index(
                fields=("brand", "kind", "starts_on"), name="brand_period_open", condition=Q(closed_at__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"{self.starts_on:%Y-%m}" if self.kind == self.Kind.MONTH else f"{self.starts_on}"

    @property
    def overspend(self) -> Decimal | None:
        """Spend above the budget at closing; None while the period is open, or if there was no limit."""
        if self.closed_at is None or self.budget_at_close is None:
            return None
        return max(self.spend - self.budget_at_close, Decimal(0))

    @property
    def adjustment(self) -> Decimal | None:
        """Spend that arrived after closing; None while the period is open."""
        return None if self.spend_at_close is None else self.spend - self.spend_at_close


FIRST_PERIOD = date(1, 1, 1)
LAST_PERIOD = date(9999, 12, 1)


class AccountingTimeZone(models.Model):
    """The time zone of a brand's days, or of its months: for the periods from first up to, not including, until.

    A trigger gives each new brand one row for all days and one for all months. When the brand's time zone changes,
    these end where the open periods begin, and new rows continue from there (R15): closed periods keep their zone.
    """

    brand = models.ForeignKey(Brand, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    kind = models.CharField(max_length=5, choices=BrandPeriod.Kind.choices)
    timezone = models.CharField(max_length=64)
    first = models.DateField(db_default=FIRST_PERIOD)
    until = models.DateField(db_default=LAST_PERIOD)
    opened = models.DateField(null=True, help_text="The period in which the brand was created.")
    closed_before = models.DateField(null=True, help_text="All periods before this one are closed.")

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("brand", "kind", "first"), name="accounting_time_zone_unique"),
            models.CheckConstraint(name="accounting_time_zone_kind_known", condition=Q(kind__in=["day", "month"])),
        )

    def __str__(self) -> str:
        return f"{self.kind}s in {self.timezone} from {self.first}"
