"""Deleted rows of pending spend that PostgreSQL can't remove."""

from __future__ import annotations

from campaigns.database.connection import fetch_all, is_postgresql
from campaigns.models import PendingSpend

# Reading past so many deleted rows takes about 0.2 s each time; a minute of 10,000 rows a second leaves fewer.
MANY_DEAD_ROWS = 1_000_000


def dead_rows_warning() -> str:
    """Return what slows decisions down, and the remedy: row versions of pending spend that PostgreSQL can't remove.

    Pending spend comes and goes by the thousand. A transaction that stays open (a forgotten session, a dump of hours, a
    prepared transaction, an abandoned replication slot) keeps vacuum from removing what went since it began.
    """
    if not is_postgresql():
        return ""
    sql = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = %s::regclass"
    dead = max((count for (count,) in fetch_all(sql, [PendingSpend._meta.db_table])), default=0)
    if dead < MANY_DEAD_ROWS:
        return ""
    return (
        f"PostgreSQL keeps {dead:,} deleted rows of pending spend, which slow every check down: look for a transaction"
        " that has been open for long (pg_stat_activity, pg_prepared_xacts, pg_replication_slots) and end it."
    )
