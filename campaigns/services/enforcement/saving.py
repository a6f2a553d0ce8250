"""What surrounds a person's change, in one transaction: locks before it, effect after it (R8).

with transaction.atomic():
    begin_change(brand_ids, clock=clock)
    ...  # read what is there now, compare, write
    finish_change(scope, clock=clock, actor=name)

A dry run does the same inside rolled_back(), and effects() says what it would do to statuses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Model

from campaigns.database.connection import take_ledger_lock
from campaigns.models import Brand, Campaign
from campaigns.models.clocks import unknown_zones
from campaigns.models.spend_queries import brands_with_spend
from campaigns.rules.clock import Clock
from campaigns.services.enforcement.enforce import Change, Enforcement, enforce_under_locks, preview
from campaigns.services.ledger.change_time_zone import apply_zone_changes
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.fold import fold_under_ledger_lock
from campaigns.services.ledger.locks import lock_brands, lock_rows_that_go
from campaigns.services.scope import Scope, brands_of, zones_of


def begin_change(brand_ids: Iterable[int], *, clock: Clock) -> None:
    """Lock the brands that a change is about, and close their ended periods with the budgets that held in them.

    What is read after this is what the change is made on. Call it inside a transaction. Raises OperationalError where
    somebody else keeps a brand locked (see campaigns.services.ledger.locks).
    """
    ids = sorted(set(brand_ids))
    lock_brands(ids)
    if ids:
        close_periods(now=clock(), brands=ids)


def begin_deletion(model: type[Model], ids: Iterable[int], brand_ids: Iterable[int], *, clock: Clock) -> None:
    """Begin the deletion of brands or campaigns: wait for those who refer to them before the ledger is locked."""
    lock_brands(brand_ids)
    lock_rows_that_go(model, ids)
    begin_change(brand_ids, clock=clock)


def begin_move(campaign_id: int, brand_ids: Iterable[int], *, clock: Clock) -> None:
    """Begin moving a campaign to another brand.

    It has no spend records, but deleted ones may have left pending rows, which are folded for its old brand first.
    """
    ids = sorted(set(brand_ids))
    begin_deletion(Campaign, [campaign_id], ids, clock=clock)
    take_ledger_lock()
    fold_under_ledger_lock(ids)


def finish_change(scope: Scope, *, clock: Clock, actor: str) -> Enforcement:
    """Let a change take effect at once (R8): apply time zone changes, then enforce the scope.

    actor is the name of the person, for the history. Call it inside the transaction of begin_change().
    """
    # Again: a campaign may have moved to another brand during the wait for the first locks.
    brands = lock_brands(brands_of(scope))
    apply_zone_changes(clock=clock, brands=brands)
    # From here on nothing waits, so the clock is read now.
    return enforce_under_locks(scope, brands.values(), now=clock(), actor=actor)


@dataclass(frozen=True)
class Effects:
    """The campaigns whose reasons would change, in order of brand and name; brands in unknown zones keep theirs."""

    changes: list[Change] = field(default_factory=list)
    unknown_zones: list[str] = field(default_factory=list)

    @property
    def paused(self) -> int:
        return sum(change.is_pause for change in self.changes)

    @property
    def resumed(self) -> int:
        return sum(change.is_resume for change in self.changes)


@contextmanager
def rolled_back() -> Iterator[None]:
    """Undo what is written inside; no lock is held afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def effects(scope: Scope, brand_ids: list[int], *, clock: Clock) -> Effects:
    """Return what finish_change() would do now to the campaigns of the scope, which lie in these brands.

    The caller holds the brands' locks, inside rolled_back(): changed time zones are applied in it.
    """
    apply_zone_changes(clock=clock, brands=brand_ids)
    return Effects(preview(scope, now=clock()), unknown_zones(zones_of(scope)))


@dataclass(frozen=True)
class Spent:
    """A brand's spend of today and of this month, in the zone that it has."""

    name: str
    currency: str
    timezone: str
    today: Decimal
    this_month: Decimal


@dataclass(frozen=True)
class ZoneChange:
    before: Spent
    after: Spent


def spent_of(brand_ids: Collection[int], now: datetime) -> dict[int, Spent]:
    """Return what each of the brands has spent, with what is pending."""
    ids = sorted(brand_ids)
    brands: Any = brands_with_spend(Brand.objects.filter(pk__in=ids).order_by(), now, ids) if ids else []
    return {
        brand.pk: Spent(brand.name, brand.currency, brand.timezone, brand.spend_today, brand.spend_this_month)
        for brand in brands
    }


def preview_zone_change(brand_id: int, values: Mapping[str, Any], *, clock: Clock) -> tuple[ZoneChange, Effects]:
    """Return what the brand's new values, another zone among them, do to its spend and to its campaigns' statuses."""
    with rolled_back():
        begin_change([brand_id], clock=clock)
        before = spent_of([brand_id], clock())[brand_id]
        brand = Brand.objects.get(pk=brand_id)
        for name, value in values.items():
            setattr(brand, name, value)
        brand.save(update_fields=list(values))
        would = effects(Scope.of_rows(Brand, [brand_id]), [brand_id], clock=clock)
        return ZoneChange(before, spent_of([brand_id], clock())[brand_id]), would
