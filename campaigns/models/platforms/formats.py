"""What is known about the reports with the same headings, so that the next one asks nothing."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from campaigns.rules.platforms import LONGEST_ID, SOURCES


class FileFormat(models.Model):
    """The columns of reports with the same headings, and how their days and amounts are written.

    columns are positions by what they hold (see campaigns.services.platform_files.headings.Role).
    """

    name = models.CharField(max_length=100, help_text="For import_spend --format.")
    # The hash of the headings in their order, as hexadecimal digits.
    signature = models.CharField(max_length=64, editable=False)
    headings = models.JSONField(default=list, editable=False)
    columns = models.JSONField(default=dict, editable=False)
    # A DateOrder and a DecimalMark.
    order = models.CharField("order of dates", max_length=3, blank=True, default="", db_default="")
    decimal = models.CharField("decimal separator", max_length=20, blank=True, default="", db_default="")
    # A Parentheses: what amounts in parentheses are, where the files leave it open.
    parentheses = models.CharField(max_length=10, blank=True, default="", db_default="", editable=False)
    # Whether a person has said that rows of a start date are single days.
    is_daily = models.BooleanField("one day per row", default=False, db_default=False)
    source = models.CharField("platform", max_length=20, choices=list(SOURCES.items()))
    # The account of files that don't name one.
    account = models.CharField("account ID", max_length=LONGEST_ID, blank=True, default="", db_default="")
    currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    who = models.CharField("by", max_length=150, default="", db_default="", editable=False)
    used_at = models.DateTimeField("last used", editable=False)

    class Meta:
        verbose_name = "report format"
        ordering = ("name",)
        default_permissions = ("view", "change", "delete")
        constraints = (
            models.UniqueConstraint(
                fields=("name",), name="file_format_name_unique", violation_error_message="This name is taken."
            ),
            models.UniqueConstraint(fields=("signature",), name="file_format_signature_unique"),
            models.CheckConstraint(name="file_format_source_known", condition=Q(source__in=list(SOURCES))),
            models.CheckConstraint(name="file_format_has_a_name", condition=~Q(name="")),
        )

    def __str__(self) -> str:
        return self.name
