"""Runs Django's commands for manage.py; errors that the user can correct become one sentence with the remedy."""

import re
import sys
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError, OperationalError, connection

from budget_manager import simulation
from budget_manager.launcher.processes import exit_on_signals


def run(argv: list[str]) -> int:
    """Run a command and return its exit status. `--traceback` shows the traceback instead of the sentence."""
    with ExitStack() as stack:
        if argv[1:2] == ["simulate"]:
            exit_on_signals()
            stack.enter_context(simulation.throw_away_database())
        try:
            if argv[1:2] == ["runserver"]:
                connection.ensure_connection()  # without a database, runserver's thread would fail and the server hang
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
    """Return what is wrong with the database and the remedy; None for other errors."""
    if database["ENGINE"].endswith("sqlite3"):
        return _sqlite_sentence(str(error), database["NAME"])
    state = sqlstate(error)
    if state in REMEDIES:
        symptom, remedy = REMEDIES[state]
        return f"The database {database['NAME']} {symptom} ({_first_line(error)}): {remedy}."
    # An error of a statement has a state; 08 and 57P are lost connections and a server that shuts down.
    if not isinstance(error, OperationalError) or (state and not state.startswith(("08", "57P"))):
        return None
    # psycopg: connection failed: connection to server at "…", port … failed: <reason>
    reason = re.split(r"failed: ", _first_line(error))[-1]
    options = database.get("OPTIONS", {})
    host = database["HOST"] or options.get("host") or "the local socket"
    remedy = (
        "raise the server's max_connections (or the pooler's limits), or start fewer processes"
        if any(words in reason for words in TOO_MANY)
        else "start it, or correct DATABASE_URL"
    )
    return (
        f"The database {database['NAME']} at {host}, port {database['PORT'] or 5432}, can't be reached "
        f"({reason}): {remedy}."
    )


# Messages of PostgreSQL and PgBouncer in English: psycopg has no code for a refused connection.
TOO_MANY = ("too many", "connection slots", "no more connections")

# By SQLSTATE: what is wrong, and what to do.
REMEDIES = {
    "42P01": ("isn't set up yet", "run `python manage.py migrate`"),
    "25006": ("is read-only", "point DATABASE_URL at the primary, or reset default_transaction_read_only"),
    "53100": ("has no space left", "free some space on the server's disk, and try again"),
    "55P03": ("is locked by another transaction", "try again; pg_stat_activity shows who holds the lock"),
    "57014": (
        "canceled a statement",
        "try again; if statement_timeout is set for this process (PGOPTIONS, DATABASE_URL), remove it",
    ),
}


def sqlstate(error: BaseException | None) -> str | None:
    """Return the SQLSTATE of the error or of its cause."""
    while error is not None:
        if state := getattr(error, "sqlstate", None):
            return str(state)
        error = error.__cause__ or error.__context__
    return None


def _first_line(error: DatabaseError) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].strip(" .")


def _sqlite_sentence(message: str, path: str) -> str | None:
    remedies = {
        "unable to open database file": "create its directory and make it writable, or correct DATABASE_URL",
        "readonly database": "make the file and its directory writable, or correct DATABASE_URL",
        "file is not a database": "name a SQLite file or a new file in DATABASE_URL",
        "no such table": "run `python manage.py migrate`, or name another database in DATABASE_URL",
        "database is locked": "another process has been writing for 20 seconds; try again",
        "database or disk is full": "free some space on its disk, and try again",
        "disk I/O error": "check whether its disk is full or broken, and try again",
    }
    for symptom, remedy in remedies.items():
        if symptom in message:
            return f"The database {path} can't be used ({message}): {remedy}."
    return None
