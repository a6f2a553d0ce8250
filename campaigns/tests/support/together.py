"""Several at the same moment, each in a thread with a connection of its own that commits.

Where one must come in the middle of another, it is let in at a place where the other waits for nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import connection, connections

from campaigns.models import PendingSpend
from campaigns.services.ledger.fold import fold
from campaigns.services.ledger.verify import verify
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.ledger import totals_counted, totals_folded, totals_of_records

PATIENCE = 30


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)


class Crew:
    """Threads that run at the same time; what any of them raises is raised at the end."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.problems: list[BaseException] = []

    def start(self, work: Callable[[], object]) -> threading.Thread:
        thread = threading.Thread(target=self.run, args=(work,), daemon=True)
        self.threads.append(thread)
        thread.start()
        return thread

    def run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as problem:
            self.problems.append(problem)
        finally:
            connections.close_all()

    def finish(self, threads: list[threading.Thread] | None = None) -> None:
        for thread in threads or self.threads:
            thread.join(PATIENCE)
            if thread.is_alive():
                raise AssertionError(f"a thread still waits after {PATIENCE} s")
        if self.problems:
            raise self.problems[0]


def meanwhile(work: Callable[[], object]) -> None:
    """Do something on another connection, from beginning to commit."""
    crew = Crew()
    crew.start(work)
    crew.finish()


def at_once(*works: Callable[[], object]) -> None:
    """Start all at the same moment, and wait for all."""
    crew, barrier = Crew(), threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        barrier.wait(PATIENCE)
        work()

    for work in works:
        crew.start(lambda work=work: run(work))  # type: ignore[misc]
    crew.finish()


def wait_until_somebody_waits() -> None:
    """Wait until a connection waits for a lock, on PostgreSQL."""
    sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    for _ in range(100):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            if cursor.fetchone() != (0,):
                return
        pause(0.02)


@contextmanager
def let_in(target: Any, name: str, work: Callable[[], object], *, after: bool = False) -> Iterator[None]:
    """Do the work on another connection the first time that the function is called, before it or after it."""
    real, done = getattr(target, name), threading.Event()

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        first = not done.is_set()
        done.set()
        if first and not after:
            meanwhile(work)
        answer = real(*args, **kwargs)
        if first and after:
            meanwhile(work)
        return answer

    with patch.object(target, name, wrapped):
        yield
    assert done.is_set(), f"{name} was never called"


class ConcurrencyTestCase(CommittedTestCase):
    def assert_exact(self) -> None:
        self.assertEqual(totals_counted(), totals_of_records())
        self.assertEqual(verify(), [])
        fold()
        self.assertEqual(PendingSpend.objects.count(), 0)
        self.assertEqual(totals_folded(), totals_of_records())
