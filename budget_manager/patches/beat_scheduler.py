"""Keeps beat running without its database, and after its clock was ahead.

django-celery-beat's DatabaseScheduler reloads its schedule every five minutes; a database error at that moment would
end beat (celery/celery#525 and #3135). And a task whose last run lies in the future isn't sent until then, even if
that is a year; no upstream issue is about that.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError

logger = logging.getLogger(__name__)

AHEAD = timedelta(seconds=1)  # smaller corrections of clocks happen all the time
LONG_AGO = timedelta(days=366)  # longer than any interval of our jobs, so that they are due at once


def correct_schedule(scheduler: Any) -> None:
    """Update the periodic tasks as migrate does, since TIME_ZONE may have changed; the first tick loads them."""
    from campaigns.services.jobs.periodic_tasks import ensure_periodic_tasks

    try:
        ensure_periodic_tasks(DEFAULT_DB_ALIAS)
        scheduler._initial_read = True
    except (DatabaseError, InterfaceError) as error:
        logger.warning("Couldn't update the periodic tasks: %s", error)


def keep_schedule_without_database(scheduler: Any) -> None:
    """Keep the scheduler's last schedule if the database can't be read, and retry at each tick."""
    read = scheduler.all_as_schedule

    def read_or_keep() -> Any:
        try:
            return read()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Couldn't reload the schedule; continuing with the last one: %s", error)
            scheduler._last_full_sync -= timedelta(hours=1)  # so that the next tick tries again
            return scheduler._schedule

    scheduler.all_as_schedule = read_or_keep


def recover_from_clock_ahead(scheduler: Any) -> None:
    """Reset last runs that lie in the future before each tick of the scheduler."""
    tick = scheduler.tick

    def tick_after_recovery(*args: Any, **kwargs: Any) -> Any:
        reset_future_runs(scheduler)
        return tick(*args, **kwargs)

    scheduler.tick = tick_after_recovery


def reset_future_runs(scheduler: Any) -> None:
    """Make our jobs due at once if their last run lies in the future; other tasks run at their next regular time.

    The schedule is reloaded then, because the times in the scheduler's heap were computed by the clock that was ahead.
    """
    now = datetime.now(UTC)
    ahead = {name: entry for name, entry in (scheduler._schedule or {}).items() if _ran_after(entry, now + AHEAD)}
    for name, entry in ahead.items():
        logger.warning(
            "The last run of “%s” lies in the future, at %s; it runs again now.", name, entry.model.last_run_at
        )
        entry.last_run_at = entry.model.last_run_at = now - LONG_AGO if _is_ours(entry) else now
        entry.model.no_changes = True  # the schedule is the same
        scheduler._dirty.add(name)
    local_now = datetime.now()  # noqa: DTZ005  # the scheduler uses naive local time
    if ahead or scheduler._last_full_sync > local_now + AHEAD:
        scheduler.sync()
        scheduler._schedule = scheduler.all_as_schedule()
        scheduler._heap = None
        scheduler._last_full_sync = local_now


def _ran_after(entry: Any, instant: datetime) -> bool:
    """Compare the model's last run: the entry keeps the one that it was loaded with."""
    return bool(entry.model.last_run_at and entry.model.last_run_at > instant)


def _is_ours(entry: Any) -> bool:
    from campaigns.services.jobs.schedule import JOBS

    return entry.task in {job.task for job in JOBS}
