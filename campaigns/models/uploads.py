"""Files of spend that wait for a worker, in parts: web and worker may be on different hosts, and share no disk."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class SpendUpload(models.Model):
    """A file of spend that somebody uploaded, and what became of it. Its parts go when it is done or has failed."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    who = models.CharField("by", max_length=150)
    name = models.CharField("file", max_length=200)
    size = models.PositiveBigIntegerField(help_text="In bytes.")
    create_missing = models.BooleanField(default=False)
    skip_errors = models.BooleanField(default=False)
    timezone = models.CharField("time zone", max_length=64)
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
    problem = models.TextField(default="")
    """Why it failed, in a sentence."""
    refusals = models.TextField(default="")
    """The first refused lines, one a line."""

    class Meta:
        verbose_name = "spend import"
        ordering = ("-id",)
        default_permissions = ("add", "view")

    def __str__(self) -> str:
        return self.name

    @property
    def is_over(self) -> bool:
        return self.state in (self.State.DONE, self.State.FAILED)


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
