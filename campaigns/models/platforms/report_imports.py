"""Imports of platforms' reports, and what each has changed, so that it can be reversed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from campaigns.models.platforms.totals import SpendTotal
from campaigns.rules.money import PLACES
from campaigns.rules.platforms import SOURCES


class ReportImport(models.Model):
    """A report that was imported: from which file, by whom, and what it said."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    who = models.CharField("by", max_length=150)
    name = models.CharField("file", max_length=200)
    # The name of the format at the time of the import.
    format = models.CharField(max_length=100)
    source = models.CharField("platform", max_length=20, choices=list(SOURCES.items()))
    imported_at = models.DateTimeField("imported")
    first_day = models.DateField()
    last_day = models.DateField()
    # The report's money by currency, as texts like 12.34.
    money = models.JSONField(default=dict)
    # Totals that the import has written, and those that were unchanged or older than what was stored.
    written = models.PositiveIntegerField("totals changed", default=0)
    unchanged = models.PositiveIntegerField(default=0)
    reversed_at = models.DateTimeField("reversed", null=True)
    reversed_by = models.CharField(max_length=150, default="", db_default="")

    class Meta:
        verbose_name = "report import"
        ordering = ("-id",)
        default_permissions = ("view",)
        constraints = (
            models.CheckConstraint(name="report_import_source_known", condition=Q(source__in=list(SOURCES))),
            models.CheckConstraint(
                name="report_import_reversed_by_somebody",
                condition=Q(reversed_at__isnull=True, reversed_by="")
                | Q(reversed_at__isnull=False) & ~Q(reversed_by=""),
            ),
        )

    def __str__(self) -> str:
        return self.name


class RestatedTotal(models.Model):
    """A total that an import has written: the figure before, empty if it was new, and the one that it reported."""

    report = models.ForeignKey(ReportImport, on_delete=models.CASCADE, db_index=False, related_name="restated")
    # Without a constraint: who deletes a total doesn't wait for its imports.
    total = models.ForeignKey(SpendTotal, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    before = models.DecimalField(max_digits=18, decimal_places=PLACES, null=True)
    before_as_of = models.DateTimeField(null=True)
    after = models.DecimalField(max_digits=18, decimal_places=PLACES)
    after_as_of = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("report", "total"), name="restated_total_unique"),)

    def __str__(self) -> str:
        return f"{self.before} to {self.after}"
