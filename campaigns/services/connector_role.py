"""The database role of a connector: INSERT on the ledger's columns, or its columns of reported totals (PostgreSQL).

All previous rights of the role and of PUBLIC are revoked first, so that the command can be repeated. This includes the
right to create tables: a role that can create even temporary ones can do more than it was granted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from psycopg.sql import SQL, Composed, Identifier

from campaigns.database.connection import fetch_all, is_postgresql

LEDGER = "campaigns_spendrecord"
FILLED = ("brand_id", "campaign_id", "amount", "timestamp", "external_id")
# What a connector of reported totals writes, and what it reads for that: an upsert reads what it writes. It may correct
# the details of accounts and the names of campaigns, but leads no campaign's spend elsewhere.
TOTALS = "campaigns_spendtotal"
TOTAL_COLUMNS = ("source", "account", "campaign", "day", "total", "as_of")
ACCOUNT_DETAILS = ("name", "currency", "timezone", "reported_until")
OF_TOTALS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("INSERT", TOTALS, TOTAL_COLUMNS),
    ("UPDATE", TOTALS, TOTAL_COLUMNS),
    ("SELECT", TOTALS, ("id", *TOTAL_COLUMNS)),
    ("INSERT", "campaigns_platformaccount", ("source", "external_id", *ACCOUNT_DETAILS)),
    ("UPDATE", "campaigns_platformaccount", ACCOUNT_DETAILS),
    ("SELECT", "campaigns_platformaccount", ("id", "source", "external_id", *ACCOUNT_DETAILS)),
    ("INSERT", "campaigns_campaignlink", ("account_id", "external_id", "name")),
    ("UPDATE", "campaigns_campaignlink", ("name",)),
    ("SELECT", "campaigns_campaignlink", ("id", "account_id", "external_id", "name")),
)
# The public columns, for a connector that reads which campaigns can run.
READABLE = {
    "campaigns_brand": ("id", "name", "enabled", "currency", "timezone", "daily_budget", "monthly_budget"),
    "campaigns_campaign": (
        "id",
        "brand_id",
        "name",
        "enabled",
        "status",
        "daily_spend_limit",
        "starts_on",
        "ends_on",
    ),
    "campaigns_daypartingschedule": ("id", "campaign_id", "days_of_week", "start_time", "end_time"),
}

GROUPS = """
    SELECT quote_ident(held.rolname) FROM pg_auth_members AS membership
    JOIN pg_roles AS held ON held.oid = membership.roleid
    JOIN pg_roles AS member ON member.oid = membership.member
    WHERE member.rolname = %s ORDER BY 1
"""

OWNED = """
    SELECT 'the database' FROM pg_database WHERE datname = current_database() AND pg_get_userbyid(datdba) = %s
    UNION ALL
    SELECT 'the schema ' || nspname FROM pg_namespace WHERE pg_get_userbyid(nspowner) = %s AND nspname = %s
    UNION ALL
    SELECT relname FROM pg_class
    WHERE pg_get_userbyid(relowner) = %s AND relnamespace = quote_ident(%s)::regnamespace AND relname = ANY(%s)
"""

SEQUENCES = """
    SELECT sequence.relname FROM pg_class AS sequence
    JOIN pg_depend AS owned ON owned.classid = 'pg_class'::regclass AND owned.objid = sequence.oid
        AND owned.refclassid = 'pg_class'::regclass AND owned.deptype IN ('a', 'i')
    JOIN pg_class AS owner ON owner.oid = owned.refobjid
    WHERE sequence.relkind = 'S' AND owner.relnamespace = quote_ident(%s)::regnamespace AND owner.relname = ANY(%s)
    ORDER BY 1
"""

FUNCTIONS = """
    SELECT DISTINCT function.proname FROM pg_trigger AS fired
    JOIN pg_proc AS function ON function.oid = fired.tgfoid
    JOIN pg_class AS held ON held.oid = fired.tgrelid
    WHERE NOT fired.tgisinternal AND held.relnamespace = quote_ident(%s)::regnamespace AND held.relname = ANY(%s)
    ORDER BY 1
"""

RIGHTS_ON_COLUMNS = """
    SELECT wanted || ' on ' || relname || '.' || attname
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped,
        unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) AS wanted
    WHERE has_column_privilege(%s, pg_class.oid, attnum, wanted)
        AND relnamespace = quote_ident(%s)::regnamespace AND relname = ANY(%s)
