"""What a change that was just written would do to statuses: decided in its transaction, which is then rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import transaction

from campaigns.models.clocks import unknown_zones
from campaigns.rules.clock import Clock
from campaigns.services.enforcement.enforce import Change, preview
from campaigns.services.ledger.change_time_zone import apply_zone_changes
from campaigns.services.scope import Scope, zones_of


@dataclass(frozen=True)
class Effects:
    """The campaigns whose reasons would change, in order of brand and name; brands in unknown zones keep theirs."""

    changes: list[Change] = field(default_factory=list)
    unknown_zones: list[str] = field(default_factory=list)

    @property
    def paused(self) -> int:
        return sum(not change.before for change in self.changes)

    @property
    def resumed(self) -> int:
        return sum(not change.after for change in self.changes)


@contextmanager
def rolled_back() -> Iterator[None]:
    """Undo what is written inside; no lock is held afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def effects(scope: Scope, brand_ids: list[int], *, clock: Clock) -> Effects:
    """Return what finish_change() would do now to the campaigns of the scope, which lie in these brands.

    The caller holds the brands' locks, inside rolled_back(): brands whose zone was changed are re-booked in it.
    """
    apply_zone_changes(clock=clock, brands=brand_ids)
    return Effects(preview(scope, now=clock()), unknown_zones(zones_of(scope)))
