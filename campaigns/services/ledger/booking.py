"""Booking: which local day and month each quarter-hour of a brand's spend belongs to (R3, R15).

Every statement that moves or recomputes totals joins its spend with the brand's accounting time zones and with
*segments*: stretches of a UTC day that lie in one local day of a zone (campaigns/sql/ledger/booked.sql). Segments come
from Python's zone data, for just the zones and days that a statement is about, as one bound parameter.
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


def segments_sql() -> str:
    return rows_sql(SEGMENT_COLUMNS, param="%(segments)s")


def segments_param(utc_days: Mapping[str, Iterable[int]]) -> str:
    """Return the parameter segments: of some UTC days in each zone. Give zones in use: 300 take 60 MB for a year."""
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
    """Return the accounting time zones of all brands, or of these, without unknown ones."""
    in_scope, scope = ("1 = 1", []) if brands is None else (in_list("brand_id"), [list_param(brands)])
    rows = fetch_all(f"SELECT DISTINCT timezone FROM campaigns_accountingtimezone WHERE {in_scope}", scope)
    return sorted(name for (name,) in rows if find_zone(name) is not None)
