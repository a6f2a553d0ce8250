"""Folding: moving pending spend into the totals.

fold() does it for everyone, in short transactions of its own, never inside a person's save. Whoever closes the periods
of a brand folds that brand's pending spend first, in the same transaction. Both hold the ledger lock, so there is one
at a time, and move only what can be booked: spend of brands in unknown zones, spend that is too large for its totals
(see campaigns.services.ledger.overflow), and that of days that appeared after it looked, stays pending.

What a fold costs follows the rows that are pending, not the number of brands: it finds their books by index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, transaction

from campaigns.database.connection import (
    analytic_query,
    fetch_all,
    is_lock_timeout,
    is_out_of_range,
    is_postgresql,
    plan_for_many_rows,
    take_ledger_lock,
    yield_to_waiting_writers,
)
from campaigns.database.dialects import ids_as_text, in_list, in_subquery_by_index, list_param, row_locator
from campaigns.models import PendingSpend
from campaigns.rules.periods import find_zone, known_zones, quarter_of
from campaigns.services.ledger.booking import segments_param
from campaigns.services.ledger.due_brands import mark_due
from campaigns.services.ledger.fold_batch import MARK_ALL, Planned, move
from campaigns.services.ledger.locks import brands_open_to_references, brands_with_locked_totals, limit_job_waits
from campaigns.services.ledger.overflow import suspects
from campaigns.services.ledger.unfinished import Unfinished

BATCH_DAYS = 100
BATCH_ROWS_ON_POSTGRESQL = 10_000
"""A person's save may have to wait for the ledger lock."""
BATCH_ROWS_ON_SQLITE = 2_000
"""Fewer, because nobody else can write meanwhile."""
PLANNED_ROWS = 1_000_000
"""In memory, 12 bytes each."""
PLANNING_MEGABYTES = 128
"""In which PostgreSQL sorts so many rows."""
ALL = 1_000_000_000

ZONES = """
WITH spent AS MATERIALIZED (
    SELECT DISTINCT brand_id FROM campaigns_pendingspend WHERE id <= %s AND {in_scope}
),
book AS MATERIALIZED (
    SELECT brand_id, timezone FROM campaigns_accountingtimezone WHERE {of_brands}
)
SELECT DISTINCT timezone FROM book
UNION ALL SELECT NULL WHERE (SELECT COUNT(DISTINCT brand_id) FROM book) < (SELECT COUNT(*) FROM spent)
"""
"""The zones that brands with pending spend are booked in; NULL for those that lost their books."""

BOOKABLE = """
brand_id IN (
    SELECT brand_id FROM campaigns_accountingtimezone WHERE {of_brands}
    GROUP BY brand_id HAVING COUNT(*) = COUNT(CASE WHEN {known} THEN 1 END)
)
"""
"""Of a brand whose booking zones are all known; one that lost its books has none."""

OLDEST = """
WITH waiting AS MATERIALIZED (SELECT brand_id, MIN(id) AS oldest FROM campaigns_pendingspend GROUP BY brand_id)
SELECT id, recorded_at FROM campaigns_pendingspend
WHERE id = (SELECT MIN(oldest) FROM waiting WHERE {bookable})
"""
"""The pending row with the least key that can be booked: keys ascend nearly in the order of arrival."""

PLAN = """
WITH waiting AS (
    SELECT {address} AS address, brand_id, quarter / 96 AS day FROM campaigns_pendingspend
    WHERE id <= %s AND {in_scope} AND {bookable}
    LIMIT %s
),
numbered AS (
    SELECT address, brand_id, day,
        (ROW_NUMBER() OVER (ORDER BY CAST(day AS bigint) * 1099511627776 + brand_id) - 1) / %s AS part
    FROM waiting
)
SELECT COUNT(*), {addresses}, {brands}, MIN(day), MAX(day)
FROM numbered GROUP BY part, day / %s ORDER BY part, day / %s
"""
"""Batches of what can be booked. Rows of one total come together, so that it is touched once, or a few times.

They are in order of day and brand, as one number, which sorts in half the time.
"""


