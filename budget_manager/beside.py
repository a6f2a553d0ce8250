"""Long work in a process of its own, beside the worker's, which goes on with the checks.

A worker of one process would check nothing while it imports a file, and all-or-nothing files are one transaction that
can't be cut into pieces. So the task only starts a process, watches it, and is over. The process ends with the worker:
it listens to a pipe that nobody writes to, and that breaks when the worker's process is gone.
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
LONGEST = 50 * 60
"""Seconds that such work may take."""
UNTIL_KILLED = 5 * 60
"""Seconds after which it is killed that doesn't end then."""
STARTS = 6
"""One more than an upload may be attempted, so that the last one says why there is no further."""
NICENESS = 10
"""Where there is one core, a check comes first."""


class TookTooLong(Exception):
    """The work has taken LONGEST."""


def start(work: Callable[..., None], *arguments: Any) -> None:
    """Call a function of a module in a process of its own; the arguments go there as JSON.

    Where that is killed it starts again, as celery gives a task again whose process is killed.
    """
    name = f"{work.__module__}.{work.__qualname__}"
    Thread(target=_see_through, args=(name, json.dumps(arguments)), daemon=True).start()


def _see_through(name: str, arguments: str) -> None:
    for _ in range(STARTS):
        code = _run(name, arguments)
        if code >= 0:
            return  # it has ended by itself, and what it raised is in the log
        logger.warning("The process of %s%s was ended by signal %d.", name, arguments, -code)


def _run(name: str, arguments: str) -> int:
    command = [sys.executable, "-m", __name__, name, arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=BASE_DIR) as process:
        try:
            return process.wait(LONGEST + UNTIL_KILLED)
        except subprocess.TimeoutExpired:
            process.kill()
            return 0


def main(name: str, arguments: str) -> None:
    """Do the work, in its own process."""
    Thread(target=_end_with_the_worker, daemon=True).start()
    with suppress(OSError):
        os.nice(NICENESS)
    _set_up()
    signal.signal(signal.SIGALRM, _take_no_longer)
    signal.alarm(LONGEST)
    from django.utils.module_loading import import_string

    import_string(name)(*json.loads(arguments))


def _set_up() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "budget_manager.settings")
    django.setup()
    import budget_manager.celery  # noqa: F401  # tasks are sent through its application


def _end_with_the_worker() -> None:
    while os.read(0, 1):  # not through sys.stdin, whose lock Python wants when it ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _take_no_longer(_number: int, _frame: FrameType | None) -> None:
    raise TookTooLong


if __name__ == "__main__":
    main(*sys.argv[1:])
