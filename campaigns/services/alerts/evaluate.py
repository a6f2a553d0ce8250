"""Evaluate alerts after a check (R19): record what holds, resolve what no longer does.

After enforcement has committed, so that no pause waits for it. Only for the brands that the check looked at; with none,
not a single query.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from campaigns.database.connection import analytic_query, disable_jit
from campaigns.services.alerts.differences import Differences, Query, differences
from campaigns.services.alerts.kinds import KINDS
from campaigns.services.alerts.look import Look
from campaigns.services.alerts.record import record
from campaigns.services.alerts.states import differences_of_states
from campaigns.services.ledger.unfinished import Unfinished

logger = logging.getLogger(__name__)


@dataclass
class Evaluated:
    """What one look changed."""

    fired: int = 0
    reopened: int = 0
    resolved: int = 0


def evaluate_after_check(
    brands: Collection[int] | None, *, now: datetime, unfinished: Unfinished, no_check_since: datetime | None = None
) -> None:
    """Evaluate alerts for the brands of a check, or for all. What fails is logged and reported, and stops nothing."""
    if brands is not None and not brands:
        return
    try:
        evaluate(brands, now=now, no_check_since=no_check_since)
    except Exception as error:  # whatever it is, the check has done its work
        logger.exception("alerts could not be evaluated")
        unfinished.alerts_error = f"{type(error).__name__}: {error}"[:300]


def evaluate(brands: Collection[int] | None, *, now: datetime, no_check_since: datetime | None = None) -> Evaluated:
    """Record alerts that hold for these brands, or for everything, and resolve others."""
    look, done = Look(now, brands, no_check_since), Evaluated()
    for found in _differences(look):
        if found:  # ordinarily nothing is written, and no transaction is opened
            record(found, now=now)
            done.fired += len(found.new)
            done.reopened += len(found.reopened)
            done.resolved += len(found.ended)
    return done


def _differences(look: Look) -> Iterator[Differences]:
    sources = dict.fromkeys(kind.source for kind in KINDS.values())
    queries = [each for each in sources if isinstance(each, Query) and (look.is_full or each.prepare is None)]
    for query in queries:
        if query.prepare:
            with transaction.atomic():
                disable_jit()
                query.prepare(look)
    with analytic_query():
        found = [differences(query, look) for query in queries]
    yield from found
    for kind in KINDS.values() if look.is_full else ():
        if not isinstance(kind.source, Query):
            yield differences_of_states(kind.code, kind.source, look)
