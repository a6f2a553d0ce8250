"""What a decision writes: lines of history, and the campaigns that they are about; and how to read the lines (R13)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import connection

from campaigns.database.connection import execute, fetch_all, is_postgresql
from campaigns.services.enforcement.clocks import Clocks
from campaigns.services.enforcement.decide import DECIDED_ON, decision
from campaigns.services.enforcement.next_change import EDGE, with_next_changes, writing
from campaigns.services.scope import Scope


class ChangeCounts(NamedTuple):
    changed: int
    paused: int
    resumed: int


PAUSED, RESUMED = 1, 2


LINES = f"""
INSERT INTO campaigns_statuschange (campaign_id, at, reasons_before, reasons_after, actor, {DECIDED_ON})
{{decision}}SELECT campaign_id, %s, reasons_before, reasons_after, %s, {DECIDED_ON}
FROM differences ORDER BY campaign_id
RETURNING CASE WHEN reasons_before = 0 THEN {PAUSED} WHEN reasons_after = 0 THEN {RESUMED} ELSE 0 END AS turn
"""


Turns = dict[int, int]
"""The number of lines that are PAUSED, RESUMED, or 0 (only the reasons differ)."""


def write_changes(scope: Scope, clocks: Clocks, actor: str) -> Turns:
    """Write what the facts give: a line for each campaign whose reasons differ, its reasons, and what time does next.

    Return what the lines say. The caller holds the locks of the scope's brands: nobody else writes lines for their
    campaigns meanwhile.
    """
    of_lines = [connection.ops.adapt_datetimefield_value(clocks.now), actor]
    write = _write_on_postgresql if is_postgresql() else _write_on_sqlite
    return dict(write(scope, clocks, of_lines))


def _write_on_postgresql(scope: Scope, clocks: Clocks, of_lines: list[Any]) -> Iterable[tuple[Any, ...]]:
    """Decide once, and write both tables in the same statement."""
    update, of_update = writing(scope)
    rest = f""", {with_next_changes()},
line AS ({LINES.format(decision="")}),
campaign AS ({update})
SELECT turn, COUNT(*) FROM line GROUP BY turn"""
    sql, params = decision(scope, clocks, rest, edge=EDGE)
    return fetch_all(sql, [*params, *of_lines, *of_update])


def _write_on_sqlite(scope: Scope, clocks: Clocks, of_lines: list[Any]) -> Iterable[tuple[Any, ...]]:
    """Decide for each of the tables: nobody else writes during the transaction, so both times the same."""
    update, of_update = writing(scope)
    facts, params = decision(scope, clocks, "")
    written = fetch_all(LINES.format(decision=facts), [*params, *of_lines])
    sql, params = decision(scope, clocks, f", {with_next_changes()} {update}", edge=EDGE)
    execute(sql, [*params, *of_update])
    return Counter(turn for (turn,) in written).items()


def count_changes(turns: Turns) -> ChangeCounts:
    return ChangeCounts(sum(turns.values()), turns.get(PAUSED, 0), turns.get(RESUMED, 0))


def last_history_id() -> int:
    """Return the id above which the next lines will lie."""
    ((last,),) = fetch_all("SELECT COALESCE(MAX(id), 0) FROM campaigns_statuschange")
    return int(last)


# Twice a batch of enforcement: the lines of others lie between its own.
MOST_READ = 10_000


def transition_ids(scope: Scope, last: int, actor: str, most: int) -> list[int]:
    """Return the ids of the scope's first pauses and resumes above this line that are the actor's, at most so many."""
    # Between two ids, for PostgreSQL reads the whole history above one where it has no statistics of it yet.
    in_scope, params = scope.condition("c.brand_id", "c.id")
    sql = f"""
        SELECT line.id
        FROM (
            SELECT id, campaign_id FROM campaigns_statuschange
            WHERE id > %s AND id <= %s AND actor = %s AND (reasons_before = 0 OR reasons_after = 0)
            ORDER BY id LIMIT %s
        ) line
        JOIN campaigns_campaign c ON c.id = line.campaign_id
        WHERE {in_scope}"""
    return sorted(pk for (pk,) in fetch_all(sql, [last, last + MOST_READ, actor, most, *params]))


def lines(scope: Scope, last: int) -> list[tuple[Any, ...]]:
    """Return the scope's lines above this one in the form of differences()."""
    in_scope, params = scope.condition("c.brand_id", "c.id")
    sql = f"""
        SELECT c.id, c.name, b.name, reasons_before, reasons_after, {DECIDED_ON}
        FROM campaigns_statuschange line
        JOIN campaigns_campaign c ON c.id = line.campaign_id
        JOIN campaigns_brand b ON b.id = c.brand_id
        WHERE line.id > %s AND {in_scope}
        ORDER BY b.name, c.name"""
    return fetch_all(sql, [last, *params])
