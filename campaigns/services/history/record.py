"""Recording changes of settings: one function for every writer, called in the transaction of the change.

Bulk changes and imports know old and new values and hand them to record_changes(). Others read the settings before and
after with read_settings() and compare them by differences(), as a form does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from django.db import connection

from campaigns.database.connection import execute
from campaigns.database.dialects import rows_param, rows_sql
from campaigns.database.write_column import in_pieces
from campaigns.models import SettingChange
from campaigns.services.history.settings import StoredSettings
from campaigns.services.history.values import ARCHIVE, BRAND, CREATED, DELETED, MOVED_IN, as_text

Channel = SettingChange.Channel
# Old and new values by setting.
Changes = Mapping[str, tuple[Any, Any]]


class Source(NamedTuple):
    """Who or what changes settings, by its name for the history, and by which way."""

    actor: str
    channel: Channel


class ChangedRow(NamedTuple):
    """A brand (campaign_id is None) or campaign with what changed; the currency of its old and new amounts."""

    brand_id: int
    campaign_id: int | None
    name: str
    changes: Changes
    currency: str
    currency_after: str


LINE = {
    "brand_id": "bigint",
    "campaign_id": "bigint",
    "name": "text",
    "setting": "text",
    "before": "text",
    "after": "text",
    "count": "integer",
}
COLUMNS = ", ".join(LINE)


def record_changes(rows: Iterable[ChangedRow], source: Source, *, at: datetime) -> None:
    """Write a line for each changed setting of the rows, as one operation. Call it in the change's transaction."""
    lines = [
        [row.brand_id, row.campaign_id, row.name[:200], setting, *_as_texts(row, values)]
        for row in rows
        for setting, values in row.changes.items()
    ]
    # By brand and setting; a brand's own line isn't counted with those of its campaigns.
    counted = [(line[0], line[1] is None, line[3]) for line in lines]
    counts = Counter(counted)
    for line, key in zip(lines, counted, strict=True):
        line.append(counts.pop(key, 0))
    operation = SettingChange._meta.get_field("operation").get_db_prep_value(uuid4(), connection)
    shared = {
        "operation": operation,
        "actor": source.actor[:200],
        "channel": str(source.channel),
        "at": connection.ops.adapt_datetimefield_value(at),
    }
    statement = f"""
        WITH given AS MATERIALIZED ({rows_sql(LINE, "%(lines)s")})
        INSERT INTO campaigns_settingchange ({COLUMNS}, operation, actor, channel, at)
        SELECT {COLUMNS}, %(operation)s, %(actor)s, %(channel)s, %(at)s FROM given"""
    for piece in in_pieces(lines):
        execute(statement, shared | {"lines": rows_param(LINE, piece)})


def _as_texts(row: ChangedRow, values: tuple[Any, Any]) -> tuple[str | None, str | None]:
    return as_text(values[0], row.currency), as_text(values[1], row.currency_after)


def created_row(
    brand_id: int, campaign_id: int | None, name: str, values: Mapping[str, Any], currency: str
) -> ChangedRow:
    """Return a row that was created, with the values that were set."""
    given = {setting: (None, value) for setting, value in values.items() if _is_given(setting, value)}
    return ChangedRow(brand_id, campaign_id, name, {CREATED: (None, name), **given}, currency, currency)


def _is_given(setting: str, value: Any) -> bool:
    return value not in (None, ()) and setting != "name" and not (setting == ARCHIVE and value is False)


def differences(before: Mapping[int, StoredSettings], after: Mapping[int, StoredSettings]) -> Iterator[ChangedRow]:
    """Yield what was created, changed and deleted between two readings of the same rows."""
    for pk in sorted(before.keys() | after.keys()):
        old, new = before.get(pk), after.get(pk)
        if new is None and old is not None:
            yield _row(old, old, {DELETED: (old.name, None)})
        elif new is not None and old is None:
            yield created_row(new.brand_id, new.campaign_id, new.name, new.values, new.currency)
        elif new is not None and old is not None:
            yield from _changed(old, new)


def _changed(old: StoredSettings, new: StoredSettings) -> Iterator[ChangedRow]:
    changes = {name: (old.values[name], value) for name, value in new.values.items() if old.values[name] != value}
    if old.brand_id != new.brand_id:
        yield ChangedRow(
            old.brand_id, old.campaign_id, new.name, {BRAND: (old.brand, new.brand)}, old.currency, new.currency
        )
        changes = {MOVED_IN: (old.brand, new.brand), **changes}
    if changes:
        yield _row(old, new, changes)


def _row(old: StoredSettings, new: StoredSettings, changes: Changes) -> ChangedRow:
    return ChangedRow(new.brand_id, new.campaign_id, new.name, changes, old.currency, new.currency)
