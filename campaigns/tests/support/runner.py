"""`manage.py test`, also with `--parallel`; its last line says how many tests ran and how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain
from typing import Any
from unittest import TestResult, TestSuite

from django.db import connection, connections
from django.test.runner import DiscoverRunner, ParallelTestSuite

# Tests with this tag measure time, or change what all databases of a server share: they run alone, after the others.
SERIAL = "serial"


class ParallelThenSerialSuite(ParallelTestSuite):
    def __init__(self, subsuites: list[TestSuite], *args: Any, **kwargs: Any) -> None:
        self.serial = TestSuite(subsuite for subsuite in subsuites if is_serial(subsuite))
        super().__init__([subsuite for subsuite in subsuites if not is_serial(subsuite)], *args, **kwargs)

    def __iter__(self) -> Iterator[Any]:
        return chain(self.subsuites, self.serial)

    def run(self, result: TestResult, debug: bool = False) -> TestResult:
        connections.close_all()  # a process must not close a connection that it has from its parent
        super().run(result)
        return result if result.shouldStop else self.serial.run(result, debug)


def is_serial(subsuite: TestSuite) -> bool:
    return any(SERIAL in getattr(test, "tags", ()) for test in subsuite)


class Runner(DiscoverRunner):
    parallel_test_suite = ParallelThenSerialSuite

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.started = time.monotonic()

    def setup_databases(self, **kwargs: Any) -> Any:
        """Make the test database, and a copy of it for each process.

        Django would copy SQLite's file while it is open, without what still stands in its write-ahead log.
        """
        processes, self.parallel = self.parallel, 1
        old_config = super().setup_databases(**kwargs)
        self.parallel = processes
        if processes > 1:
            connection.close()
            for number in range(1, processes + 1):
                connection.creation.clone_test_db(str(number), self.verbosity, keepdb=self.keepdb)
        return old_config

    def suite_result(self, suite: TestSuite, result: Any, **kwargs: Any) -> int:
        minutes, seconds = divmod(round(time.monotonic() - self.started), 60)
        processes = f" in {self.parallel} processes" if self.parallel > 1 else ""
        tests = "1 test" if result.testsRun == 1 else f"{result.testsRun:,} tests"
        self.log(f"Ran {tests} on {connection.vendor}{processes}: {minutes} min {seconds} s in all.")
        return super().suite_result(suite, result, **kwargs)
