"""Processes that we start: they end with us."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO

from budget_manager.launcher import guard


def exit_on_signals() -> None:
    """Leave by SystemExit at SIGTERM and SIGHUP, so that what is open is closed, as it is after Ctrl-C."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)


@contextmanager
def running(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, stdout: IO[bytes] | int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs a command, ended at the end of the context, or when this process is killed.

    In a session of its own: Ctrl-C and a closed terminal reach only us, and we end what we started in order.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", guard.__file__, *command],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=stdout,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.stdin:
            process.stdin.close()
        process.wait()


@contextmanager
def foreground() -> Iterator[None]:
    """Let Ctrl-C reach only this process, not the make that started it, which would fail then.

    Nothing happens without a terminal, in its background, or where a shell has done it already.
    """
    shells_group = os.getpgrp()
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError:
        yield
        return
    try:
        if shells_group == os.getpid() or os.tcgetpgrp(terminal) != shells_group:
            yield
            return
        # Only the foreground may write to some terminals, or choose the foreground. And a Ctrl-Z would stop us behind
        # the back of the shell, which waits for make.
        for number in (signal.SIGTTOU, signal.SIGTSTP):
            signal.signal(number, signal.SIG_IGN)
        os.setpgid(0, 0)
        os.tcsetpgrp(terminal, os.getpid())
        try:
            yield
        finally:
            with suppress(OSError):  # the terminal may be gone
                os.tcsetpgrp(terminal, shells_group)
    finally:
        os.close(terminal)
