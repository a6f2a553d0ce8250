"""Uploaded files, stored in the database: web and worker may run on hosts that share no disk."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class SpendUpload(models.Model):
    """An uploaded spend file in parts, its progress and its result. The parts are deleted when the import is over.

    Files imported with import_spend are listed too, without user and parts.
    """

    class State(models.TextChoices):
        # The file is being read for its preview.
        CHECKING = "checking"
        # The preview is ready and has to be confirmed.
        READY = "ready", "to confirm"
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    who = models.CharField("by", max_length=150)
    name = models.CharField("file", max_length=200)
    size = models.PositiveBigIntegerField(help_text="In bytes.")
    create_missing = models.BooleanField(default=False)
    skip_errors = models.BooleanField(default=False)
    # For times without an offset; empty means each brand's time zone.
    timezone = models.CharField("time zone", max_length=64, blank=True)
    # A DecimalMark, as chosen by the user.
    decimal = models.CharField("decimal separator", max_length=20, default="unknown", db_default="unknown")
    # Hash of the file in hexadecimal digits, to recognise repeated uploads. Empty if unknown.
    sha256 = models.CharField(max_length=64, default="", db_default="")
    # What the file would import (see campaigns.services.intake.preview).
    preview = models.JSONField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField("uploaded")
    started_at = models.DateTimeField("started", null=True)
    ended_at = models.DateTimeField("ended", null=True)
    # When the run last reported progress.
    seen_at = models.DateTimeField(null=True)
    # The id of the message that started the run. If it is delivered again, its worker was lost.
    task_id = models.CharField(max_length=64, default="")
    # The number of the run; a run writes only while the upload has its number.
    attempt = models.PositiveSmallIntegerField(default=0)
    bytes_done = models.PositiveBigIntegerField(default=0)
    # Lines up to here are committed; a resumed run skips them.
    lines_done = models.PositiveBigIntegerField(default=0)
    imported = models.PositiveBigIntegerField(default=0)
    repeated = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    without_external_id = models.PositiveBigIntegerField(default=0)
    created_brands = models.PositiveBigIntegerField(default=0)
    created_campaigns = models.PositiveBigIntegerField(default=0)
    without_spend = models.PositiveBigIntegerField(default=0, db_default=0)
    # Total rows and the lines after them.
    notes = models.PositiveBigIntegerField(default=0, db_default=0)
    rounded = models.PositiveBigIntegerField(default=0, db_default=0)
    # Why the import failed.
    problem = models.TextField(default="")
    # The first refused lines, one per line.
    refusals = models.TextField(default="")
    # When and by whom the import was reversed.
    reversed_at = models.DateTimeField("reversed", null=True)
    reversed_by = models.CharField(max_length=150, default="", db_default="")

    class Meta:
        verbose_name = "spend import"
        ordering = ("-id",)
        default_permissions = ("add", "view")
        indexes = (models.Index(fields=("sha256",), name="spend_upload_sha256"),)
        constraints = (
            models.CheckConstraint(
                name="spend_upload_reversed_by_somebody",
                condition=models.Q(reversed_at__isnull=True, reversed_by="")
                | models.Q(reversed_at__isnull=False) & ~models.Q(reversed_by=""),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_over(self) -> bool:
        return self.state in (self.State.DONE, self.State.FAILED, self.State.CANCELLED)


class ImportedRecords(models.Model):
    """Spend records that an import has written: a range of ids, the last included. So it can be reversed."""

    upload = models.ForeignKey(SpendUpload, on_delete=models.CASCADE, db_index=False, related_name="+")
    first = models.PositiveBigIntegerField()
    last = models.PositiveBigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("upload", "first"), name="imported_records_unique"),
            models.CheckConstraint(
                name="imported_records_first_to_last", condition=models.Q(last__gte=models.F("first"))
            ),
        )

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


class SpendUploadPart(models.Model):
    """A piece of an uploaded file, in order of its number."""

    upload = models.ForeignKey(SpendUpload, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("upload", "number"), name="spend_upload_part_unique"),)

    def __str__(self) -> str:
        return f"part {self.number}"


class ImportDraft(models.Model):
    """A file of brands, campaigns or schedules between preview and confirmation, for one user."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    data = models.BinaryField()
    # The fingerprint of each row's change that the preview showed.
    shown = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
