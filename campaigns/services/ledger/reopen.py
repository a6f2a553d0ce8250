"""Opening again what was closed before it had ended, by a check on a machine whose clock was ahead.

Such a closing would be for good: later spend of the running day would show as an adjustment, and a changed budget would
never reach its statement. Empty statements of days that haven't begun were made by it, so they go.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import DatabaseError, connection, transaction

from campaigns.database.connection import (
    as_date,
    execute,
    fetch_all,
    is_lock_timeout,
    is_postgresql,
    take_ledger_lock,
    yield_to_waiting_writers,
)
from campaigns.database.dialects import in_list, list_param, rows_param, rows_sql
from campaigns.database.statements import statement
from campaigns.models.periods import LAST_PERIOD
from campaigns.rules.clock import Clock
from campaigns.rules.periods import local_clocks
from campaigns.services.ledger.change_time_zone import apply_zone_from_now
from campaigns.services.ledger.close_periods import (
    BATCH_BRANDS_ON_POSTGRESQL,
    BATCH_BRANDS_ON_SQLITE,
    current_periods,
    current_sql,
    known_accounting_time_zones,
)
from campaigns.services.ledger.locks import lock_free_brands
from campaigns.services.ledger.unfinished import Unfinished

AHEAD_COLUMNS = {"id": "bigint", "brand_id": "bigint", "kind": "text", "starts_on": "date"}

DELETE_EMPTY = """
WITH ahead AS MATERIALIZED ({ahead})
DELETE FROM campaigns_brandperiod WHERE closed_at IS NOT NULL AND spend = 0 AND id IN (
    SELECT period.id FROM ahead JOIN campaigns_brandperiod AS period
        ON period.brand_id = ahead.brand_id AND period.kind = ahead.kind AND period.starts_on > ahead.starts_on
)
"""

REOPEN = """
WITH ahead AS MATERIALIZED ({ahead})
UPDATE campaigns_brandperiod SET closed_at = NULL, spend_at_close = NULL, budget_at_close = NULL, reported_until = NULL
FROM ahead
WHERE campaigns_brandperiod.brand_id = ahead.brand_id AND campaigns_brandperiod.kind = ahead.kind
    AND campaigns_brandperiod.starts_on >= ahead.starts_on AND closed_at IS NOT NULL
"""

MARK_OPEN = """
WITH ahead AS MATERIALIZED ({ahead})
UPDATE campaigns_accountingtimezone SET closed_before = ahead.starts_on,
    opened = CASE WHEN opened > ahead.starts_on THEN ahead.starts_on ELSE opened END
FROM ahead WHERE ahead.id = campaigns_accountingtimezone.id
"""


@dataclass(frozen=True)
class Ahead:
    """An accounting time zone that is closed, or begins, after the period that runs now."""

    id: int
    brand_id: int
    kind: str
    starts_on: date
    begins_ahead: bool


def brands_closed_ahead(*, now: datetime) -> list[int]:
    """Return the brands of which a period is closed, or accounted in another zone, that hasn't ended by now."""
    return sorted({row.brand_id for row in _closed_ahead(now)})


def reopen_periods(*, clock: Clock, unfinished: Unfinished | None = None) -> int:
    """Open what was closed before it had ended; return how many statements were opened or, where empty, removed.

    What somebody else locks is left to a later check, and unfinished learns of it: no decision waits for it.
    """
    left = Unfinished() if unfinished is None else unfinished
    ahead = _closed_ahead(clock())
    for brand_id in sorted({row.brand_id for row in ahead if row.begins_ahead}):
        with _unless_locked(left):
            apply_zone_from_now(brand_id, clock=clock)
    brands = sorted({row.brand_id for row in ahead})
    size = BATCH_BRANDS_ON_POSTGRESQL if is_postgresql() else BATCH_BRANDS_ON_SQLITE
    reopened = 0
    for start in range(0, len(brands), size):
        if start:
            yield_to_waiting_writers()
        with _unless_locked(left):
            reopened += _reopen(brands[start : start + size], clock)
    return reopened


@contextmanager
def _unless_locked(left: Unfinished) -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        if connection.in_atomic_block or not is_lock_timeout(error):
            raise
        left.totals_locked = True


@transaction.atomic
def _reopen(brand_ids: list[int], clock: Clock) -> int:
    brands = list(lock_free_brands(brand_ids))  # a later check finds the others again
    take_ledger_lock()
    ahead = _closed_ahead(clock(), brands)
    params = [rows_param(AHEAD_COLUMNS, [(row.id, row.brand_id, row.kind, row.starts_on) for row in ahead])]
    rows = rows_sql(AHEAD_COLUMNS)
    reopened = execute(DELETE_EMPTY.format(ahead=rows), params) + execute(REOPEN.format(ahead=rows), params)
    execute(MARK_OPEN.format(ahead=rows), params)
    return reopened


def _closed_ahead(now: datetime, brands: list[int] | None = None) -> list[Ahead]:
    clocks = local_clocks(known_accounting_time_zones(brands), now)
    params: dict[str, Any] = {"current": current_periods(clocks), "last_period": LAST_PERIOD}
    in_scope = "1 = 1"
    if brands is not None:
        in_scope, params["scope"] = in_list("zone.brand_id", param="%(scope)s"), list_param(brands)
    sql = statement("ledger/closed_ahead", current=current_sql(), in_scope=in_scope)
    return [
        Ahead(pk, brand_id, kind, as_date(starts_on), bool(begins_ahead))
        for pk, brand_id, kind, starts_on, begins_ahead in fetch_all(sql, params)
    ]
