"""`manage.py test`, also with `--parallel`; its last line says how many tests ran and how long it took."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import TestCase, TestResult, TestSuite, TextTestResult
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import SimpleTestCase, TransactionTestCase
from django.test.runner import DiscoverRunner, ParallelTestSuite, RemoteTestResult, RemoteTestRunner
from django.test.utils import override_settings

# Jobs that have never run are late some minutes after the migrations: not while the tests run, however long they take.
MIGRATED_AT = datetime(2100, 1, 1, tzinfo=UTC)
# The usual hasher takes a third of a second for each user that a test makes.
QUICK_HASHER = "django.contrib.auth.hashers.MD5PasswordHasher"
# Where the brands of tests are whose spend of just now is the day's: no test begins shortly before midnight there.
ZONES = (ZoneInfo("UTC"), ZoneInfo("Europe/Paris"))
BEFORE_MIDNIGHT = timedelta(seconds=20)


def seconds_to_wait(now: datetime) -> float:
    """Return how long a test has to wait so that no day ends while it runs, mostly 0."""
    for zone in ZONES:
        later = (now + BEFORE_MIDNIGHT).astimezone(zone)
        if later.date() > now.astimezone(zone).date():
            midnight = later.replace(hour=0, minute=0, second=0, microsecond=0)
            return (midnight - now).total_seconds()
    return 0


class _InOneDay(TestResult):
    def startTest(self, test: TestCase) -> None:  # noqa: N802  # unittest's name
        time.sleep(seconds_to_wait(datetime.now(UTC)))
        super().startTest(test)


class _Result(_InOneDay, TextTestResult):
    pass


class _RemoteResult(_InOneDay, RemoteTestResult):
    pass


class _RemoteRunner(RemoteTestRunner):
    resultclass = _RemoteResult


class _ParallelSuite(ParallelTestSuite):
    runner_class = _RemoteRunner


class Runner(DiscoverRunner):
    parallel_test_suite = _ParallelSuite

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

    def get_resultclass(self) -> Any:
        return super().get_resultclass() or _Result

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
