"""Waiting for what other processes do."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

# Seconds: no test is about how fast this machine is.
PATIENCE = 90


def wait_until(
    what: str, happened: Callable[[], bool], *, said: Callable[[], str] = lambda: "", every: float = 0.05
) -> None:
    """Wait until a condition holds; the error ends with what the processes said."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {PATIENCE} s.\n{said()}")
        time.sleep(every)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
