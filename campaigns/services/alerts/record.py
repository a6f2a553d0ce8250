"""Write alerts: new ones in one statement, and when others resolve or hold again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from django.db import connection, transaction

from campaigns.database.connection import execute
from campaigns.database.dialects import in_list, list_param, rows_param, rows_sql
from campaigns.database.statements import statement
from campaigns.models import Alert
from campaigns.services.alerts.differences import Differences, Said

T = TypeVar("T")

# Alerts in one INSERT: a few megabytes.
BATCH = 5_000
MAX_HEADLINE = Alert._meta.get_field("headline").max_length
COLUMNS = {
    "rule_id": "bigint",
    "subject": "text",
    "period": "text",
    "threshold": "integer",
    "budget": "bigint",
    "brand_id": "bigint",
    "campaign_id": "bigint",
    "headline": "text",
    "meaning": "text",
    "figures": "jsonb",
    "is_bad": "boolean",
}


def record(found: Differences, *, now: datetime) -> None:
    """Write what differs, in one transaction."""
    with transaction.atomic():
        for batch in _batches(found.new):
            rows = (
                (*each[1:], said.headline[:MAX_HEADLINE], said.meaning, said.figures, said.is_bad)
                for each, said in map(found.alert_of, batch)
            )
            sql = statement("alerts/insert", rows=rows_sql(COLUMNS, "%(rows)s"))
            at = connection.ops.adapt_datetimefield_value(now)
            execute(sql, {"rows": rows_param(COLUMNS, rows), "now": at})
        if found.reopened:
            changed = "resolved_at = NULL, acknowledged_at = NULL, snoozed_until = NULL"
            _say_again(found.reopened)
            _update(changed, "resolved_at IS NOT NULL", list(found.reopened))
        if found.ended:
            # Not before it fired, where the clock was set back.
            resolved_at = "CASE WHEN opened_at > %(now)s THEN opened_at ELSE %(now)s END"
            _update(f"resolved_at = {resolved_at}", "resolved_at IS NULL", found.ended, now)


def _say_again(reopened: Mapping[int, Said]) -> None:
    """Write the sentences and figures that hold now; they are shown, and not sent again."""
    alerts = Alert.objects.filter(resolved_at__isnull=False).in_bulk(list(reopened))
    for pk, alert in alerts.items():
        said = reopened[pk]
        alert.headline, alert.meaning = said.headline[:MAX_HEADLINE], said.meaning
        alert.figures, alert.is_bad = dict(said.figures), said.is_bad
    Alert.objects.bulk_update(alerts.values(), ("headline", "meaning", "figures", "is_bad"), batch_size=500)


def _update(changed: str, condition: str, pks: list[int], now: datetime | None = None) -> None:
    sql = f"UPDATE campaigns_alert SET {changed} WHERE {in_list('id', param='%(pks)s')} AND {condition}"
    at = connection.ops.adapt_datetimefield_value(now) if now else None
    execute(sql, {"pks": list_param(pks), "now": at})


def _batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    return (values[start : start + BATCH] for start in range(0, len(values), BATCH))
