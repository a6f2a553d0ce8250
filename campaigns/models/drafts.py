"""Files that wait in the database: web and worker may be on different hosts, and share no disk."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class ImportDraft(models.Model):
    """A file of brands, campaigns or schedules between its preview and its confirmation, for one person."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    data = models.BinaryField()
    shown = models.JSONField(default=dict)
    """By row, a fingerprint of the change that the preview showed."""
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
