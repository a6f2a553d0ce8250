"""Heartbeats: which of our processes are there. Each notes it of itself; health tells of who is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from campaigns.models import Heartbeat

INTERVAL = timedelta(seconds=30)
"""How often a process notes that it is there."""

MISSING_AFTER = timedelta(minutes=2)
FORGOTTEN_AFTER = timedelta(days=7)
"""Hosts that come no more are struck off the list."""


def note(kind: str, name: str, *, now: datetime) -> None:
    """Note that the worker or beat of this name was there at this instant."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(kind=kind, name=name[:255], seen_at=now)],
        update_conflicts=True,
        unique_fields=["kind", "name"],
        update_fields=["seen_at"],
    )
    Heartbeat.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()


@dataclass(frozen=True)
class Processes:
    """The processes of one kind: how many are there, and when one of them was last seen."""

    kind: str
    running: int
    seen_at: datetime | None
    problem: str = ""


def processes(*, now: datetime, installed_at: datetime) -> list[Processes]:
    """Return what is known of beat and of the workers; before installed_at nobody can have been seen."""
    heartbeats = list(Heartbeat.objects.all())
    return [_processes(kind, heartbeats, now, installed_at) for kind in (Heartbeat.Kind.BEAT, Heartbeat.Kind.WORKER)]


def _processes(kind: str, heartbeats: Iterable[Heartbeat], now: datetime, installed_at: datetime) -> Processes:
    seen = [heartbeat.seen_at for heartbeat in heartbeats if heartbeat.kind == kind]
    running = sum(now - at <= MISSING_AFTER for at in seen)
    last = max(seen, default=None)
    missing = not running and now - (last or installed_at) > MISSING_AFTER
    return Processes(str(kind), running, last, _missing(kind, last) if missing else "")


def _missing(kind: str, last: datetime | None) -> str:
    name = "beat" if kind == Heartbeat.Kind.BEAT else "a worker"
    when = f"{last.astimezone(UTC):at %Y-%m-%d %H:%M UTC}" if last else "never"
    return f"No {kind} has been seen for two minutes (the last one: {when}): start {name}, or see its log."
