"""Enforcement: computing the status of campaigns from the facts and writing what differs (R1, R6, R13).

The only way to a status. enforce() decides without locks; then, in batches, it locks the brands that differ,
decides again in a new statement, at the instant at which it holds them, and writes with history. Nobody waits for
longer than a batch, a check with nothing to change takes no lock, and what people save meanwhile is not overwritten.
A person's save holds its brands already, and so decides once: enforce_under_locks().
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import DatabaseError, IntegrityError, connection, transaction

from campaigns.database import give_way, is_conflict, is_postgresql
from campaigns.money import from_micros
from campaigns.reasons import PauseReason
from campaigns.services.clocks import Clocks, unknown_zones
from campaigns.services.decide import brands_to_write, differences
from campaigns.services.lines import LineCount, count_lines, lines, newest_line, write_changes
from campaigns.services.locks import lock_brands
from campaigns.services.scope import Scope

Clock = Callable[[], datetime]
"""Gives the instant to decide for. Services read no clock of their own; a fixed instant is `lambda: at`."""

BATCH_CAMPAIGNS = 5_000
BATCH_CAMPAIGNS_ON_SQLITE = 1_000
"""Fewer, because nobody else can write meanwhile."""
ATTEMPTS = 3


@dataclass(frozen=True)
class Change:
    """What enforcement changes, or would change, in one campaign, and the spend and limits that it was decided on."""

    campaign_id: int
    campaign: str
    brand: str
    before: PauseReason
    after: PauseReason
    campaign_spend: Decimal
    campaign_limit: Decimal | None
    brand_day_spend: Decimal
    brand_daily_budget: Decimal | None
    brand_month_spend: Decimal
    brand_monthly_budget: Decimal | None


class _Batch(NamedTuple):
    written: LineCount
    changes: list[Change]


@dataclass
class Enforcement:
    """What one enforcement did. Brands in an unknown zone are left as they are and reported (R6)."""

    changed: int = 0
    paused: int = 0
    resumed: int = 0
    unknown_zones: list[str] = field(default_factory=list)

    def add(self, written: LineCount) -> None:
        self.changed += written.changed
        self.paused += written.paused
        self.resumed += written.resumed


def enforce(
    scope: Scope, *, clock: Clock, actor: str, on_changes: Callable[[list[Change]], None] | None = None
) -> Enforcement:
    """Bring every campaign of the scope to the status that the facts give, with history in the name of actor.

    on_changes is given what each batch changed, after its transaction. What can't be written of one batch stops none of
    the others: its error is raised after them, or at once inside a transaction of the caller's.
    """
    result = Enforcement(unknown_zones=unknown_zones(scope))
    problems: list[DatabaseError] = []
    for number, brand_ids in enumerate(_batches(brands_to_write(scope, clock()))):
        if number:
            give_way()
        try:
            batch = _write_batch(scope.within(brand_ids), brand_ids, clock, actor, with_changes=on_changes is not None)
        except DatabaseError as problem:
            if connection.in_atomic_block or not connection.is_usable():
                raise
            problems.append(problem)
            continue
        result.add(batch.written)
        if on_changes and batch.changes:
            on_changes(batch.changes)
    if problems:
        raise problems[0]
    return result


def _write_batch(scope: Scope, brand_ids: list[int], clock: Clock, actor: str, *, with_changes: bool) -> _Batch:
    """Write one batch; again where somebody with SQL was in its way, unless the transaction is the caller's.

    A campaign that is deleted while its line of history is written is such a case, or rows updated in another order.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return _write(scope, brand_ids, clock, actor, with_changes)
        except DatabaseError as error:
            if connection.in_atomic_block or not (isinstance(error, IntegrityError) or is_conflict(error)):
                raise
    return _write(scope, brand_ids, clock, actor, with_changes)


@transaction.atomic
def _write(scope: Scope, brand_ids: list[int], clock: Clock, actor: str, with_changes: bool) -> _Batch:
    lock_brands(brand_ids)
    newest = newest_line() if with_changes else 0
    clocks = Clocks(scope, clock())
    written = write_changes(scope, clocks, actor)
    changes = [_change(row) for row in lines(scope, newest)] if with_changes else []
    return _Batch(count_lines(written), changes)


def enforce_under_locks(scope: Scope, *, now: datetime, actor: str) -> Enforcement:
    """Enforce what a person has changed, as enforce() does, and note what time does next where the reasons stay.

    The caller holds the locks of the scope's brands.
    """
    clocks = Clocks(scope, now)
    result = Enforcement(unknown_zones=clocks.unknown_zones)
    result.add(count_lines(write_changes(scope, clocks, actor)))
    return result


def preview(scope: Scope, *, now: datetime) -> list[Change]:
    """Return what enforcement would change at now, in order of brand and campaign; nothing is written."""
    return [_change(row) for row in differences(scope, now)]


def _batches(brands: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Cut the brands, each with its number of differing campaigns, into batches that are short to write."""
    most = BATCH_CAMPAIGNS if is_postgresql() else min(BATCH_CAMPAIGNS, BATCH_CAMPAIGNS_ON_SQLITE)
    batch: list[int] = []
    campaigns = 0
    for brand_id, count in brands:
        if batch and campaigns + count > most:
            yield batch
            batch, campaigns = [], 0
        batch.append(brand_id)
        campaigns += count
    if batch:
        yield batch


def _change(row: Sequence[Any]) -> Change:
    campaign_id, campaign, brand, before, after, *micros = row
    money: list[Any] = [None if amount is None else from_micros(amount) for amount in micros]
    return Change(campaign_id, campaign, brand, PauseReason(before), PauseReason(after), *money)
