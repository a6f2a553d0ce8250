"""Folding: moving pending spend into the totals, in short transactions of their own.

A fold never runs inside a person's save or a dry run. It takes the ledger lock, so there is one at a time, and it moves
only what it can book: spend of brands in unknown zones, and on days that appeared after it looked, stays pending.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from campaigns.services.booking import BOOKED, known_booking_zones, segments_param, segments_sql

BATCH_DAYS = 400

UNBOOKABLE = """
    SELECT brand.id FROM campaigns_brand AS brand
    LEFT JOIN campaigns_bookingzone AS zone ON zone.brand_id = brand.id
    WHERE zone.brand_id IS NULL OR NOT {known}
"""

CANDIDATES = """
    SELECT id FROM campaigns_pendingspend
    WHERE {covered_day} AND brand_id NOT IN ({unbookable})
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
    moved = 0
    zones = known_booking_zones()
    while days := _bookable_days(zones):
        count = _fold_batch(zones, days)
        moved += count
        if count == 0:
            break
    return moved


def _bookable_days(zones: Sequence[str]) -> list[int]:
    """Return UTC days that have pending spend of brands whose zones are all known, at most BATCH_DAYS of them."""
    unbookable = UNBOOKABLE.format(known=among("zone.timezone"))
    sql = (
        "SELECT DISTINCT quarter / 96 FROM campaigns_pendingspend"
        f" WHERE brand_id NOT IN ({unbookable}) ORDER BY 1 LIMIT %s"
    )
    return [day for (day,) in fetch_all(sql, [among_param(zones), BATCH_DAYS])]


@transaction.atomic
def _fold_batch(zones: Sequence[str], days: Sequence[int]) -> int:
    take_ledger_lock()
    plan_for_many_rows()
    candidates = CANDIDATES.format(
        covered_day=among("quarter / 96"), unbookable=UNBOOKABLE.format(known=among("zone.timezone"))
    )
    params: list[Any] = [among_param(days), among_param(zones)]
    segments = segments_param(zones, days)
    if is_postgresql():
        return _fold_on_postgresql(candidates, [segments, *params, 200_000])
    return _fold_on_sqlite(candidates, [segments, *params, 20_000])


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
