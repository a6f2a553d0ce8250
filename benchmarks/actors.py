"""Processes beside a measurement, each with its own connection: people, writers, checks.

An actor is told on its standard input when to go and when to stop, again and again, and each time answers with a line
of JSON. If this process goes, its input ends and so does the actor.
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

from benchmarks.databases import url_of


class ActorFailed(Exception):
    """An actor ended without an answer; its complaint is on standard error."""


class Actor:
    """A process that plays one role of benchmarks.roles on the default database, from each go() to stop()."""

    def __init__(self, role: str, **options: Any) -> None:
        self.role = role
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.roles", role, json.dumps(options, default=str)],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DATABASE_URL": url_of(), "SECRET_KEY": settings.SECRET_KEY, "DEBUG": "False"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self) -> None:
        self._read()

    def go(self, **what: Any) -> None:
        self._write(json.dumps(what, default=str))

    def stop(self) -> dict[str, Any]:
        """Let it come to its end, and return what it says."""
        self._write("stop")
        answer: dict[str, Any] = json.loads(self._read())
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

    def _read(self) -> str:
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise ActorFailed(f"The process that played {self.role} ended before its time.")
        return line


@contextmanager
def on_stage(*actors: Actor) -> Iterator[None]:
    """Wait until all are ready; at the end they leave."""
    with ExitStack() as stack:
        for actor in actors:
            stack.callback(actor.close)
        for actor in actors:
            actor.wait_until_ready()
        yield
