"""What manage.py runs: Django's commands, with one sentence for what the user can put right."""

import re
import sys
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError, OperationalError, connection

from budget_manager import simulation
from budget_manager.processes import exit_on_signals


def run(argv: list[str]) -> int:
    """Run a command; the exit status. `--traceback` shows where a sentence comes from."""
    with ExitStack() as stack:
        if argv[1:2] == ["simulate"]:
            exit_on_signals()
            stack.enter_context(simulation.throw_away_database())
        try:
            if argv[1:2] == ["runserver"]:
                connection.ensure_connection()  # or the server would miss the database in a thread, and hang
            execute_from_command_line(argv)
        except (ImproperlyConfigured, DatabaseError) as error:
            sentence = _sentence(error)
            if not sentence or "--traceback" in argv:
                raise
            sys.stderr.write(f"{sentence}\n")
            return 1
    return 0


def _sentence(error: ImproperlyConfigured | DatabaseError) -> str | None:
    if isinstance(error, ImproperlyConfigured):
        return " ".join(str(error).split())
    return database_sentence(error, settings.DATABASES["default"])


def database_sentence(error: DatabaseError, database: dict[str, Any]) -> str | None:
    """What is wrong with the database, and the remedy; None for an error that isn't about reaching it."""
    if database["ENGINE"].endswith("sqlite3"):
        return _sqlite_sentence(str(error), database["NAME"])
    if "does not exist" in str(error) and "relation" in str(error):
        return f"The database {database['NAME']} has no tables of ours: run `python manage.py migrate`."
    if not isinstance(error, OperationalError):
        return None
    # An error of a statement has a state; 08 and 57P are lost connections and a server that shuts down.
    state = getattr(error.__cause__, "sqlstate", None)
    if state and not state.startswith(("08", "57P")):
        return None
    # psycopg: connection failed: connection to server at "…", port … failed: <reason>
    reason = re.split(r"failed: ", str(error).strip().splitlines()[0])[-1].strip(" .")
    options = database.get("OPTIONS", {})
    host = database["HOST"] or options.get("host") or "the local socket"
    return (
        f"The database {database['NAME']} at {host}, port {database['PORT'] or 5432}, can't be reached "
        f"({reason}): start it, or correct DATABASE_URL."
    )


def _sqlite_sentence(message: str, path: str) -> str | None:
    remedies = {
        "unable to open database file": "make its directory and let us write there, or correct DATABASE_URL",
        "readonly database": "make the file and its directory writable, or correct DATABASE_URL",
        "file is not a database": "name a SQLite file, or one that isn't there yet, in DATABASE_URL",
        "no such table": "run `python manage.py migrate`",
        "database is locked": "another process has been writing for 20 seconds; try again",
    }
    for symptom, remedy in remedies.items():
        if symptom in message:
            return f"The database {path} can't be used ({message}): {remedy}."
    return None
