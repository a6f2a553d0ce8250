"""The decision: rules R1, R2 and R7 in one statement over all campaigns of a scope (campaigns/sql/decide.sql).

It reads facts only (switches, dates, windows, limits, spend) and the instant, never what an earlier run did (R6).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from campaigns.database.connection import analytic_query, fetch_all, is_postgresql
from campaigns.database.dialects import MATERIALIZED, NOT_MATERIALIZED
from campaigns.database.statements import statement
from campaigns.models.clocks import Clocks
from campaigns.models.current_spend import NO_WINDOWS, Windows, current_spend
from campaigns.rules.periods import minute_of
from campaigns.rules.reasons import LIMITS, PauseReason, reached_sql
from campaigns.services.scope import Scope, zones_of

# Rule R7: whether a window w is open. An end of 00:00 is the end of the day; campaigns.services.insight.forecast says
# the same in Python.
WINDOW_IS_OPEN = """CASE
        -- One that starts today, up to its end or over midnight.
        WHEN (w.days_of_week & b.weekday_bit) <> 0 AND b.local_time >= w.start_time
            AND (b.local_time < w.end_time OR w.end_time <= w.start_time) THEN 1
        -- One that started yesterday and ends today.
        WHEN (w.days_of_week & b.yesterday_bit) <> 0 AND w.end_time < w.start_time
            AND b.local_time < w.end_time THEN 1
        ELSE 0 END"""

# A row for each open window, or for each closed one if none is open. PostgreSQL's parallel workers share joins, but
# not subqueries for each campaign.
WINDOWS_BY_JOIN = Windows(
    "CASE WHEN w.id IS NOT NULL THEN 1 WHEN closed.id IS NOT NULL THEN 0 END",
    joins=f"""
    LEFT JOIN campaigns_daypartingschedule w ON w.campaign_id = c.id AND {WINDOW_IS_OPEN} = 1
    LEFT JOIN campaigns_daypartingschedule closed ON closed.campaign_id = c.id AND w.id IS NULL""",
)

CONDITIONS = {
    PauseReason.CAMPAIGN_DISABLED: "NOT campaign_enabled",
    PauseReason.BRAND_DISABLED: "NOT brand_enabled",
    PauseReason.NOT_STARTED: "today < starts_on",
    PauseReason.ENDED: "today > ends_on",
    PauseReason.OUTSIDE_SCHEDULE: "is_open = 0",
} | {reason: reached_sql(limit.limit_column, limit.spend_column) for reason, limit in LIMITS.items()}

SWITCHES = (PauseReason.CAMPAIGN_DISABLED, PauseReason.BRAND_DISABLED)

DECIDED_ON = ", ".join(f"{limit.spend_column}, {limit.limit_column}" for limit in LIMITS.values())


def windows_by_subquery(next_boundary: str | None) -> Windows:
    """Return one row for each campaign; next_boundary is an expression over a window w, of which the least is taken.

    PostgreSQL reads the windows once, SQLite for each of the two facts.
    """
    boundary = next_boundary or NO_WINDOWS.next_boundary
    is_open, least = f"MAX({WINDOW_IS_OPEN})", f"MIN({boundary})"
    windows = "FROM campaigns_daypartingschedule w WHERE w.campaign_id = c.id"
    if is_postgresql():
        found = f"(SELECT {is_open} AS is_open, {least} AS next_boundary {windows}) AS found"
        return Windows("found.is_open", "found.next_boundary", f"\n    CROSS JOIN LATERAL {found}")
    return Windows(f"(SELECT {is_open} {windows})", f"(SELECT {least} {windows})" if next_boundary else boundary)


def decision(
    scope: Scope, clocks: Clocks, *, full_scan: bool = False, next_boundary: str | None = None
) -> tuple[str, dict[str, Any]]:
    """Return the CTEs `decision` and `differences`, which a statement continues, and their parameters.

    A full scan of all campaigns is quicker, but a campaign with several windows may have several rows, and has no next
    boundary.
    """
    hint = NOT_MATERIALIZED if full_scan else MATERIALIZED
    # PostgreSQL materializes what is decided. SQLite would read windows again at each use of a fact that it doesn't.
    campaign_hint, decision_hint = (NOT_MATERIALIZED, hint) if is_postgresql() else (hint, NOT_MATERIALIZED)
    spend = current_spend(
        clocks,
        full_scan=full_scan,
        hint=hint,
        campaign_hint=campaign_hint,
        windows=WINDOWS_BY_JOIN if full_scan else windows_by_subquery(next_boundary),
        pending_in_scope=scope.brand_condition("p.brand_id", hashed=True),
        ahead_in_scope=scope.brand_condition("p.brand_id"),
        brand_in_scope=scope.brand_condition("b.id"),
        campaign_in_scope=scope.condition("c.brand_id", "c.id"),
    )
    decided = statement("decide", hint=decision_hint, switches=_flags(SWITCHES), reasons=_flags(CONDITIONS))
    return f"{spend},\n{decided}", clocks.params | scope.params


def _flags(reasons: Iterable[PauseReason]) -> str:
    return " + ".join(f"CASE WHEN {CONDITIONS[reason]} THEN {int(reason)} ELSE 0 END" for reason in reasons)


def brands_to_write(scope: Scope, clocks: Clocks) -> list[tuple[int, int]]:
    """Return the brands, by id, with campaigns whose reasons differ from the facts or whose next change is due, and the
    number of these campaigns in each.
    """
    with analytic_query(few_rows=True) if scope.is_large else nullcontext():
        sql, params = decision(scope, clocks, full_scan=scope.is_large)
        sql += """
            SELECT brand_id, COUNT(DISTINCT campaign_id) FROM decision
            WHERE reasons_after <> reasons_before OR next_change_minute <= %(minute)s
            GROUP BY brand_id ORDER BY brand_id"""
        return [(brand, count) for brand, count in fetch_all(sql, params | {"minute": minute_of(clocks.now)})]


def differences(scope: Scope, now: datetime) -> list[tuple[Any, ...]]:
    """Return campaign_id, campaign, brand, reasons before and after, and what it was decided on (in millionths)."""
    sql, params = decision(scope, Clocks(zones_of(scope), now))
    sql += f"""
        SELECT campaign_id, campaign, brand, reasons_before, reasons_after, {DECIDED_ON}
        FROM differences ORDER BY brand, campaign"""
    return fetch_all(sql, params)
