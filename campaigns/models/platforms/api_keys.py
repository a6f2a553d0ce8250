"""Keys of the HTTP API."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from campaigns.models.brand import Brand


class Scope(models.TextChoices):
    """What a key of the HTTP API may do."""

    SPEND_WRITE = "spend:write", "Send spend records"
    TOTALS_WRITE = "totals:write", "Send reported totals"
    STATUS_READ = "status:read", "Read campaigns and statuses"
    STATUS_ACK = "status:ack", "Confirm applied changes"
    BUDGET_READ = "budget:read", "Read brands and budgets"


class ApiKey(models.Model):
    """A key of the HTTP API. Only a hash of its secret is stored; the key itself is shown once, when it is made."""

    name = models.CharField(max_length=60, help_text="What uses the key, such as “Airbyte, production”.")
    public_id = models.CharField("ID", max_length=12, help_text="The second part of the key, which isn't secret.")
    secret_sha256 = models.CharField(max_length=64)
    # Separated by spaces, in the order of Scope.
    scopes = models.CharField(max_length=200)
    # Explicit, because a key whose only brand is deleted must not see all others.
    all_brands = models.BooleanField(default=True)
    created_at = models.DateTimeField("created", db_default=Now())
    created_by = models.CharField(max_length=150)
    expires_at = models.DateTimeField("expires", null=True, blank=True)
    # To the minute.
    last_used_at = models.DateTimeField("last used", null=True)
    revoked_at = models.DateTimeField("revoked", null=True)
    revoked_by = models.CharField(max_length=150, blank=True, default="", db_default="")

    class Meta:
        verbose_name = "API key"
        ordering = ("-id",)
        default_permissions = ()  # superusers only
        constraints = (
            models.UniqueConstraint(fields=("public_id",), name="api_key_public_id_unique"),
            models.CheckConstraint(
                name="api_key_has_a_name_an_id_and_a_hash",
                condition=~Q(name="") & Q(public_id__length=12) & Q(secret_sha256__length=64),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def is_valid_at(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class ApiKeyBrand(models.Model):
    """A brand that is given to a key; it matters only for keys without all brands."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="given_brands")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("key", "brand"), name="api_key_brand_unique"),)

    def __str__(self) -> str:
        return f"{self.brand} for {self.key}"


class ApiKeyRequests(models.Model):
    """How many requests a key has made in the minute of its latest one."""

    # No foreign key: a count of a key that is gone says nothing.
    key = models.OneToOneField(
        ApiKey, primary_key=True, on_delete=models.CASCADE, db_constraint=False, related_name="+"
    )
    minute = models.BigIntegerField(help_text="Minutes since 1970-01-01 00:00 UTC.")
    requests = models.IntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.requests} requests"


def joined_scopes(scopes: Collection[str]) -> str:
    """Return the scopes as ApiKey holds them."""
    return " ".join(scope for scope in Scope.values if scope in scopes)
