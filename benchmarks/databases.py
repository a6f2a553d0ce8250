"""Throw-away databases, on the server of DATABASE_URL or as files: dropped at the end, and no other is touched."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from campaigns.database.connection import execute, is_postgresql


class Databases:
    """Databases with our tables and no rows, each used as the default one for as long as is asked for.

    A database that has our tables already can be given as the template; nobody may be connected to it.
    """

    def __init__(self, template: str | None = None) -> None:
        self.template = template
        self.prefix = f"budget_bench_{os.getpid()}_"
        self.directory = tempfile.TemporaryDirectory(prefix=self.prefix, ignore_cleanup_errors=True)
        self.made: dict[str, str] = {}

    def __enter__(self) -> Databases:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for label in list(self.made):
            self.drop(label)
        self.directory.cleanup()

    def create(self, label: str) -> None:
        """Make the database of this label; drop() or the end of the whole drops it."""
        if self.template is None:
            self._create("empty", None)
            self.template = self.made["empty"]
            with self.use("empty"):
                call_command("migrate", verbosity=0, interactive=False)
        self._create(label, self.template)

    def drop(self, label: str) -> None:
        name = self.made.pop(label)
        if is_postgresql():
            with self.server():
                execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        else:
            for file in Path(self.directory.name).glob(f"{Path(name).name}*"):
                file.unlink()

    @contextmanager
    def use(self, label: str) -> Iterator[None]:
        """Let the database of this label be the default one."""
        with _as_default(self.made[label]):
            yield

    def _create(self, label: str, template: str | None) -> None:
        if is_postgresql():
            name = self.prefix + label
            copied = f' TEMPLATE "{template}"' if template else ""
            with self.server():
                execute(f'CREATE DATABASE "{name}"{copied}')
        else:
            name = str(Path(self.directory.name) / f"{label}.sqlite3")
            if template:
                shutil.copy(template, name)
        self.made[label] = name

    @contextmanager
    def server(self) -> Iterator[None]:
        """Let the default database be one that is always there."""
        with _as_default("postgres" if is_postgresql() else ":memory:"):
            yield


@contextmanager
def _as_default(name: str) -> Iterator[None]:
    ordinary = connections[DEFAULT_DB_ALIAS]
    own = ordinary.copy()
    own.settings_dict["NAME"] = name
    connections[DEFAULT_DB_ALIAS] = own
    try:
        yield
    finally:
        if not is_postgresql() and own.connection is not None:
            execute("PRAGMA wal_checkpoint(TRUNCATE)")  # all in one file, which can be copied
        connections[DEFAULT_DB_ALIAS] = ordinary
        own.close()


def url_of(database: BaseDatabaseWrapper = connection) -> str:
    """Return the DATABASE_URL of the default connection's database, for another process."""
    given = database.settings_dict
    if database.vendor == "sqlite":
        return f"sqlite:///{quote(str(given['NAME']))}"
    user = quote(given["USER"]) + (f":{quote(given['PASSWORD'])}" if given["PASSWORD"] else "")
    return f"postgres://{user}@{quote(given['HOST'], safe='')}:{given['PORT'] or 5432}/{quote(given['NAME'])}"
