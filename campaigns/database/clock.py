"""The database's clock, which all machines go by.

Jobs and saves decide, close periods and write history by it, so a worker or web server with a wrong clock still decides
as the others do. SQLite has only its machine's clock, and tests and simulations choose their own times: there the
setting DATABASE_CLOCK is off, and the machine's clock is used.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from campaigns.database.connection import fetch_all, is_postgresql

# Synchronized clocks differ by far less; a busy machine may take a second or two to answer.
SKEW = timedelta(seconds=5)


def database_now() -> datetime:
    """Return the current time of the database's clock, not the start of the transaction."""
    if not (settings.DATABASE_CLOCK and is_postgresql()):
        return timezone.now()
    now: datetime
    ((now,),) = fetch_all("SELECT clock_timestamp()")
    return now


def not_ahead(instant: datetime) -> datetime:
    """Return the instant, or the database's now if the instant lies in the future."""
    return min(instant, database_now()) if settings.DATABASE_CLOCK else instant


def difference_in_words(ahead: timedelta) -> str:
    """Return "15 seconds ahead of" or "2 hours behind", of one clock and another."""
    seconds = abs(round(ahead.total_seconds()))
    for least, size, unit in ((172_800, 86_400, "days"), (7_200, 3_600, "hours"), (120, 60, "minutes")):
        if seconds >= least:
            return f"{seconds // size} {unit} {_side(ahead)}"
    return f"{seconds} {'second' if seconds == 1 else 'seconds'} {_side(ahead)}"


def _side(ahead: timedelta) -> str:
    return "ahead of" if ahead > timedelta(0) else "behind"


def machine_ahead() -> timedelta:
    """Return how far this machine's clock is ahead of the database's; negative where it is behind."""
    before = timezone.now()
    now = database_now()
    return before + (timezone.now() - before) / 2 - now
