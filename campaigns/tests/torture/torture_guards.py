"""Mutations: for each guard of the product a test fails when the guard is taken away.

Each is taken away in a copy of the source, never here, and the tests that are to notice run there as a process: on
SQLite, or on the PostgreSQL that DATABASE_URL names, in databases of their own. The same tests pass without the change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TypeVar

from django.conf import settings
from django.db import connection
from django.test import SimpleTestCase, TestCase

from campaigns.database.connection import fetch_all
from campaigns.sql.triggers import installed_trigger_names
from campaigns.tests.support.outside import POSTGRESQL
from campaigns.tests.torture.extent import extent
from campaigns.tests.torture.guards import GUARDS, Guard
from campaigns.tests.torture.guards.constraints import NEEDS_NO_PROOF
from campaigns.tests.torture.workshop import Run, Workshop

T = TypeVar("T")

AT_ONCE = 2

CONCERNED = [guard for guard in GUARDS if connection.vendor in guard.databases]
CHOSEN = [guard for guard in CONCERNED if guard.short or extent(short=0, full=1)]

NAMED_CONSTRAINTS_ON_POSTGRESQL = """
    SELECT conname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
    WHERE contype IN ('c', 'u') AND conname NOT LIKE 'campaigns\\_%%\\_check'
        AND relname LIKE 'campaigns\\_%%' AND relnamespace = current_schema()::regnamespace
    UNION
    SELECT index_class.relname FROM pg_index
    JOIN pg_class AS index_class ON index_class.oid = indexrelid
    JOIN pg_class AS table_class ON table_class.oid = indrelid
    WHERE indisunique AND indpred IS NOT NULL
        AND table_class.relname LIKE 'campaigns\\_%%' AND table_class.relnamespace = current_schema()::regnamespace
"""
"""Check and unique constraints, and unique indexes with a condition; without Django's own of positive integers."""

FOREIGN_KEYS_ON_POSTGRESQL = """
    SELECT conname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
    WHERE contype = 'f' AND relname LIKE 'campaigns\\_%%' AND relnamespace = current_schema()::regnamespace
"""

TABLES_ON_SQLITE = "SELECT sql FROM sqlite_master WHERE tbl_name LIKE 'campaigns%%' AND sql IS NOT NULL"


class TheListOfGuards(SimpleTestCase):
    def test_it_names_each_guard_once(self) -> None:
        names = [guard.name for guard in CONCERNED]
        self.assertEqual(sorted(names), sorted(set(names)))

    def test_it_says_what_stands_in_the_source(self) -> None:
        for guard in GUARDS:
            with self.subTest(guard.name):
                count = (settings.BASE_DIR / guard.file).read_text().count(guard.before)
                self.assertEqual(
                    count, 1, f"{guard.file} has this {count} times and not once, correct the list:\n{guard.before}"
                )


class TheListIsWhole(TestCase):
    """Every constraint and trigger of the database at hand is among those that are taken away."""

    def test_it_has_every_constraint(self) -> None:
        names = {guard.name for guard in CONCERNED}
        without = {name for name, databases in NEEDS_NO_PROOF.items() if connection.vendor in databases}
        self.assertEqual(set(constraints_there_are()) - names, without)

    def test_it_has_every_trigger(self) -> None:
        names = {guard.name for guard in CONCERNED}
        there = {f"trigger {name} on {connection.vendor}" for name in installed_trigger_names(connection)}
        self.assertEqual(there - names, set())

    if POSTGRESQL:

        def test_it_has_every_foreign_key(self) -> None:
            there = {name for (name,) in fetch_all(FOREIGN_KEYS_ON_POSTGRESQL, [])}
            listed = [guard for guard in CONCERNED if "the foreign key" in guard.name]
            self.assertEqual(len(there - {"spend_brand_is_the_campaigns_brand"}), len(listed))


def constraints_there_are() -> Iterator[str]:
    if POSTGRESQL:
        yield from (name for (name,) in fetch_all(NAMED_CONSTRAINTS_ON_POSTGRESQL, []))
        return
    for (sql,) in fetch_all(TABLES_ON_SQLITE, []):
        yield from re.findall(r'(?<=CONSTRAINT ")\w+|(?<=^CREATE UNIQUE INDEX ")\w+', sql)


class WithoutAGuard(SimpleTestCase):
    """The proof itself, in as many workshops as work at once."""

    workshops: SimpleQueue[Workshop]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.workshops = SimpleQueue()
        for number in range(AT_ONCE):
            workshop = Workshop(number)
            cls.addClassCleanup(workshop.close)
            cls.workshops.put(workshop)

    if extent(short=0, full=1):  # beside a short torture make test runs the same tests

        def test_every_test_passes_with_all_guards(self) -> None:
            tests = sorted({guard.tests for guard in CHOSEN})
            for names, run in at_once(self.run_whole, tests):
                with self.subTest(names):
                    self.assertTrue(run.passed, run.output[-5000:])

    def test_a_test_fails_without_any_of_them(self) -> None:
        for guard, run in at_once(self.run_without, CHOSEN):
            with self.subTest(guard.name):
                self.assertFalse(run.passed, f"no test of {guard.tests} notices that it is gone: write one")
                self.assertEqual(run.slip, "", run.output[-5000:])

    def run_whole(self, tests: str) -> Run:
        with self.workshop() as workshop:
            return workshop.run(tests, keep_compiled=True)

    def run_without(self, guard: Guard) -> Run:
        with self.workshop() as workshop, workshop.changed(guard.file, guard.before, guard.after):
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
