"""The admin's log of changes by people: one entry per row, also for bulk changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models

from campaigns.services.permissions import Person

BATCH = 1_000


class AuditEntry(NamedTuple):
    """A row that a person changed, with a text for each change, or added, with none."""

    pk: int
    name: str
    changed: Sequence[str] = ()


def log_rows(person: Person, model: type[models.Model], rows: Iterable[AuditEntry]) -> None:
    """Write an entry for each row, in the transaction of the change."""
    content_type = ContentType.objects.get_for_model(model).pk
    entries = [
        LogEntry(
            user_id=person.pk or 0,
            content_type_id=content_type,
            object_id=str(row.pk),
            object_repr=row.name[:200],
            action_flag=CHANGE if row.changed else ADDITION,
            change_message=json.dumps([{"changed": {"fields": list(row.changed)}} if row.changed else {"added": {}}]),
        )
        for row in rows
    ]
    LogEntry.objects.bulk_create(entries, batch_size=BATCH)