"""

RIGHTS_ON_TABLES = """
    SELECT wanted || ' on ' || relname FROM pg_class, unnest(ARRAY['DELETE', 'TRUNCATE', 'TRIGGER']) AS wanted
    WHERE has_table_privilege(%s, pg_class.oid, wanted)
        AND relnamespace = quote_ident(%s)::regnamespace AND relname = ANY(%s)
"""

RIGHTS_ON_SEQUENCES = """
    SELECT wanted || ' on ' || relname FROM pg_class, unnest(ARRAY['USAGE', 'SELECT', 'UPDATE']) AS wanted
    WHERE has_sequence_privilege(%s, pg_class.oid, wanted)
        AND relnamespace = quote_ident(%s)::regnamespace AND relkind = 'S' AND relname = ANY(%s)
"""

RIGHTS_ON_FUNCTIONS = """
    SELECT 'EXECUTE on ' || proname FROM pg_proc
    WHERE has_function_privilege(%s, oid, 'EXECUTE')
        AND pronamespace = quote_ident(%s)::regnamespace AND proname = ANY(%s)
"""

RIGHTS_ON_THE_PLACE = """
    SELECT wanted || ' on the database' FROM unnest(ARRAY['CREATE', 'TEMPORARY']) AS wanted
    WHERE has_database_privilege(%s, current_database(), wanted)
    UNION ALL
    SELECT 'CREATE on the schema' WHERE has_schema_privilege(%s, %s, 'CREATE')
"""

MAX_NAME_BYTES = 63
POWERS = {
    "rolsuper": "SUPERUSER",
    "rolcreaterole": "CREATEROLE",
    "rolcreatedb": "CREATEDB",
    "rolreplication": "REPLICATION",
    "rolbypassrls": "BYPASSRLS",
}


class RoleError(Exception):
    """The role can't be limited; the message says why and what to do."""


@dataclass(frozen=True)
class Place:
    """The database, and the application's objects in it."""

    database: str
    schema: str
    # The role of DATABASE_URL.
    owner: str
    tables: list[str]
    sequences: list[str]
    functions: list[str]


def statements(name: str, *, reader: bool, totals: bool = False) -> list[str]:
    """Return the SQL that creates the role if it is missing and limits it, without BEGIN and COMMIT.

    Raises RoleError if it can't be limited: on SQLite, for an invalid name, for the application's role, an owner, a
    member of another role, or a role with server-wide powers.
    """
    if not is_postgresql():
        raise RoleError(
            "SQLite has no roles: write access to the file is access to everything in it. Use PostgreSQL if"
            " the connector"
            " isn't trusted."
        )
    _check_name(name)
    place = _place()
    exists = _check_role(name, place)
    creation = [] if exists else [SQL("CREATE ROLE {} LOGIN").format(Identifier(name))]
    grants = _grants(name, place, granted(reader=reader, totals=totals))
    return [_text(statement) for statement in (*creation, *_limits(name, place), *grants)]


def apply(name: str, *, reader: bool, totals: bool = False) -> None:
    """Run the statements in one transaction and verify the result. Raises RoleError if rights remain.

    PostgreSQL only warns if a right granted by someone else can't be revoked.
    """
    with transaction.atomic():
        for statement in statements(name, reader=reader, totals=totals):
            with connection.cursor() as cursor:
                cursor.execute(statement)
        excess = sorted(rights(name) - expected_rights(reader=reader, totals=totals))
        if excess:
            raise RoleError(
                f"{name} would still have {', '.join(excess)}, which only their owner can revoke; nothing was"
                " changed. Run the printed SQL as a superuser: `manage.py connector_role NAME | psql DATABASE`."
            )


