"""Importing uploaded spend files in a worker: claimed, run, and retried if a run is lost.

A message can be delivered twice, and a worker can die at any point. Each run gets a number when it claims
the upload, and commits only while the upload still has that number; a run of another
message, or of the same one again, gets the next. All or nothing is one transaction that includes the result; if errors
are skipped, each batch is committed with its last line number, and the next run continues after it. So every line
counts once, with or without an external_id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import DatabaseError, transaction
from django.db.models import F, Q, QuerySet

from campaigns.database.connection import is_busy, is_postgresql, separate_connection
from campaigns.models import Brand, SpendUpload, SpendUploadPart
from campaigns.rules.amounts import DecimalMark
from campaigns.rules.clock import Clock
from campaigns.rules.periods import find_zone
from campaigns.services.history.record import Channel, Source
from campaigns.services.intake.csv_reader import BadRow, Line, SpendFileError, read_spend_csv
from campaigns.services.intake.importer import ImportRefused, import_spend
from campaigns.services.intake.placement import Counts
from campaigns.services.intake.upload_files import PartsStream, open_parts
from campaigns.services.permissions import sees_only_assigned_brands, visible_to

State = SpendUpload.State
OPEN = (State.CHECKING, State.WAITING, State.RUNNING)
# A run without a sign of life for this long is lost.
LOST_AFTER = timedelta(minutes=2)
ATTEMPTS = 5
PROGRESS_INTERVAL = timedelta(seconds=1)
# Refused lines stored with their reasons.
MAX_NAMED = 100
MAX_NAMED_LENGTH = 500
COUNTS = Counts.__slots__


class Superseded(Exception):
    """Another run took the upload over, so this one must not commit."""


def due_uploads(*, now: datetime) -> list[int]:
    """Return the oldest upload that is waiting or whose run was lost, unless another one is running."""
    running = Q(state=State.RUNNING, seen_at__range=_lately(now))
    if SpendUpload.objects.filter(running).exists():
        return []
    found = SpendUpload.objects.filter(Q(state=State.WAITING) | Q(state=State.RUNNING) & ~running).order_by("pk")
    return list(found.values_list("pk", flat=True)[:1])


def claim(pk: int, *, task_id: str, now: datetime) -> SpendUpload | None:
    """Claim an upload that is waiting, whose run was lost, or whose message was redelivered; or return None.

    One import at a time, because each takes a core, and the checks need another.
    """
    lost = ~Q(seen_at__range=_lately(now)) | Q(task_id=task_id)
    others = SpendUpload.objects.filter(state=State.RUNNING, seen_at__range=_lately(now)).exclude(pk=pk)
    if others.exists():
        return None
    mine = SpendUpload.objects.filter(Q(state=State.WAITING) | Q(state=State.RUNNING) & lost, pk=pk)
    claimed = mine.update(state=State.RUNNING, task_id=task_id, attempt=F("attempt") + 1, seen_at=now, started_at=now)
    return SpendUpload.objects.get(pk=pk) if claimed else None


def _lately(now: datetime) -> tuple[datetime, datetime]:
    """Return the range of last signs of life of a run that isn't lost; one far in the future doesn't count."""
    return now - LOST_AFTER, now + LOST_AFTER


def run_upload(pk: int, *, task_id: str, clock: Clock) -> SpendUpload | None:
    """Claim the upload and import it; return it at the end, None if it can't be run now.

    An import error makes it fail with a message. An unexpected error is raised, and the upload is tried
    again, up to ATTEMPTS times.
    """
    upload = claim(pk, task_id=task_id, now=clock())
    if upload is None:
        return None
    run = _Run(upload, clock)
    try:
        run.go()
    except Superseded:
        return None
    upload.refresh_from_db()
    return upload


def fail(pk: int, sentence: str, *, now: datetime) -> None:
    """Mark an unfinished upload as failed."""
    with transaction.atomic():
        SpendUpload.objects.filter(pk=pk, state__in=OPEN).update(state=State.FAILED, problem=sentence, ended_at=now)
        SpendUploadPart.objects.filter(upload=pk).delete()


@dataclass
class _Run:
    """One attempt at one upload."""

    upload: SpendUpload
    clock: Clock

    def __post_init__(self) -> None:
        self.reported_at = self.clock()
        self.refusals = self.upload.refusals.splitlines()
        self.raw: PartsStream
        self.raw, self.stream = open_parts(self.upload.pk)

    def go(self) -> None:
        if self.upload.attempt > ATTEMPTS:
            self.end(State.FAILED, f"The worker stopped {ATTEMPTS} times during the import. {self.kept()}")
            return
        try:
            self.import_rows()
        except ImportRefused as refusal:
            counts = dict.fromkeys(COUNTS, 0) | {"refused": refusal.counts.refused}
            were = "line was" if refusal.counts.refused == 1 else "lines were"
            sentence = f"{refusal.counts.refused:,} {were} refused, so nothing was imported."
            self.end(State.FAILED, f"{sentence} Correct them, or choose to skip them.", **counts)
        except SpendFileError as error:
            self.end(State.FAILED, f"{error} {self.kept()}")
        except DatabaseError as error:
            if not is_busy(error):
                raise
            self.end(State.FAILED, f"Another process was writing the same rows: try again. {self.kept()}")

    def import_rows(self) -> None:
        upload = self.upload
        zone = zone_of(upload)
        rows = self.rows(read_spend_csv(self.stream, decimal=DecimalMark(upload.decimal)))
        brands = visible_brands(upload)
        source = Source(upload.who, Channel.IMPORT)
        if upload.skip_errors:
            import_spend(
                rows,
                clock=self.clock,
                zone=zone,
                create=upload.create_missing,
                brands=brands,
                source=source,
                skip_errors=True,
                on_refused=self.name_refused,
                in_batch=self.commit_batch,
            )
            self.end(State.DONE)
            return
        with transaction.atomic():
            counts = import_spend(
                rows,
                clock=self.clock,
                zone=zone,
                create=upload.create_missing,
                brands=brands,
                source=source,
                on_refused=self.name_refused,
                on_batch=self.tell,
            )
            self.end(State.DONE, **{name: getattr(counts, name) for name in COUNTS})

    def rows(self, given: Iterable[Line]) -> Iterator[Line]:
        """Yield the lines that aren't imported yet."""
        return (row for row in given if row.line > self.upload.lines_done)

    def name_refused(self, refused: BadRow) -> None:
        if len(self.refusals) < MAX_NAMED:
            self.refusals.append(describe_refused(refused))

    def commit_batch(self, counts: Counts, refused: Sequence[BadRow], line: int) -> None:
        """Store the progress, in the batch's transaction."""
        named = [*self.refusals, *map(describe_refused, refused)][:MAX_NAMED]
        added: dict[str, Any] = {name: F(name) + getattr(counts, name) for name in COUNTS}
        self.write(
            lines_done=line,
            bytes_done=self.raw.position,
            seen_at=self.clock(),
            refusals="\n".join(named),
            **added,
        )

    def tell(self, counts: Counts) -> None:
        """Report the progress of an uncommitted transaction, on a separate connection.

        SQLite has one writer, so there is no progress before the end.
        """
        now = self.clock()
        if not is_postgresql() or now - self.reported_at < PROGRESS_INTERVAL:
            return
        self.reported_at = now
        with separate_connection(5):
            self.write(bytes_done=self.raw.position, seen_at=now)

    def end(self, state: State, sentence: str = "", **counts: int) -> None:
        with transaction.atomic():
            done = self.upload.size if state == State.DONE else self.raw.position
            result = {"refusals": "\n".join(self.refusals), "problem": sentence, "bytes_done": done}
            self.write(state=state, ended_at=self.clock(), **result, **counts)
            SpendUploadPart.objects.filter(upload=self.upload.pk).delete()

    def write(self, **values: Any) -> None:
        """Update the upload if this run still owns it. Raises Superseded."""
        mine = SpendUpload.objects.filter(pk=self.upload.pk, attempt=self.upload.attempt, state=State.RUNNING)
        if not mine.update(**values):
            raise Superseded

    def kept(self) -> str:
        imported = SpendUpload.objects.values_list("imported", flat=True).get(pk=self.upload.pk)
        if not imported:
            return "Nothing was imported."
        return f"{imported:,} rows were imported before that, and stay."


def zone_of(upload: SpendUpload) -> ZoneInfo | None:
    """Return the zone of times without an offset, None for that of each brand. Raises SpendFileError."""
    zone = find_zone(upload.timezone)
    if zone is None and upload.timezone:
        raise SpendFileError(f"The time zone “{upload.timezone}” is unknown: choose another one.")
    return zone


def visible_brands(upload: SpendUpload) -> QuerySet[Brand] | None:
    """Return the brands that the person sees; None where that is all, none of a person who is gone."""
    person = upload.user
    if person is None or not person.is_active:
        return Brand.objects.none()
    if not sees_only_assigned_brands(person):
        return None
    return visible_to(person, Brand.objects.order_by(), "pk")


def describe_refused(refused: BadRow) -> str:
    return f"Line {refused.line:,}: {refused.reason}".replace("\n", " ")[:MAX_NAMED_LENGTH]
