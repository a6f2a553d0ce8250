"""Closing: keeping, for each brand period that has ended, the spend at that moment and the budget that held.

It happens once for each period that has ended in the brand's zone and has spend or a budget, in order, however late.
What arrives afterwards changes the period's spend and shows as an adjustment.

The brands that have something to close are found without a lock and closed in batches, each a transaction of its own:
a person's save may have to wait for the ledger lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from django.db import DatabaseError, connection, transaction

from campaigns.database.clock import not_ahead
from campaigns.database.connection import (
    as_date,
    as_instant,
    execute,
    fetch_all,
    is_lock_timeout,
    is_postgresql,
    take_ledger_lock,
    yield_to_waiting_writers,
)
from campaigns.database.dialects import in_list, list_param, micros_sql, rows_param, rows_sql
from campaigns.database.statements import statement
from campaigns.models.periods import LAST_PERIOD
from campaigns.rules.periods import ONE_DAY, LocalClock, find_zone, local_clock, local_clocks, next_month
from campaigns.services.ledger.fold import fold_under_ledger_lock
from campaigns.services.ledger.locks import brands_open_to_references, limit_job_waits
from campaigns.services.ledger.unfinished import Unfinished
from campaigns.services.webhooks.outbox import periods_closed, wants_closed_periods

BATCH_BRANDS_ON_POSTGRESQL = 2_000
# Fewer, because on SQLite no other transaction can write meanwhile.
BATCH_BRANDS_ON_SQLITE = 200

CURRENT_COLUMNS = {"kind": "text", "zone": "text", "starts_on": "date"}
OPENING_COLUMNS = {"id": "bigint", "opened": "date"}

MARK_CLOSED = """
WITH current AS MATERIALIZED ({current})
UPDATE campaigns_accountingtimezone AS zone SET closed_before = current.starts_on
FROM current
WHERE current.kind = zone.kind AND current.zone = zone.timezone
    AND zone.until = %(last_period)s AND {in_scope} AND zone.closed_before < current.starts_on
"""


def close_periods(*, now: datetime, brands: Iterable[int] | None = None, unfinished: Unfinished | None = None) -> int:
    """Close what has ended by now of some brands, or of all; return the number of periods closed.

    What is pending of the brands that have something to close is folded first, so that a statement is closed with all
    spend there is. It takes the ledger lock: lock brands before, not after. Each batch is committed, unless the caller
    holds a transaction. Brands that another transaction is deleting are left open and added to unfinished. Only periods
    that have ended by the database's clock are closed: closing is final.
    """
    now = not_ahead(now)
    left = Unfinished() if unfinished is None else unfinished
    due = _Closing(now, None if brands is None else list(brands)).due()
    size = BATCH_BRANDS_ON_POSTGRESQL if is_postgresql() else BATCH_BRANDS_ON_SQLITE
    closed = 0
    for start in range(0, len(due), size):
        if start:
            yield_to_waiting_writers()
        closed += _close(now, due[start : start + size], left)
    return closed


def _close(now: datetime, brands: list[int], left: Unfinished) -> int:
    """Close one batch; without the brands that are locked, unless the transaction is the caller's."""
    if connection.in_atomic_block:
        return _Closing(now, brands).run()
    try:
        return _Closing(now, brands).run(by_job=True)
    except DatabaseError as error:
        if not is_lock_timeout(error):
            raise
    free = brands_open_to_references(brands)
    left.locked_brands |= set(brands) - set(free)
    try:
        return _Closing(now, free).run(by_job=True)
    except DatabaseError as error:
        if not is_lock_timeout(error):
            raise
        left.totals_locked = True
        return 0


