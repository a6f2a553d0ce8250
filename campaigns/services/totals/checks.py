"""What the periodic jobs do with reported totals, before they decide: so a total that has arrived pauses at once.

A failure in booking stops neither decisions nor folds; it becomes a problem of the run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError

from campaigns.database.connection import fetch_all
from campaigns.rules.clock import Clock
from campaigns.services.ledger.unfinished import Unfinished
from campaigns.services.totals.book import ANY_TO_BOOK, Booked, book_totals
from campaigns.services.totals.holds import judge_decreases
from campaigns.services.totals.waiting import ANY_WAITING, derive_waiting

logger = logging.getLogger(__name__)

# So that a backlog doesn't delay decisions: today's totals come first, and later checks book the rest.
QUICK_SECONDS = 3
FULL_SECONDS = 20


def book_in_quick_check(*, clock: Clock, unfinished: Unfinished) -> int:
    """Book what differs and doesn't wait; return the number of records."""
    records = 0
    with _failures_noted(unfinished):
        if not _found(ANY_TO_BOOK):
            return 0
        booked = book_totals(clock=clock, seconds=QUICK_SECONDS)
        records += _note(booked, unfinished)
        if booked.zeros_today:
            records += _note(judge_decreases(clock=clock, only_today=True), unfinished)
    return records


def book_in_full_check(*, clock: Clock, unfinished: Unfinished) -> int:
    """Find anew why totals wait, book, and judge the decreases that wait; return the number of records."""
    records = 0
    with _failures_noted(unfinished):
        if not _found(f"{ANY_TO_BOOK} OR {ANY_WAITING}"):
            return 0
        derive_waiting()
        records += _note(book_totals(clock=clock, seconds=FULL_SECONDS), unfinished)
        records += _note(judge_decreases(clock=clock), unfinished)
    return records


def _found(condition: str) -> bool:
    ((found,),) = fetch_all(f"SELECT {condition}")
    return bool(found)


def _note(booked: Booked, unfinished: Unfinished) -> int:
    unfinished.failed_totals += booked.failed
    return booked.records


@contextmanager
def _failures_noted(unfinished: Unfinished) -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        logger.exception("booking reported totals failed")
        unfinished.booking_error = str(error).strip().partition("\n")[0] or type(error).__name__
