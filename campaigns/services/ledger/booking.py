"""Booking: which local day and month each quarter-hour of a brand's spend belongs to (R3, R15).

Every statement that moves or recomputes totals joins its spend with the brand's booking zones and with *segments*:
stretches of a UTC day that lie in one local day of a zone. Segments come from Python's zone data, for just the zones
and days that a statement is about, as one bound parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import in_list, list_param, rows_param, rows_sql
from campaigns.rules.periods import day_segments, find_zone

SEGMENT_COLUMNS = {
    "kind": "text",
    "zone": "text",
    "utc_day": "integer",
    "quarter_from": "integer",
    "quarter_until": "integer",
    "day_from": "integer",
    "starts_on": "date",
}

PLACED = """
    SELECT {of}, spent.quarter, spent.amount, zone.kind, zone.timezone, zone.first, zone.until
    FROM {spent} AS spent JOIN {books} AS zone ON zone.brand_id = spent.brand_id
"""
"""Spend {spent} (brand_id, quarter, amount and columns {of}) with the booking zones {books} of its brand."""

BOOKED = """
    SELECT {of}, placed.kind, segment.starts_on, segment.day_from, placed.amount
    FROM {placed} AS placed
    JOIN segment ON segment.zone = placed.timezone AND segment.kind = placed.kind
        AND segment.utc_day = placed.quarter / 96
        AND placed.quarter >= segment.quarter_from AND placed.quarter < segment.quarter_until
        AND segment.starts_on >= placed.first AND segment.starts_on < placed.until
"""
"""Such spend with its periods: a row for its day, one for its month; both tell the quarter at which its day begins."""


def segments_sql() -> str:
    return rows_sql(SEGMENT_COLUMNS)


def segments_param(utc_days: Mapping[str, Iterable[int]]) -> str:
    """Return the segments of some UTC days in each zone. A year in 300 zones takes 60 MB: give those in use."""
    return rows_param(SEGMENT_COLUMNS, _segments(utc_days))


def _segments(utc_days: Mapping[str, Iterable[int]]) -> Iterator[tuple[str, str, int, int, int, int, date]]:
    for name, days in utc_days.items():
        zone = find_zone(name)
        if zone is None:
            continue
        for _, utc_day, quarter_from, quarter_until, day_from, day, month in day_segments(zone, days):
            yield "day", name, utc_day, quarter_from, quarter_until, day_from, day
            yield "month", name, utc_day, quarter_from, quarter_until, day_from, month


def known_accounting_time_zones(brands: Iterable[int] | None = None) -> list[str]:
    """Return the zones that all brands, or these, are booked in, without unknown ones."""
    in_scope, scope = ("1 = 1", []) if brands is None else (in_list("brand_id"), [list_param(brands)])
    rows = fetch_all(f"SELECT DISTINCT timezone FROM campaigns_accountingtimezone WHERE {in_scope}", scope)
    return sorted(name for (name,) in rows if find_zone(name) is not None)
