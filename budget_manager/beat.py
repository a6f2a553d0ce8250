"""Beat outlives its database.

The database scheduler reads its schedule anew every five minutes, and would let a database that is away at that moment
end beat.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError

logger = logging.getLogger(__name__)


def keep_schedule_without_database(scheduler: Any) -> None:
    """Let a DatabaseScheduler go on with the schedule that it has, and try to read it again at each of its turns."""
    read = scheduler.all_as_schedule

    def read_or_keep() -> Any:
        try:
            return read()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("The schedule can't be read, so the one before it stays: %s", error)
            scheduler._last_full_sync -= timedelta(hours=1)  # so that the next turn tries again
            return scheduler._schedule

    scheduler.all_as_schedule = read_or_keep
