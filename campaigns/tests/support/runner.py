"""`manage.py test`, also with `--parallel`; its last line says how many tests ran and how long it took."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from unittest import TestCase, TestSuite

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import SimpleTestCase, TransactionTestCase
from django.test.runner import DiscoverRunner
from django.test.utils import override_settings

# Jobs that have never run are late some minutes after the migrations: not while the tests run, however long they take.
MIGRATED_AT = datetime(2100, 1, 1, tzinfo=UTC)
# The usual hasher takes a third of a second for each user that a test makes.
QUICK_HASHER = "django.contrib.auth.hashers.MD5PasswordHasher"


class Runner(DiscoverRunner):
    def __init__(self, *args: Any, on_database_only: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on_database_only = on_database_only
        self.started = time.monotonic()

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--on-database-only",
            action="store_true",
            help="Leave out the tests that Django keeps from the database: they are the same on another one.",
        )

    def load_tests_for_label(self, label: str, discover_kwargs: dict[str, str]) -> TestSuite:
        tests = super().load_tests_for_label(label, discover_kwargs)
        if not self.on_database_only:
            return tests
        return TestSuite(with_database(tests))

    def setup_test_environment(self, **kwargs: Any) -> None:
        super().setup_test_environment(**kwargs)
        self.quick_hasher = override_settings(PASSWORD_HASHERS=[QUICK_HASHER, *settings.PASSWORD_HASHERS])
        self.quick_hasher.enable()

    def teardown_test_environment(self, **kwargs: Any) -> None:
        self.quick_hasher.disable()
        super().teardown_test_environment(**kwargs)

    def setup_databases(self, **kwargs: Any) -> Any:
        """Make the test database, and a copy of it for each process.

        Django would copy SQLite's file while it is open, without what still stands in its write-ahead log.
        """
        processes, self.parallel = self.parallel, 1
        old_config = super().setup_databases(**kwargs)
        self.parallel = processes
        if not old_config:  # no test asks the database, and none was made
            return old_config
        MigrationRecorder.Migration.objects.update(applied=MIGRATED_AT)
        if processes > 1:
            connection.close()
            for number in range(1, processes + 1):
                connection.creation.clone_test_db(str(number), self.verbosity, keepdb=self.keepdb)
        return old_config

    def suite_result(self, suite: TestSuite, result: Any, **kwargs: Any) -> int:
        minutes, seconds = divmod(round(time.monotonic() - self.started), 60)
        where = connection.vendor + (f" in {self.parallel} processes" if self.parallel > 1 else "")
        self.log(f"Ran {result.testsRun:,} tests in {minutes} min {seconds} s in all, on {where}.")
        return super().suite_result(suite, result, **kwargs)


def with_database(tests: TestSuite) -> Iterator[TestCase]:
    """Yield the tests that Django lets ask the database."""
    for test in tests:
        if isinstance(test, TestSuite):
            yield from with_database(test)
        elif isinstance(test, TransactionTestCase) or not isinstance(test, SimpleTestCase):
            yield test
