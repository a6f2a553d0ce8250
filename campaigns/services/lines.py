"""The lines of history that a decision writes, and reading them again (R13)."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import connection

from campaigns.database import fetch_all
from campaigns.services.clocks import Clocks
from campaigns.services.decide import DECIDED_ON, decision
from campaigns.services.scope import Scope


class Lines(NamedTuple):
    above: int
    """The id above which the lines of a decision lie."""
    turns: list[int]
    """Of each: PAUSED, RESUMED, or 0 where only the reasons differ."""


class LineCount(NamedTuple):
    changed: int
    paused: int
    resumed: int


PAUSED, RESUMED = 1, 2


def write_lines(scope: Scope, clocks: Clocks, actor: str) -> Lines:
    """Write a line for each campaign of the scope whose reasons differ from the facts; the campaigns stay as they are.

    The caller holds the locks of the scope's brands: nobody else writes lines for their campaigns meanwhile.
    """
    ((last,),) = fetch_all("SELECT COALESCE(MAX(id), 0) FROM campaigns_statuschange")
    statement, params = decision(
        scope,
        clocks,
        f"SELECT campaign_id, %s, reasons_before, reasons_after, %s, {DECIDED_ON}"
        " FROM differences ORDER BY campaign_id",
    )
    written = fetch_all(
        "INSERT INTO campaigns_statuschange (campaign_id, at, reasons_before, reasons_after, actor, "
        f"{DECIDED_ON}) {statement} RETURNING"
        f" CASE WHEN reasons_before = 0 THEN {PAUSED} WHEN reasons_after = 0 THEN {RESUMED} ELSE 0 END",
        [*params, connection.ops.adapt_datetimefield_value(clocks.now), actor],
    )
    return Lines(int(last), [turn for (turn,) in written])


def count_lines(written: Lines) -> LineCount:
    return LineCount(len(written.turns), written.turns.count(PAUSED), written.turns.count(RESUMED))


def lines(scope: Scope, last: int) -> list[tuple[Any, ...]]:
    """Return the lines above the last one in the form of differences()."""
    in_scope, params = scope.condition("c.brand_id", "c.id")
    sql = f"""
        SELECT c.id, c.name, b.name, reasons_before, reasons_after, {DECIDED_ON}
        FROM campaigns_statuschange line
        JOIN campaigns_campaign c ON c.id = line.campaign_id
        JOIN campaigns_brand b ON b.id = c.brand_id
        WHERE line.id > %s AND {in_scope}
        ORDER BY b.name, c.name"""
    return fetch_all(sql, [last, *params])
