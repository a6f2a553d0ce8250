"""Throw-away databases, on the server of DATABASE_URL or as files: dropped at the end, and no other is touched."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections

from benchmarks.sizes import Sizes
from benchmarks.world import World, make_world
from campaigns.database.connection import execute, is_postgresql


class Databases:
    """Databases that are each used as the default one for a while."""

    def __init__(self) -> None:
        self.prefix = f"budget_bench_{os.getpid()}_"
        self.directory = tempfile.TemporaryDirectory(prefix=self.prefix, ignore_cleanup_errors=True)
        self.names: dict[str, str] = {}

    def __enter__(self) -> Databases:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for label in list(self.names):
            self.drop(label)
        self.directory.cleanup()

    def create(self, label: str) -> None:
        """Create an empty database."""
        if is_postgresql():
            self.names[label] = self.prefix + label
            with self.server():
                execute(f'CREATE DATABASE "{self.names[label]}"')
        else:
            self.names[label] = str(Path(self.directory.name) / f"{label}.sqlite3")

    def drop(self, label: str) -> None:
        name = self.names.pop(label)
        if is_postgresql():
            with self.server():
                execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    @contextmanager
    def use(self, label: str) -> Iterator[None]:
        with _as_default(self.names[label]):
            yield

    @contextmanager
    def server(self) -> Iterator[None]:
        """Use a database that always exists."""
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
        connections[DEFAULT_DB_ALIAS] = ordinary
        own.close()


def url_of_default() -> str:
    """Return the DATABASE_URL of the default connection's database, for another process."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{quote(str(given['NAME']))}"
    user = quote(given["USER"]) + (f":{quote(given['PASSWORD'])}" if given["PASSWORD"] else "")
    return f"postgres://{user}@{quote(given['HOST'], safe='')}:{given['PORT'] or 5432}/{quote(given['NAME'])}"


@dataclass
class Bench:
    """The argument of every part: the sizes, and worlds that are made when they are first used."""

    sizes: Sizes
    databases: Databases
    log: Callable[[str], None]

    def large_world(self) -> World:
        return World(self.sizes.brands, self.sizes.days)

    @contextmanager
    def inside(self, world: World) -> Iterator[World]:
        """Use the database of a world, as the part before has left it."""
        label = f"{world.brands}_{world.days}_{world.records_per_day}_{world.today:%Y%m%d}"
        if label not in self.databases.names:
            self.log(f"making {world.campaigns:,} campaigns with {world.days} days of totals")
            self.databases.create(label)
            with self.databases.use(label):
                call_command("migrate", verbosity=0, interactive=False)
                make_world(world)
        with self.databases.use(label):
            yield world
