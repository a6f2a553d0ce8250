"""E-mails about alerts (R19): what each person chose, and the messages that were written for them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from campaigns.models.outgoing.alerts import Alert


class AlertPreference(models.Model):
    """What one person chose; without a row, everything at once and the rest in a daily digest."""

    class Frequency(models.TextChoices):
        AT_ONCE = "at_once", "At once, and a daily digest of the rest"
        DAILY = "daily", "One digest a day"
        WEEKLY = "weekly", "One digest a week, on Mondays"
        NEVER = "never", "No e-mails"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    frequency = models.CharField("e-mails", max_length=10, choices=Frequency.choices, default=Frequency.AT_ONCE)
    timezone = models.CharField("time zone", max_length=64, default="UTC")
    digest_hour = models.PositiveSmallIntegerField("digest at", default=8)
    # Hours from 0 to 23 of the person's zone; the same twice: no quiet hours.
    quiet_from = models.PositiveSmallIntegerField(default=0)
    quiet_until = models.PositiveSmallIntegerField(default=0)
    # The person's local date of the last digest, also where there was nothing to write.
    digested_on = models.DateField(null=True, editable=False)
    # When that was: status changes are counted from there on, each once.
    digested_at = models.DateTimeField(null=True, editable=False)
    reminders = models.BooleanField(
        "remind me daily",
        default=False,
        db_default=False,
        help_text="At the hour of the digest, of open alerts that nobody has acknowledged or snoozed.",
    )
    # The person's local date of the last reminder, also where there was nothing to write.
    reminded_on = models.DateField(null=True, editable=False)

    class Meta:
        default_permissions = ()
        constraints = (
            models.CheckConstraint(
                name="alert_preference_hours_0_to_23",
                condition=Q(digest_hour__range=(0, 23), quiet_from__range=(0, 23), quiet_until__range=(0, 23)),
            ),
            models.CheckConstraint(
                name="alert_preference_frequency_known",
                condition=Q(frequency__in=("at_once", "daily", "weekly", "never")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.user}: {self.get_frequency_display()}"


class AlertEmail(models.Model):
    """An e-mail about alerts, as it is sent. Written with what it tells in one transaction, sent afterwards."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting to be sent"
        SENT = "sent", "sent"
        LOCAL = "local", "kept here: no mail server is set up"
        FAILED = "failed", "not sent"

    # The problem of one that a worker has taken and not finished.
    SENDING = "It is being sent."

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # Where the person had no address, empty.
    address = models.CharField("to", max_length=254, blank=True)
    # Of a digest: the person's local date; once a person and date.
    digest_day = models.DateField(null=True)
    # The same of a reminder.
    reminder_day = models.DateField(null=True)
    # Stays the same in every attempt, so that a repeated delivery is recognized.
    message_id = models.CharField(max_length=200, unique=True)
    subject = models.CharField(max_length=250)
    text = models.TextField()
    html = models.TextField()
    written_at = models.DateTimeField("written at", db_default=Now())
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    # No other worker takes it before.
    next_attempt_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = "alert e-mail"
        ordering = ("-pk",)
        default_permissions = ("view",)
        constraints = (
            models.UniqueConstraint(fields=("person", "digest_day"), name="alert_digest_once_a_day"),
            models.UniqueConstraint(fields=("person", "reminder_day"), name="alert_reminder_once_a_day"),
            models.CheckConstraint(
                name="alert_email_state_known", condition=Q(state__in=("waiting", "sent", "local", "failed"))
            ),
        )
        indexes = (models.Index(fields=("next_attempt_at",), name="alert_email_to_send", condition=Q(state="waiting")),)

    def __str__(self) -> str:
        return self.subject


class AlertMessage(models.Model):
    """The one message of an alert to a person. Without an e-mail, it waits to be written."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, db_index=False, related_name="messages")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # After the person's quiet hours.
    due_at = models.DateTimeField()
    email = models.ForeignKey(AlertEmail, null=True, on_delete=models.SET_NULL, related_name="messages")
    # Whether it is settled: in an e-mail, or dropped, because the alert had resolved, the person's rights had ended, or
    # `manage.py watch` has notified the person.
    is_settled = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("alert", "person"), name="alert_message_once_a_person"),)
        indexes = (models.Index(fields=("due_at",), name="alert_message_to_write", condition=Q(is_settled=False)),)

    def __str__(self) -> str:
        return f"alert {self.alert_id} for {self.person_id}"
