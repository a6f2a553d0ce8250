"""Logs a job's pauses and resumes, with their reasons."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from campaigns.models import StatusChange
from campaigns.services.enforcement.enforce import Transitions
from campaigns.services.insight.explain import explain_change

logger = logging.getLogger(__name__)

# Of one run; the others are only counted.
MAX_LINES = 20


@contextmanager
def logged_transitions() -> Iterator[Transitions]:
    """Log the transitions that a job collects inside, also if the job fails then."""
    transitions = Transitions(MAX_LINES if logger.isEnabledFor(logging.INFO) else 0)
    try:
        yield transitions
    finally:
        if transitions.most and transitions.total:
            _log(transitions)


def _log(transitions: Transitions) -> None:
    for line in StatusChange.objects.filter(pk__in=transitions.ids).order_by("pk").select_related("campaign__brand"):
        logger.info("%s", _describe(line))
    if more := transitions.total - len(transitions.ids):
        logger.info("and %s more paused or resumed", f"{more:,}")


def _describe(change: StatusChange) -> str:
    campaign, explanation = change.campaign, explain_change(change, change.campaign.brand.currency)
    reasons = "; ".join(explanation.reasons)
    return f'{explanation.headline.lower():<7} "{campaign.name}" ({campaign.brand.name}): {reasons}'
