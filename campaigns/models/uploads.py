"""Files of spend that wait for a worker, in parts: web and worker may be on different hosts, and share no disk."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class SpendUpload(models.Model):
    """A file of spend that somebody uploaded, and what became of it. Its parts go when it is over.

    Files that import_spend imported are listed too: they have no user and no parts.
    """

    class State(models.TextChoices):
        CHECKING = "checking"
        """It is being read for its preview."""
        READY = "ready", "to confirm"
        """Its preview is there, and somebody has to confirm it."""
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
    timezone = models.CharField("time zone", max_length=64, blank=True)
    """Of times without an offset; empty for the time zone of each brand."""
    decimal = models.CharField("decimal separator", max_length=20, default="unknown", db_default="unknown")
    """A DecimalMark: what the person said of the file."""
    sha256 = models.CharField(max_length=64, default="", db_default="")
    """Of the file's bytes, in hexadecimal digits: the same file may come again. Empty where it is unknown."""
    preview = models.JSONField(null=True)
    """What the file would import, as campaigns.services.intake.preview found it."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField("uploaded")
    started_at = models.DateTimeField("started", null=True)
    ended_at = models.DateTimeField("ended", null=True)
    seen_at = models.DateTimeField(null=True)
    """When the run last told of itself."""
    task_id = models.CharField(max_length=64, default="")
    """Of the message whose run it is: the same one again means that its worker was lost."""
    attempt = models.PositiveSmallIntegerField(default=0)
    """Each run has its own number, and writes only as long as the upload has it."""
    bytes_done = models.PositiveBigIntegerField(default=0)
    lines_done = models.PositiveBigIntegerField(default=0)
    """Lines up to here are imported for good; a run that is taken up again passes over them."""
    imported = models.PositiveBigIntegerField(default=0)
    repeated = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    without_external_id = models.PositiveBigIntegerField(default=0)
    created_brands = models.PositiveBigIntegerField(default=0)
    created_campaigns = models.PositiveBigIntegerField(default=0)
    without_spend = models.PositiveBigIntegerField(default=0, db_default=0)
    notes = models.PositiveBigIntegerField(default=0, db_default=0)
    """Totals and the lines after them."""
    rounded = models.PositiveBigIntegerField(default=0, db_default=0)
    problem = models.TextField(default="")
    """Why it failed, in a sentence."""
    refusals = models.TextField(default="")
    """The first refused lines, one a line."""

    class Meta:
        verbose_name = "spend import"
        ordering = ("-id",)
        default_permissions = ("add", "view")
        indexes = (models.Index(fields=("sha256",), name="spend_upload_sha256"),)

    def __str__(self) -> str:
        return self.name

    @property
    def is_over(self) -> bool:
        return self.state in (self.State.DONE, self.State.FAILED, self.State.CANCELLED)


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
