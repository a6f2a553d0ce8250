"""manage.py flush, without the ledger's triggers on SQLite, where Django empties tables one by one in any order."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import flush
from django.db import connections, transaction

from campaigns.sql.triggers import create_triggers, drop_triggers


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor != "sqlite":
            super().handle(**options)
            return
        with connection.constraint_checks_disabled(), transaction.atomic(using=connection.alias):
            with connection.schema_editor(atomic=False) as editor:
                drop_triggers(editor)
            super().handle(**options)
            with connection.schema_editor(atomic=False) as editor:
                create_triggers(editor)
