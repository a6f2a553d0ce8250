"""Local days of accounts' time zones, as rows of a statement: PostgreSQL's own zone data may disagree with Python's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from typing import Any

from django.db import connection

from campaigns.database.connection import as_date
from campaigns.rules.periods import ONE_DAY, find_zone, local_date, start_of_day

DAY_COLUMNS = {
    "zone": "text",
    "day": "date",
    "starts": "timestamptz",
    "ends": "timestamptz",
    "noon": "timestamptz",
    "finished": "integer",
}


def day_rows(days: Iterable[tuple[str | None, Any]], now: datetime) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of DAY_COLUMNS for local days of time zones that are known."""
    for name, text in sorted(set(days), key=str):
        zone = None if name is None else find_zone(name)
        if zone is not None:
            day: date = as_date(text)
            starts, ends = start_of_day(zone, day), start_of_day(zone, day + ONE_DAY)
            noon = datetime.combine(day, time(12), tzinfo=zone)
            finished = int(day < local_date(zone, now))
            yield name, day, *(as_parameter(each) for each in (starts, ends, noon)), finished


def as_parameter(instant: datetime) -> str:
    """Return an instant in UTC, in the form of the database. PostgreSQL reads no offset of 16 hours or more."""
    return str(connection.ops.adapt_datetimefield_value(instant.astimezone(UTC)))
