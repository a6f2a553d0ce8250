"""From an uploaded spend file to its import: its preview, and the confirmation by a person.

The preview of a small file is made at once, of a large one by a worker; it changes nothing but the upload, and is
repeated if the worker dies.

The same bytes imported twice count twice, except rows with an external_id. So uploads store a digest of their bytes,
the command's imports are listed as uploads, and a file that was imported before must be confirmed explicitly.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from campaigns.models import SpendUpload, SpendUploadPart
from campaigns.rules.amounts import DecimalMark
from campaigns.rules.clock import Clock
from campaigns.services.intake.csv_reader import BadRow, SpendFileError, read_spend_csv
from campaigns.services.intake.preview import Preview, preview_spend
from campaigns.services.intake.upload_files import open_parts
from campaigns.services.intake.uploads import ATTEMPTS, LOST_AFTER, MAX_NAMED, describe_refused, visible_brands, zone_of

State = SpendUpload.State
# Files up to this size are read in the request.
MAX_INLINE_BYTES = 1024**2
PROGRESS_INTERVAL = timedelta(seconds=1)
MAX_DUE_PREVIEWS = 10


def due_previews(*, now: datetime) -> list[int]:
    """Return uploads whose preview no worker is making."""
    found = SpendUpload.objects.filter(_unclaimed(now)).order_by("pk")
    return list(found.values_list("pk", flat=True)[:MAX_DUE_PREVIEWS])


def _unclaimed(now: datetime) -> Q:
    return Q(state=State.CHECKING) & (Q(seen_at=None) | Q(seen_at__lt=now - LOST_AFTER))


def make_preview(pk: int, *, task_id: str, clock: Clock) -> SpendUpload | None:
    """Read the file and store its preview; return the upload, None if there is nothing to do."""
    now = clock()
    mine = SpendUpload.objects.filter(_unclaimed(now) | Q(state=State.CHECKING, task_id=task_id), pk=pk)
    if not mine.update(task_id=task_id, attempt=F("attempt") + 1, seen_at=now):
        return None
    upload = SpendUpload.objects.get(pk=pk)
    run = _Run(upload, clock)
    try:
        if upload.attempt > ATTEMPTS:
            raise SpendFileError(f"The worker stopped {ATTEMPTS} times while reading the file.")
        preview = run.read()
    except SpendFileError as error:
        run.end(State.FAILED, problem=f"{error} Nothing was imported.", ended_at=clock())
    else:
        if preview:
            run.end(State.READY, preview=preview.to_json(), refused=preview.counts.refused)
    upload.refresh_from_db()
    return upload


class _TakenOver(Exception):
    """The upload was cancelled, or another run took it over."""


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
        except _TakenOver:
            return None

    def name_refused(self, refused: BadRow) -> None:
        if len(self.refusals) < MAX_NAMED:
            self.refusals.append(describe_refused(refused))

    def note_progress(self) -> None:
        now = self.clock()
        if now - self.written_at < PROGRESS_INTERVAL:
            return
        self.written_at = now
        if not self._mine().update(bytes_done=self.raw.position, seen_at=now):
            raise _TakenOver

    def end(self, state: State, **values: Any) -> None:
        with transaction.atomic():
            forgotten = {"task_id": "", "attempt": 0, "seen_at": None, "bytes_done": 0}
            done = self._mine().update(state=state, refusals="\n".join(self.refusals), **forgotten, **values)
            if done and state == State.FAILED:
                SpendUploadPart.objects.filter(upload=self.upload.pk).delete()

    def _mine(self) -> QuerySet[SpendUpload]:
        return SpendUpload.objects.filter(pk=self.upload.pk, attempt=self.upload.attempt, state=State.CHECKING)


UNCONFIRMED = (State.CHECKING, State.READY)
EXPIRES_AFTER = timedelta(days=7)
MAX_NAMED_BRANDS = 5
MAX_EARLIER_IMPORTS = 5


class NotConfirmed(Exception):
    """The upload isn't imported; the message says why."""


class OutOfDate(NotConfirmed):
    """The preview is out of date and must be repeated."""


def earlier_imports(sha256: str, *, but: int = 0) -> QuerySet[SpendUpload]:
    """Return the imports of the same bytes that have written rows or are about to, the newest first.

    An import that was reversed counts for nothing.
    """
    if not sha256:
        return SpendUpload.objects.none()
    written = Q(imported__gt=0) | Q(state__in=(State.WAITING, State.RUNNING))
    return SpendUpload.objects.filter(written, sha256=sha256, reversed_at=None).exclude(pk=but).order_by("-pk")


