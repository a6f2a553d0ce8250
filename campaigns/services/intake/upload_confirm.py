"""From the preview of an uploaded spend file to its import: somebody confirms it, or it goes.

The same bytes imported twice count twice, but for rows with an external_id. So uploads keep a digest of their bytes,
imports by the command are listed as uploads, and whoever confirms a file that was imported before has to say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from campaigns.models import SpendUpload, SpendUploadPart
from campaigns.services.intake.preview import Preview

State = SpendUpload.State
UNCONFIRMED = (State.CHECKING, State.READY)
KEPT_FOR = timedelta(days=7)
NAMED = 5


class NotConfirmed(Exception):
    """The upload isn't imported; the message is a sentence that says why."""


class OutOfDate(NotConfirmed):
    """The preview doesn't hold any more, and has to be made anew."""


def earlier_imports(sha256: str, *, but: int = 0) -> QuerySet[SpendUpload]:
    """Return the imports of the same bytes that have written rows, or are about to, the newest first."""
    if not sha256:
        return SpendUpload.objects.none()
    written = Q(imported__gt=0) | Q(state__in=(State.WAITING, State.RUNNING))
    return SpendUpload.objects.filter(written, sha256=sha256).exclude(pk=but).order_by("-pk")


def repeats(upload: SpendUpload, preview: Preview) -> Sequence[SpendUpload]:
    """Return the first earlier imports of the bytes of an upload that would count some of its rows twice."""
    if not preview.counts.without_external_id:
        return ()
    return list(earlier_imports(upload.sha256, but=upload.pk)[:NAMED])


def confirm_upload(pk: int, *, skip_errors: bool, again: bool) -> SpendUpload:
    """Let an upload be imported, as its preview says. Raises NotConfirmed.

    again says that the same bytes may be imported once more; skip_errors that refused rows are left out. Where a
    brand's time zone or currency changed after the preview, the upload waits for a new one, and OutOfDate is raised.
    """
    try:
        return _confirm(pk, skip_errors=skip_errors, again=again)
    except OutOfDate:
        # It was read before: what came of that is forgotten, so that it counts as a file that nobody has read.
        forgotten = {"preview": None, "seen_at": None, "attempt": 0, "refused": 0, "refusals": "", "bytes_done": 0}
        SpendUpload.objects.filter(pk=pk, state=State.READY).update(state=State.CHECKING, **forgotten)
        raise


def _confirm(pk: int, *, skip_errors: bool, again: bool) -> SpendUpload:
    with transaction.atomic():
        # All uploads of the same bytes, in one order: two people confirm them one after the other.
        same = SpendUpload.objects.filter(sha256__in=SpendUpload.objects.filter(pk=pk).values("sha256"))
        locked = {row.pk: row for row in same.select_for_update(of=("self",)).order_by("pk")}
        upload = locked.get(pk)
        if upload is None or upload.state != State.READY or upload.preview is None:
            raise NotConfirmed("This import isn't waiting for a confirmation any more.")
        preview = Preview.from_json(upload.preview)
        if changed := preview.changed_brands():
            names = ", ".join(f"“{name}”" for name in changed[:NAMED])
            more = f" and {len(changed) - NAMED:,} more" if len(changed) > NAMED else ""
            raise OutOfDate(
                f"Nothing is imported yet: the time zone or currency of {names}{more} changed after the preview. Check"
                " the new preview and confirm it."
            )
        if not preview.counts.imported:
            raise NotConfirmed("The file has no new rows to import.")
        if preview.counts.refused and not (skip_errors or upload.skip_errors):
            raise NotConfirmed("Some rows are refused: correct them, or tick that they are skipped.")
        if repeats(upload, preview) and not again:
            raise NotConfirmed("This file was imported before: tick that it is to be imported again.")
        upload.state, upload.refused, upload.refusals = State.WAITING, 0, ""
        upload.skip_errors = upload.skip_errors or skip_errors
        upload.save(update_fields=["state", "refused", "refusals", "skip_errors"])
    return upload


def cancel_upload(pk: int, *, now: datetime, problem: str = "Nothing was imported.") -> bool:
    """Drop an upload that nobody has confirmed; tell whether it was one."""
    with transaction.atomic():
        mine = SpendUpload.objects.filter(pk=pk, state__in=UNCONFIRMED)
        if not mine.update(state=State.CANCELLED, problem=problem, ended_at=now, refused=0, refusals=""):
            return False
        SpendUploadPart.objects.filter(upload=pk).delete()
    return True


def cancel_forgotten(*, now: datetime) -> None:
    """Drop the files whose previews nobody has confirmed for days."""
    forgotten = SpendUpload.objects.filter(state=State.READY, created_at__lt=now - KEPT_FOR)
    for pk in list(forgotten.order_by().values_list("pk", flat=True)):
        days = KEPT_FOR.days
        cancel_upload(pk, now=now, problem=f"Nobody confirmed the import for {days} days. Nothing was imported.")
