"""A PostgreSQL server of a test's own, which may crash: what is committed is on disk, as in production."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from campaigns.tests.support.outside import Row
from campaigns.tests.torture.kills.waiting import free_port, wait_until

DEBIAN = Path("/usr/lib/postgresql")


def find_binaries() -> Path:
    """Return the directory of initdb and pg_ctl: of Debian's newest version, or else of the PATH."""
    versions = sorted(DEBIAN.glob("*/bin"), key=lambda path: float(path.parent.name))
    if versions:
        return versions[-1]
    found = shutil.which("initdb")
    if found is None:
        raise AssertionError("There is no initdb: install PostgreSQL, or put its programs into the PATH.")
    return Path(found).resolve().parent


class Cluster:
    """One server on a port that stays the same, with an empty database."""

    def __init__(self, directory: Path) -> None:
        self.binaries = find_binaries()
        self.data = directory / "data"
        self.log = directory / "log"
        self.port = free_port()
        self.url = f"postgres://budget@127.0.0.1:{self.port}/postgres"
        options = ("--username", "budget", "--auth", "trust", "--encoding", "UTF8", "--no-locale")
        self._run("initdb", "--pgdata", str(self.data), *options)

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        self._control("--log", str(self.log), "--wait", "--timeout", "60", "--options", options, "start")
        wait_until("PostgreSQL answers", self.answers)

    def crash(self) -> None:
        """End it without a shutdown: at the next start it recovers from its log."""
        self._control("--mode", "immediate", "stop")

    def stop(self) -> None:
        """Shut it down in order; it ends the connections of its clients."""
        self._control("--mode", "fast", "stop")

    def end(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self.crash()

    def answers(self) -> bool:
        try:
            self.run_sql("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.url.replace("postgres:", "postgresql:"), autocommit=True)

    def run_sql(self, sql: str, *params: Any) -> list[Row]:
        """Run a statement on a new connection and return its rows."""
        with self.connect() as connection:
            cursor = connection.execute(sql.encode(), params or None)
            return cursor.fetchall() if cursor.description else []

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "--pgdata", str(self.data), "--silent", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            as_owner([str(self.binaries / program), *arguments]),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )


def as_owner(command: list[str]) -> list[str]:
    """Return the command as a user other than root: the server refuses root."""
    if os.getuid() != 0:
        return command
    return ["su", "postgres", "-s", "/bin/sh", "-c", 'exec "$0" "$@"', "--", *command]


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Give a server that runs; it ends with the context."""
    with tempfile.TemporaryDirectory(prefix="budget-manager-postgresql-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        if os.getuid() == 0:
            shutil.chown(directory, "postgres")
        made = Cluster(directory)
        try:
            made.start()
            yield made
        finally:
            made.end()
