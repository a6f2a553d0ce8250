"""manage.py connector_role: the database role of a connector."""

from __future__ import annotations

from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from campaigns.services import connector_role as writer_role


class Command(BaseCommand):
    help = (
        "Print the SQL that grants a connector's role INSERT on the ledger's columns, or with --totals what it needs to"
        " report totals, and revokes everything else in this database; with --apply, run it. It can be repeated; run it"
        " again after an upgrade that adds tables. It sets no password."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="The role, created if it is missing.")
        parser.add_argument("--apply", action="store_true", help="Run the SQL, in one transaction.")
        parser.add_argument(
            "--reader",
            action="store_true",
            help="Also grant SELECT on the public columns of brands, campaigns and windows.",
        )

        parser.add_argument(
            "--totals",
            action="store_true",
            help="For a connector of reported totals: INSERT and UPDATE on its columns of totals, accounts and links,"
            " instead of INSERT on the ledger.",
        )

    def handle(self, *args: Any, name: str, apply: bool, reader: bool, totals: bool, **options: Any) -> None:
        try:
            if apply:
                self.apply(name, reader, totals)
            else:
                self.print(name, reader, totals)
        except writer_role.RoleError as error:
            raise CommandError(str(error)) from None

    def print(self, name: str, reader: bool, totals: bool) -> None:
        statements = writer_role.statements(name, reader=reader, totals=totals)
        for statement in ("BEGIN", *statements, "COMMIT"):
            self.stdout.write(f"{statement};")

    def apply(self, name: str, reader: bool, totals: bool) -> None:
        try:
            writer_role.apply(name, reader=reader, totals=totals)
        except DatabaseError as error:
            if not isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege):
                raise
            reason = str(error).strip().splitlines()[0]
            raise CommandError(
                f"The role of DATABASE_URL lacks the permission ({reason}), and nothing was changed: run the printed"
                " SQL as a superuser, `manage.py connector_role NAME | psql DATABASE`."
            ) from None
        if totals:
            columns = ", ".join(writer_role.TOTAL_COLUMNS)
            self.stdout.write(
                f"{name} can INSERT and UPDATE {columns} of {writer_role.TOTALS}, add accounts and links and correct"
                " their names, currencies, time zones and reported_until, and nothing else."
            )
        else:
            columns = ", ".join(writer_role.FILLED)
            self.stdout.write(f"{name} can INSERT {columns} into {writer_role.LEDGER}, and nothing else.")
        if reader:
            self.stdout.write(f"It can also read the public columns of {', '.join(writer_role.READABLE)}.")
        self.stdout.write(f"Set its password in psql if it has none: \\password {name}")
