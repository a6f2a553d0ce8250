"""What surrounds a person's change, in one transaction: locks before it, effect after it (R8).

with transaction.atomic():
    begin_change(brand_ids, clock=clock)
    ...  # read what is there now, compare, write
    finish_change(scope, clock=clock, actor=name)
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Model

from campaigns.database.connection import take_ledger_lock
from campaigns.models import Campaign
from campaigns.rules.clock import Clock
from campaigns.services.enforcement.enforce import Enforcement, enforce_under_locks
from campaigns.services.ledger.change_time_zone import apply_zone_changes
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.fold import fold_under_ledger_lock
from campaigns.services.ledger.locks import lock_brands, lock_rows_that_go
from campaigns.services.scope import Scope, brands_of


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
    """Begin the change of a campaign that goes from one brand to another: it takes nothing that is pending with it.

    It has no records, but what their deletion changed may not be folded yet, and is booked for its old brand.
    """
    ids = sorted(set(brand_ids))
    begin_deletion(Campaign, [campaign_id], ids, clock=clock)
    take_ledger_lock()
    fold_under_ledger_lock(ids)


def finish_change(scope: Scope, *, clock: Clock, actor: str) -> Enforcement:
    """Let a change take effect at once: re-book brands whose zone changed, then enforce the scope.

    actor is the name of the person, for the history. Call it inside the transaction of begin_change().
    """
    # Once more: a campaign may have moved to another brand while the first locks were waited for.
    brands = lock_brands(brands_of(scope))
    apply_zone_changes(clock=clock, brands=brands)
    # Nothing is waited for any more.
    return enforce_under_locks(scope, brands.values(), now=clock(), actor=actor)