def fold(*, unfinished: Unfinished | None = None) -> int:
    """Move the pending spend that is there, and can be booked, into the totals; return how many rows that was.

    unfinished learns which brands' spend stays pending, because its totals can't hold it or somebody locks them.
    """
    return _Fold(unfinished=unfinished).run()


def plan_fold(*, most_batches: int) -> _Fold:
    """Read what a fold of some batches is to move. Whatever is decided after this has seen all that it moves."""
    folding = _Fold(most_batches=most_batches)
    folding.planned = folding.plan()
    return folding


def fold_under_ledger_lock(brands: Iterable[int] | None) -> int:
    """Do the same for all brands or for some, in the transaction of a caller that holds the ledger lock."""
    return _Fold(brands).run()


def oldest_bookable() -> datetime | None:
    """Return when the oldest pending row arrived that a fold would move; None where there is none."""
    of_waiting = in_subquery_by_index("brand_id", "SELECT brand_id FROM waiting")
    sql = OLDEST.format(bookable=BOOKABLE.format(of_brands=of_waiting, known=in_list("timezone")))
    rows = PendingSpend.objects.raw(sql, [list_param(sorted(known_zones()))])
    return next((row.recorded_at for row in rows), None)


class _Fold:
    """One fold, in batches: each takes rows, books them and is committed, unless the caller holds a transaction.

    It moves what was pending when it began, or beside writers who never rest it would never end. Batches are planned
    without a lock: what another fold has taken meanwhile is not there any more when a batch wants to take it.
    """

    def __init__(
        self,
        brands: Iterable[int] | None = None,
        *,
        unfinished: Unfinished | None = None,
        most_batches: int | None = None,
    ) -> None:
        ids = None if brands is None else list(brands)
        self.unfinished = Unfinished() if unfinished is None else unfinished
        self.most_batches = most_batches
        self.planned: list[Planned] | None = None
        self.in_caller = connection.in_atomic_block
        self.mark_from = MARK_ALL
        self.in_scope = "1 = 1" if ids is None else in_list("brand_id", hashed=True)
        self.scope: list[Any] = [] if ids is None else [list_param(ids)]
        ((self.newest,),) = fetch_all("SELECT MAX(id) FROM campaigns_pendingspend")
        self.of_pending = [self.newest, *self.scope]
        booked = self.accounting_time_zones() if self.newest else set()
        self.zones = sorted(name for name in booked if name and find_zone(name) is not None)
        self.all_known = len(self.zones) == len(booked)

    def accounting_time_zones(self) -> set[str | None]:
        """Return the zones that brands with pending spend are booked in; with None if one has lost its books."""
        sql = ZONES.format(
            in_scope=self.in_scope, of_brands=in_subquery_by_index("brand_id", "SELECT brand_id FROM spent")
        )
        with self.large_query():
            return {name for (name,) in fetch_all(sql, self.of_pending)}

    def large_query(self) -> AbstractContextManager[None]:
        return nullcontext() if self.scope else analytic_query(megabytes=PLANNING_MEGABYTES)

    def bookable(self) -> tuple[str, list[Any]]:
        """Return the condition on pending rows that they can be booked, and its parameters."""
        if self.all_known:
            return "1 = 1", []
        pending = f"SELECT DISTINCT brand_id FROM campaigns_pendingspend WHERE id <= %s AND {self.in_scope}"
        sql = BOOKABLE.format(of_brands=in_subquery_by_index("brand_id", pending), known=in_list("timezone"))
        return sql, [*self.of_pending, list_param(self.zones)]

    def run(self, *, decided_at: datetime | None = None) -> int:
        """Move it; return how many rows that was. Where somebody else has locked what it needs, leave that and say so.

        decided_at is the instant of a decision on all brands that are planned, after the plan: only spend of later days
        is marked then.
        """
        if decided_at is not None:
            self.mark_from = quarter_of(decided_at) + 1
        folded = 0
        try:
            for count in self.batches():
                folded += count
        except DatabaseError as error:
            if self.in_caller or not is_lock_timeout(error):
                raise
            self.unfinished.totals_locked = True
        return folded

    def batches(self) -> Iterator[int]:
        """Yield the number of rows that each batch has moved."""
        try:
            yield from self.plain_batches()
        except DatabaseError as error:
            if is_out_of_range(error):
                yield from self.careful_batches()
            elif is_lock_timeout(error) and not self.in_caller:
                yield from self.unlocked_batches(error)
            else:
                raise

    def plain_batches(self) -> Iterator[int]:
        moved, is_more = 1, True
        while moved and is_more:
            planned = self.plan() if self.planned is None else self.planned
            is_more = self.planned is None and sum(rows.count for rows in planned) >= PLANNED_ROWS
            moved = 0
            for rows in planned:
                if moved:
                    yield_to_waiting_writers()
                count = self.batch(rows)
                moved += count
                yield count

    def unlocked_batches(self, error: DatabaseError) -> Iterator[int]:
        """Fold the others where somebody is about to delete a brand, to which no total can refer meanwhile, or locks
        some totals.
        """
        pending = set(self.pending_brands())
        going = pending.difference(brands_open_to_references(pending))
        held = pending.intersection(brands_with_locked_totals())
        if not going | held:
            raise error
        self.unfinished.locked_brands |= going
        self.unfinished.totals_locked |= bool(held)
        yield from self.of_brands(pending - going - held).batches()

    def careful_batches(self) -> Iterator[int]:
        """Fold each brand that may be too large alone and as a whole, so that refunds are in; then the others."""
        apart = sorted(set(suspects()) & set(self.pending_brands()))
        for brand_id in apart:
            try:
                yield _Fold([brand_id]).whole()
            except DatabaseError as error:
                if is_out_of_range(error):
                    mark_due([brand_id])
                    self.unfinished.too_large.add(brand_id)
                elif self.in_caller or not is_lock_timeout(error) or brands_open_to_references([brand_id]):
                    raise
                else:
                    self.unfinished.locked_brands.add(brand_id)
        others = self.of_brands(set(self.pending_brands()) - set(apart))
        yield from others.batches() if apart else others.plain_batches()

    def of_brands(self, brands: Iterable[int]) -> _Fold:
        """Return a fold of some brands, of what is pending by now: all that it moves is marked."""
        return _Fold(brands, unfinished=self.unfinished, most_batches=self.most_batches)

    def whole(self) -> int:
        return sum(self.batch(rows) for rows in self.plan(ALL, ALL))

    def pending_brands(self) -> list[int]:
        """Return the brands of the scope that have pending spend."""
        sql = f"SELECT DISTINCT brand_id FROM campaigns_pendingspend WHERE {self.in_scope}"
        return [brand_id for (brand_id,) in fetch_all(sql, self.scope)]

    def plan(self, batch_rows: int | None = None, batch_days: int | None = None) -> list[Planned]:
        """Return the batches in which to move what is pending and can be booked, of the earliest day first."""
        if not self.zones:
            return []
        most = batch_rows or (BATCH_ROWS_ON_POSTGRESQL if is_postgresql() else BATCH_ROWS_ON_SQLITE)
        days = batch_days or BATCH_DAYS
        bookable, of_bookable = self.bookable()
        sql = PLAN.format(
            address=row_locator(),
            in_scope=self.in_scope,
            bookable=bookable,
            addresses=ids_as_text("address"),
            brands=ids_as_text("brand_id"),
        )
        planned = max(most, PLANNED_ROWS) if self.most_batches is None else most * self.most_batches
        limits = [planned, most, days, days]
        with self.large_query():
            rows = fetch_all(sql, [*self.of_pending, *of_bookable, *limits])
        return [
            Planned(count, addresses, brands, range(first, last + 1)) for count, addresses, brands, first, last in rows
        ]

    def batch(self, rows: Planned) -> int:
        return self.move(rows, segments_param(dict.fromkeys(self.zones, rows.days)))

    @transaction.atomic
    def move(self, rows: Planned, segments: str) -> int:
        if not self.in_caller:
            limit_job_waits()
        take_ledger_lock()
        if not self.scope:
            plan_for_many_rows(by_address=True)
        return move(rows, newest=self.newest, zones=self.zones, segments=segments, mark_from=self.mark_from)
