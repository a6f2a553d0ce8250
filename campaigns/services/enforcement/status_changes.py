"""What a decision writes: lines of history, and of campaigns their reasons and next change; and how to read the lines.

The next change is the minute at which a window, a date or a midnight can change a campaign's reasons. Each campaign
stores it, so that a quick check finds the due campaigns without reading the others. It may come too early, and then
nothing changes but the minute itself. Facts that SQL changes may leave it too late, which the next full check puts
right with the status (R6). Spend makes its brand due instead (campaigns.services.ledger.due_brands).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from django.db import connection

from campaigns.database.connection import execute, fetch_all, is_postgresql
from campaigns.database.dialects import days_between, least, minute_of_day
from campaigns.database.statements import statement
from campaigns.models import FeedBatch
from campaigns.models.clocks import Clocks
from campaigns.rules.periods import NEVER
from campaigns.rules.reasons import LIMITS
from campaigns.services.enforcement.decide import DECIDED_ON, decision
from campaigns.services.scope import Scope

A_YEAR = 366


class Direction(IntEnum):
    OTHER = 0  # only the reasons differ
    PAUSED = 1
    RESUMED = 2


class ChangeCounts(NamedTuple):
    changed: int = 0
    paused: int = 0
    resumed: int = 0


# The id of the batch that a statement's lines belong to; the row itself needs the lines' ids. It is taken when the
# first line is written, under the locks of the brands: of one campaign's batches, the later has the higher id.
NEW_BATCH_ON_POSTGRESQL = "(SELECT nextval(pg_get_serial_sequence('campaigns_feedbatch', 'id')))"
NEW_BATCH_ON_SQLITE = "(SELECT COALESCE(MAX(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'campaigns_feedbatch')"

# Connectors may LISTEN budget_status. PostgreSQL sends one notification for a transaction, when it commits.
FEED_BATCH = """batch AS (
    INSERT INTO campaigns_feedbatch (id, first_line, last_line)
    SELECT batch_id, MIN(id), MAX(id) FROM line GROUP BY batch_id
    RETURNING pg_notify('budget_status', '')
)"""


def write_changes(scope: Scope, clocks: Clocks, actor: str) -> dict[int, int]:
    """Write a line of history for each campaign whose reasons differ from the facts, its reasons, and its next change.

    The lines are a batch of the feed, which gets its positions after the commit (campaigns.services.feed.publish).
    Return how many lines there are of each Direction. The caller holds the locks of the scope's brands: nobody else
    writes lines for their campaigns meanwhile.
    """
    lines = statement(
        "history_lines",
        decided_on=DECIDED_ON,
        batch=NEW_BATCH_ON_POSTGRESQL if is_postgresql() else NEW_BATCH_ON_SQLITE,
        paused=str(int(Direction.PAUSED)),
        resumed=str(int(Direction.RESUMED)),
        other=str(int(Direction.OTHER)),
    )
    updates = statement("campaign_updates", in_scope=scope.condition("c.brand_id", "c.id", hashed=True))
    decided, params = decision(scope, clocks, next_boundary=next_boundary())
    params |= {"at": connection.ops.adapt_datetimefield_value(clocks.now), "actor": actor}
    if is_postgresql():
        sql = f"{decided},\n{next_changes()},\nline AS ({lines}),\ncampaign_update AS ({updates}),\n{FEED_BATCH}"
        return dict(fetch_all(f"{sql} SELECT direction, COUNT(*) FROM line GROUP BY direction", params))
    # SQLite decides once for each table. Nobody else writes during the transaction, so both decisions are the same.
    history, _ = decision(scope, clocks)
    written = fetch_all(f"{history} {lines}", params)
    execute(f"{decided},\n{next_changes()} {updates}", params)
    if written:
        ids = [pk for pk, _, _ in written]
        FeedBatch.objects.create(pk=written[0][1], first_line=min(ids), last_line=max(ids))
    return Counter(direction for _, _, direction in written)


def count_changes(directions: Mapping[int, int]) -> ChangeCounts:
    changed = sum(directions.values())
    return ChangeCounts(changed, directions.get(Direction.PAUSED, 0), directions.get(Direction.RESUMED, 0))


def next_boundary() -> str:
    """Return the SQL of the next minute of today at which a window w of a brand b opens or closes.

    It goes by the offset of now, which holds up to the next change of the clocks.
    """
    return f"""{least()}(
        CASE WHEN (w.days_of_week & b.weekday_bit) <> 0 AND w.start_time > b.local_time
            THEN b.midnight + {minute_of_day("w.start_time")} ELSE {NEVER} END,
        CASE WHEN (
            w.days_of_week & CASE WHEN w.end_time < w.start_time THEN b.yesterday_bit ELSE b.weekday_bit END
        ) <> 0 AND w.end_time > b.local_time
            THEN b.midnight + {minute_of_day("w.end_time")} ELSE {NEVER} END)"""


def next_changes() -> str:
    """Return the table `next_change`, over a decision with next_boundary()."""
    return statement(
        "next_change",
        never=str(NEVER),
        least=least(),
        starts=_day_after(f"({days_between('starts_on', 'today')} - 1)"),
        ends=_day_after(days_between("ends_on", "today")),
        limits_of_day=str(_limits_of("day")),
        limits_of_month=str(_limits_of("month")),
    )


def _limits_of(period: str) -> int:
    return sum(reason for reason, limit in LIMITS.items() if limit.period == period)


def _day_after(days: str) -> str:
    """Return the minute at which the day begins that lies so many days after tomorrow, or up to a day before it."""
    return f"tomorrow + 1440 * CASE WHEN {days} > {A_YEAR} THEN {A_YEAR} WHEN {days} > 1 THEN {days} - 1 ELSE 0 END"


LAST_ID_ON_POSTGRESQL = (
    "SELECT COALESCE(pg_sequence_last_value(pg_get_serial_sequence('campaigns_statuschange', 'id')::regclass), 0)"
)
LAST_ID_ON_SQLITE = "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'campaigns_statuschange'"


def last_history_id() -> int:
    """Return the last id given to a line, right above which the next lines will lie.

    The largest id in the table may be far below: rolled-back transactions use up ids, and old history is pruned.
    """
    ((last,),) = fetch_all(LAST_ID_ON_POSTGRESQL if is_postgresql() else LAST_ID_ON_SQLITE)
    return int(last)


# Lines read for one run: twice a batch of enforcement, because lines of other runs lie between its own.
MOST_READ = 10_000


def transition_ids(scope: Scope, last: int, actor: str, most: int) -> list[int]:
    """Return the ids of the scope's first pauses and resumes above this line that are the actor's, at most so many."""
    # Bounded above too: without statistics PostgreSQL would read the whole history above the first id.
    sql = f"""
        SELECT line.id
        FROM (
            SELECT id, campaign_id FROM campaigns_statuschange
            WHERE id > %(last)s AND id <= %(until)s AND actor = %(actor)s AND (reasons_before = 0 OR reasons_after = 0)
            ORDER BY id LIMIT %(most)s
        ) line
        JOIN campaigns_campaign c ON c.id = line.campaign_id
        WHERE {scope.condition("c.brand_id", "c.id")}"""
    params = scope.params | {"last": last, "until": last + MOST_READ, "actor": actor, "most": most}
    return sorted(pk for (pk,) in fetch_all(sql, params))


def status_changes(scope: Scope, last: int) -> list[tuple[Any, ...]]:
    """Return the scope's lines above this id in the form of differences()."""
    sql = f"""
        SELECT c.id, c.name, b.name, reasons_before, reasons_after, {DECIDED_ON}
        FROM campaigns_statuschange line
        JOIN campaigns_campaign c ON c.id = line.campaign_id
        JOIN campaigns_brand b ON b.id = c.brand_id
        WHERE line.id > %(last)s AND {scope.condition("c.brand_id", "c.id")}
        ORDER BY b.name, c.name"""
    return fetch_all(sql, scope.params | {"last": last})
