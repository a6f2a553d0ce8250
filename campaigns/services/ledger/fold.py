"""Folding: moving pending spend into the totals.

fold() does it for all brands, in short transactions of its own, so it is never called in a person's save. Closing the
periods of a brand folds that brand's pending spend first, in the same transaction. Both hold the ledger lock, so there
is one fold at a time, and move only what can be folded: spend of brands in unknown zones, spend that is too large for
its totals, and that of days that appeared after the fold looked, stays pending.

What a fold costs follows the rows that are pending, not the number of brands: it finds their zones by index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction

from campaigns.database.connection import (
    analytic_query,
    execute,
    fetch_all,
    is_lock_timeout,
    is_out_of_range,
    is_postgresql,
    plan_for_many_rows,
    take_ledger_lock,
    yield_to_waiting_writers,
)
from campaigns.database.dialects import ids_as_text, in_list, in_subquery_by_index, list_param, row_locator
from campaigns.database.statements import script, statement
from campaigns.models import PendingSpend
from campaigns.models.clocks import segments_param, segments_sql
from campaigns.rules.money import DAY_TOTAL_LIMIT
from campaigns.rules.periods import find_zone, first_of_month, known_zones, quarter_of
from campaigns.services.ledger.due_brands import mark_due
from campaigns.services.ledger.locks import brands_open_to_references, brands_with_locked_totals, limit_job_waits
from campaigns.services.ledger.unfinished import Unfinished

BATCH_DAYS = 100
# A person's save may have to wait for the ledger lock.
BATCH_ROWS_ON_POSTGRESQL = 10_000
# Fewer, because on SQLite no other transaction can write meanwhile.
BATCH_ROWS_ON_SQLITE = 2_000
# In memory, 12 bytes each.
PLANNED_ROWS = 1_000_000
# Memory with which PostgreSQL sorts that many rows.
PLANNING_MEGABYTES = 128
UNLIMITED = 1_000_000_000

# Every brand is due for every day that is folded.
ALL_DAYS = 0

# Pending spend of brands whose accounting time zones are all known; a brand without zone rows can't be folded.
FOLDABLE = """brand_id IN (
    SELECT brand_id FROM campaigns_accountingtimezone WHERE {of_brands}
    GROUP BY brand_id HAVING COUNT(*) = COUNT(CASE WHEN {known} THEN 1 END)
)"""


@dataclass(frozen=True)
class Planned:
    """Rows that one batch is to move: where they are, their brands and UTC days."""

    count: int
    addresses: str
    brands: str
    days: range


def fold(*, unfinished: Unfinished | None = None) -> int:
    """Move the pending spend that is there, and can be folded, into the totals; return how many rows that was.

    unfinished learns which brands' spend stays pending, because its totals can't hold it or are locked.
    """
    return _Fold(unfinished=unfinished).run()


def plan_fold(*, most_batches: int) -> _Fold:
    """Read what a fold of some batches is to move. Whatever is decided after this has seen all that it moves."""
    with analytic_query(megabytes=PLANNING_MEGABYTES):
        folding = _Fold(most_batches=most_batches, in_snapshot=True)
        folding.planned = folding.plan()
    folding.in_snapshot = False
    return folding


def fold_under_ledger_lock(brands: Iterable[int] | None) -> int:
    """Fold for all brands or for some, in the transaction of a caller that holds the ledger lock."""
    return _Fold(brands).run()


def oldest_foldable() -> datetime | None:
    """Return when the oldest pending row arrived that a fold would move; None where there is none."""
    of_brands = in_subquery_by_index("brand_id", "SELECT brand_id FROM waiting")
    foldable = FOLDABLE.format(of_brands=of_brands, known=in_list("timezone", param="%(zones)s"))
    rows = PendingSpend.objects.raw(
        statement("ledger/oldest_foldable", foldable=foldable), {"zones": list_param(sorted(known_zones()))}
    )
    return next((row.recorded_at for row in rows), None)


class _Fold:
    """One fold, in batches: each moves rows and is committed, unless the caller holds a transaction.

    It moves what was pending when it began: beside writers who never rest it would never end otherwise. Batches are
    planned without a lock: rows that another fold has taken meanwhile are gone when a batch wants to take them.
    """

    def __init__(
        self,
        brands: Iterable[int] | None = None,
        *,
        unfinished: Unfinished | None = None,
        most_batches: int | None = None,
        in_snapshot: bool = False,
    ) -> None:
        self.in_snapshot = in_snapshot
        self.unfinished = Unfinished() if unfinished is None else unfinished
        self.most_batches = most_batches
        self.planned: list[Planned] | None = None
        self.in_caller = connection.in_atomic_block
        self.due_from = ALL_DAYS
        self.is_of_some = brands is not None
        self.in_scope = "1 = 1" if brands is None else in_list("brand_id", hashed=True, param="%(scope)s")
        ((newest,),) = fetch_all("SELECT MAX(id) FROM campaigns_pendingspend")
        of_scope = {} if brands is None else {"scope": list_param(brands)}
        self.params: dict[str, Any] = {"newest": newest, **of_scope}
        found = self.accounting_time_zones() if newest else set()
        self.zones = sorted(name for name in found if name and find_zone(name) is not None)
        self.all_known = len(self.zones) == len(found)
        self.params["zones"] = list_param(self.zones)

    def accounting_time_zones(self) -> set[str | None]:
        """Return the zones of brands with pending spend; with None if one of them has lost its zones."""
        of_spent_brands = in_subquery_by_index("brand_id", "SELECT brand_id FROM spent")
        sql = statement("ledger/zones_of_pending", in_scope=self.in_scope, of_spent_brands=of_spent_brands)
        with self.large_query():
            return {name for (name,) in fetch_all(sql, self.params)}

    def large_query(self) -> AbstractContextManager[None]:
        return nullcontext() if self.is_of_some or self.in_snapshot else analytic_query(megabytes=PLANNING_MEGABYTES)

    def foldable(self) -> str:
        """Return the condition on pending rows that they can be folded."""
        if self.all_known:
            return "1 = 1"
        spent = f"SELECT DISTINCT brand_id FROM campaigns_pendingspend WHERE id <= %(newest)s AND {self.in_scope}"
        of_brands = in_subquery_by_index("brand_id", spent)
        return FOLDABLE.format(of_brands=of_brands, known=in_list("timezone", param="%(zones)s"))

    def run(self, *, decided_at: datetime | None = None) -> int:
        """Move it; return how many rows that was. What another transaction has locked is left, and noted.

        decided_at is the instant of a decision on all brands that are planned, made after the plan: brands are due for
        later days only then.
        """
        if decided_at is not None:
            self.due_from = quarter_of(decided_at) + 1
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
        """Fold the brands that are neither about to be deleted, so that no total can refer to them, nor locked."""
        pending = self.pending_brands()
        being_deleted = pending.difference(brands_open_to_references(pending))
        with_locked_totals = pending.intersection(brands_with_locked_totals())
        if not being_deleted | with_locked_totals:
            raise error
        self.unfinished.locked_brands |= being_deleted
        self.unfinished.totals_locked |= bool(with_locked_totals)
        yield from self.of_brands(pending - being_deleted - with_locked_totals).batches()

    def careful_batches(self) -> Iterator[int]:
        """Fold each brand that may be too large alone and in one batch, so that refunds are in; then the others."""
        near_limits = self.pending_brands().intersection(brands_near_limits())
        for brand_id in sorted(near_limits):
            try:
                fold_of_brand = _Fold([brand_id])
                yield sum(fold_of_brand.batch(rows) for rows in fold_of_brand.plan(UNLIMITED, UNLIMITED))
            except DatabaseError as error:
                if is_out_of_range(error):
                    mark_due([brand_id])
                    self.unfinished.too_large.add(brand_id)
                elif self.in_caller or not is_lock_timeout(error) or brands_open_to_references([brand_id]):
                    raise
                else:
                    self.unfinished.locked_brands.add(brand_id)
        others = self.of_brands(self.pending_brands() - near_limits)
        yield from others.batches() if near_limits else others.plain_batches()

    def of_brands(self, brands: Iterable[int]) -> _Fold:
        """Return a fold of some brands, of what is pending by now: they are due for all of its days."""
        return _Fold(brands, unfinished=self.unfinished, most_batches=self.most_batches)

    def pending_brands(self) -> set[int]:
        """Return the brands of the scope that have pending spend."""
        sql = f"SELECT DISTINCT brand_id FROM campaigns_pendingspend WHERE {self.in_scope}"
        return {brand_id for (brand_id,) in fetch_all(sql, self.params)}

    def plan(self, batch_rows: int | None = None, batch_days: int | None = None) -> list[Planned]:
        """Return the batches in which to move what is pending and can be folded, of the earliest day first."""
        if not self.zones:
            return []
        most = batch_rows or (BATCH_ROWS_ON_POSTGRESQL if is_postgresql() else BATCH_ROWS_ON_SQLITE)
        sql = statement(
            "ledger/plan_fold",
            address=row_locator(),
            in_scope=self.in_scope,
            foldable=self.foldable(),
            addresses=ids_as_text("address"),
            brands=ids_as_text("DISTINCT brand_id"),
        )
        limits = {
            "most": max(most, PLANNED_ROWS) if self.most_batches is None else most * self.most_batches,
            "batch_rows": most,
            "batch_days": batch_days or BATCH_DAYS,
        }
        with self.large_query():
            rows = fetch_all(sql, self.params | limits)
        return [
            Planned(count, addresses, brands, range(first, last + 1)) for count, addresses, brands, first, last in rows
        ]

    def batch(self, rows: Planned) -> int:
        """Move the rows of a batch; return how many there still were."""
        segments = segments_param(dict.fromkeys(self.zones, rows.days))
        planned = {"addresses": rows.addresses, "brands": rows.brands, "utc_days": list_param(rows.days)}
        return self.move(self.params | planned | {"segments": segments, "due_from": self.due_from})

    @transaction.atomic
    def move(self, params: dict[str, Any]) -> int:
        if not self.in_caller:
            limit_job_waits()
        take_ledger_lock()
        booked = statement("ledger/booked")
        if is_postgresql():
            if not self.is_of_some:
                plan_for_many_rows(by_address=True)
            ((count,),) = fetch_all(statement("ledger/fold", segments=segments_sql(), booked=booked), params)
            return int(count)
        taken = statement("ledger/taken", segments=segments_sql())
        # The last statement takes the rows away.
        return [execute(sql, params) for sql in script("ledger/fold", taken=taken, booked=booked)][-1]


def brands_near_limits() -> list[int]:
    """Return the brands among which are all whose pending spend may take a total beyond its limit (R6).

    A total's limit is a hundred times the largest budget or more (campaigns.rules.money), so only a broken sender
    passes it. Such spend stays pending, where it counts for every decision, until refunds, or corrected or deleted
    records, bring it down.
    """
    utc_days = fetch_all("SELECT DISTINCT quarter / 96 FROM campaigns_pendingspend")
    # The local days that pending spend can belong to, in any zone.
    days = {date(1970, 1, 1) + timedelta(days=utc_day + offset) for (utc_day,) in utc_days for offset in (-1, 0, 1)}
    sql = statement(
        "ledger/brands_near_limits",
        of_periods=in_list("starts_on", param="%(periods)s"),
        of_days=in_list("total.day", param="%(days)s"),
    )
    periods = days | {first_of_month(day) for day in days}
    params = {"suspicious": DAY_TOTAL_LIMIT // 4, "periods": list_param(periods), "days": list_param(days)}
    return [brand_id for (brand_id,) in fetch_all(sql, params)]
