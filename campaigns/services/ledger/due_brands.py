"""Marks of touched brands: who must be looked at because a fold has moved their totals, and from when on.

A fold appends them in the transaction that moves the spend. Whoever enforces what is due reads the marks, enforces,
commits, and only then forgets just those that it read: one that was appended meanwhile stays for the next.
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

MOST_MARKS = 100_000
CLEARED_AT_ONCE = 10_000
"""Nobody else can write on SQLite meanwhile."""

AT_ONCE = 0


@dataclass(frozen=True)
class DueRows:
    """The marks that were due when they were read, and the brands that they are of, in order of id."""

    ids: list[int]
    brands: list[int]


def due_rows(*, now: datetime, most: int = MOST_MARKS) -> DueRows:
    """Return the marks that are due at now, those first that have been due for longest, at most so many."""
    rows = fetch_all(
        "SELECT id, brand_id FROM campaigns_duebrand WHERE due_quarter <= %s ORDER BY due_quarter LIMIT %s",
        [quarter_of(now), most],
    )
    return DueRows([mark for mark, _ in rows], sorted({brand for _, brand in rows}))


def clear_due(marks: DueRows) -> None:
    """Take these marks away, and no others: ids commit out of order, so a mark may have come that is older.

    Call it when what was decided for their brands is committed.
    """
    for start in range(0, len(marks.ids), CLEARED_AT_ONCE):
        ids = marks.ids[start : start + CLEARED_AT_ONCE]
        execute(f"DELETE FROM campaigns_duebrand WHERE {in_list('id')}", [list_param(ids)])


def mark_due(brand_ids: Iterable[int]) -> None:
    """Mark brands that the next quick check has to look at, though no fold will mark them."""
    marks = [DueBrand(brand_id=brand_id, due_quarter=AT_ONCE) for brand_id in sorted(brand_ids)]
    DueBrand.objects.bulk_create(marks)  # given an empty list it begins no transaction


def mark_days(brand_id: int, zone: ZoneInfo, days: Iterable[date]) -> None:
    """Mark a brand for each of some local days of a zone, from the day's beginning on."""
    DueBrand.objects.bulk_create(
        DueBrand(brand_id=brand_id, due_quarter=quarter_of(start_of_day(zone, day))) for day in days
    )
