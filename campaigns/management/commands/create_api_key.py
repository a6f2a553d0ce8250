"""manage.py create_api_key: a key of the HTTP API, printed once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.database.clock import database_now
from campaigns.models.platforms.api_keys import Scope
from campaigns.services.api_keys import create_key
from campaigns.services.history.actors import COMMAND

ACTOR = f"{COMMAND}create_api_key"


class Command(BaseCommand):
    help = (
        "Create a key of the HTTP API and print it. Only a hash of it is stored, so it can't be printed again. Keys are"
        " listed and revoked in the admin."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="What uses the key, such as “Airbyte, production”.")
        parser.add_argument(
            "--scopes", required=True, metavar="SCOPE,…", help=f"What it may do: {', '.join(Scope.values)}."
        )
        parser.add_argument(
            "--brand",
            type=int,
            action="append",
            default=[],
            metavar="ID",
            help="Give it this brand; may be repeated. Without it, all brands.",
        )
        parser.add_argument("--expires", type=int, metavar="DAYS", help="Refuse it after so many days. Default: never.")

    def handle(self, *args: Any, name: str, scopes: str, brand: list[int], expires: int | None, **options: Any) -> None:
        if expires is not None and not 1 <= expires <= 36_500:
            raise CommandError(f"--expires {expires} isn't a number of days from 1 to 36,500.")
        try:
            _, key = create_key(
                name,
                [scope.strip() for scope in scopes.split(",") if scope.strip()],
                brands=brand,
                expires_at=database_now() + timedelta(days=expires) if expires else None,
                created_by=ACTOR,
            )
        except ValueError as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(key)
