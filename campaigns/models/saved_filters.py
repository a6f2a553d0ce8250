"""Lists as people filtered them, saved under a name."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class SavedFilter(models.Model):
    """The query string of a list, for one person, or shared with the team."""

    class List(models.TextChoices):
        BRANDS = "brand"
        CAMPAIGNS = "campaign"
        HISTORY = "statuschange"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, related_name="+")
    # The name of the list's model.
    list = models.CharField(max_length=20, choices=List.choices)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1_000)
    is_shared = models.BooleanField("shared with the team", default=False)

    class Meta:
        ordering = ("name",)
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(
                fields=("user", "list", "name"),
                name="saved_filter_unique",
                violation_error_message="You already have a saved filter of this name.",
            ),
        )

    def __str__(self) -> str:
        return self.name
