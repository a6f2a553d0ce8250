"""Enforcement: computing the status of campaigns from the facts and writing what differs (R1, R6, R13).

The only way to a status. enforce() decides without locks; then, in batches, it locks the brands that differ,
decides again in a new statement, at the instant at which it holds them, and writes with history. Nobody waits for
longer than a batch, a check with nothing to change takes no lock, and what people save meanwhile is not overwritten.
A person's save holds its brands already, and so decides once: enforce_under_locks().
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import DatabaseError, IntegrityError, connection, transaction

from campaigns.database.connection import is_conflict, is_lock_timeout, is_postgresql, yield_to_waiting_writers
from campaigns.models.clocks import Clocks, unknown_zones
from campaigns.rules.clock import Clock
from campaigns.rules.money import from_micros
from campaigns.rules.reasons import LIMITS, PauseReason
from campaigns.services.enforcement.decide import brands_to_write, differences
from campaigns.services.enforcement.status_changes import (
    ChangeCounts,
    count_changes,
    last_history_id,
    status_changes,
    transition_ids,
    write_changes,
)
from campaigns.services.ledger.due_brands import mark_due
from campaigns.services.ledger.locks import MOST_WAITS, lock_brands, lock_free_brands, lock_free_campaigns
from campaigns.services.ledger.unfinished import Unfinished
from campaigns.services.scope import Scope, brands_of, zones_of

BATCH_CAMPAIGNS = 5_000
# Fewer, because no other transaction can write meanwhile.
BATCH_CAMPAIGNS_ON_SQLITE = 1_000
ATTEMPTS = 3
# So many campaigns are named to a person whose change paused or resumed them.
NAMED = 3


@dataclass(frozen=True)
class Change:
    """What enforcement changes, or would change, in one campaign."""

    campaign_id: int
    campaign: str
    brand: str
    before: PauseReason
    after: PauseReason
    # The spend and the limit that it was decided on, of each reason that is a limit.
    decided_on: dict[PauseReason, tuple[Decimal, Decimal | None]]

    @property
    def is_pause(self) -> bool:
        return not self.before

    @property
    def is_resume(self) -> bool:
        return not self.after


@dataclass
class Transitions:
    """The first pauses and resumes of a run, for its log, as ids of the history: most of them at most."""

    most: int
    ids: list[int] = field(default_factory=list)
    total: int = 0

    @property
    def wanted(self) -> int:
        return self.most - len(self.ids)


class _Batch(NamedTuple):
    written: ChangeCounts
    transitions: list[int]
    changes: list[Change]
    locked_brands: list[int]
    locked_campaigns: list[int]


@dataclass
class Enforcement:
    """What one enforcement did. What couldn't be decided or written is left as it is and reported (R6)."""

    changed: int = 0
    paused: int = 0
    resumed: int = 0
    # Of a person's change the first pauses and resumes, as ids of the history.
    first: list[int] = field(default_factory=list)
    unfinished: Unfinished = field(default_factory=Unfinished)

    def add(self, written: ChangeCounts) -> None:
        self.changed += written.changed
        self.paused += written.paused
        self.resumed += written.resumed

    @property
    def unknown_zones(self) -> list[str]:
        return sorted(self.unfinished.unknown_zones)


def enforce(
    scope: Scope,
    *,
    clock: Clock,
    actor: str,
    on_changes: Callable[[list[Change]], None] | None = None,
    transitions: Transitions | None = None,
    leave: Collection[int] = (),
    zones: Collection[str] | None = None,
) -> Enforcement:
    """Bring every campaign of the scope to the status that the facts give, with history in the name of actor.

    on_changes is given what each batch changed, after its transaction; transitions gets the first of them. leave are
    brands to leave as they are; zones are the time zones of the scope's brands, if they are known. What can't be
    written of one batch stops none of the others: its error is raised after them, or at once inside a transaction of
    the caller's. What somebody else has locked is left for the end, then reported, and marked for the next quick check;
    inside a transaction of the caller's it is waited for.
    """
    zones = zones_of(scope) if zones is None else zones
    done = Enforcement(unfinished=Unfinished(set(unknown_zones(zones)), locked_brands=set(leave)))
    run = _Run(scope, clock, actor, on_changes, transitions or Transitions(0), done)
    run.write_all([brand for brand in brands_to_write(scope, Clocks(zones, clock())) if brand[0] not in leave])
    return done


