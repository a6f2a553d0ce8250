"""Folding: moving pending spend into the totals.

fold() does it for everyone, in short transactions of its own, never inside a person's save. Whoever closes the periods
of a brand folds that brand's pending spend first, in the same transaction. Both hold the ledger lock, so there is one
at a time, and move only what can be booked: spend of brands in unknown zones, and on days that appeared after it
looked, stays pending.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from campaigns.database import (
    among,
    among_param,
    execute,
    fetch_all,
    is_postgresql,
    plan_for_many_rows,
    take_ledger_lock,
)
from campaigns.models import PendingSpend
from campaigns.services.booking import BOOKED, known_booking_zones, segments_param, segments_sql

BATCH_DAYS = 400
BATCH_ROWS_ON_POSTGRESQL = 200_000
BATCH_ROWS_ON_SQLITE = 20_000
"""Fewer, because nobody else can write meanwhile."""

UNBOOKABLE = """
    SELECT brand.id FROM campaigns_brand AS brand
    LEFT JOIN campaigns_bookingzone AS zone ON zone.brand_id = brand.id
    WHERE zone.brand_id IS NULL OR NOT {known}
"""

DAYS = """
    SELECT DISTINCT quarter / 96 FROM campaigns_pendingspend
    WHERE {in_scope} AND brand_id NOT IN ({unbookable})
    ORDER BY 1 LIMIT %s
"""

CANDIDATES = """
    SELECT id FROM campaigns_pendingspend
    WHERE {in_scope} AND {covered_day} AND brand_id NOT IN ({unbookable})
    ORDER BY id LIMIT %s
"""

ADD_CAMPAIGN_DAYS = """
INSERT INTO campaigns_campaignday (campaign_id, day, spend)
SELECT campaign_id, starts_on, CAST(SUM(amount) AS bigint) FROM booked
WHERE kind = 'day' AND campaign_id IN (SELECT id FROM campaigns_campaign)
GROUP BY 1, 2
ON CONFLICT (day, campaign_id) DO UPDATE SET spend = campaigns_campaignday.spend + excluded.spend
"""

ADD_BRAND_PERIODS = """
INSERT INTO campaigns_brandperiod (brand_id, kind, starts_on, spend)
SELECT brand_id, kind, starts_on, CAST(SUM(amount) AS bigint) FROM booked WHERE 1 = 1 GROUP BY 1, 2, 3
ON CONFLICT (kind, starts_on, brand_id) DO UPDATE SET spend = campaigns_brandperiod.spend + excluded.spend
"""

GROUPED = f"""
grouped AS (
    SELECT brand_id, campaign_id, quarter, SUM(amount) AS amount FROM taken GROUP BY brand_id, campaign_id, quarter
),
booked AS ({BOOKED.format(spent="grouped")})
"""


def fold() -> int:
    """Move all pending spend that can be booked into the totals; return the number of pending rows moved."""
    return sum(_Fold().batches())


def fold_under_ledger_lock(brands: Iterable[int] | None) -> int:
    """Do the same for all brands or for some, in the transaction of a caller that holds the ledger lock."""
    return sum(_Fold(brands).batches())


def oldest_bookable() -> datetime | None:
    """Return when the oldest pending row arrived that a fold would move; None where there is none."""
    bookable = f"brand_id NOT IN ({UNBOOKABLE.format(known=among('zone.timezone'))})"
    first = f"SELECT id FROM campaigns_pendingspend WHERE {bookable} ORDER BY id LIMIT 1"
    ids = [key for (key,) in fetch_all(first, [among_param(known_booking_zones())])]
    return PendingSpend.objects.filter(pk__in=ids).values_list("recorded_at", flat=True).first()


class _Fold:
    """One fold, in batches: each takes rows, books them and is committed, unless the caller holds a transaction."""

    def __init__(self, brands: Iterable[int] | None = None) -> None:
        ids = None if brands is None else list(brands)
        self.zones = known_booking_zones(ids)
        self.in_scope = "1 = 1" if ids is None else among("brand_id")
        self.scope: list[Any] = [] if ids is None else [among_param(ids)]
        self.unbookable = UNBOOKABLE.format(known=among("zone.timezone"))

    def batches(self) -> Iterator[int]:
        """Yield the number of rows that each batch has moved."""
        while days := self.days():
            count = self.batch(days)
            yield count
            if count == 0:
                break

    def days(self) -> list[int]:
        """Return UTC days that have pending spend of brands whose zones are all known, at most BATCH_DAYS of them."""
        sql = DAYS.format(in_scope=self.in_scope, unbookable=self.unbookable)
        return [day for (day,) in fetch_all(sql, [*self.scope, among_param(self.zones), BATCH_DAYS])]

    @transaction.atomic
    def batch(self, days: Sequence[int]) -> int:
        take_ledger_lock()
        if not self.scope:
            plan_for_many_rows()
        candidates = CANDIDATES.format(
            in_scope=self.in_scope, covered_day=among("quarter / 96"), unbookable=self.unbookable
        )
        params: list[Any] = [*self.scope, among_param(days), among_param(self.zones)]
        segments = segments_param(self.zones, days)
        if is_postgresql():
            return _fold_on_postgresql(candidates, [segments, *params, BATCH_ROWS_ON_POSTGRESQL])
        return _fold_on_sqlite(candidates, [segments, *params, BATCH_ROWS_ON_SQLITE])


def _fold_on_postgresql(candidates: str, params: Sequence[Any]) -> int:
    """Take and book in one statement: rows that are committed while it runs are neither taken nor booked."""
    sql = f"""
        WITH segment AS MATERIALIZED ({segments_sql()}),
        taken AS (
            DELETE FROM campaigns_pendingspend WHERE id IN ({candidates})
            RETURNING brand_id, campaign_id, quarter, amount
        ),
        {GROUPED},
        campaign_days AS ({ADD_CAMPAIGN_DAYS}),
        brand_periods AS ({ADD_BRAND_PERIODS})
        SELECT COUNT(*) FROM taken"""
    ((count,),) = fetch_all(sql, params)
    return int(count)


def _fold_on_sqlite(candidates: str, params: Sequence[Any]) -> int:
    """Book, then take away the same rows: nobody else writes during the transaction."""
    prefix = f"""
        WITH segment AS MATERIALIZED ({segments_sql()}),
        taken AS (
            SELECT brand_id, campaign_id, quarter, amount FROM campaigns_pendingspend WHERE id IN ({candidates})
        ),
        {GROUPED}"""
    execute(prefix + ADD_CAMPAIGN_DAYS, params)
    execute(prefix + ADD_BRAND_PERIODS, params)
    return execute(f"DELETE FROM campaigns_pendingspend WHERE id IN ({candidates})", params[1:])
