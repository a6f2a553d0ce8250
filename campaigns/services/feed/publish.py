"""Positions in the feed of status changes: given to committed batches, by one publisher at a time.

Ids don't commit in order, so a client that remembers the last id it has seen loses changes that commit later. A
transaction's id is no better: the oldest open one, of any database of the cluster, would hold back the feed, and a
restored dump begins to count anew. So positions are given afterwards: a publisher holds a lock and gives those batches
that it sees, which are committed, the next positions. What commits later gets higher ones.

The quick check publishes after its enforcement, and each reader of the feed before it reads: on SQLite only if nobody
is writing, because readers don't wait for writers.
"""

from __future__ import annotations

from django.db import DatabaseError, connection, transaction

from campaigns.database.clock import database_now
from campaigns.database.connection import (
    FEED_LOCK,
    execute,
    fetch_all,
    is_busy,
    is_postgresql,
    without_waiting_on_sqlite,
)
from campaigns.database.dialects import greatest, microseconds_now
from campaigns.database.statements import statement
from campaigns.models import FeedBatch
from campaigns.services.webhooks.outbox import status_changed

# The condition of a statement that asks whether there is something to publish.
ANYTHING_UNPUBLISHED = "EXISTS (SELECT 1 FROM campaigns_feedbatch WHERE first_position IS NULL)"

LAST_POSITION = """
SELECT first_position + last_line - first_line FROM campaigns_feedbatch
WHERE first_position IS NOT NULL ORDER BY first_position DESC LIMIT 1
"""


def publish() -> int:
    """Give every committed batch its positions and report the newest to webhooks; return how many batches.

    Another publisher's work isn't waited for, nor SQLite's single writer beyond its timeout: the next publisher does
    the rest. Inside a transaction of the caller's nobody else can publish until it ends.
    """
    try:
        with transaction.atomic():
            # The update is a statement of its own: it has to see what the last holder of the lock has committed.
            if is_postgresql() and not fetch_all(f"SELECT pg_try_advisory_xact_lock({FEED_LOCK})")[0][0]:
                return 0
            published = execute(statement("feed/publish", greatest=greatest(), microseconds=microseconds_now()))
            if published:
                status_changed(_newest(), now=database_now())
            return published
    except DatabaseError as error:
        if connection.in_atomic_block or not is_busy(error):
            raise
        return 0


def publish_waiting() -> None:
    """Publish for a reader if anything is waiting; one short statement if not. While SQLite has a writer, the reader
    goes on with what is published: at the latest, the next quick check publishes the rest.
    """
    if fetch_all(f"SELECT {ANYTHING_UNPUBLISHED}")[0][0]:
        with without_waiting_on_sqlite():
            publish()


def last_position() -> int:
    """Return the position to follow from, after which every change lies that isn't in the status table yet.

    Read it before the table. The first call on a database without any batch publishes an empty one, so that there
    always is a position.
    """
    publish_waiting()
    position = _newest()
    if not position:
        FeedBatch.objects.create(first_line=0, last_line=0)
        publish()
        position = _newest()
    return position


def _newest() -> int:
    """Return the last position that was given out; 0 where there is none."""
    rows = fetch_all(LAST_POSITION)
    return int(rows[0][0]) if rows else 0
