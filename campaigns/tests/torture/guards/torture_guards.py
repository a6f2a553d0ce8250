"""For each guard of the product a test fails when the guard is taken away.

Each is taken away in a copy of the source, and the tests that are to notice run there as a process: on SQLite, or on
the PostgreSQL that DATABASE_URL names, in databases of their own. The same tests pass without the change.
ONLY="^spend_" picks guards by a regular expression of their names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import ClassVar, TypeVar

from django.db import connection
from django.test import SimpleTestCase

from campaigns.tests.torture.extent import extent
from campaigns.tests.torture.guards import all_guards
from campaigns.tests.torture.guards.guard import Guard
from campaigns.tests.torture.guards.workshop import Run, Workshop

T = TypeVar("T")

AT_ONCE = 2
ONLY = os.environ.get("ONLY", "")


class WithoutAGuard(SimpleTestCase):
    """The proof itself, in as many workshops as work at once."""

    chosen: ClassVar[list[Guard]]
    workshops: ClassVar[SimpleQueue[Workshop]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.chosen = [
            guard
            for guard in all_guards()
            if connection.vendor in guard.databases
            and (guard.short or extent(short=0, full=1))
            and re.search(ONLY, guard.name)
        ]
        cls.workshops = SimpleQueue()
        for number in range(AT_ONCE):
            workshop = Workshop(number)
            cls.addClassCleanup(workshop.close)
            cls.workshops.put(workshop)

    if extent(short=0, full=1):  # beside a short torture make test runs the same tests

        def test_every_test_passes_with_all_guards(self) -> None:
            tests = sorted({guard.tests for guard in self.chosen})
            for names, run in at_once(self.run_whole, tests):
                with self.subTest(names):
                    self.assertTrue(run.passed, run.output[-5000:])

    def test_a_test_fails_without_any_of_them(self) -> None:
        for guard, run in at_once(self.run_without, self.chosen):
            with self.subTest(guard.name):
                self.assertFalse(run.passed, f"no test of {guard.tests} notices that it is gone: write one")
                self.assertEqual(run.slip, "", run.output[-5000:])

    def run_whole(self, tests: str) -> Run:
        with self.workshop() as workshop:
            return workshop.run(tests, keep_compiled=True)

    def run_without(self, guard: Guard) -> Run:
        with self.workshop() as workshop, workshop.changed(guard.file, guard.change):
            return workshop.run(guard.tests)

    @contextmanager
    def workshop(self) -> Iterator[Workshop]:
        workshop = self.workshops.get()
        try:
            yield workshop
        finally:
            self.workshops.put(workshop)


def at_once(work: Callable[[T], Run], given: Sequence[T]) -> list[tuple[T, Run]]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(zip(given, pool.map(work, given), strict=True))
