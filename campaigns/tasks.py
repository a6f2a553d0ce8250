"""The jobs that beat fires. Thin: each reads the clock, calls the service and logs what it did."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.utils import timezone

from campaigns.services import jobs, quick, shards, spend_uploads, upload_confirm, upload_preview

logger = logging.getLogger(__name__)


@shared_task(name="campaigns.tasks.check_budgets")
def check_budgets() -> None:
    """Every five minutes: put every campaign into the state that the facts give, and close what has ended."""
    _run(jobs.CHECK_BUDGETS)
    send_due_uploads()


@shared_task(name="campaigns.tasks.reset_daily_spend")
def reset_daily_spend() -> None:
    """At midnight: the same, on the dot of the new day. Nothing is zeroed: a new day has its own spend (R4)."""
    _run(jobs.RESET_DAILY_SPEND)


@shared_task(name="campaigns.tasks.reset_monthly_spend")
def reset_monthly_spend() -> None:
    """On the 1st at midnight: the same, on the dot of the new month (R4)."""
    _run(jobs.RESET_MONTHLY_SPEND)


@shared_task(name="campaigns.tasks.quick_pass", soft_time_limit=45, time_limit=60)
def quick_pass() -> None:
    """Every ten seconds: enforce what had spend and what time has reached. The check puts right what this misses."""
    done = quick.run_quick_pass(clock=timezone.now)
    if done.changed or done.folded:
        logger.info("%s: %s", quick.JOB, done.summary)


@shared_task(name="campaigns.tasks.check_shard", expires=240)
def check_shard(check: str, number: int) -> None:
    """Enforce one shard of a full check; the last one ends the check."""
    ended = shards.run_shard(UUID(check), number, clock=timezone.now)
    if ended:
        _log("check_shard", ended)


# Below the visibility timeout of the broker, in seconds: an import of everything in one transaction takes its time.
@shared_task(name="campaigns.tasks.import_spend_upload", bind=True, soft_time_limit=50 * 60, time_limit=55 * 60)
def import_spend_upload(task: Any, upload: int) -> None:
    """Import a file of spend that somebody uploaded, then send for the next one."""
    try:
        done = spend_uploads.run_upload(upload, task_id=task.request.id or "", clock=timezone.now)
    except SoftTimeLimitExceeded:
        spend_uploads.fail(upload, "It took longer than 50 minutes: import it in several files.", now=timezone.now())
        raise
    if done:
        logger.info("import_spend_upload: %s (%d) is %s, %d imported", done.name, done.pk, done.state, done.imported)
        send_due_uploads()


@shared_task(name="campaigns.tasks.preview_spend_upload", bind=True, soft_time_limit=50 * 60, time_limit=55 * 60)
def preview_spend_upload(task: Any, upload: int) -> None:
    """Read a file of spend that somebody uploaded, for its preview."""
    try:
        read = upload_preview.make_preview(upload, task_id=task.request.id or "", clock=timezone.now)
    except SoftTimeLimitExceeded:
        spend_uploads.fail(upload, "It took longer than 50 minutes: import it in several files.", now=timezone.now())
        raise
    if read:
        logger.info("preview_spend_upload: %s (%d) is %s", read.name, read.pk, read.state)


def send_due_uploads() -> None:
    """Send for the upload that is next, if there is one: it waits, or its run was lost; the same for previews."""
    upload_confirm.cancel_forgotten(now=timezone.now())
    for pk in upload_preview.due_previews(now=timezone.now()):
        preview_spend_upload.delay(pk)
    for pk in spend_uploads.due_uploads(now=timezone.now()):
        import_spend_upload.delay(pk)


def _run(name: str) -> None:
    if settings.CHECK_SHARDS > 1:
        check = shards.begin_check(name, of=settings.CHECK_SHARDS, clock=timezone.now)
        for number in range(settings.CHECK_SHARDS):
            check_shard.delay(str(check), number)
        logger.info("%s: in %d shards", name, settings.CHECK_SHARDS)
    else:
        _log(name, jobs.run_full_check(name, clock=timezone.now))


def _log(name: str, check: jobs.FullCheck) -> None:
    logger.info("%s: %s", name, check.summary)
    if check.problem:
        logger.error("%s: %s", name, check.problem)
