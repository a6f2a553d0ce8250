"""Which brands are given to whom, for staff who see only those."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from campaigns.models.brand import Brand


class GivenBrand(models.Model):
    """A brand that a person sees. It matters only for those whose group says that they see no others."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")

    class Meta:
        verbose_name = "given brand"
        default_permissions = ()
        permissions = (("only_given_brands", "Sees only the brands that are given to the person"),)
        constraints = (
            models.UniqueConstraint(
                fields=("user", "brand"),
                name="given_brand_unique",
                violation_error_message="The person has been given this brand already.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.brand} for {self.user}"
