"""Alerts (R19): the rules, what fired, and what the looks at each brand found."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q

from campaigns.models.brand import Brand
from campaigns.models.campaign import Campaign
from campaigns.models.fields import MicrosField

MAX_NOTE = 500


class AlertRule(models.Model):
    """When an alert of a kind fires, and who is told. The kinds are listed in campaigns.services.alerts.kinds."""

    class Delivery(models.TextChoices):
        AT_ONCE = "at_once", "at once"
        DIGEST = "digest", "in the digest"

    kind = models.CharField(max_length=30)
    threshold = models.PositiveIntegerField(
        help_text="Percent, hours or another number, as the kind says; 0 where the kind needs none."
    )
    delivery = models.CharField(
        max_length=10,
        choices=Delivery.choices,
        default=Delivery.AT_ONCE,
        help_text="People can choose a digest, or nothing, for themselves.",
    )
    brands = models.ManyToManyField(
        Brand, blank=True, related_name="+", help_text="Only these brands. Empty: all brands."
    )
    group = models.ForeignKey(
        Group,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Told where nobody is assigned to the brand. Empty: superusers with an e-mail address.",
    )
    enabled = models.BooleanField("on", default=True, db_default=True)

    class Meta:
        verbose_name = "alert rule"
        ordering = ("kind", "threshold", "pk")
        constraints = (
            models.CheckConstraint(
                name="alert_rule_threshold_at_most_100000",
                condition=Q(threshold__range=(0, 100_000)),
                violation_error_message="Enter a whole number from 0 to 100,000.",
            ),
            models.CheckConstraint(name="alert_rule_delivery_known", condition=Q(delivery__in=("at_once", "digest"))),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.threshold}" if self.threshold else self.kind


class Alert(models.Model):
    """A state with an identity: rule, subject, period, threshold, and the amount of the budget. It fires once."""

    class Posted(models.IntegerChoices):
        """What webhooks have been told; it only grows, so nothing is told twice."""

        NOTHING = 0, "nothing"
        FIRED = 1, "that it fired"
        RESOLVED = 2, "that it resolved"

    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, db_index=False, related_name="alerts")
    kind = models.CharField(max_length=30)
    # Whose state it is: "brand 12", "campaign 7", "account meta_ads 123".
    subject = models.CharField(max_length=250)
    # The day, month or instant that it is about; empty for a state that ends by itself only.
    period = models.CharField(max_length=40, blank=True)
    threshold = models.PositiveIntegerField()
    # The amount of the budget; 0 where the kind has none.
    budget = MicrosField(default=0)

    brand = models.ForeignKey(Brand, null=True, on_delete=models.CASCADE, related_name="+")
    campaign = models.ForeignKey(Campaign, null=True, on_delete=models.CASCADE, related_name="+")
    is_bad = models.BooleanField("needs action", default=False)
    # How much and since when, and what follows, in sentences; figures for other systems.
    headline = models.CharField(max_length=400)
    meaning = models.CharField(max_length=500, blank=True)
    figures = models.JSONField(default=dict)

    opened_at = models.DateTimeField("fired at")
    resolved_at = models.DateTimeField(null=True)
    # Whether its messages are written: then it is never sent again, also if it opens again.
    is_routed = models.BooleanField(default=False)
    posted = models.SmallIntegerField(choices=Posted.choices, default=Posted.NOTHING, editable=False)

    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, db_index=False, related_name="+"
    )
    acknowledged_who = models.CharField(max_length=150, blank=True)
    acknowledged_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    note = models.CharField(max_length=MAX_NOTE, blank=True)

    class Meta:
        ordering = ("-is_bad", "-opened_at", "-pk")
        default_permissions = ("view", "change")
        constraints = (
            models.UniqueConstraint(
                fields=("rule", "subject", "period", "threshold", "budget"), name="alert_identity_unique"
            ),
            models.CheckConstraint(
                name="alert_resolved_after_it_fired",
                condition=Q(resolved_at__isnull=True) | Q(resolved_at__gte=F("opened_at")),
            ),
            models.CheckConstraint(name="alert_posted_known", condition=Q(posted__in=(0, 1, 2))),
        )
        indexes = (
            models.Index(fields=("brand", "kind"), name="alert_open", condition=Q(resolved_at__isnull=True)),
            models.Index(fields=("id",), name="alert_to_route", condition=Q(resolved_at__isnull=True, is_routed=False)),
            models.Index(
                fields=("id",),
                name="alert_to_post",
                condition=Q(posted=0) | Q(posted=1, resolved_at__isnull=False),
            ),
            models.Index(fields=("-opened_at",), name="alert_by_time"),
        )

    def __str__(self) -> str:
        return self.headline


class BrandOutlook(models.Model):
    """What the alerts' daily look at a brand found: where its month leads, and its last day beside what was expected.

    Written once a local day by campaigns.services.alerts.days, and only there.
    """

    # No foreign key in the database: it would lock the brand, for which a person's save may be waiting.
    brand = models.OneToOneField(
        Brand, on_delete=models.CASCADE, primary_key=True, db_constraint=False, related_name="+"
    )
    # The local day of the look.
    day = models.DateField()
    # The verdict of the projection, and since which day each look has found the same. Empty in the month's first days.
    verdict = models.CharField(max_length=10, blank=True)
    since = models.DateField()
    projected = MicrosField(null=True)
    budget = MicrosField(null=True)
    # What the profile expects of the day; empty where nothing is expected, or the profile knows no weekdays.
    expected = MicrosField(null=True)
    # Of the day before: what was expected of it then, and what was spent.
    expected_before = MicrosField(null=True)
    spent_before = MicrosField(null=True)
    volatility = models.PositiveSmallIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.day}"


class BrandQuiet(models.Model):
    """For how long a brand has spent nothing, in minutes in which it usually spends. Minutes count from 1970.

    Written once an hour by campaigns.services.alerts.no_spend, and only there.
    """

    brand = models.OneToOneField(
        Brand, on_delete=models.CASCADE, primary_key=True, db_constraint=False, related_name="+"
    )
    # The last look: none follows within the hour, also where accounts are silent.
    looked_minute = models.IntegerField(null=True)
    # Up to when spend was known then, and the month's spend.
    known_minute = models.IntegerField()
    month = models.DateField()
    spend = MicrosField()
    # Up to when spend was known when it last changed, and the usual minutes since.
    since_minute = models.IntegerField()
    minutes = models.PositiveIntegerField(default=0)
    # The usual minutes of the longest stretch without spend that counts as usual; it fades by a
    # quarter on each day with spend.
    longest = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.minutes} minutes without spend"
