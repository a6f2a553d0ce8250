"""The jobs that beat fires. Thin: each reads the clock, calls the service and logs what it did."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from campaigns.services import jobs

logger = logging.getLogger(__name__)


@shared_task(name="campaigns.tasks.check_budgets")
def check_budgets() -> None:
    """Every five minutes: put every campaign into the state that the facts give, and close what has ended."""
    _run(jobs.CHECK_BUDGETS)


@shared_task(name="campaigns.tasks.reset_daily_spend")
def reset_daily_spend() -> None:
    """At midnight: the same, on the dot of the new day. Nothing is zeroed: a new day has its own spend (R4)."""
    _run(jobs.RESET_DAILY_SPEND)


@shared_task(name="campaigns.tasks.reset_monthly_spend")
def reset_monthly_spend() -> None:
    """On the 1st at midnight: the same, on the dot of the new month (R4)."""
    _run(jobs.RESET_MONTHLY_SPEND)


def _run(name: str) -> None:
    check = jobs.run_full_check(name, clock=timezone.now)
    logger.info("%s: %s", name, check.summary)
    if check.problem:
        logger.error("%s: %s", name, check.problem)
