"""A job's pauses and resumes as lines of its log, so that whoever reads it sees what happened and why."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from campaigns.models import StatusChange
from campaigns.services.enforcement.enforce import Transitions
from campaigns.services.insight.explain_change import tell_change

logger = logging.getLogger(__name__)

# Of one run. The others are counted: a log of half a million lines helps nobody.
MOST_LINES = 20


@contextmanager
def logged_transitions() -> Iterator[Transitions]:
    """Log the pauses and resumes that a job collects in it, also where the job then fails."""
    transitions = Transitions(MOST_LINES if logger.isEnabledFor(logging.INFO) else 0)
    try:
        yield transitions
    finally:
        if transitions.most and transitions.total:
            _log(transitions)


def _log(transitions: Transitions) -> None:
    for line in StatusChange.objects.filter(pk__in=transitions.ids).order_by("pk").select_related("campaign__brand"):
        logger.info("%s", _in_words(line))
    if more := transitions.total - len(transitions.ids):
        logger.info("and %s more paused or resumed", f"{more:,}")


def _in_words(line: StatusChange) -> str:
    campaign, told = line.campaign, tell_change(line, line.campaign.brand.currency)
    return f'{told.what.lower():<7} "{campaign.name}" ({campaign.brand.name}): {"; ".join(told.why)}'
