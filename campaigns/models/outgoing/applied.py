"""What connectors have applied on the platforms, and what they saw there (R18)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class PlatformStatus(models.TextChoices):
    ACTIVE = "active"
    PAUSED = "paused"


def _status(help_text: str) -> models.CharField[str, str]:
    return models.CharField(max_length=6, choices=PlatformStatus.choices, blank=True, default="", help_text=help_text)


class AppliedStatus(models.Model):
    """The latest acknowledgement of a link, and the two latest sightings of its campaign on the platform.

    Times end in _at by the connector's clock, which may be wrong, and in _received by ours.
    """

    link = models.OneToOneField(
        "campaigns.CampaignLink", primary_key=True, on_delete=models.CASCADE, related_name="applied"
    )
    # The link may be assigned to another campaign afterwards, about which this says nothing.
    for_campaign = models.BigIntegerField(help_text="The ID of the campaign that the link had.")
    applied_status = _status("What was applied; empty before the first acknowledgement.")
    applied_position = models.BigIntegerField(null=True, help_text="The position in the feed that it was applied for.")
    # While no later line pauses the campaign, nobody has to look up the position of this one.
    applied_line = models.BigIntegerField(
        null=True, help_text="The ID of the status change that began the acknowledged pause; empty if it isn't known."
    )
    applied_at = models.DateTimeField(null=True)
    applied_received = models.DateTimeField(null=True)
    problem = models.CharField(
        max_length=500, blank=True, default="", help_text="Why the latest change couldn't be applied; empty if it was."
    )
    problem_received = models.DateTimeField(null=True)
    seen_status = _status("What the platform showed last; empty if it hasn't been reported.")
    seen_at = models.DateTimeField(null=True)
    seen_received = models.DateTimeField(null=True)
    seen_before_status = _status("What the sighting before that was.")
    seen_before_at = models.DateTimeField(null=True)
    seen_before_received = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = (
            models.CheckConstraint(
                condition=Q(applied_status="", applied_position=None, applied_at=None, applied_received=None)
                | Q(
                    applied_status__in=PlatformStatus.values,
                    applied_position__gte=0,
                    applied_at__isnull=False,
                    applied_received__isnull=False,
                ),
                name="applied_status_whole_or_empty",
            ),
            models.CheckConstraint(
                condition=Q(seen_status="", seen_at=None, seen_received=None, seen_before_status="")
                | Q(seen_status__in=PlatformStatus.values, seen_at__isnull=False, seen_received__isnull=False),
                name="applied_seen_whole_or_empty",
            ),
            models.CheckConstraint(
                condition=Q(seen_before_status="", seen_before_at=None, seen_before_received=None)
                | Q(
                    seen_before_status__in=PlatformStatus.values,
                    seen_before_at__isnull=False,
                    seen_before_received__isnull=False,
                    seen_before_at__lt=F("seen_at"),
                    seen_before_received__lte=F("seen_received"),
                ),
                name="applied_seen_in_order",
            ),
        )

    def __str__(self) -> str:
        return f"{self.link_id}: {self.applied_status or 'not acknowledged'}"
