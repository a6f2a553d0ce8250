"""Counts the statements that the product sends to the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

# In the statement that locks the brands of a batch of enforcement.
BATCH_BEGINS = "FOR NO KEY UPDATE"


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the statements of the default connection."""
    seen: list[str] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield seen


def statements_of_a_batch(seen: list[str]) -> tuple[int, float]:
    """Return how many batches there were, and how many statements each took: those said at least once a batch."""
    batches = sum(BATCH_BEGINS in sql for sql in seen)
    if batches == 0:
        return 0, 0
    often = [sql for sql in set(seen) if seen.count(sql) >= batches]
    return batches, sum(seen.count(sql) for sql in often) / batches
