"""The lines of history that a decision writes, and reading them again (R13)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from campaigns.database import execute, fetch_all
from campaigns.services.decide import DECIDED_ON, decision
from campaigns.services.scope import Scope


def write_lines(scope: Scope, now: datetime, actor: str) -> int:
    """Write a line for each campaign of the scope whose reasons differ from the facts; the campaigns stay as they are.

    Return the id above which the lines of this decision lie. The caller holds the locks of the scope's brands:
    nobody else writes lines for their campaigns meanwhile.
    """
    ((last,),) = fetch_all("SELECT COALESCE(MAX(id), 0) FROM campaigns_statuschange")
    statement, params = decision(
        scope,
        now,
        f"SELECT campaign_id, %s, reasons_before, reasons_after, %s, {DECIDED_ON}"
        " FROM differences ORDER BY campaign_id",
    )
    execute(
        "INSERT INTO campaigns_statuschange (campaign_id, at, reasons_before, reasons_after, actor, "
        f"{DECIDED_ON}) {statement}",
        [*params, connection.ops.adapt_datetimefield_value(now), actor],
    )
    return int(last)


class LineCount(NamedTuple):
    changed: int
    paused: int
    resumed: int


def count_lines(scope: Scope, last: int) -> LineCount:
    """Return how many lines above the last one the scope's campaigns have, and how many pause or resume."""
    in_scope, params = scope.condition("c.brand_id", "c.id")
    sql = f"""
        SELECT COUNT(*), COUNT(CASE WHEN reasons_before = 0 THEN 1 END), COUNT(CASE WHEN reasons_after = 0 THEN 1 END)
        FROM campaigns_statuschange line JOIN campaigns_campaign c ON c.id = line.campaign_id
        WHERE line.id > %s AND {in_scope}"""
    return LineCount(*fetch_all(sql, [last, *params])[0])


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
