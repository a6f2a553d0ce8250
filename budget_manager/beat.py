"""Beat outlives its database, and goes on after its clock was ahead.

The database scheduler reads its schedule anew every five minutes, and would let a database that is away at that moment
end beat. And it sends nothing of a task whose last run is dated ahead until that date has come, be it in a year.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError

logger = logging.getLogger(__name__)

AHEAD = timedelta(seconds=1)
"""Clocks are put back by less than this all the time."""
LONG_BEFORE = timedelta(days=366)
"""Longer than the longest interval between two turns of our jobs, so that they are due at once."""


def correct_schedule(scheduler: Any) -> None:
    """Do what migrate does to the schedule, for TIME_ZONE may be another than then; it is read at the first turn."""
    from campaigns.services.jobs.schedule import ensure_periodic_tasks

    try:
        ensure_periodic_tasks(DEFAULT_DB_ALIAS)
        scheduler._initial_read = True
    except (DatabaseError, InterfaceError) as error:
        logger.warning("The schedule stays as it is, since the database can't be asked: %s", error)


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


def go_on_after_a_clock_ahead(scheduler: Any) -> None:
    """Before each of its turns, let a DatabaseScheduler forget last runs that are dated ahead."""
    tick = scheduler.tick

    def tick_by_the_clock(*args: Any, **kwargs: Any) -> Any:
        forget_runs_ahead(scheduler)
        return tick(*args, **kwargs)

    scheduler.tick = tick_by_the_clock


def forget_runs_ahead(scheduler: Any) -> None:
    """Make our jobs due at once whose last run is dated ahead; tasks of others come at their next turn.

    The schedule is read anew then: the turns in the heap were reckoned by the clock that was ahead.
    """
    now = datetime.now(UTC)
    ahead = {name: entry for name, entry in (scheduler._schedule or {}).items() if _ran_after(entry, now + AHEAD)}
    for name, entry in ahead.items():
        logger.warning("The last run of “%s” is dated ahead, at %s: beat goes on now.", name, entry.model.last_run_at)
        entry.last_run_at = entry.model.last_run_at = now - LONG_BEFORE if _is_ours(entry) else now
        entry.model.no_changes = True  # the schedule is the same
        scheduler._dirty.add(name)
    local_now = datetime.now()  # noqa: DTZ005  # as the scheduler itself reckons
    if ahead or scheduler._last_full_sync > local_now + AHEAD:
        scheduler.sync()
        scheduler._schedule = scheduler.all_as_schedule()
        scheduler._heap = None
        scheduler._last_full_sync = local_now


def _ran_after(entry: Any, instant: datetime) -> bool:
    """Of its model: the entry itself keeps the last run that it was read with."""
    return bool(entry.model.last_run_at and entry.model.last_run_at > instant)


def _is_ours(entry: Any) -> bool:
    from campaigns.services.jobs.schedule import JOBS

    return entry.task in {job.task for job in JOBS}
