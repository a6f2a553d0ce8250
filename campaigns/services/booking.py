"""Booking: which local day and month each quarter-hour of a brand's spend belongs to (R3, R15).

Every statement that moves or recomputes totals joins its spend with the brand's booking zones and with *segments*:
stretches of a UTC day that lie in one local day of a zone. Segments come from Python's zone data, for just the zones
and days that a statement is about, as one bound parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from campaigns.database import among, among_param, fetch_all, rows_param, rows_sql
from campaigns.periods import day_segments, find_zone

SEGMENT_COLUMNS = {
    "kind": "text",
    "zone": "text",
    "utc_day": "integer",
    "quarter_from": "integer",
    "quarter_until": "integer",
    "day_from": "integer",
    "starts_on": "date",
}

BOOKED = """
    SELECT segment.kind, spent.brand_id, spent.campaign_id, segment.starts_on, segment.day_from, spent.amount
    FROM {spent} AS spent
    JOIN campaigns_bookingzone AS zone ON zone.brand_id = spent.brand_id
    JOIN segment ON segment.zone = zone.timezone AND segment.kind = zone.kind AND segment.utc_day = spent.quarter / 96
        AND spent.quarter >= segment.quarter_from AND spent.quarter < segment.quarter_until
        AND segment.starts_on >= zone.first AND segment.starts_on < zone.until
"""
"""Spend {spent} (brand_id, campaign_id, quarter, amount) with its periods: a row for its day, one for its month.

Both tell the quarter at which its local day begins.
"""


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


def known_booking_zones(brands: Iterable[int] | None = None) -> list[str]:
    """Return the zones that all brands, or these, are booked in, without those that nobody knows."""
    in_scope, scope = ("1 = 1", []) if brands is None else (among("brand_id"), [among_param(brands)])
    rows = fetch_all(f"SELECT DISTINCT timezone FROM campaigns_bookingzone WHERE {in_scope}", scope)
    return sorted(name for (name,) in rows if find_zone(name) is not None)
