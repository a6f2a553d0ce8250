"""Processes beside a measurement, each with its own connection: people, writers, checks, another checkout."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import django
from django.conf import settings

SPAWN = get_context("spawn")
commands: Connection[Any, Any]


class Worker:
    """A process that calls functions, on the default database, with the application of a checkout."""

    def __init__(self, checkout: Path | None = None) -> None:
        from benchmarks.databases import url_of_default  # imports the application, which a worker may do only later

        self.pipe, other_end = SPAWN.Pipe()
        arguments = (other_end, str(checkout or settings.BASE_DIR), url_of_default())
        self.process = SPAWN.Process(target=serve, args=arguments, daemon=True)
        self.process.start()
        other_end.close()

    def __enter__(self) -> Worker:
        self.pipe.recv()
        return self

    def __exit__(self, *error: object) -> None:
        self.pipe.close()
        self.process.join()

    def begin(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.pipe.send((function, arguments))

    def stop(self) -> Any:
        """Return the result of the function; where it waits for is_stopped(), it ends now."""
        self.pipe.send("stop")
        return self.pipe.recv()

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        self.begin(function, *arguments)
        return self.stop()


def serve(pipe: Connection[Any, Any], checkout: str, url: str) -> None:
    """Call one function after the other, until the other end is closed."""
    global commands
    commands = pipe
    sys.path.insert(0, checkout)  # the benchmarks are already imported: always those of this checkout
    os.chdir(checkout)  # Celery puts the working directory before all others while it loads
    os.environ["DATABASE_URL"] = url
    django.setup()
    settings.DATABASE_CLOCK = False  # the benchmarks choose their own times
    answer: Any = "ready"
    while True:
        pipe.send(answer)
        try:
            function, arguments = pipe.recv()
        except EOFError:
            return
        answer = function(*arguments)
        pipe.recv()  # stop


def is_stopped(rest: float) -> bool:
    """Rest so many seconds; return whether stop() was called."""
    return commands.poll(rest)
