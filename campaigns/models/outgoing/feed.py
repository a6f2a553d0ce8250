"""The feed of status changes: batches of lines of the status history, and the positions that clients follow."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class FeedBatch(models.Model):
    """The status changes of one statement of enforcement, written in its transaction.

    Lines of other batches may lie between the first and the last, if several enforcements write at once. Positions are
    given later, when the batch is committed (campaigns.services.feed.publish): ids don't commit in order. A line's
    position is first_position + its id - first_line.
    """

    at = models.DateTimeField(db_default=Now(), help_text="When the batch was written.")
    first_line = models.BigIntegerField(help_text="The lowest id of the batch's status changes.")
    last_line = models.BigIntegerField(help_text="The highest id of the batch's status changes.")
    first_position = models.BigIntegerField(
        null=True, help_text="The position of the first line in the feed; empty until the batch is published."
    )

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("first_position",), name="feed_batch_position_unique"),
            models.CheckConstraint(
                condition=models.Q(last_line__gte=models.F("first_line")), name="feed_batch_lines_in_order"
            ),
            models.CheckConstraint(condition=models.Q(first_position__gt=0), name="feed_batch_position_positive"),
        )
        indexes = (
            models.Index(
                fields=("id",), name="feed_batch_unpublished", condition=models.Q(first_position__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"status changes {self.first_line} to {self.last_line}"
