"""Brands assigned to users who see only assigned brands, and requests for a new password."""

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


class PasswordRequest(models.Model):
    """A request for a link to set a password, kept for an hour to limit how many there are."""

    address = models.CharField(max_length=45, help_text="The network address of the request; empty if unknown.")
    email_key = models.CharField(max_length=64, help_text="A keyed hash of the e-mail address, in any letter case.")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.address
