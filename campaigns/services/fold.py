"""Folding: moving pending spend into the totals.

fold() does it for everyone, in short transactions of its own, never inside a person's save. Whoever closes the periods
of a brand folds that brand's pending spend first, in the same transaction. Both hold the ledger lock, so there is one
at a time, and move only what can be booked: spend of brands in unknown zones, spend that is too large for its totals
(see campaigns.services.overflow), and that of days that appeared after it looked, stays pending.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import DatabaseError, transaction

from campaigns.database import (
    among,
    among_param,
    clamped_sum,
    execute,
    fetch_all,
    is_out_of_range,
    is_postgresql,
    large_apart,
    plan_for_many_rows,
    take_ledger_lock,
)
from campaigns.models import PendingSpend
from campaigns.services.booking import BOOKED, known_booking_zones, segments_param, segments_sql
from campaigns.services.marks import mark_at_once
from campaigns.services.overflow import suspects

BATCH_DAYS = 400
BATCH_ROWS_ON_POSTGRESQL = 200_000
BATCH_ROWS_ON_SQLITE = 20_000
"""Fewer, because nobody else can write meanwhile."""
ALL = 1_000_000_000

UNBOOKABLE = """
    SELECT brand.id FROM campaigns_brand AS brand
    LEFT JOIN campaigns_bookingzone AS zone ON zone.brand_id = brand.id
    WHERE zone.brand_id IS NULL OR NOT {known}
"""

DAYS = """
    SELECT DISTINCT quarter / 96 FROM campaigns_pendingspend
    WHERE id <= %s AND {in_scope} AND brand_id NOT IN ({unbookable})
    ORDER BY 1 LIMIT %s
"""

CANDIDATES = """
    SELECT id FROM campaigns_pendingspend
    WHERE id <= %s AND {in_scope} AND {covered_day} AND brand_id NOT IN ({unbookable})
    ORDER BY id LIMIT %s
