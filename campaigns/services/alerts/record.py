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
        _reopen(found.reopened)
        if found.ended:
            _resolve(found.ended, now)


def _reopen(reopened: Mapping[int, Said]) -> None:
    """Let alerts hold again, with the sentences and figures of now; they are shown, and not sent again."""
    alerts = [
        Alert(
            pk=pk, headline=each.headline[:MAX_HEADLINE], meaning=each.meaning, figures=each.figures, is_bad=each.is_bad
        )
        for pk, each in reopened.items()
    ]
    # The last three are None again.
    fields = ("headline", "meaning", "figures", "is_bad", "resolved_at", "acknowledged_at", "snoozed_until")
    Alert.objects.filter(resolved_at__isnull=False).bulk_update(alerts, fields, batch_size=500)


def _resolve(pks: list[int], now: datetime) -> None:
    sql = (
        # Not before it fired, where the clock was set back.
        "UPDATE campaigns_alert SET resolved_at = CASE WHEN opened_at > %(now)s THEN opened_at ELSE %(now)s END"
        f" WHERE {in_list('id', param='%(pks)s')} AND resolved_at IS NULL"
    )
    execute(sql, {"pks": list_param(pks), "now": connection.ops.adapt_datetimefield_value(now)})


def _batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    return (values[start : start + BATCH] for start in range(0, len(values), BATCH))
