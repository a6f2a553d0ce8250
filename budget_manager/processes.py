"""Processes that we start: they end with us."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType


def exit_on_signals() -> None:
    """Leave by SystemExit at SIGTERM and SIGHUP, so that what is open is closed, as it is after Ctrl-C."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)


@contextmanager
def running(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The process of a command, terminated and waited for at the end.

    In a session of its own: Ctrl-C and a closed terminal reach only us, and we end what we started in order.
    """
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
