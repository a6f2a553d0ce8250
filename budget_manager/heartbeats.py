"""Worker and beat note that they are there (see campaigns/services/jobs/heartbeats.py).

A worker does it where celery sends its own heartbeat to the broker, so one that lost the broker isn't seen. Beat does
it after each look at its schedule, so one that hangs isn't seen. Both do it in the loop that does the work: a thread
would outlive it. The connection to the database is closed at once, or a worker's children would inherit it.
"""

from __future__ import annotations

import logging
import socket
import time
from typing import Any

from celery.signals import beat_init, heartbeat_sent

logger = logging.getLogger(__name__)

SECONDS = 2
"""How long a process may stand still for it while the database doesn't answer."""


class Pulse:
    """Notes that this process is there, unless it has done so a moment ago. It never raises: the work goes on."""

    def __init__(self) -> None:
        self.noted_at: float | None = None

    def beat(self, kind: str, name: str) -> None:
        from campaigns.services.jobs.heartbeats import INTERVAL

        now = time.monotonic()
        if self.noted_at is not None and now - self.noted_at < INTERVAL.total_seconds():
            return
        self.noted_at = now
        _note(kind, name)


def _note(kind: str, name: str) -> None:
    from django.db import Error

    from campaigns.database.clock import SKEW, database_now, difference_in_words, machine_ahead
    from campaigns.database.connection import separate_connection
    from campaigns.services.jobs.heartbeats import note

    try:
        with separate_connection(SECONDS):
            ahead = machine_ahead()
            note(kind, name, now=database_now(), ahead=ahead)
        if abs(ahead) > SKEW:
            logger.warning("the clock of this machine is %s the database's: set it right", difference_in_words(ahead))
    except Error as error:
        logger.warning("could not note that this %s is there: %s", kind, " ".join(str(error).split()))


_pulse = Pulse()


@heartbeat_sent.connect
def _worker_is_there(sender: Any, **_kwargs: Any) -> None:
    _pulse.beat("worker", sender.eventer.hostname)


@beat_init.connect
def _note_each_look_at_the_schedule(sender: Any, **_kwargs: Any) -> None:
    """The scheduler's class is named on beat's command line, so its turn is wrapped here."""
    scheduler, tick = sender.scheduler, sender.scheduler.tick

    def noted_tick(*args: Any, **kwargs: Any) -> Any:
        seconds = tick(*args, **kwargs)
        _pulse.beat("beat", socket.gethostname())
        return seconds

    scheduler.tick = noted_tick
