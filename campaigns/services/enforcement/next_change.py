"""The next change: the minute at which a window, a date or a midnight can change a campaign's reasons.

Each campaign stores it, so that a quick check finds the due campaigns without reading the others. It may come too
early, and then nothing changes but the minute itself. Facts that SQL changes may leave it too late, which the next full
check puts right with the status (R6). Spend makes its brand due instead (campaigns.services.ledger.due_brands).
"""

from __future__ import annotations

from datetime import datetime

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import days_between, least, minute_of_day
from campaigns.database.statements import statement
from campaigns.rules.periods import NEVER, minute_of
from campaigns.rules.reasons import LIMITS

A_YEAR = 366


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


def due_campaigns(*, now: datetime, most: int) -> list[int]:
    """Return a limited number of the campaigns whose next change is due, the longest due first."""
    sql = """
        SELECT id FROM campaigns_campaign WHERE next_change_minute <= %s ORDER BY next_change_minute LIMIT %s"""
    return [campaign for (campaign,) in fetch_all(sql, [minute_of(now), most])]
