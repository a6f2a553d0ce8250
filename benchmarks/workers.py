"""Processes beside a measurement, each with its own connection: people, writers, checks, another checkout.

A worker calls functions of benchmarks and answers with their results, as JSON. It ends when its standard input ends,
so none outlives this process.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from benchmarks.databases import url_of_default

# The benchmarks are always those of this checkout, the application that of the second argument.
START = """
import sys
sys.path.insert(0, sys.argv[1])
import benchmarks
sys.path.insert(0, sys.argv[2])
import django
django.setup()
import benchmarks.workers
benchmarks.workers.serve()
"""
STANDARD_INPUT = 0


class WorkerFailed(Exception):
    """A worker has ended without an answer; the reason is on standard error."""


class Worker:
    """A process that works on the default database."""

    def __init__(self, checkout: Path | None = None) -> None:
        base = settings.BASE_DIR
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, str(base), str(checkout or base)],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "budget_manager.settings",
                "DATABASE_URL": url_of_default(),
                "SECRET_KEY": settings.SECRET_KEY,
                "DEBUG": "False",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Worker:
        self._read()
        return self

    def __exit__(self, *error: object) -> None:
        self.process.communicate()

    def begin(self, function: Callable[..., Any], **arguments: Any) -> None:
        self._write(json.dumps([function.__module__, function.__name__, arguments], default=str))

    def stop(self) -> Any:
        """Return the result of the function; where it waits for is_stopped(), it ends now."""
        self._write("stop")
        return json.loads(self._read())

    def call(self, function: Callable[..., Any], **arguments: Any) -> Any:
        self.begin(function, **arguments)
        return self.stop()

    def _write(self, line: str) -> None:
        if self.process.stdin:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def _read(self) -> str:
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise WorkerFailed
        return line


def serve() -> None:
    """Call one function after the other, as standard input says."""
    settings.DATABASE_CLOCK = False  # the benchmarks choose their own times
    connection.ensure_connection()
    answer: Any = "ready"
    # Without a buffer, so that is_stopped() sees every line that isn't read yet.
    with open(STANDARD_INPUT, "rb", buffering=0) as commands:
        while True:
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
            line = commands.readline()
            if not line:
                return
            module, function, arguments = json.loads(line)
            answer = getattr(import_module(module), function)(**arguments)
            commands.readline()  # stop


def is_stopped(rest: float) -> bool:
    """Rest so many seconds; return whether stop() was called."""
    return bool(select.select([STANDARD_INPUT], [], [], rest)[0])