def is_reversed(upload: SpendUpload) -> bool:
    """Return whether an earlier import of the same bytes was reversed."""
    if not upload.sha256:
        return False
    earlier = SpendUpload.objects.filter(sha256=upload.sha256, reversed_at__isnull=False)
    return earlier.exclude(pk=upload.pk).exists()


def repeats(upload: SpendUpload, preview: Preview) -> Sequence[SpendUpload]:
    """Return earlier imports of the same bytes if some rows would count twice."""
    if not preview.counts.without_external_id:
        return ()
    return list(earlier_imports(upload.sha256, but=upload.pk)[:MAX_EARLIER_IMPORTS])


def confirm_upload(pk: int, *, skip_errors: bool, again: bool) -> SpendUpload:
    """Confirm an upload for import as previewed. Raises NotConfirmed.

    again allows the same bytes to be imported again, skip_errors skips refused rows. If a
    brand's time zone or currency changed after the preview, a new preview is due, and OutOfDate is raised.
    """
    try:
        return _confirm(pk, skip_errors=skip_errors, again=again)
    except OutOfDate:
        # Reset the upload, so that a new preview is made.
        forgotten = {"preview": None, "seen_at": None, "attempt": 0, "refused": 0, "refusals": "", "bytes_done": 0}
        SpendUpload.objects.filter(pk=pk, state=State.READY).update(state=State.CHECKING, **forgotten)
        raise


def _confirm(pk: int, *, skip_errors: bool, again: bool) -> SpendUpload:
    with transaction.atomic():
        # Lock all uploads of the same bytes in id order, so that two people confirm them one after the other.
        same = SpendUpload.objects.filter(sha256__in=SpendUpload.objects.filter(pk=pk).values("sha256"))
        locked = {row.pk: row for row in same.select_for_update(of=("self",)).order_by("pk")}
        upload = locked.get(pk)
        if upload is None or upload.state != State.READY or upload.preview is None:
            raise NotConfirmed("This import is no longer waiting for confirmation.")
        preview = Preview.from_json(upload.preview)
        if changed := preview.changed_brands():
            names = ", ".join(f"“{name}”" for name in changed[:MAX_NAMED_BRANDS])
            more = f" and {len(changed) - MAX_NAMED_BRANDS:,} more" if len(changed) > MAX_NAMED_BRANDS else ""
            raise OutOfDate(
                f"Nothing is imported yet: the time zone or currency of {names}{more} changed after the preview. Check"
                " the new preview and confirm it."
            )
        if not preview.counts.imported:
            raise NotConfirmed("The file has no new rows to import.")
        if preview.counts.refused and not (skip_errors or upload.skip_errors):
            raise NotConfirmed("Some rows are refused: correct them, or choose to skip them.")
        if repeats(upload, preview) and not again:
            raise NotConfirmed("This file was imported before: confirm that you want to import it again.")
        upload.state, upload.refused, upload.refusals = State.WAITING, 0, ""
        upload.skip_errors = upload.skip_errors or skip_errors
        upload.save(update_fields=["state", "refused", "refusals", "skip_errors"])
    return upload


def cancel_upload(pk: int, *, now: datetime, problem: str = "Nothing was imported.") -> bool:
    """Cancel an unconfirmed upload; return whether it was unconfirmed."""
    with transaction.atomic():
        mine = SpendUpload.objects.filter(pk=pk, state__in=UNCONFIRMED)
        if not mine.update(state=State.CANCELLED, problem=problem, ended_at=now, refused=0, refusals=""):
            return False
        SpendUploadPart.objects.filter(upload=pk).delete()
    return True


def cancel_expired(*, now: datetime) -> None:
    """Cancel uploads that weren't confirmed within EXPIRES_AFTER."""
    forgotten = SpendUpload.objects.filter(state=State.READY, created_at__lt=now - EXPIRES_AFTER)
    for pk in list(forgotten.order_by().values_list("pk", flat=True)):
        days = EXPIRES_AFTER.days
        cancel_upload(pk, now=now, problem=f"The import wasn't confirmed within {days} days. Nothing was imported.")