@dataclass
class _Run:
    """One enforcement, in batches of brands."""

    scope: Scope
    clock: Clock
    actor: str
    on_changes: Callable[[list[Change]], None] | None
    transitions: Transitions
    done: Enforcement
    problems: list[DatabaseError] = field(default_factory=list)
    # Whether the transaction is the caller's, who waits for what is locked.
    in_caller: bool = field(default_factory=lambda: connection.in_atomic_block)

    # Whether a locked campaign was met: from then on the campaigns of a batch are locked first, without waiting.
    skip_campaigns: bool = False

    def write_all(self, brands: Sequence[tuple[int, int]]) -> None:
        counts = dict(brands)
        locked = self.batches(_batches(brands), wait=self.in_caller)
        locked = self.batches(_batches([(pk, counts[pk]) for pk in locked]), wait=False)  # by now most saves are over
        for brand_id in locked[:MOST_WAITS]:
            self.batches([[brand_id]], wait=True)
        rest = [(pk, counts[pk]) for pk in locked[MOST_WAITS:]]
        self.done.unfinished.locked_brands |= set(self.batches(_batches(rest), wait=False))
        if not self.in_caller:
            self.mark_what_is_left()
        if self.problems:
            raise self.problems[0]

    def batches(self, batches: Iterable[list[int]], *, wait: bool) -> list[int]:
        """Write the batches, each in a transaction of its own; return the brands that were locked."""
        locked: list[int] = []
        for number, brand_ids in enumerate(filter(None, batches)):
            if number:
                yield_to_waiting_writers()
            try:
                batch = self.batch(brand_ids, wait=wait)
            except DatabaseError as problem:
                if connection.in_atomic_block or not connection.is_usable():
                    raise
                if is_lock_timeout(problem):  # not of a row, those are skipped: of a whole table
                    self.done.unfinished.locked_brands |= set(brand_ids)
                elif len(brand_ids) > 1:
                    locked += self.batches([[brand_id] for brand_id in brand_ids], wait=wait)
                else:
                    self.problems.append(problem)
                continue
            locked += batch.locked_brands
            self.note(batch)
        return locked

    def note(self, batch: _Batch) -> None:
        self.done.add(batch.written)
        self.transitions.ids += batch.transitions
        self.transitions.total += batch.written.paused + batch.written.resumed
        self.done.unfinished.locked_campaigns |= set(batch.locked_campaigns)
        if self.on_changes and batch.changes:
            self.on_changes(batch.changes)

    def batch(self, brand_ids: list[int], *, wait: bool) -> _Batch:
        """Write one batch; again where somebody with SQL was in its way, unless the transaction is the caller's.

        A campaign that is deleted while its line of history is written is such a case, or rows updated in another
        order, or a campaign that somebody has locked: then the others are written.
        """
        for _ in range(ATTEMPTS - 1):
            try:
                return self.write(brand_ids, wait)
            except DatabaseError as error:
                if connection.in_atomic_block:
                    raise
                if is_lock_timeout(error) and not self.skip_campaigns:
                    self.skip_campaigns = True
                elif not (isinstance(error, IntegrityError) or is_conflict(error)):
                    raise
        return self.write(brand_ids, wait)

    @transaction.atomic
    def write(self, brand_ids: list[int], wait: bool) -> _Batch:
        free = lock_brands(brand_ids, by_job=not self.in_caller) if wait else lock_free_brands(brand_ids)
        locked_brands = sorted(set(brand_ids) - set(free))
        if not free:
            return _Batch(ChangeCounts(), [], [], locked_brands, [])
        scope, locked_campaigns = self.scope.within(free), list[int]()
        if self.skip_campaigns:
            campaigns, locked_campaigns = lock_free_campaigns(scope)
            scope = Scope(brands=tuple(free), campaigns=tuple(campaigns))
        last = last_history_id() if self.on_changes or self.transitions.wanted else 0
        written = count_changes(write_changes(scope, Clocks(free.values(), self.clock()), self.actor))
        wanted = min(self.transitions.wanted, written.paused + written.resumed)
        transitions = transition_ids(scope, last, self.actor, wanted) if wanted else []
        changes = [_change(row) for row in status_changes(scope, last)] if self.on_changes else []
        return _Batch(written, transitions, changes, locked_brands, locked_campaigns)

    def mark_what_is_left(self) -> None:
        """Mark locked brands as due for the next quick check."""
        left = self.done.unfinished
        of_campaigns = brands_of(Scope.of_campaigns(left.locked_campaigns)) if left.locked_campaigns else []
        mark_due(left.locked_brands.union(of_campaigns))


def enforce_under_locks(scope: Scope, zones: Collection[str], *, now: datetime, actor: str) -> Enforcement:
    """Enforce what a person has changed, as enforce() does, also the next change where the reasons stay.

    The caller holds the locks of the scope's brands, which are in these time zones.
    """
    result = Enforcement(unfinished=Unfinished(set(unknown_zones(zones))))
    last = last_history_id()
    result.add(count_changes(write_changes(scope, Clocks(zones, now), actor)))
    if most := min(NAMED, result.paused + result.resumed):
        result.first = transition_ids(scope, last, actor, most)
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
    decided_on = dict(zip(LIMITS, zip(money[::2], money[1::2], strict=True), strict=True))  # as in DECIDED_ON
    return Change(campaign_id, campaign, brand, PauseReason(before), PauseReason(after), decided_on)
