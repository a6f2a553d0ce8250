"""What goes out: endpoints of receivers, messages in the outbox, and their deliveries with each attempt.

A message is written in the transaction of the change that it reports, and sent afterwards. Alerts use the same outbox:
their deliveries go to an endpoint, or to a user by e-mail.
"""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models.functions import Length, Now

SECRET_PREFIX = "whsec_"  # noqa: S105  # as Standard Webhooks writes secrets
# Named here, because this folder can't import its parent.
BRAND = "campaigns.Brand"
MAX_ENDPOINTS = 50
MAX_URL = 1_000
# Characters of a message's data as JSON; receivers may refuse more than 20 KB.
MAX_DATA = 16_000
MAX_PROBLEM = 200
MAX_ATTEMPTS = 1_000
NOT_ENDED = models.Q(next_attempt_at__isnull=False)

models.TextField.register_lookup(Length)


class Event(models.TextChoices):
    STATUS_CHANGED = "status.changed", "Campaigns pause or resume"
    ALERT_FIRED = "alert.fired", "An alert fires"
    ALERT_RESOLVED = "alert.resolved", "An alert resolves"
    PERIOD_CLOSED = "period.closed", "A day or month closes"
    TEST = "test", "Test"


class Endpoint(models.Model):
    """A receiver of webhooks. Only superusers see it: with its secret, or a chat's address, anybody can write there."""

    class Kind(models.TextChoices):
        GENERIC = "generic", "Webhook (signed JSON)"
        SLACK = "slack", "Slack"
        TEAMS = "teams", "Microsoft Teams"

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.GENERIC)
    url = models.CharField("URL", max_length=MAX_URL)
    status_changed = models.BooleanField(Event.STATUS_CHANGED.label, default=False)
    alert_fired = models.BooleanField(Event.ALERT_FIRED.label, default=False)
    alert_resolved = models.BooleanField(Event.ALERT_RESOLVED.label, default=False)
    period_closed = models.BooleanField(Event.PERIOD_CLOSED.label, default=False)
    enabled = models.BooleanField(default=True)
    secret = models.CharField(max_length=100)
    # Signs too while the secret is being replaced.
    former_secret = models.CharField(max_length=100, blank=True, default="")
    former_secret_until = models.DateTimeField(null=True)
    # Set by the first failure after a success; empty while deliveries arrive.
    failing_since = models.DateTimeField(null=True)
    # Nothing is sent before: the receiver asked for it, or an attempt has just failed.
    not_before = models.DateTimeField(null=True)
    created_at = models.DateTimeField("created", db_default=Now())

    class Meta:
        ordering = ("name",)
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(
                fields=("name",),
                name="endpoint_name_unique",
                violation_error_message="Another endpoint has this name. Choose a different one.",
            ),
            models.CheckConstraint(
                name="endpoint_kind_known", condition=models.Q(kind__in=("generic", "slack", "teams"))
            ),
            models.CheckConstraint(
                name="endpoint_url_is_http_or_https",
                condition=models.Q(url__startswith="https://") | models.Q(url__startswith="http://"),
            ),
            models.CheckConstraint(
                name="endpoint_has_a_secret", condition=models.Q(("secret__startswith", SECRET_PREFIX))
            ),
            models.CheckConstraint(
                name="endpoint_former_secret_has_an_end",
                condition=models.Q(former_secret="", former_secret_until__isnull=True)
                | models.Q(("former_secret__startswith", SECRET_PREFIX), former_secret_until__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.name


class EndpointBrand(models.Model):
    """A brand whose events an endpoint gets. An endpoint without any gets those of all brands."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, db_index=False, related_name="brand_rows")
    brand = models.ForeignKey(BRAND, on_delete=models.CASCADE, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("endpoint", "brand"), name="endpoint_brand_once"),)

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.brand}"


class OutboxMessage(models.Model):
    """What is reported: an event with thin data. Receivers tell repeated deliveries by its number."""

    number = models.UUIDField(default=uuid4, editable=False)
    event = models.CharField(max_length=20, choices=Event.choices)
    # A JSON object.
    data = models.TextField()
    # The subject, if it is one brand.
    brand = models.ForeignKey(BRAND, null=True, on_delete=models.CASCADE, db_index=False, related_name="+")
    created_at = models.DateTimeField("created")

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("number",), name="outbox_message_number_unique"),
            models.CheckConstraint(name="outbox_message_event_known", condition=models.Q(event__in=Event.values)),
            models.CheckConstraint(
                name="outbox_message_data_in_range",
                condition=models.Q(data__length__range=(2, MAX_DATA), data__startswith="{"),
            ),
        )

    def __str__(self) -> str:
        return self.event

    @property
    def message_id(self) -> str:
        """Return the id that receivers see, the same in every attempt."""
        return f"msg_{self.number.hex}"


class Delivery(models.Model):
    """A message on its way to one receiver."""

    class State(models.TextChoices):
        WAITING = "waiting"
        # Claimed by a sender until its lease ends.
        SENDING = "sending"
        DELIVERED = "delivered"
        FAILED = "failed", "given up"
        CANCELLED = "cancelled"

    message = models.ForeignKey(OutboxMessage, on_delete=models.CASCADE, db_index=False, related_name="deliveries")
    endpoint = models.ForeignKey(
        Endpoint, null=True, on_delete=models.CASCADE, db_index=False, related_name="deliveries"
    )
    # Gets the message by e-mail.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    # Names the state that the message reports: a newer one is merged into a message that hasn't been sent. Else empty.
    merge_key = models.CharField(max_length=40, blank=True, default="")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Failures since it was written, or sent again by a person.
    failures = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField("next attempt", null=True)
    lease_until = models.DateTimeField(null=True)
    # The last answer: its HTTP status, or why there was none.
    status = models.PositiveSmallIntegerField("last status", null=True)
    problem = models.CharField(max_length=MAX_PROBLEM, blank=True, default="")
    created_at = models.DateTimeField("created")
    ended_at = models.DateTimeField("ended", null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ("-id",)
        default_permissions = ()
        indexes = (
            # Of those that haven't ended only, whatever statistics say of the states: these are few among many.
            models.Index(fields=("next_attempt_at",), name="delivery_due", condition=NOT_ENDED),
            models.Index(fields=("endpoint", "next_attempt_at"), name="delivery_due_of_endpoint", condition=NOT_ENDED),
            models.Index(
                fields=("lease_until",), name="delivery_leased", condition=models.Q(lease_until__isnull=False)
            ),
            models.Index(fields=("endpoint", "merge_key", "id"), name="delivery_merged"),
            models.Index(fields=("endpoint", "id"), name="delivery_of_endpoint"),
            models.Index(fields=("ended_at",), name="delivery_ended"),
            models.Index(fields=("user",), name="delivery_of_user"),
        )
        constraints = (
            models.UniqueConstraint(fields=("message", "endpoint"), name="delivery_once_to_an_endpoint"),
            models.UniqueConstraint(fields=("message", "user"), name="delivery_once_to_a_user"),
            models.UniqueConstraint(
                fields=("endpoint",), condition=models.Q(state="sending"), name="delivery_one_request_at_a_time"
            ),
            models.CheckConstraint(
                name="delivery_to_an_endpoint_or_a_user",
                condition=models.Q(endpoint__isnull=False, user__isnull=True)
                | models.Q(endpoint__isnull=True, user__isnull=False),
            ),
            models.CheckConstraint(
                name="delivery_state_with_its_times",
                condition=models.Q(
                    state="waiting", next_attempt_at__isnull=False, lease_until__isnull=True, ended_at__isnull=True
                )
                | models.Q(
                    state="sending", next_attempt_at__isnull=False, lease_until__isnull=False, ended_at__isnull=True
                )
                | models.Q(
                    state__in=("delivered", "failed", "cancelled"),
                    next_attempt_at__isnull=True,
                    lease_until__isnull=True,
                    ended_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="delivery_attempts_in_range", condition=models.Q(attempts__range=(0, MAX_ATTEMPTS))
            ),
        )

    def __str__(self) -> str:
        return f"{self.message} to {self.endpoint or self.user}"


class DeliveryAttempt(models.Model):
    """One request of a delivery and its answer, of which only the status is kept."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, db_index=False, related_name="attempt_rows")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True)
    problem = models.CharField(max_length=MAX_PROBLEM, blank=True, default="")

    class Meta:
        ordering = ("number",)
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("delivery", "number"), name="delivery_attempt_once"),
            models.CheckConstraint(
                name="delivery_attempt_has_a_status_or_a_problem",
                condition=models.Q(status__isnull=False) | ~models.Q(problem=""),
            ),
        )

    def __str__(self) -> str:
        return f"attempt {self.number}"
