"""Beat and the workers: the heartbeats that they record, and whether one of each kind is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from campaigns.database.clock import SKEW, difference_in_words
from campaigns.models import Heartbeat
from campaigns.rules.times import utc_minute

# How often a process records a heartbeat.
INTERVAL = timedelta(seconds=30)
MISSING_AFTER = timedelta(minutes=2)
# Hosts that are gone are deleted from the list.
FORGOTTEN_AFTER = timedelta(days=7)

# How to start a process by hand.
START_COMMANDS = {
    Heartbeat.Kind.BEAT: "celery -A budget_manager beat --scheduler django_celery_beat.schedulers:DatabaseScheduler",
    Heartbeat.Kind.WORKER: "celery -A budget_manager worker",
}


@dataclass(frozen=True)
class Processes:
    """The processes of one kind: how many are there, and when one of them was last seen."""

    kind: str
    running: int
    seen_at: datetime | None
    problem: str = ""
    warning: str = ""
    # None of them runs: it was last seen too long ago, or has never been seen.
    is_missing: bool = False

    @property
    def command(self) -> str:
        """The command that starts one."""
        return START_COMMANDS[Heartbeat.Kind(self.kind)]


def note_heartbeat(kind: str, name: str, *, now: datetime, ahead: timedelta = timedelta(0)) -> None:
    """Record that the worker or beat of this name ran at this instant, its clock so far ahead of the database's.

    A heartbeat in the future is of a clock that has been set right since, and is deleted.
    """
    Heartbeat.objects.bulk_create(
        [Heartbeat(kind=kind, name=name[:255], seen_at=now, seconds_ahead=ahead.total_seconds())],
        update_conflicts=True,
        unique_fields=["kind", "name"],
        update_fields=["seen_at", "seconds_ahead"],
    )
    gone = Q(seen_at__lt=now - FORGOTTEN_AFTER) | Q(seen_at__gt=now + MISSING_AFTER)
    Heartbeat.objects.filter(gone).delete()


def processes(*, now: datetime, installed_at: datetime) -> list[Processes]:
    """Return when beat and the workers were last seen; none can have been seen before installed_at."""
    heartbeats = list(Heartbeat.objects.all())
    return [_processes(kind, heartbeats, now, installed_at) for kind in (Heartbeat.Kind.BEAT, Heartbeat.Kind.WORKER)]


def stopped_processes(*, now: datetime) -> list[Processes]:
    """Return beat or the workers, if they ran once and none of them does now. One query."""
    return missing_of(processes(now=now, installed_at=now))


def missing_of(known: Iterable[Processes]) -> list[Processes]:
    """Return those of which none runs, though one ran once."""
    return [each for each in known if each.is_missing and each.seen_at]


def _processes(kind: str, heartbeats: Iterable[Heartbeat], now: datetime, installed_at: datetime) -> Processes:
    ours = [heartbeat for heartbeat in heartbeats if heartbeat.kind == kind]
    there = [heartbeat for heartbeat in ours if abs(now - heartbeat.seen_at) <= MISSING_AFTER]
    last = max((heartbeat.seen_at for heartbeat in ours if heartbeat.seen_at <= now + MISSING_AFTER), default=None)
    overdue = not there and now - (last or installed_at) > MISSING_AFTER
    # Nothing is well without one, but a fresh installation has some time to start it.
    waiting = not overdue and last is None
    skew = _skew(kind, max((_ahead(heartbeat, now) for heartbeat in there), key=abs, default=timedelta(0)))
    return Processes(
        str(kind),
        len(there),
        last,
        problem=_missing(kind, last) if overdue else "",
        warning=_not_started(kind) if waiting else skew,
        is_missing=overdue or waiting,
    )


def _ahead(heartbeat: Heartbeat, now: datetime) -> timedelta:
    """Return how far the clock of a process is ahead: as it noted, or at least as its note is dated ahead."""
    noted = timedelta(seconds=heartbeat.seconds_ahead or 0)
    return max(noted, heartbeat.seen_at - now) if noted >= timedelta(0) else noted


def _skew(kind: str, ahead: timedelta) -> str:
    if abs(ahead) <= SKEW:
        return ""
    name = "beat" if kind == Heartbeat.Kind.BEAT else "a worker"
    return (
        f"The clock of {name} is {difference_in_words(ahead)} the database's: synchronize the clocks of all machines,"
        " or quick checks expire before they begin."
    )


def _missing(kind: str, last: datetime | None) -> str:
    when = f"at {utc_minute(last)}" if last else "never"
    start = f"start it with “{START_COMMANDS[Heartbeat.Kind(kind)]}”, or see its log"
    return f"No {kind} has been seen for two minutes (the last one: {when}): {start}."


def _not_started(kind: str) -> str:
    return f"No {kind} has run yet: start it with “{START_COMMANDS[Heartbeat.Kind(kind)]}”."
