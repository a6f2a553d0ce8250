"""Re-booking: when a brand's time zone changes, its open periods are counted anew in the new zone (R15)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import DatabaseError, connection, transaction

from campaigns.database.connection import fetch_all, is_lock_timeout, take_ledger_lock
from campaigns.database.dialects import in_list, list_param
from campaigns.models import AccountingTimeZone, Brand, BrandPeriod
from campaigns.models.books import FIRST_PERIOD, LAST_PERIOD
from campaigns.rules.clock import Clock
from campaigns.rules.periods import find_zone, local_clock
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.due_brands import mark_days
from campaigns.services.ledger.locks import MOST_WAITS, lock_brands, lock_free_brands
from campaigns.services.ledger.verify import Books, repair

DAY, MONTH = BrandPeriod.Kind.DAY, BrandPeriod.Kind.MONTH


@dataclass(frozen=True)
class ZoneChange:
    brand_id: int
    booked: str | None
    wanted: str


@dataclass
class Rebooking:
    """How many brands were re-booked, and which weren't: because somebody else locks them, or with an error."""

    count: int = 0
    locked: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)
    problem: DatabaseError | None = None
    """The first error."""

    @property
    def left(self) -> set[int]:
        """Brands that no decision is right for."""
        return self.locked | self.failed

    def raise_problem(self) -> None:
        """Raise the first error: after the others are served."""
        if self.problem:
            raise self.problem


def rebook_changed_zones(*, clock: Clock, brands: Iterable[int] | None = None) -> Rebooking:
    """Re-book the brands, of some or of all, whose zone isn't the one they are booked in.

    Each brand in a transaction of its own, unless the caller holds one: such a caller locks all of the brands first,
    for the ledger lock is held from the first brand on. A brand that somebody else keeps locked, or that can't be
    written, stops no other: no decision is right for it until it is re-booked. An unknown zone is left alone: the brand
    goes on being booked as before.
    """
    done = Rebooking()
    in_caller, waits = connection.in_atomic_block, 0
    for change in _changed_zones(None if brands is None else list(brands)):
        try:
            rebooked = _rebook_alone(change.brand_id, clock, in_caller, wait=in_caller or waits < MOST_WAITS)
            if rebooked is None:
                done.locked.add(change.brand_id)
            else:
                done.count += rebooked
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
def _rebook_alone(brand_id: int, clock: Clock, in_caller: bool, *, wait: bool) -> int | None:
    """Re-book one brand, and return 1, or 0 where somebody else has done it; None where it is locked and may not wait.

    To wait for each of many locked brands would take all the time of a check.
    """
    if wait:
        lock_brands([brand_id], by_job=not in_caller)
    elif not lock_free_brands([brand_id]):
        return None
    return sum(_rebook(current, clock()) for current in _changed_zones([brand_id]))


def rebook_from_now(brand_id: int, *, clock: Clock) -> None:
    """Book a brand anew whose change of zone was booked by a clock that was ahead: it holds from now on, not later.

    Not while somebody else locks the brand: a later check finds it again.
    """
    with transaction.atomic():
        if not lock_free_brands([brand_id]):
            return
        now = clock()
        zones = AccountingTimeZone.objects.filter(brand=brand_id, kind=DAY)
        current = zones.filter(first__lte=now.date(), until__gt=now.date()).order_by("first").first()
        wanted = zones.values_list("timezone", flat=True).get(until=LAST_PERIOD)
        _rebook(ZoneChange(brand_id, current.timezone if current else wanted, wanted), now)


def brands_with_changed_zones(brands: Iterable[int] | None = None) -> list[int]:
    """Return the brands, of some or of all, whose zone isn't the one that they are booked in."""
    return [change.brand_id for change in _changed_zones(None if brands is None else list(brands))]


CHANGED_ZONES = """
WITH booked AS (
    SELECT brand_id, COUNT(*) AS books, MIN(timezone) AS first, MAX(timezone) AS last
    FROM campaigns_accountingtimezone
    WHERE until = %s AND {of_brands}
    GROUP BY brand_id
)
SELECT brand.id, CASE WHEN books = 2 THEN first END, brand.timezone
FROM campaigns_brand AS brand LEFT JOIN booked ON booked.brand_id = brand.id
WHERE {in_scope} AND (books IS NULL OR books <> 2 OR first <> brand.timezone OR last <> brand.timezone)
ORDER BY brand.id
"""


def _changed_zones(brand_ids: Iterable[int] | None) -> list[ZoneChange]:
    of_brands, in_scope = ("1 = 1", "1 = 1") if brand_ids is None else (in_list("brand_id"), in_list("brand.id"))
    scope = [] if brand_ids is None else [list_param(brand_ids)]
    rows = fetch_all(CHANGED_ZONES.format(of_brands=of_brands, in_scope=in_scope), [LAST_PERIOD, *scope, *scope])
    changes = (ZoneChange(*row) for row in rows)
    return [change for change in changes if find_zone(change.wanted) is not None]


def _rebook(change: ZoneChange, now: datetime) -> int:
    """Close what ended in the old zone, then book everything from there on in the new one."""
    close_periods(now=now, brands=[change.brand_id])
    take_ledger_lock()
    old, new = find_zone(change.booked or ""), ZoneInfo(change.wanted)
    clocks = [local_clock(zone, now) for zone in (old, new) if zone is not None]
    open_day, open_month = min(clock.today for clock in clocks), min(clock.month for clock in clocks)
    born = local_clock(new, Brand.objects.values_list("created_at", flat=True).get(pk=change.brand_id))
    # Where it is unknown in which zone it was booked, all of it is booked anew, and what is closed stays closed.
    first_day, first_month = (open_day, open_month) if old else (FIRST_PERIOD, FIRST_PERIOD)
    _move_to_zone(change, DAY, first_day, open_day, born.today)
    _move_to_zone(change, MONTH, first_month, open_month, born.month)
    repair(Books((change.brand_id,), first_day, first_month))
    _mark_days(change.brand_id, new, open_day)
    return 1


def _mark_days(brand_id: int, zone: ZoneInfo, first: date) -> None:
    """Let somebody look at the brand when its days ahead come, which is at another moment now."""
    days = BrandPeriod.objects.filter(brand=brand_id, kind=DAY, starts_on__gte=first)
    mark_days(brand_id, zone, days.values_list("starts_on", flat=True))


def _move_to_zone(change: ZoneChange, kind: BrandPeriod.Kind, first: date, reopened_from: date, born: date) -> None:
    """End the booking before the first period, go on from there in the new zone, and reopen what is open there."""
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
        closed_at=None, spend_at_close=None, budget_at_close=None
    )
