"""`make torture` takes every constraint, trigger and label away (campaigns.tests.torture.guards)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from django.conf import settings
from django.db import connection
from django.test import TestCase

from campaigns.database.connection import fetch_all
from campaigns.sql.triggers import installed_trigger_names
from campaigns.tests.support.outside import POSTGRESQL
from campaigns.tests.torture.guards import all_guards
from campaigns.tests.torture.guards.labels import LABELS, labels_by_file
from campaigns.tests.torture.guards.migrations import DEFAULTS, LIMITS, NEEDS_NO_PROOF

# Check and unique constraints, and unique indexes with a condition; without Django's own of positive integers.
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
FOREIGN_KEYS_ON_POSTGRESQL = """
    SELECT conname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
    WHERE contype = 'f' AND relname LIKE 'campaigns\\_%%'
        -- Django's own table of the brands of a rule.
        AND relname <> 'campaigns_alertrule_brands'
        AND relnamespace = current_schema()::regnamespace
"""
TABLES_ON_SQLITE = "SELECT sql FROM sqlite_master WHERE tbl_name LIKE 'campaigns%%' AND sql IS NOT NULL"


class TheListIsWhole(TestCase):
    def setUp(self) -> None:
        self.guards = all_guards()
        self.names = {guard.name for guard in self.guards if connection.vendor in guard.databases}

    def test_it_names_each_guard_once(self) -> None:
        counts = Counter(guard.name for guard in self.guards)
        self.assertEqual([name for name, count in counts.items() if count > 1], [])

    def test_each_changes_its_file(self) -> None:
        """Text that has moved elsewhere leaves a guard of the list without a proof, which is found here in seconds."""
        for guard in self.guards:
            with self.subTest(guard.name):
                text = (settings.BASE_DIR / guard.file).read_text()
                changed = guard.change(text)
                self.assertNotEqual(changed, text)
                if guard.file.endswith(".py"):
                    compile(changed, guard.file, "exec")  # or make torture ends there

    def test_it_has_every_constraint(self) -> None:
        without = {name for name, databases in NEEDS_NO_PROOF.items() if connection.vendor in databases}
        self.assertEqual(set(constraints_there_are()) - self.names, without)

    def test_it_has_every_trigger(self) -> None:
        there = {f"trigger {name} on {connection.vendor}" for name in installed_trigger_names(connection)}
        self.assertEqual(there - self.names, set())

    def test_it_has_every_label_and_no_other(self) -> None:
        labels = labels_by_file()
        self.assertEqual({label for each in labels.values() for label in each}, {row.label for row in LABELS})
        for file, each in labels.items():
            self.assertEqual(len(each), len(set(each)), f"{file} has a label twice")

    def test_its_limits_and_defaults_are_found_in_the_migrations(self) -> None:
        names = {guard.name for guard in self.guards}
        limits = {f"{name}: {before} → {after}" for name, before, after, _ in LIMITS}
        self.assertLessEqual(limits | {f"the database default of {name}" for name in DEFAULTS}, names)

    if POSTGRESQL:

        def test_it_has_every_foreign_key(self) -> None:
            there = {name for (name,) in fetch_all(FOREIGN_KEYS_ON_POSTGRESQL, [])}
            listed = [name for name in self.names if name.startswith("the foreign key")]
            self.assertEqual(len(there - {"spend_brand_is_the_campaigns_brand"}), len(listed))


def constraints_there_are() -> Iterator[str]:
    if POSTGRESQL:
        yield from (name for (name,) in fetch_all(NAMED_CONSTRAINTS_ON_POSTGRESQL, []))
        return
    for (sql,) in fetch_all(TABLES_ON_SQLITE, []):
        yield from re.findall(r'(?<=CONSTRAINT ")\w+|(?<=^CREATE UNIQUE INDEX ")\w+', sql)