"""

ADD_CAMPAIGN_DAYS = f"""
INSERT INTO campaigns_campaignday (campaign_id, day, spend)
SELECT campaign_id, starts_on, {clamped_sum("amount")} FROM booked
WHERE kind = 'day' AND campaign_id IN (SELECT id FROM campaigns_campaign)
GROUP BY 1, 2
ON CONFLICT (day, campaign_id) DO UPDATE SET spend = campaigns_campaignday.spend + excluded.spend
"""

ADD_BRAND_PERIODS = f"""
INSERT INTO campaigns_brandperiod (brand_id, kind, starts_on, spend)
SELECT brand_id, kind, starts_on, {clamped_sum("amount")} FROM booked
WHERE brand_id IN (SELECT id FROM campaigns_brand)
GROUP BY 1, 2, 3
ON CONFLICT (kind, starts_on, brand_id) DO UPDATE SET spend = campaigns_brandperiod.spend + excluded.spend
"""

MARK_BRANDS = """
INSERT INTO campaigns_touchedbrand (brand_id, due_quarter) SELECT DISTINCT brand_id, day_from FROM booked
"""
"""One mark for each local day: due at once where the day has begun, otherwise when it does (R3)."""

GROUPED = f"""
grouped AS (
    SELECT brand_id, campaign_id, quarter, SUM(amount) AS amount FROM taken
    GROUP BY brand_id, campaign_id, quarter{large_apart("amount", "id")}
),
booked AS ({BOOKED.format(spent="grouped")})
"""


def fold(*, on_too_large: Callable[[int], None] = lambda brand_id: None) -> int:
    """Move the pending spend that is there, and can be booked, into the totals; return how many rows that was.

    on_too_large hears of each brand whose spend stays pending because its totals can't hold it.
    """
    return sum(_Fold(on_too_large=on_too_large).batches())


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
    """One fold, in batches: each takes rows, books them and is committed, unless the caller holds a transaction.

    It moves what was pending when it began, or beside writers who never rest it would never end.
    """

    def __init__(
        self, brands: Iterable[int] | None = None, *, on_too_large: Callable[[int], None] = lambda brand_id: None
    ) -> None:
        self.brands = ids = None if brands is None else list(brands)
        self.on_too_large = on_too_large
        self.zones = known_booking_zones(ids)
        self.in_scope = "1 = 1" if ids is None else among("brand_id")
        self.scope: list[Any] = [] if ids is None else [among_param(ids)]
        ((self.newest,),) = fetch_all("SELECT COALESCE(MAX(id), 0) FROM campaigns_pendingspend")
        self.unbookable = UNBOOKABLE.format(known=among("zone.timezone"))

    def batches(self) -> Iterator[int]:
        """Yield the number of rows that each batch has moved."""
        try:
            yield from self.plain_batches()
        except DatabaseError as error:
            if not is_out_of_range(error):
                raise
            yield from self.careful_batches()

    def plain_batches(self) -> Iterator[int]:
        while days := self.days():
            count = self.batch(days)
            yield count
            if count == 0:
                break

    def careful_batches(self) -> Iterator[int]:
        """Fold each brand that may be too large alone and as a whole, so that refunds are in; then the others."""
        apart = sorted(set(suspects()) & set(self.pending_brands()))
        for brand_id in apart:
            try:
                yield _Fold([brand_id]).whole()
            except DatabaseError as error:
                if not is_out_of_range(error):
                    raise
                mark_at_once(brand_id)
                self.on_too_large(brand_id)
        yield from _Fold(set(self.pending_brands()) - set(apart)).plain_batches()

    def whole(self) -> int:
        return self.batch(self.days(ALL), ALL)

    def pending_brands(self) -> list[int]:
        """Return the brands of the scope that have pending spend."""
        sql = f"SELECT DISTINCT brand_id FROM campaigns_pendingspend WHERE {self.in_scope}"
        return [brand_id for (brand_id,) in fetch_all(sql, self.scope)]

    def days(self, most: int = BATCH_DAYS) -> list[int]:
        """Return UTC days that have pending spend of brands whose zones are all known, at most so many of them."""
        sql = DAYS.format(in_scope=self.in_scope, unbookable=self.unbookable)
        return [day for (day,) in fetch_all(sql, [self.newest, *self.scope, among_param(self.zones), most])]

    @transaction.atomic
    def batch(self, days: Sequence[int], most: int | None = None) -> int:
        take_ledger_lock()
        if not self.scope:
            plan_for_many_rows()
        candidates = CANDIDATES.format(
            in_scope=self.in_scope, covered_day=among("quarter / 96"), unbookable=self.unbookable
        )
        params: list[Any] = [self.newest, *self.scope, among_param(days), among_param(self.zones)]
        segments = segments_param(dict.fromkeys(self.zones, days))
        if is_postgresql():
            return _fold_on_postgresql(candidates, [segments, *params, most or BATCH_ROWS_ON_POSTGRESQL])
        return _fold_on_sqlite(candidates, [segments, *params, most or BATCH_ROWS_ON_SQLITE])


def _fold_on_postgresql(candidates: str, params: Sequence[Any]) -> int:
    """Take and book in one statement: rows that are committed while it runs are neither taken nor booked."""
    sql = f"""
        WITH segment AS MATERIALIZED ({segments_sql()}),
        taken AS (
            DELETE FROM campaigns_pendingspend WHERE id IN ({candidates})
            RETURNING id, brand_id, campaign_id, quarter, amount
        ),
        {GROUPED},
        campaign_days AS ({ADD_CAMPAIGN_DAYS}),
        brand_periods AS ({ADD_BRAND_PERIODS}),
        marks AS ({MARK_BRANDS})
        SELECT COUNT(*) FROM taken"""
    ((count,),) = fetch_all(sql, params)
    return int(count)


def _fold_on_sqlite(candidates: str, params: Sequence[Any]) -> int:
    """Book, then take away the same rows: nobody else writes during the transaction."""
    prefix = f"""
        WITH segment AS MATERIALIZED ({segments_sql()}),
        taken AS (
            SELECT id, brand_id, campaign_id, quarter, amount FROM campaigns_pendingspend WHERE id IN ({candidates})
        ),
        {GROUPED}"""
    execute(prefix + ADD_CAMPAIGN_DAYS, params)
    execute(prefix + ADD_BRAND_PERIODS, params)
    execute(prefix + MARK_BRANDS, params)
    return execute(f"DELETE FROM campaigns_pendingspend WHERE id IN ({candidates})", params[1:])
