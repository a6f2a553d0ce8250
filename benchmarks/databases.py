"""Throw-away databases, on the server of DATABASE_URL or as files: dropped at the end, and no other is touched."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections

from benchmarks.figures import Sizes
from benchmarks.world import World, make_world
from campaigns.database.connection import execute, is_postgresql


@contextmanager
def database(label: str, template: str = "") -> Iterator[str]:
    """Create a database for the context, empty or a copy of the template; return its name."""
    if is_postgresql():
        name = f"budget_bench_{os.getpid()}_{label}"
        with server():
            execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        try:
            yield name
        finally:
            with server():
                execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    else:
        with tempfile.TemporaryDirectory(prefix="budget_bench_", ignore_cleanup_errors=True) as directory:
            name = f"{directory}/{label}.sqlite3"
            if template:
                shutil.copy(template, name)
            yield name


@contextmanager
def use(name: str) -> Iterator[None]:
    """Let this database be the default one."""
    ordinary = connections[DEFAULT_DB_ALIAS]
    own = ordinary.copy()
    own.settings_dict["NAME"] = name
    connections[DEFAULT_DB_ALIAS] = own
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = ordinary
        own.close()


@contextmanager
def server() -> Iterator[None]:
    """Use a database that always exists."""
    with use("postgres" if is_postgresql() else ":memory:"):
        yield


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
    # Its end drops the databases.
    stack: ExitStack
    databases: dict[World, str] = field(default_factory=dict)
    # The name of a database with our tables and no rows.
    template: str = ""

    def large_world(self) -> World:
        return World(self.sizes.brands, self.sizes.days)

    @contextmanager
    def inside(self, world: World) -> Iterator[World]:
        """Use the database of a world, as the part before has left it."""
        if not self.template:
            self.template = self.stack.enter_context(database("template"))
            with use(self.template):
                call_command("migrate", verbosity=0, interactive=False)
        is_new = world not in self.databases
        if is_new:
            log(f"making {world.campaigns:,} campaigns with {world.days} days of totals")
            label = str(len(self.databases))
            self.databases[world] = self.stack.enter_context(database(label, self.template))
        with use(self.databases[world]):
            if is_new:
                make_world(world)
            yield world


def log(text: str) -> None:
    sys.stderr.write(text + "\n")
