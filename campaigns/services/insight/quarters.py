"""Spend by quarter-hour, from records that a condition bounds: the ledger has no index by time."""

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


def before_the_last(records: int) -> int:
    """Return a number that so many of the newest records are above: a number, so that they are found by their key."""
    return (SpendRecord.objects.aggregate(last=Max("pk"))["last"] or 0) - records


def spend_by_quarter(condition: str, params: Sequence[Any], start: datetime, end: datetime) -> dict[int, Decimal]:
    """Return the spend of each quarter-hour from start to before end, among the records that the condition names."""
    sql = f"""
        SELECT quarter, {shown_sum("micros")} FROM (
            SELECT {quarter_sql("timestamp")} AS quarter, {micros_sql("amount")} AS micros
            FROM campaigns_spendrecord
            WHERE {condition} AND timestamp >= %s AND timestamp < %s
        ) AS booked
        GROUP BY quarter"""
    period = [connection.ops.adapt_datetimefield_value(at) for at in (start, end)]
    return {quarter: from_micros(amount) for quarter, amount in fetch_all(sql, [*params, *period])}
