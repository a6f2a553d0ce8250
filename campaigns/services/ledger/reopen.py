"""Opening again what was closed before it had ended, by a check on a machine whose clock was ahead.

Such a closing would be for good: later spend of the running day would show as an adjustment, and a changed budget would
never reach its statement. Empty statements of days that haven't begun were made by it, so they go.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, transaction

from campaigns.database.connection import (
    execute,
    fetch_all,
    is_lock_timeout,
    is_postgresql,
    take_ledger_lock,
    yield_to_waiting_writers,
)
from campaigns.database.dialects import in_list, list_param, rows_param, rows_sql
from campaigns.models.books import LAST_PERIOD
from campaigns.rules.clock import Clock
from campaigns.rules.periods import local_clocks
from campaigns.services.ledger.booking import known_accounting_time_zones
from campaigns.services.ledger.change_time_zone import rebook_from_now
from campaigns.services.ledger.close_periods import BATCH_BRANDS_ON_POSTGRESQL, BATCH_BRANDS_ON_SQLITE, CURRENT_COLUMNS
from campaigns.services.ledger.locks import lock_free_brands
from campaigns.services.ledger.unfinished import Unfinished

# Each zone's running day and month, and the books that are closed beyond it.
AHEAD = """
WITH current AS MATERIALIZED ({current}),
ahead AS MATERIALIZED (
    SELECT zone.id, zone.brand_id, zone.kind, current.starts_on, zone.first > current.starts_on AS is_booked_ahead
    FROM campaigns_accountingtimezone AS zone
    JOIN current ON current.kind = zone.kind AND current.zone = zone.timezone
    WHERE zone.until = %s AND {in_scope} AND (zone.closed_before > current.starts_on OR zone.first > current.starts_on)
)
"""

BRANDS = f"{AHEAD} SELECT brand_id, MAX(CAST(is_booked_ahead AS integer)) FROM ahead GROUP BY brand_id ORDER BY 1"

DELETE_EMPTY = f"""
{AHEAD} DELETE FROM campaigns_brandperiod WHERE id IN (
    SELECT period.id FROM ahead JOIN campaigns_brandperiod AS period
        ON period.brand_id = ahead.brand_id AND period.kind = ahead.kind AND period.starts_on > ahead.starts_on
    WHERE period.closed_at IS NOT NULL AND period.spend = 0
)
"""

REOPEN = f"""
{AHEAD} UPDATE campaigns_brandperiod SET closed_at = NULL, spend_at_close = NULL, budget_at_close = NULL WHERE id IN (
    SELECT period.id FROM ahead JOIN campaigns_brandperiod AS period
        ON period.brand_id = ahead.brand_id AND period.kind = ahead.kind AND period.starts_on >= ahead.starts_on
    WHERE period.closed_at IS NOT NULL
)
"""

MARK_OPEN = f"""
{AHEAD} UPDATE campaigns_accountingtimezone SET closed_before = ahead.starts_on,
    opened = CASE WHEN opened > ahead.starts_on THEN ahead.starts_on ELSE opened END
FROM ahead WHERE ahead.id = campaigns_accountingtimezone.id
"""


def brands_closed_ahead(*, now: datetime) -> list[int]:
    """Return the brands of which a period is closed, or booked in another zone, that hasn't ended by now."""
    return list(_Reopening(now).brands_ahead())


def reopen_periods(*, clock: Clock, unfinished: Unfinished | None = None) -> int:
    """Open what was closed before it had ended; return how many statements were opened or, where empty, removed.

    What somebody else locks is left to a later check, and unfinished learns of it: no decision waits for it.
    """
    left = Unfinished() if unfinished is None else unfinished
    ahead = _Reopening(clock()).brands_ahead()
    for brand_id in [brand for brand, is_booked_ahead in ahead.items() if is_booked_ahead]:
        with _unless_locked(left):
            rebook_from_now(brand_id, clock=clock)
    brands = list(ahead)
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
    reopening = _Reopening(clock(), brands)
    reopened = reopening.execute(DELETE_EMPTY) + reopening.execute(REOPEN)
    reopening.execute(MARK_OPEN)
    return reopened


class _Reopening:
    """The statements of one reopening, over the same instant and brands."""

    def __init__(self, now: datetime, brands: list[int] | None = None) -> None:
        clocks = local_clocks(known_accounting_time_zones(brands), now)
        days = [("day", clock.zone, clock.today) for clock in clocks]
        months = [("month", clock.zone, clock.month) for clock in clocks]
        self.parts = {
            "current": rows_sql(CURRENT_COLUMNS),
            "in_scope": "1 = 1" if brands is None else in_list("zone.brand_id"),
        }
        scope: list[Any] = [] if brands is None else [list_param(brands)]
        self.params = [rows_param(CURRENT_COLUMNS, days + months), LAST_PERIOD, *scope]

    def brands_ahead(self) -> dict[int, bool]:
        """Return the brands closed or booked ahead, each with whether it is booked in another zone from then on."""
        return {brand: bool(booked) for brand, booked in fetch_all(BRANDS.format(**self.parts), self.params)}

    def execute(self, sql: str) -> int:
        return execute(sql.format(**self.parts), self.params)
