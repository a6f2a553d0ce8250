"""Row versions of pending spend that PostgreSQL can't remove: every decision reads past them.

Pending spend comes and goes by the thousand. A transaction that stays open (a session that was forgotten, a dump of
hours, a prepared transaction, an abandoned replication slot) keeps vacuum from removing what went since it began.
"""

from __future__ import annotations

from campaigns.database.connection import fetch_all, is_postgresql
from campaigns.models import PendingSpend

MANY = 1_000_000
"""Reading past so many takes about 0.2 s each time; a minute of 10,000 rows a second leaves fewer."""

DEAD_ROWS = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = %s::regclass"


def dead_rows_warning() -> str:
    """Return what slows decisions down, and the remedy; empty where nothing does, and on SQLite."""
    if not is_postgresql():
        return ""
    rows = fetch_all(DEAD_ROWS, [PendingSpend._meta.db_table])
    dead = rows[0][0] if rows else 0
    if dead < MANY:
        return ""
    return (
        f"PostgreSQL keeps {dead:,} deleted rows of pending spend, which slow every check down: look for a transaction"
        " that has been open for long (pg_stat_activity, pg_prepared_xacts, pg_replication_slots) and end it."
    )
