"""Runs long work in a separate process, so that the worker's own processes stay free for checks.

A worker with one process couldn't check while it imports a file, and an all-or-nothing file is one transaction that
can't be split. So the task starts a process, watches it in a thread, and returns. The process ends with the worker: it
reads from a pipe that is never written to and is closed when the worker's process is gone.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import Any

logger = logging.getLogger(__name__)

BASE_DIR = Path(__file__).resolve().parent.parent
SOFT_TIME_LIMIT = 50 * 60  # seconds until TookTooLong is raised
KILL_AFTER = 5 * 60  # further seconds until the process is killed
# One more than the attempts that an upload has, so that the last start records why there is no other.
MAX_STARTS = 6
NICENESS = 10  # on a single core, checks come first


class TookTooLong(Exception):
    """The work has taken SOFT_TIME_LIMIT."""


def start(work: Callable[..., None], *arguments: Any) -> None:
    """Call a module's function in a separate process, with arguments as JSON.

    A process that is killed starts again, as Celery redelivers a task whose process is killed.
    """
    name = f"{work.__module__}.{work.__qualname__}"
    Thread(target=_run_until_done, args=(name, json.dumps(arguments)), daemon=True).start()


def _run_until_done(name: str, arguments: str) -> None:
    for _ in range(MAX_STARTS):
        code = _run(name, arguments)
        if code >= 0:
            return  # it ended by itself; an error is in the log
        logger.warning("The process of %s%s was ended by signal %d.", name, arguments, -code)


def _run(name: str, arguments: str) -> int:
    command = [sys.executable, "-m", __name__, name, arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=BASE_DIR) as process:
        try:
            return process.wait(SOFT_TIME_LIMIT + KILL_AFTER)
        except subprocess.TimeoutExpired:
            process.kill()
            return 0


def main(name: str, arguments: str) -> None:
    """Do the work, in the separate process."""
    Thread(target=_exit_with_the_worker, daemon=True).start()
    with suppress(OSError):
        os.nice(NICENESS)
    _set_up()
    signal.signal(signal.SIGALRM, _raise_took_too_long)
    signal.alarm(SOFT_TIME_LIMIT)
    from django.utils.module_loading import import_string

    import_string(name)(*json.loads(arguments))


def _set_up() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "budget_manager.settings")
    django.setup()
    import budget_manager.celery  # noqa: F401  # tasks are sent through its application


def _exit_with_the_worker() -> None:
    while os.read(0, 1):  # sys.stdin would hold a lock that Python needs at exit
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _raise_took_too_long(_number: int, _frame: FrameType | None) -> None:
    raise TookTooLong


if __name__ == "__main__":
    main(*sys.argv[1:])
