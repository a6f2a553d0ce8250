"""Session settings that the application needs on PostgreSQL, whatever the server, the database or the role defaults to.

- Each new connection sets them, which is enough without a pooler.
- A pooler in transaction mode may give each transaction another server connection, so session settings get lost.
  Therefore `migrate` also stores them as defaults of our role in this database.
- /health/jobs names settings that are still wrong.

Settings in DATABASE_URL or PGOPTIONS were chosen for this process and aren't changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

OURS = {
    "DateStyle": "ISO",  # psycopg reads no other dates; the order of day and month may be any
    "IntervalStyle": "postgres",  # the same for durations
    "standard_conforming_strings": "on",  # a backslash in a text is a backslash
    "array_nulls": "on",
    "transform_null_equals": "off",
    "default_transaction_isolation": "read committed",  # what is read under a lock must be as new as the lock
    # Checks, imports and verifications of a large ledger take minutes; each has a limit of its own.
    "statement_timeout": "0",
    "transaction_timeout": "0",  # PostgreSQL 17 and newer
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
}

# No statement waits for another transaction's lock without end. Transactions that lock rows set shorter limits of
# their own (campaigns.services.ledger.locks), also behind a pooler, so this needn't be the default of the role.
LIMITS = {"lock_timeout": "10s"}

# Only a superuser may set it; otherwise than here our triggers don't run, and no spend is counted.
CHECKED = {"session_replication_role": "origin"}


@dataclass(frozen=True)
class Wrong:
    """A session setting with a value that doesn't suit the application."""

    name: str
    value: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.name} is {self.value} instead of {self.wanted}"


def set_ours(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Set what a new connection needs; a receiver of connection_created."""
    if connection.vendor != "postgresql":
        return
    wanted = _not_given(connection, OURS | LIMITS)
    _fetch_all(
        connection,
        "SELECT set_config(name, wanted, false) FROM unnest(%s::text[], %s::text[]) AS ours (name, wanted)"
        " WHERE split_part(current_setting(name, true), ',', 1) <> wanted",
        [list(wanted), list(wanted.values())],
    )


def make_defaults(connection: BaseDatabaseWrapper) -> list[Wrong]:
    """Store the settings as defaults of our role in this database; return those that were wrong.

    Nothing is altered if the defaults are right already, as they are on most servers.
    """
    wrong = _wrong_defaults(connection, OURS) if connection.vendor == "postgresql" else []
    database = connection.ops.quote_name(str(connection.settings_dict["NAME"]))
    for setting in wrong:
        with connection.cursor() as cursor:
            cursor.execute(
                f"ALTER ROLE SESSION_USER IN DATABASE {database} SET {setting.name} = %s",  # our own names
                [setting.wanted],
            )
    return wrong


def problem(connection: BaseDatabaseWrapper) -> str:
    """Return which session settings are wrong, with the remedy; empty if none is."""
    if connection.vendor != "postgresql":
        return ""
    found = _wrong_defaults(connection, OURS) if _is_pooled(connection) else []
    sentences = []
    if found:
        sentences.append(
            f"Behind a pooler sessions begin with settings that don't suit ({', '.join(map(str, found))}):"
            " run `python manage.py migrate`, which sets them for our role, and let the pooler reconnect."
        )
    if unset := _wrong_defaults(connection, CHECKED):
        sentences.append(f"The triggers that count spend don't run ({unset[0]}): reset it for the role and database.")
    return " ".join(sentences)


def schema_problem(connection: BaseDatabaseWrapper) -> str:
    """Return why `migrate` can't create its tables, or would create a second set of them; empty if it can.

    A schema that DATABASE_URL or PGOPTIONS names is used as it is.
    """
    if connection.vendor != "postgresql":
        return ""
    ((path, current, ours, elsewhere),) = _fetch_all(
        connection,
        "SELECT current_setting('search_path'), current_schema(), to_regclass('campaigns_brand')::text,"
        " (SELECT MIN(relnamespace::regnamespace::text) FROM pg_class WHERE relname = 'campaigns_brand')",
    )
    remedy = (
        f"name another with ALTER ROLE … IN DATABASE {connection.settings_dict['NAME']} SET search_path = …,"
        " or with ?currentSchema=… at the end of DATABASE_URL."
    )
    if current is None:
        return f"search_path is {path or 'empty'}, and there is no such schema to make tables in: make it, or {remedy}"
    if ours is None and elsewhere and _not_given(connection, {"search_path": path}):
        return f"search_path is {path}, but our tables are in the schema {elsewhere}: {remedy}"
    return ""


def _is_pooled(connection: BaseDatabaseWrapper) -> bool:
    """Return whether a pooler is in between: the backend's process id isn't the one given at connection."""
    return _fetch_all(connection, "SELECT pg_backend_pid()") != [(connection.connection.info.backend_pid,)]


def _wrong_defaults(connection: BaseDatabaseWrapper, settings: dict[str, str]) -> list[Wrong]:
    """Return settings whose default in this session differs: SET doesn't change reset_val."""
    wanted = _not_given(connection, settings)
    rows = _fetch_all(
        connection,
        "SELECT name, reset_val, wanted FROM pg_settings"
        " JOIN unnest(%s::text[], %s::text[]) AS ours (name, wanted) USING (name)"
        " WHERE split_part(reset_val, ',', 1) <> wanted ORDER BY name",
        [list(wanted), list(wanted.values())],
    )
    return [Wrong(*row) for row in rows]


def _not_given(connection: BaseDatabaseWrapper, settings: dict[str, str]) -> dict[str, str]:
    """Return the settings without those that DATABASE_URL or PGOPTIONS set."""
    given = connection.connection.info.options.lower().replace("-", "_")
    return {name: wanted for name, wanted in settings.items() if name.lower() not in given}


def _fetch_all(connection: BaseDatabaseWrapper, sql: str, params: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
