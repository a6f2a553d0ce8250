"""Change history of statuses, the last run of each job, and heartbeats of processes."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from campaigns.models.campaign import Campaign
from campaigns.models.fields import MicrosField
from campaigns.rules.reasons import describe


class StatusChange(models.Model):
    """An entry of the change history (R13): written in the change's transaction, never edited (trigger)."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, db_index=False, related_name="status_changes")
    at = models.DateTimeField("decided for", help_text="The time for which the status was computed.")
    recorded_at = models.DateTimeField("written at", db_default=Now(), help_text="When the entry was written.")
    reasons_before = models.PositiveSmallIntegerField()
    reasons_after = models.PositiveSmallIntegerField()
    actor = models.CharField("by", max_length=200, help_text="The person or job that made the change.")
    campaign_spend = MicrosField("campaign's spend of the day")
    campaign_limit = MicrosField("daily spend limit", null=True)
    brand_day_spend = MicrosField("brand's spend of the day")
    brand_daily_budget = MicrosField("daily budget", null=True)
    brand_month_spend = MicrosField("brand's spend of the month")
    brand_monthly_budget = MicrosField("monthly budget", null=True)
    # Neither index nor constraint: a batch knows its lines' range of ids, and lines stay when their batch is pruned.
    batch = models.ForeignKey(
        "campaigns.FeedBatch",
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )

    class Meta:
        ordering = ("-id",)
        default_permissions = ("view",)
        # Finds a campaign's latest entries quickly, however long the history is.
        indexes = (models.Index(fields=("campaign", "id"), name="status_change_of_campaign"),)

    def __str__(self) -> str:
        return f"{describe(self.reasons_before)} → {describe(self.reasons_after)}"


class JobRun(models.Model):
    """The last run of a job. Health uses the last success: a worker can answer pings and run no tasks."""

    name = models.CharField(max_length=100, primary_key=True)
    started_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    summary = models.TextField(blank=True, default="", help_text="What the last successful run did.")
    problem = models.TextField(blank=True, default="", help_text="What failed, and what to do about it.")

    class Meta:
        verbose_name = "job"
        ordering = ("name",)
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.name


class CheckShard(models.Model):
    """A shard of a full check; the worker that runs it marks it as finished here."""

    check_id = models.UUIDField(help_text="The check that the shard belongs to.")
    job = models.CharField(max_length=100, help_text="The job that runs the check.")
    number = models.PositiveSmallIntegerField(
        help_text="From 0 on: the shard has the brands whose id leaves this remainder."
    )
    of = models.PositiveSmallIntegerField(help_text="How many shards the check has.")
    begun_at = models.DateTimeField(help_text="When the check started.")
    finished_at = models.DateTimeField(null=True, help_text="When the shard was finished; empty while it isn't.")
    changed = models.PositiveIntegerField(default=0)
    paused = models.PositiveIntegerField(default=0)
    resumed = models.PositiveIntegerField(default=0)
    # What the check did with reported totals before its shards began; on its first shard.
    booked = models.PositiveIntegerField(default=0)
    failed_totals = models.PositiveIntegerField(default=0)
    booking_error = models.TextField(default="")

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("check_id", "number"), name="check_shard_unique"),)

    def __str__(self) -> str:
        return f"{self.number} of {self.of}"


class JobZone(models.Model):
    """The TIME_ZONE with which the crontab of a reset was created. If it has another one now, staff chose it."""

    task = models.CharField(max_length=200, primary_key=True)
    timezone = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.task} in {self.timezone}"


class Heartbeat(models.Model):
    """When a process was last seen: a worker by its broker, beat by its schedule.

    Times are of the database's clock; seconds_ahead says how far the process's own clock is ahead of it.
    """

    class Kind(models.TextChoices):
        BEAT = "beat"
        WORKER = "worker"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=255, help_text="The host that it runs on.")
    seen_at = models.DateTimeField()
    seconds_ahead = models.FloatField(null=True)

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("kind", "name"), name="heartbeat_unique"),)

    def __str__(self) -> str:
        return f"{self.kind} on {self.name}"