def granted(*, reader: bool, totals: bool) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return what the role is granted: a right on columns of a table."""
    written = OF_TOTALS if totals else (("INSERT", LEDGER, FILLED),)
    read = READABLE.items() if reader else ()
    return [*written, *(("SELECT", table, columns) for table, columns in read)]


def expected_rights(*, reader: bool, totals: bool = False) -> set[str]:
    """Return the rights that the role should have, as returned by rights()."""
    return {
        f"{right} on {table}.{column}"
        for right, table, columns in granted(reader=reader, totals=totals)
        for column in columns
    }


def rights(name: str) -> set[str]:
    """Return the effective rights of a role beyond CONNECT."""
    place = _place()
    return {
        *_rights(RIGHTS_ON_COLUMNS, [name, place.schema, place.tables]),
        *_rights(RIGHTS_ON_TABLES, [name, place.schema, place.tables]),
        *_rights(RIGHTS_ON_SEQUENCES, [name, place.schema, place.sequences]),
        *_rights(RIGHTS_ON_FUNCTIONS, [name, place.schema, place.functions]),
        *_rights(RIGHTS_ON_THE_PLACE, [name, name, place.schema]),
    }


def _check_name(name: str) -> None:
    if not name or len(name.encode()) > MAX_NAME_BYTES or not name.isprintable():
        raise RoleError(f"{name!r} isn't a valid role name: use 1 to {MAX_NAME_BYTES} printable characters.")
    if name.startswith("pg_") or name in ("public", "none"):
        raise RoleError(f"{name} is reserved by PostgreSQL: choose another name.")


def _check_role(name: str, place: Place) -> bool:
    """Return whether the role exists. Raises RoleError for one that REVOKE can't limit."""
    if name == place.owner:
        raise RoleError(f"{name} is the application's own role: use another one for the connector.")
    found = fetch_all(f"SELECT {', '.join(POWERS)} FROM pg_roles WHERE rolname = %s", [name])
    for row in found:
        _check_powers(name, [power for power, has in zip(POWERS.values(), row, strict=True) if has])
    groups = [group for (group,) in fetch_all(GROUPS, [name])]
    if groups:
        raise RoleError(
            f"{name} is a member of {', '.join(groups)} and has {'their' if len(groups) > 1 else 'its'} rights:"
            f" `REVOKE {', '.join(groups)} FROM {name}` first, or choose another role."
        )
    owned = [thing for (thing,) in fetch_all(OWNED, [name, name, place.schema, name, place.schema, place.tables])]
    if owned:
        raise RoleError(f"{name} owns {owned[0]}, and REVOKE can't limit an owner: use another role for the connector.")
    return bool(found)


def _check_powers(name: str, powers: list[str]) -> None:
    if powers:
        without = " ".join(f"NO{power}" for power in powers)
        raise RoleError(
            f"{name} is {' and '.join(powers)}, which REVOKE can't limit: `ALTER ROLE {name} {without}`"
            " first, or choose"
            " another role."
        )


def _limits(name: str, place: Place) -> Iterator[Composed]:
    """Revoke everything from the role, and from PUBLIC all but CONNECT; grant the application's role what it needs."""
    role, owner = Identifier(name), Identifier(place.owner)
    database, schema = Identifier(place.database), Identifier(place.schema)
    yield SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, owner)
    yield SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}").format(schema, owner)
    yield SQL("REVOKE TEMPORARY, CREATE ON DATABASE {} FROM PUBLIC").format(database)
    yield SQL("REVOKE CREATE ON SCHEMA {} FROM PUBLIC").format(schema)
    yield SQL("REVOKE ALL ON DATABASE {} FROM {}").format(database, role)
    yield SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(schema, role)
    for kind, names in (("TABLE", place.tables), ("SEQUENCE", place.sequences), ("FUNCTION", place.functions)):
        things = SQL(",\n    ").join(Identifier(place.schema, thing) for thing in names)
        yield SQL("REVOKE ALL ON {}\n    {}\nFROM {}, PUBLIC").format(SQL(kind), things, role)


def _grants(name: str, place: Place, rights: Iterable[tuple[str, str, tuple[str, ...]]]) -> Iterator[Composed]:
    role = Identifier(name)
    yield SQL("GRANT CONNECT ON DATABASE {} TO {}").format(Identifier(place.database), role)
    yield SQL("GRANT USAGE ON SCHEMA {} TO {}").format(Identifier(place.schema), role)
    for right, table, columns in rights:
        yield _grant(right, columns, Identifier(place.schema, table), role)


def _grant(right: str, columns: Iterable[str], table: Identifier, role: Identifier) -> Composed:
    names = SQL(", ").join(map(Identifier, columns))
    return SQL("GRANT {} ({}) ON {} TO {}").format(SQL(right), names, table, role)


def _text(statement: Composed) -> str:
    return statement.as_string(connection.connection)


def _place() -> Place:
    connection.ensure_connection()
    ((database, schema, owner),) = fetch_all("SELECT current_database(), current_schema(), current_user")
    tables = sorted({*connection.introspection.django_table_names(only_existing=True), "django_migrations"})
    return Place(
        database,
        schema,
        owner,
        tables,
        [name for (name,) in fetch_all(SEQUENCES, [schema, tables])],
        [name for (name,) in fetch_all(FUNCTIONS, [schema, tables])],
    )


def _rights(sql: str, params: list[Any]) -> list[str]:
    return [right for (right,) in fetch_all(sql, params)]
