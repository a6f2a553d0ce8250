"""What time does next: the minute at which a window, a date or a midnight can change a campaign's reasons.

Each campaign stores it, so that a quick pass finds those that time has reached without looking at the others. It may
come too early, and then nothing changes but the minute itself; whoever changes facts outside our forms may leave it
too late, which the next full check puts right with the status (R6). Spend has marks of its own, also spend that is
dated ahead (campaigns.services.marks).
"""

from __future__ import annotations

from datetime import datetime

from campaigns.database import execute, fetch_all
from campaigns.dialects import days_between, least, minute_of_day
from campaigns.periods import NEVER, minute_of
from campaigns.reasons import PauseReason
from campaigns.services.clocks import Clocks
from campaigns.services.scope import Scope

A_YEAR = 366
NO_LINES = 2**63 - 1
UNTIL_TOMORROW = int(PauseReason.CAMPAIGN_DAILY_LIMIT | PauseReason.BRAND_DAILY_BUDGET)
UNTIL_NEXT_MONTH = int(PauseReason.BRAND_MONTHLY_BUDGET)


def _when(condition: str, minute: str) -> str:
    return f"CASE WHEN {condition} THEN {minute} ELSE {NEVER} END"


def _local(time: str) -> str:
    """Return the minute of a time of today, by the offset of now: right up to the next shift."""
    return f"b.midnight + {minute_of_day(time)}"


def _day_after(days: str) -> str:
    """Return the minute at which the day begins that lies so many days after tomorrow, or up to a day before it.

    Only tomorrow's beginning is known to the minute: clocks may change until a later day.
    """
    return f"tomorrow + 1440 * CASE WHEN {days} > {A_YEAR} THEN {A_YEAR} WHEN {days} > 1 THEN {days} - 1 ELSE 0 END"


OPENS = _when("(w.days_of_week & b.weekday_bit) <> 0 AND w.start_time > b.local_time", _local("w.start_time"))
CLOSES = _when(
    "(w.days_of_week & CASE WHEN w.end_time < w.start_time THEN b.yesterday_bit ELSE b.weekday_bit END) <> 0"
    " AND w.end_time > b.local_time",
    _local("w.end_time"),
)


def write_reasons(scope: Scope, clocks: Clocks, last_line: int) -> None:
    """Write into the scope's campaigns what the lines of history above the last one say, and what time does next.

    A campaign without such a line keeps its reasons. The caller holds the locks of the scope's brands.
    """
    in_scope, scope_params = scope.condition("c.brand_id", "c.id")
    brand_in_scope, brand_params = scope.brand_condition("b.id")
    sql = _statement(clocks.sql, in_scope, brand_in_scope)
    execute(sql, [clocks.param, last_line, *brand_params, *scope_params, *scope_params])


def note_next_changes(scope: Scope, *, now: datetime) -> None:
    """Note what time does next where a person has changed facts and the reasons stay: windows, dates, the zone."""
    write_reasons(scope, Clocks(scope, now), NO_LINES)


def due_campaigns(*, now: datetime, most: int) -> list[int]:
    """Return the campaigns that time has reached by now, those first that it reached first, at most so many."""
    sql = """
        SELECT id FROM campaigns_campaign WHERE next_change_minute <= %s ORDER BY next_change_minute LIMIT %s"""
    return [campaign for (campaign,) in fetch_all(sql, [minute_of(now), most])]


def _statement(clocks: str, in_scope: str, brand_in_scope: str) -> str:
    """Return the statement; the scope is told of each table, or it would be looked for in all rows of the others."""
    edge = f"(SELECT MIN({least(OPENS, CLOSES)}) FROM campaigns_daypartingschedule w WHERE w.campaign_id = c.id)"
    starts, ends = days_between("starts_on", "today"), days_between("ends_on", "today")
    next_change = least(
        _when("edge IS NOT NULL", least("edge", "tomorrow", f"COALESCE(shift, {NEVER})")),
        _when("starts_on > today", _day_after(f"({starts} - 1)")),
        _when("ends_on >= today", _day_after(ends)),
        _when(f"(reasons & {UNTIL_TOMORROW}) <> 0", "tomorrow"),
        _when(f"(reasons & {UNTIL_NEXT_MONTH}) <> 0", "month_until"),
    )
    return f"""
        WITH clock AS MATERIALIZED ({clocks}),
        line AS (SELECT campaign_id, reasons_after FROM campaigns_statuschange WHERE id > %s),
        brand AS MATERIALIZED (
            SELECT b.id, clock.*
            FROM campaigns_brand b LEFT JOIN clock ON clock.zone = b.timezone
            WHERE {brand_in_scope}
        ),
        state AS MATERIALIZED (
            SELECT c.id, c.starts_on, c.ends_on, COALESCE(line.reasons_after, c.pause_reasons) AS reasons,
                b.today, b.tomorrow, b.month_until, b.shift, {edge} AS edge
            FROM campaigns_campaign c
            JOIN brand b ON b.id = c.brand_id
            LEFT JOIN line ON line.campaign_id = c.id
            WHERE {in_scope}
        ),
        upcoming AS MATERIALIZED (
            SELECT id, reasons, COALESCE({next_change}, {NEVER}) AS minute FROM state
        )
        UPDATE campaigns_campaign AS c SET pause_reasons = upcoming.reasons, next_change_minute = upcoming.minute
        FROM upcoming
        WHERE upcoming.id = c.id AND {in_scope}
            AND (c.pause_reasons <> upcoming.reasons OR c.next_change_minute <> upcoming.minute)"""
