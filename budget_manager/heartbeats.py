"""Worker and beat record heartbeats in the database (see campaigns/services/jobs/processes.py).

A worker does so whenever Celery sends its own heartbeat to the broker, so a worker without a broker stops recording.
Beat does so after each tick, so a beat that hangs stops recording. Both record in the loop that does the work, because
a thread would outlive it. The database connection is closed at once, or the worker's children would inherit it.
"""

from __future__ import annotations

import logging
import socket
import time
from typing import Any

from celery.signals import beat_init, heartbeat_sent
from django.conf import settings

logger = logging.getLogger(__name__)

# A database that doesn't answer blocks the process for this many seconds at most.
TIMEOUT = 2


class Pulse:
    """Records heartbeats of this process, at most one in an interval. Database errors are logged, never raised."""

    def __init__(self) -> None:
        self.recorded_at: float | None = None

    def beat(self, kind: str, name: str) -> None:
        from campaigns.services.jobs.processes import INTERVAL

        now = time.monotonic()
        if self.recorded_at is not None and now - self.recorded_at < INTERVAL.total_seconds():
            return
        self.recorded_at = now
        _record(kind, name)


def _record(kind: str, name: str) -> None:
    from django.db import Error

    from campaigns.database.clock import SKEW, database_now, difference_in_words, machine_ahead
    from campaigns.database.connection import separate_connection
    from campaigns.services.jobs.processes import note_heartbeat

    try:
        with separate_connection(TIMEOUT):
            ahead = machine_ahead()
            note_heartbeat(kind, name, now=database_now(), ahead=ahead)
        if abs(ahead) > SKEW:
            logger.warning("this machine's clock is %s the database's: correct it", difference_in_words(ahead))
    except Error as error:
        logger.warning("couldn't record the heartbeat of this %s: %s", kind, " ".join(str(error).split()))


_pulse = Pulse()


@heartbeat_sent.connect
def _record_worker(sender: Any, **_kwargs: Any) -> None:
    """Record a worker that does checks; one for deliveries alone mustn't hide that there is no other."""
    if set(sender.eventer.app.amqp.queues.consume_from) == {settings.DELIVERY_QUEUE}:
        return
    _pulse.beat("worker", sender.eventer.hostname)


@beat_init.connect
def _record_each_tick(sender: Any, **_kwargs: Any) -> None:
    """The scheduler's class is chosen on beat's command line, so its tick is wrapped here."""
    scheduler, tick = sender.scheduler, sender.scheduler.tick

    def recorded_tick(*args: Any, **kwargs: Any) -> Any:
        seconds = tick(*args, **kwargs)
        _pulse.beat("beat", socket.gethostname())
        return seconds

    scheduler.tick = recorded_tick
