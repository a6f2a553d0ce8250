"""Due brands: dirty flags of brands whose totals a fold has changed, each from the quarter on in which it counts.

A fold appends them in the transaction that moves the spend. A quick check reads them, enforces, commits, and only then
clears just those that it has read: one that was appended meanwhile stays for the next check.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from campaigns.database.connection import execute, fetch_all
from campaigns.database.dialects import in_list, list_param
from campaigns.models import DueBrand
from campaigns.rules.periods import quarter_of, start_of_day

MOST_ROWS = 100_000
# Not more, because on SQLite no other transaction can write meanwhile.
CLEARED_AT_ONCE = 10_000

AT_ONCE = 0


@dataclass(frozen=True)
class DueRows:
    """Rows that were due when they were read, and their brands, in order of id."""

    ids: list[int]
    brands: list[int]


def due_rows(*, now: datetime, most: int = MOST_ROWS) -> DueRows:
    """Return a limited number of the rows due at now, the longest due first."""
    rows = fetch_all(
        "SELECT id, brand_id FROM campaigns_duebrand WHERE due_quarter <= %s ORDER BY due_quarter LIMIT %s",
        [quarter_of(now), most],
    )
    return DueRows([pk for pk, _ in rows], sorted({brand for _, brand in rows}))


def clear_due(rows: DueRows) -> None:
    """Delete these rows, and no others: ids commit out of order, so an older one may have been appended since.

    Call it when what was decided for their brands is committed.
    """
    for start in range(0, len(rows.ids), CLEARED_AT_ONCE):
        ids = rows.ids[start : start + CLEARED_AT_ONCE]
        execute(f"DELETE FROM campaigns_duebrand WHERE {in_list('id')}", [list_param(ids)])


def mark_due(brand_ids: Iterable[int]) -> None:
    """Make brands due for the next quick check, though no fold does."""
    rows = [DueBrand(brand_id=brand_id, due_quarter=AT_ONCE) for brand_id in sorted(brand_ids)]
    DueBrand.objects.bulk_create(rows)  # given an empty list it begins no transaction


def mark_days(brand_id: int, zone: ZoneInfo, days: Iterable[date]) -> None:
    """Make a brand due for each of some local days of a zone, from the beginning of the day on."""
    DueBrand.objects.bulk_create(
        DueBrand(brand_id=brand_id, due_quarter=quarter_of(start_of_day(zone, day))) for day in days
    )
