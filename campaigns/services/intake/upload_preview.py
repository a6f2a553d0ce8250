"""The preview of an uploaded spend file: made at once of a small one, by a worker of a large one.

It changes nothing but the upload itself. A worker may die in the middle of it: then the preview is made anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from campaigns.models import SpendUpload, SpendUploadPart
from campaigns.rules.amounts import DecimalMark
from campaigns.rules.clock import Clock
from campaigns.services.intake.csv_reader import BadRow, SpendFileError, read_spend_csv
from campaigns.services.intake.preview import Preview, preview_spend
from campaigns.services.intake.upload_parts import open_parts
from campaigns.services.intake.uploads import ATTEMPTS, LOST_AFTER, NAMED, named_line, visible_brands, zone_of

State = SpendUpload.State
# Files up to so many bytes are read while their person waits.
SMALL = 1024**2
WRITTEN_EVERY = timedelta(seconds=1)
SENT_FOR = 10


def due_previews(*, now: datetime) -> list[int]:
    """Return uploads whose preview nobody is making."""
    found = SpendUpload.objects.filter(_unclaimed(now)).order_by("pk")
    return list(found.values_list("pk", flat=True)[:SENT_FOR])


def _unclaimed(now: datetime) -> Q:
    return Q(state=State.CHECKING) & (Q(seen_at=None) | Q(seen_at__lt=now - LOST_AFTER))


def make_preview(pk: int, *, task_id: str, clock: Clock) -> SpendUpload | None:
    """Read the file and store what it would import; return the upload, None where nothing is to be done."""
    now = clock()
    mine = SpendUpload.objects.filter(_unclaimed(now) | Q(state=State.CHECKING, task_id=task_id), pk=pk)
    if not mine.update(task_id=task_id, attempt=F("attempt") + 1, seen_at=now):
        return None
    upload = SpendUpload.objects.get(pk=pk)
    run = _Run(upload, clock)
    try:
        if upload.attempt > ATTEMPTS:
            raise SpendFileError(f"The worker ended {ATTEMPTS} times while it read the file.")
        preview = run.read()
    except SpendFileError as error:
        run.end(State.FAILED, problem=f"{error} Nothing was imported.", ended_at=clock())
    else:
        if preview:
            run.end(State.READY, preview=preview.to_json(), refused=preview.counts.refused)
    upload.refresh_from_db()
    return upload


class _Taken(Exception):
    """The upload was cancelled, or another run makes its preview."""


class _Run:
    """One attempt at a preview."""

    def __init__(self, upload: SpendUpload, clock: Clock) -> None:
        self.upload, self.clock = upload, clock
        self.written_at = clock()
        self.raw, self.stream = open_parts(upload.pk)
        self.refusals: list[str] = []

    def read(self) -> Preview | None:
        upload = self.upload
        try:
            return preview_spend(
                read_spend_csv(self.stream, decimal=DecimalMark(upload.decimal)),
                zone=zone_of(upload),
                create=upload.create_missing,
                brands=visible_brands(upload),
                on_refused=self.name_refused,
                on_batch=self.note_progress,
            )
        except _Taken:
            return None

    def name_refused(self, refused: BadRow) -> None:
        if len(self.refusals) < NAMED:
            self.refusals.append(named_line(refused))

    def note_progress(self) -> None:
        now = self.clock()
        if now - self.written_at < WRITTEN_EVERY:
            return
        self.written_at = now
        if not self._mine().update(bytes_done=self.raw.position, seen_at=now):
            raise _Taken

    def end(self, state: State, **values: Any) -> None:
        with transaction.atomic():
            forgotten = {"task_id": "", "attempt": 0, "seen_at": None, "bytes_done": 0}
            done = self._mine().update(state=state, refusals="\n".join(self.refusals), **forgotten, **values)
            if done and state == State.FAILED:
                SpendUploadPart.objects.filter(upload=self.upload.pk).delete()

    def _mine(self) -> QuerySet[SpendUpload]:
        return SpendUpload.objects.filter(pk=self.upload.pk, attempt=self.upload.attempt, state=State.CHECKING)
