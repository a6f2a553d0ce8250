"""Heartbeats: which of our processes are there. Each notes it of itself; health tells of who is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from campaigns.database.clock import SKEW, difference_in_words
from campaigns.models import Heartbeat

INTERVAL = timedelta(seconds=30)
"""How often a process notes that it is there."""

MISSING_AFTER = timedelta(minutes=2)
FORGOTTEN_AFTER = timedelta(days=7)
"""Hosts that come no more are struck off the list."""


def note(kind: str, name: str, *, now: datetime, ahead: timedelta = timedelta(0)) -> None:
    """Note that the worker or beat of this name was there at this instant, its clock so far ahead of the database's.

    One dated ahead was noted by a clock that has been set right since: who is there notes it anew.
    """
    Heartbeat.objects.bulk_create(
        [Heartbeat(kind=kind, name=name[:255], seen_at=now, seconds_ahead=ahead.total_seconds())],
        update_conflicts=True,
        unique_fields=["kind", "name"],
        update_fields=["seen_at", "seconds_ahead"],
    )
    gone = Q(seen_at__lt=now - FORGOTTEN_AFTER) | Q(seen_at__gt=now + MISSING_AFTER)
    Heartbeat.objects.filter(gone).delete()


@dataclass(frozen=True)
class Processes:
    """The processes of one kind: how many are there, and when one of them was last seen."""

    kind: str
    running: int
    seen_at: datetime | None
    problem: str = ""
    warning: str = ""


def processes(*, now: datetime, installed_at: datetime) -> list[Processes]:
    """Return what is known of beat and of the workers; before installed_at nobody can have been seen."""
    heartbeats = list(Heartbeat.objects.all())
    return [_processes(kind, heartbeats, now, installed_at) for kind in (Heartbeat.Kind.BEAT, Heartbeat.Kind.WORKER)]


def _processes(kind: str, heartbeats: Iterable[Heartbeat], now: datetime, installed_at: datetime) -> Processes:
    ours = [heartbeat for heartbeat in heartbeats if heartbeat.kind == kind]
    there = [heartbeat for heartbeat in ours if abs(now - heartbeat.seen_at) <= MISSING_AFTER]
    last = max((heartbeat.seen_at for heartbeat in ours if heartbeat.seen_at <= now + MISSING_AFTER), default=None)
    missing = not there and now - (last or installed_at) > MISSING_AFTER
    warning = _skew(kind, max((_ahead(heartbeat, now) for heartbeat in there), key=abs, default=timedelta(0)))
    return Processes(str(kind), len(there), last, _missing(kind, last) if missing else "", warning)


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
        " or quick checkes expire before they begin."
    )


def _missing(kind: str, last: datetime | None) -> str:
    name = "beat" if kind == Heartbeat.Kind.BEAT else "a worker"
    when = f"{last.astimezone(UTC):at %Y-%m-%d %H:%M UTC}" if last else "never"
    return f"No {kind} has been seen for two minutes (the last one: {when}): start {name}, or see its log."
