"""Spend by quarter-hour. The caller's condition bounds the records, because the ledger has no index by time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Max

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import micros_sql, quarter_sql, shown_sum
from campaigns.models import SpendRecord
from campaigns.rules.money import from_micros


def id_before_latest(records: int) -> int:
    """Return the id above which there are at most that many records, so that they are found by primary key."""
    return (SpendRecord.objects.aggregate(last=Max("pk"))["last"] or 0) - records


def spend_by_quarter(condition: str, params: Sequence[Any], start: datetime, end: datetime) -> dict[int, Decimal]:
    """Return the spend by quarter-hour, start included, end excluded, of the records that match a condition."""
    sql = f"""
        SELECT quarter, {shown_sum("micros")} FROM (
            SELECT {quarter_sql("timestamp")} AS quarter, {micros_sql("amount")} AS micros
            FROM campaigns_spendrecord
            WHERE {condition} AND timestamp >= %s AND timestamp < %s
        ) AS booked
        GROUP BY quarter"""
    period = [connection.ops.adapt_datetimefield_value(at) for at in (start, end)]
    return {quarter: from_micros(amount) for quarter, amount in fetch_all(sql, [*params, *period])}
