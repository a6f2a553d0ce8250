"""What the product says to the database: its statements, and PostgreSQL's own account of how it ran them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, connection

from campaigns.database.connection import execute, is_postgresql

BATCH_BEGINS = "FOR NO KEY UPDATE"
"""In the statement that locks the brands of a batch of enforcement."""

PLANS_AS_NOTICES = (
    "LOAD 'auto_explain'",
    "SET auto_explain.log_min_duration = 0",
    "SET auto_explain.log_analyze = on",
    "SET auto_explain.log_timing = off",
    "SET auto_explain.log_level = notice",
)
NO_MORE_PLANS = "SET auto_explain.log_min_duration = -1"
# Estimates and sizes say little to who doesn't have the same data.
NOISE = re.compile(
    r"  \(cost=\S+ rows=\d+ width=\d+\)|^ +(?:Worker \d+: |Buckets|Sort Method|Heap Fetches|Batches).*\n"
    r"|^ +(?:JIT:|Functions:|Options:).*\n",
    re.MULTILINE,
)
LONG_LINE = 150


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


def plan_of(work: Callable[[], Any], mark: str) -> str:
    """Do the work, and return the plan of the longest of its statements that have the mark in them; empty if none has.

    Only PostgreSQL, and only where its module auto_explain may be loaded.
    """
    if not is_postgresql():
        return ""
    heard: list[str] = []
    try:
        for sql in PLANS_AS_NOTICES:
            execute(sql)
    except DatabaseError:
        return ""

    def listen(message: Any) -> None:
        heard.append(message.message_primary)

    connection.connection.add_notice_handler(listen)
    try:
        work()
    finally:
        connection.connection.remove_notice_handler(listen)
        execute(NO_MORE_PLANS)
    found = [text for text in heard if "Query Text:" in text and mark in text]
    return tidy(max(found, key=_milliseconds, default=""))


def _milliseconds(text: str) -> float:
    found = re.search(r"duration: ([\d.]+) ms", text)
    return float(found[1]) if found else 0


def tidy(text: str) -> str:
    """Return the plan without its statement, estimates, and whatever is longer than a line."""
    _, _, plan = NOISE.sub("", text).partition("\n")
    start = re.search(r"^(?=\S.*\(actual )", plan, re.MULTILINE)
    lines = plan[start.start() if start else 0 :].splitlines()
    return "\n".join(line if len(line) <= LONG_LINE else f"{line[: LONG_LINE - 2]} …" for line in lines)
