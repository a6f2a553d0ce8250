"""What time does next: the minute at which a window, a date or a midnight can change a campaign's reasons.

Each campaign stores it, so that a quick check finds those that time has reached without looking at the others. It may
come too early, and then nothing changes but the minute itself; whoever changes facts outside our forms may leave it
too late, which the next full check puts right with the status (R6). Spend has marks of its own, also spend that is
dated ahead (campaigns.services.ledger.due_brands).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import days_between, least, minute_of_day
from campaigns.rules.periods import NEVER, minute_of
from campaigns.rules.reasons import LIMITS
from campaigns.services.scope import Scope

A_YEAR = 366
UNTIL_TOMORROW = sum(reason for reason, limit in LIMITS.items() if limit.period == "day")
UNTIL_NEXT_MONTH = sum(reason for reason, limit in LIMITS.items() if limit.period == "month")


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


EDGE = least(OPENS, CLOSES)
"""Of a window w of a brand b: the next minute of today at which it opens or closes."""


def with_next_changes() -> str:
    """Return the table `upcoming`, over a decision with EDGE: the reasons of each campaign, and what time does next."""
    starts, ends = days_between("starts_on", "today"), days_between("ends_on", "today")
    next_change = least(
        _when("edge IS NOT NULL", least("edge", "tomorrow", f"COALESCE(shift, {NEVER})")),
        _when("starts_on > today", _day_after(f"({starts} - 1)")),
        _when("ends_on >= today", _day_after(ends)),
        _when(f"(reasons_after & {UNTIL_TOMORROW}) <> 0", "tomorrow"),
        _when(f"(reasons_after & {UNTIL_NEXT_MONTH}) <> 0", "month_until"),
    )
    return f"""upcoming AS MATERIALIZED (
    SELECT campaign_id, reasons_after AS reasons, COALESCE({next_change}, {NEVER}) AS minute FROM decision
)"""


def writing(scope: Scope) -> tuple[str, list[Any]]:
    """Return the statement that writes `upcoming` into the scope's campaigns, and its parameters.

    It is told of the scope too, though `upcoming` has no other campaigns: without it, PostgreSQL may read all of them.
    """
    in_scope, params = scope.condition("c.brand_id", "c.id", hashed=True)
    return (
        f"""
UPDATE campaigns_campaign AS c SET pause_reasons = upcoming.reasons, next_change_minute = upcoming.minute
FROM upcoming
WHERE upcoming.campaign_id = c.id AND {in_scope}
    AND (c.pause_reasons <> upcoming.reasons OR c.next_change_minute <> upcoming.minute)""",
        params,
    )


def due_campaigns(*, now: datetime, most: int) -> list[int]:
    """Return the campaigns that time has reached by now, those first that it reached first, at most so many."""
    sql = """
        SELECT id FROM campaigns_campaign WHERE next_change_minute <= %s ORDER BY next_change_minute LIMIT %s"""
    return [campaign for (campaign,) in fetch_all(sql, [minute_of(now), most])]
