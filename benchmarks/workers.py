"""Processes beside a measurement, each with its own connection: people, writers, checks, another checkout.

A worker plays a role of benchmarks.roles. It is told on its standard input to begin and to stop, again and again, and
answers each time with a line of JSON. It ends when its input ends, so none outlives this process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.conf import settings

from benchmarks.databases import url_of_default


class WorkerFailed(Exception):
    """A worker ended without an answer; the reason is on standard error."""


class Worker:
    """A process that plays a role on the default database, from each begin() to stop()."""

    def __init__(self, role: str, **options: Any) -> None:
        self.role = role
        # -P: the working directory isn't searched for modules, because `compare` chooses another one.
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "benchmarks.roles", role, json.dumps(options, default=str)],
            env={
                **os.environ,
                "DATABASE_URL": url_of_default(),
                "SECRET_KEY": settings.SECRET_KEY,
                "DEBUG": "False",
                "PYTHONPATH": str(settings.BASE_DIR),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, **what: Any) -> None:
        self._write(json.dumps(what, default=str))

    def stop(self) -> dict[str, Any]:
        """Wait for the end of what it does, which for people and writers is now, and return its answer."""
        self._write("stop")
        answer: dict[str, Any] = json.loads(self.read())
        return answer

    def close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()
        self.process.wait()

    def _write(self, line: str) -> None:
        if self.process.stdin:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def read(self) -> str:
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise WorkerFailed(f"The process with the role {self.role} has ended.")
        return line


@contextmanager
def ready(*workers: Worker) -> Iterator[None]:
    """Wait until all are ready; end them afterwards."""
    with ExitStack() as stack:
        for worker in workers:
            stack.callback(worker.close)
        for worker in workers:
            worker.read()
        yield