class _Closing:
    """The statements of one closing, over the same instant and brands."""

    def __init__(self, now: datetime, brands: list[int] | None) -> None:
        self.now = now
        self.brands = brands
        self.clocks = local_clocks(known_accounting_time_zones(brands), now)
        self.in_scope = "1 = 1" if brands is None else in_list("zone.brand_id", param="%(scope)s")
        self.params = {"current": current_periods(self.clocks), "last_period": LAST_PERIOD}
        if brands is not None:
            self.params["scope"] = list_param(brands)

    def due(self) -> list[int]:
        """Return the brands of the scope that have something to close, in order of id."""
        period_in_scope = "1 = 1" if self.brands is None else in_list("brand_id", param="%(scope)s")
        sql = self.statement("brands_to_close", period_in_scope=period_in_scope)
        latest = {
            "latest_day": max((clock.today for clock in self.clocks), default=LAST_PERIOD),
            "latest_month": max((clock.month for clock in self.clocks), default=LAST_PERIOD),
        }
        return [brand_id for (brand_id,) in fetch_all(sql, self.params | latest)]

    @transaction.atomic
    def run(self, *, by_job: bool = False) -> int:
        if by_job:
            limit_job_waits()
        take_ledger_lock()
        fold_under_ledger_lock(self.brands)
        self.set_first_periods()
        ended = rows_sql(CURRENT_COLUMNS, param="%(ended)s")
        execute(self.statement("add_budgeted_periods", ended=ended), self.params | {"ended": self.ended()})
        budgets = {
            "daily_budget": micros_sql("brand.daily_budget"),
            "monthly_budget": micros_sql("brand.monthly_budget"),
        }
        closed_at = connection.ops.adapt_datetimefield_value(self.now)
        closed = self.close(self.statement("close_periods", **budgets), self.params | {"closed_at": closed_at})
        execute(MARK_CLOSED.format(current=current_sql(), in_scope=self.in_scope), self.params)
        return closed

    def close(self, sql: str, params: dict[str, Any]) -> int:
        """Close periods; report which to webhooks, in the same transaction, if any endpoint wants to know."""
        if not wants_closed_periods():
            return execute(sql, params)
        closed = fetch_all(f"{sql} RETURNING brand_id, kind, starts_on", params)
        periods_closed(closed, now=self.now)
        return len(closed)

    def statement(self, name: str, **fragments: str) -> str:
        return statement(f"ledger/{name}", current=current_sql(), in_scope=self.in_scope, **fragments)

    def set_first_periods(self) -> None:
        """Note for each new brand in which of its periods it was created: budgets count from there on."""
        new = fetch_all(
            "SELECT zone.id, zone.kind, zone.timezone, brand.created_at FROM campaigns_accountingtimezone AS zone"
            " JOIN campaigns_brand AS brand ON brand.id = zone.brand_id"
            f" WHERE zone.until = %(last_period)s AND {self.in_scope} AND zone.closed_before IS NULL",
            self.params,
        )
        rows = rows_param(OPENING_COLUMNS, self.openings(new))
        execute(
            f"WITH opening AS ({rows_sql(OPENING_COLUMNS)})"
            " UPDATE campaigns_accountingtimezone SET opened = opening.opened, closed_before = opening.opened"
            " FROM opening WHERE opening.id = campaigns_accountingtimezone.id",
            [rows],
        )

    def openings(self, new: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, date]]:
        for row_id, kind, zone_name, created_at in new:
            zone = find_zone(zone_name)
            if zone is not None:
                clock = local_clock(zone, min(as_instant(created_at), self.now))
                yield row_id, clock.today if kind == "day" else clock.month

    def ended(self) -> str:
        """Return all days and months that may have ended without being closed, in each zone."""
        rows = fetch_all(
            "SELECT timezone, MIN(closed_before) FROM campaigns_accountingtimezone AS zone"
            f" WHERE zone.until = %(last_period)s AND {self.in_scope} AND closed_before IS NOT NULL GROUP BY timezone",
            self.params,
        )
        first = {zone: as_date(closed_before) for zone, closed_before in rows}
        return rows_param(
            CURRENT_COLUMNS,
            [row for c in self.clocks if c.zone in first for row in _periods_between(c.zone, first[c.zone], c.today)],
        )


def known_accounting_time_zones(brands: Iterable[int] | None = None) -> list[str]:
    """Return the accounting time zones of all brands, or of these, without unknown ones."""
    in_scope, scope = ("1 = 1", []) if brands is None else (in_list("brand_id"), [list_param(brands)])
    rows = fetch_all(f"SELECT DISTINCT timezone FROM campaigns_accountingtimezone WHERE {in_scope}", scope)
    return sorted(name for (name,) in rows if find_zone(name) is not None)


def current_sql() -> str:
    """Return the SELECT of the periods that run now in each zone, from the parameter current."""
    return rows_sql(CURRENT_COLUMNS, param="%(current)s")


def current_periods(clocks: Iterable[LocalClock]) -> str:
    """Return the parameter current: each zone's running day and month."""
    rows = [row for c in clocks for row in (("day", c.zone, c.today), ("month", c.zone, c.month))]
    return rows_param(CURRENT_COLUMNS, rows)


def _periods_between(zone: str, first: date, today: date) -> Iterator[tuple[str, str, date]]:
    day = first
    while day < today:
        yield "day", zone, day
        day += ONE_DAY
    month = first.replace(day=1)
    while month < today:
        yield "month", zone, month
        month = next_month(month)
