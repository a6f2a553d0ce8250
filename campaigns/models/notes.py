"""Notes of people on brands and campaigns."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Length, Now

from campaigns.models.brand import Brand
from campaigns.models.campaign import Campaign

MAX_NOTE = 2_000

models.TextField.register_lookup(Length)


class Note(models.Model):
    """A note on a brand, or on one of its campaigns: plain text, never edited. Its author may delete it."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, db_index=False, related_name="+")
    campaign = models.ForeignKey(Campaign, null=True, on_delete=models.CASCADE, db_index=False, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    who = models.CharField("by", max_length=150, help_text="The author's username, kept when the user is deleted.")
    at = models.DateTimeField("written at", db_default=Now())
    text = models.TextField()

    class Meta:
        ordering = ("-id",)
        default_permissions = ()
        indexes = (
            models.Index(fields=("brand", "id"), name="note_of_brand"),
            models.Index(fields=("campaign", "id"), name="note_of_campaign"),
        )
        constraints = (
            models.CheckConstraint(
                name="note_text_has_1_to_2000_characters",
                condition=models.Q(text__length__range=(1, MAX_NOTE)),
                violation_error_message=f"A note has 1 to {MAX_NOTE:,} characters.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.who}: {self.text[:50]}"
