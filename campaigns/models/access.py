"""Brands assigned to users who see only assigned brands."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from campaigns.models.brand import Brand


class BrandAssignment(models.Model):
    """A brand that a user may see; it matters only for users with the permission below."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")

    class Meta:
        verbose_name = "assigned brand"
        default_permissions = ()
        permissions = (("only_assigned_brands", "Sees only assigned brands"),)
        constraints = (
            models.UniqueConstraint(
                fields=("user", "brand"),
                name="brand_assignment_unique",
                violation_error_message="This user already has access to this brand.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.brand} for {self.user}"
