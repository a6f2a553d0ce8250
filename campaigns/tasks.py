"""The jobs that beat fires. Thin: each reads the clock, calls the service and logs what it did."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from celery import shared_task
from django.conf import settings

from budget_manager import beside
from budget_manager.observe.heartbeat_url import send_heartbeat
from campaigns.database.clock import database_now
from campaigns.models import StatusChange
from campaigns.rules.periods import find_zone
from campaigns.services.alerts import outgoing
from campaigns.services.enforcement.enforce import Transitions
from campaigns.services.history.timeline import beginnings
from campaigns.services.insight.explain_change import explain_change
from campaigns.services.intake import upload_preview
from campaigns.services.intake import uploads as spend_uploads
from campaigns.services.jobs import full_check as jobs
from campaigns.services.jobs import quick_check as quick
from campaigns.services.jobs import shards
from campaigns.services.webhooks.sender import ensure_sender

logger = logging.getLogger(__name__)

# Pauses and resumes of one run that are logged; the others are only counted.
MAX_LINES = 20


@shared_task(name="campaigns.tasks.check_budgets")
def check_budgets() -> None:
    """Every five minutes: enforce every campaign, and close periods that have ended."""
    _run(jobs.CHECK_BUDGETS)
    send_due_uploads()


@shared_task(name="campaigns.tasks.reset_daily_spend")
def reset_daily_spend() -> None:
    """At midnight: the same, as the new day begins. Nothing is zeroed: a new day has its own spend (R4)."""
    _run(jobs.RESET_DAILY_SPEND)


@shared_task(name="campaigns.tasks.reset_monthly_spend")
def reset_monthly_spend() -> None:
    """On the 1st at midnight: the same, as the new month begins (R4)."""
    _run(jobs.RESET_MONTHLY_SPEND)


@shared_task(name="campaigns.tasks.quick_check", soft_time_limit=45, time_limit=60)
def quick_check() -> None:
    """Every ten seconds: enforce brands with spend and campaigns whose next change is due."""
    with logged_transitions() as transitions:
        done = quick.run_quick_check(clock=database_now, transitions=transitions)
    logger.debug("%s: %s", quick.JOB, done.summary)  # it runs every ten seconds


@shared_task(name="campaigns.tasks.send_alerts", soft_time_limit=240, time_limit=270)
def send_alerts() -> None:
    """Every ten seconds: write and send the e-mails about alerts that are due."""
    done = outgoing.send_alerts(clock=database_now)
    if done:
        logger.info("send_alerts: %s", f"{done:,} e-mail{'' if done == 1 else 's'}")


@shared_task(name="campaigns.tasks.check_shard", expires=240)
def check_shard(check: str, number: int) -> None:
    """Enforce one shard of a full check; the last one ends the check."""
    with logged_transitions() as transitions:
        ended = shards.run_shard(UUID(check), number, clock=database_now, transitions=transitions)
    if ended:
        _log("check_shard", ended)


@shared_task(name="campaigns.tasks.import_spend_upload", bind=True)
def import_spend_upload(task: Any, upload: int) -> None:
    """Start a process that imports an uploaded spend file, so that this one stays free for checks."""
    beside.start(import_upload, upload, task.request.id or "")


def import_upload(upload: int, task_id: str) -> None:
    """Import an uploaded spend file (in a separate process), then send the next one."""
    try:
        done = spend_uploads.run_upload(upload, task_id=task_id, clock=database_now)
    except beside.TookTooLong:
        spend_uploads.fail(upload, "It took longer than 50 minutes: import it in several files.", now=database_now())
        raise
    if done:
        logger.info("import_spend_upload: %s (%d) is %s, %d imported", done.name, done.pk, done.state, done.imported)
        send_due_uploads()


@shared_task(name="campaigns.tasks.preview_spend_upload", bind=True)
def preview_spend_upload(task: Any, upload: int) -> None:
    """Start a process that reads an uploaded spend file for its preview."""
    beside.start(preview_upload, upload, task.request.id or "")


def preview_upload(upload: int, task_id: str) -> None:
    """Read an uploaded spend file for its preview (in a separate process)."""
    try:
        read = upload_preview.make_preview(upload, task_id=task_id, clock=database_now)
    except beside.TookTooLong:
        spend_uploads.fail(upload, "It took longer than 50 minutes: import it in several files.", now=database_now())
        raise
    if read:
        logger.info("preview_spend_upload: %s (%d) is %s", read.name, read.pk, read.state)


@shared_task(name="campaigns.tasks.deliver", soft_time_limit=45, time_limit=60)
def deliver() -> None:
    """Every five seconds: start sending what is due to webhooks, in a thread, so that this process stays free."""
    ensure_sender(database_now)


def send_due_uploads() -> None:
    """Send tasks for the next upload and preview: one that waits, or whose run was lost."""
    upload_preview.cancel_expired(now=database_now())
    for pk in upload_preview.due_previews(now=database_now()):
        preview_spend_upload.delay(pk)
    for pk in spend_uploads.due_uploads(now=database_now()):
        import_spend_upload.delay(pk)


def _run(name: str) -> None:
    if settings.CHECK_SHARDS > 1:
        begun = shards.begin_check(name, of=settings.CHECK_SHARDS, clock=database_now)
        for number in range(settings.CHECK_SHARDS):
            check_shard.delay(str(begun), number)
        logger.info("%s: in %d shards", name, settings.CHECK_SHARDS)
    else:
        with logged_transitions() as transitions:
            check = jobs.run_full_check(name, clock=database_now, transitions=transitions)
        _log(name, check)


def _log(name: str, check: jobs.FullCheck) -> None:
    """Log a full check that is committed, and report it to HEARTBEAT_URL unless it left something unfinished."""
    logger.info("%s: %s", name, check.summary)
    if check.problem:
        logger.error("%s: %s", name, check.problem)
    else:
        send_heartbeat()


@contextmanager
def logged_transitions() -> Iterator[Transitions]:
    """Log the transitions that a job collects inside, also if the job fails then."""
    transitions = Transitions(MAX_LINES if logger.isEnabledFor(logging.INFO) else 0)
    try:
        yield transitions
    finally:
        if transitions.most and transitions.total:
            _log_transitions(transitions)


def _log_transitions(transitions: Transitions) -> None:
    rows = StatusChange.objects.filter(pk__in=transitions.ids).order_by("pk").select_related("campaign__brand")
    lines = list(rows)
    began = beginnings(lines)
    for line in lines:
        logger.info("%s", _describe(line, began.get(line.pk, [])))
    if more := transitions.total - len(transitions.ids):
        logger.info("and %s more paused or resumed", f"{more:,}")


def _describe(change: StatusChange, began: list[StatusChange]) -> str:
    campaign, brand = change.campaign, change.campaign.brand
    explanation = explain_change(change, brand.currency, earlier=began, zone=find_zone(brand.timezone))
    reasons = "; ".join(explanation.reasons)
    return f'{explanation.headline.lower():<7} "{campaign.name}" ({brand.name}): {reasons}'
