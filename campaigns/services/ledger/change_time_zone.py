"""Changes of a brand's time zone: its open periods are recomputed in the new zone, closed ones stay (R15)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import DatabaseError, connection, transaction

from campaigns.database.connection import fetch_all, is_lock_timeout, take_ledger_lock
from campaigns.database.dialects import in_list, list_param
from campaigns.database.statements import statement
from campaigns.models import AccountingTimeZone, Brand, BrandPeriod
from campaigns.models.periods import FIRST_PERIOD, LAST_PERIOD
from campaigns.rules.clock import Clock
from campaigns.rules.periods import find_zone, local_clock
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.due_brands import mark_days
from campaigns.services.ledger.locks import MOST_WAITS, lock_brands, lock_free_brands
from campaigns.services.ledger.verify import TotalsRange, repair

DAY, MONTH = BrandPeriod.Kind.DAY, BrandPeriod.Kind.MONTH


@dataclass(frozen=True)
class ZoneChange:
    """A brand whose zone, wanted, isn't its accounting time zone; None where that is unknown."""

    brand_id: int
    accounted: str | None
    wanted: str


@dataclass
class ZoneChanges:
    """How many brands were recomputed, and which are locked by another transaction or failed."""

    count: int = 0
    locked: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)
    # The first error.
    problem: DatabaseError | None = None

    @property
    def left(self) -> set[int]:
        """Return the brands that must not be decided on before they are recomputed."""
        return self.locked | self.failed

    def raise_problem(self) -> None:
        """Raise the first error, once the other brands are done."""
        if self.problem:
            raise self.problem


def apply_zone_changes(*, clock: Clock, brands: Iterable[int] | None = None) -> ZoneChanges:
    """Recompute the open periods of the brands, some or all, whose zone differs from their accounting time zone.

    Each brand has a transaction of its own, unless the caller holds one: such a caller locks all of the brands first,
    because the ledger lock is held from the first brand on. A brand that is locked or that fails doesn't stop the
    others; it must not be decided on before a later run has recomputed it. Unknown zones are skipped: such a brand
    keeps its accounting time zone.
    """
    done = ZoneChanges()
    in_caller, waits = connection.in_atomic_block, 0
    for change in _changed_zones(None if brands is None else list(brands)):
        try:
            recomputed = _recompute_alone(change.brand_id, clock, in_caller, wait=in_caller or waits < MOST_WAITS)
            if recomputed is None:
                done.locked.add(change.brand_id)
            else:
                done.count += recomputed
        except DatabaseError as error:
            if in_caller or not connection.is_usable():
                raise
            if is_lock_timeout(error):
                waits += 1
                done.locked.add(change.brand_id)
            else:
                done.failed.add(change.brand_id)
                done.problem = done.problem or error
    return done


@transaction.atomic
def _recompute_alone(brand_id: int, clock: Clock, in_caller: bool, *, wait: bool) -> int | None:
    """Recompute one brand; return 1, or 0 if another transaction has done it, or None if it is locked and wait is off.

    Waiting for each of many locked brands would take all the time of a check.
    """
    if wait:
        lock_brands([brand_id], by_job=not in_caller)
    elif not lock_free_brands([brand_id]):
        return None
    return sum(_recompute_open_periods(current, clock()) for current in _changed_zones([brand_id]))


def apply_zone_from_now(brand_id: int, *, clock: Clock) -> None:
    """Apply a zone change from now on that a clock ahead of time dated in the future.

    A brand that another transaction locks is skipped: a later check finds it again.
    """
    with transaction.atomic():
        if not lock_free_brands([brand_id]):
            return
        now = clock()
        zones = AccountingTimeZone.objects.filter(brand=brand_id, kind=DAY)
        current = zones.filter(first__lte=now.date(), until__gt=now.date()).order_by("first").first()
        wanted = zones.values_list("timezone", flat=True).get(until=LAST_PERIOD)
        _recompute_open_periods(ZoneChange(brand_id, current.timezone if current else wanted, wanted), now)


def brands_with_changed_zones(brands: Iterable[int] | None = None) -> list[int]:
    """Return the brands, some or all, whose zone differs from their accounting time zone."""
    return [change.brand_id for change in _changed_zones(None if brands is None else list(brands))]


def _changed_zones(brand_ids: list[int] | None) -> list[ZoneChange]:
    of_brands, in_scope = ("1 = 1", "1 = 1")
    params: dict[str, Any] = {"last_period": LAST_PERIOD}
    if brand_ids is not None:
        of_brands, in_scope = in_list("brand_id", param="%(scope)s"), in_list("brand.id", param="%(scope)s")
        params["scope"] = list_param(brand_ids)
    rows = fetch_all(statement("ledger/changed_zones", of_brands=of_brands, in_scope=in_scope), params)
    changes = (ZoneChange(*row) for row in rows)
    return [change for change in changes if find_zone(change.wanted) is not None]


def _recompute_open_periods(change: ZoneChange, now: datetime) -> int:
    """Close the periods that ended in the old zone, then recompute the later ones in the new zone."""
    close_periods(now=now, brands=[change.brand_id])
    take_ledger_lock()
    old, new = find_zone(change.accounted or ""), ZoneInfo(change.wanted)
    clocks = [local_clock(zone, now) for zone in (old, new) if zone is not None]
    open_day, open_month = min(clock.today for clock in clocks), min(clock.month for clock in clocks)
    born = local_clock(new, Brand.objects.values_list("created_at", flat=True).get(pk=change.brand_id))
    # If the old zone is unknown, all periods are recomputed; the closed ones stay closed.
    first_day, first_month = (open_day, open_month) if old else (FIRST_PERIOD, FIRST_PERIOD)
    _move_to_zone(change, DAY, first_day, open_day, born.today)
    _move_to_zone(change, MONTH, first_month, open_month, born.month)
    repair(TotalsRange((change.brand_id,), first_day, first_month))
    _mark_days(change.brand_id, new, open_day)
    return 1


def _mark_days(brand_id: int, zone: ZoneInfo, first: date) -> None:
    """Mark the brand as due when each of its future days begins: in the new zone that is another instant."""
    days = BrandPeriod.objects.filter(brand=brand_id, kind=DAY, starts_on__gte=first)
    mark_days(brand_id, zone, days.values_list("starts_on", flat=True))


def _move_to_zone(change: ZoneChange, kind: BrandPeriod.Kind, first: date, reopened_from: date, born: date) -> None:
    """Switch the accounting time zone from the first period on, and reopen the periods from reopened_from on."""
    zones = AccountingTimeZone.objects.filter(brand=change.brand_id, kind=kind)
    current = zones.filter(until=LAST_PERIOD).first()
    opened = current.opened if current else None
    zones.filter(first__gte=first).delete()
    zones.filter(until__gt=first).update(until=first)
    AccountingTimeZone.objects.create(
        brand_id=change.brand_id,
        kind=kind,
        timezone=change.wanted,
        first=first,
        until=LAST_PERIOD,
        opened=opened,
        closed_before=max(reopened_from, born) if opened else None,
    )
    BrandPeriod.objects.filter(brand=change.brand_id, kind=kind, starts_on__gte=reopened_from).update(
        closed_at=None, spend_at_close=None, budget_at_close=None, reported_until=None
    )
