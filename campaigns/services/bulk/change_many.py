"""Changing many brands or campaigns at once: a preview that writes nothing, then one confirmation.

The preview includes a fingerprint of each value that would change. The confirmation brings the fingerprints
back: a row that someone else changed in the meantime is skipped (R5), the others are changed in one transaction and
take effect in it (R8). So a raise by 10 % raises the value that the preview showed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from campaigns.database.write_column import in_pieces
from campaigns.models import Campaign
from campaigns.rules.clock import Clock
from campaigns.services.bulk.operations import Operation, OperationRefused, Owner, fingerprint
from campaigns.services.enforcement.enforce import Enforcement
from campaigns.services.enforcement.saving import Effects, begin_change, effects, finish_change, rolled_back
from campaigns.services.history.record import ChangedRow, Channel, Source, record_changes
from campaigns.services.ledger.locks import lock_brands
from campaigns.services.permissions import Person, visible_to
from campaigns.services.scope import Scope

# Fingerprints of the old values of the rows to change, by id.
Fingerprints = Mapping[int, str]


@dataclass(frozen=True)
class PlannedRow:
    """One brand or campaign with its old and new value, or why it is refused."""

    pk: int
    name: str
    brand: str
    brand_id: int
    currency: str
    before: Any = None
    after: Any = None
    refused: str = ""

    @property
    def changes(self) -> bool:
        return not self.refused and self.before != self.after


@dataclass(frozen=True)
class Preview:
    """The change of each row, in order of brand and name, and the effect on statuses."""

    rows: list[PlannedRow] = field(default_factory=list)
    effects: Effects = field(default_factory=Effects)

    @property
    def changing(self) -> list[PlannedRow]:
        return [row for row in self.rows if row.changes]

    @property
    def refused(self) -> list[PlannedRow]:
        return [row for row in self.rows if row.refused]

    @property
    def fingerprints(self) -> dict[int, str]:
        return {row.pk: fingerprint(row.before) for row in self.changing}


@dataclass(frozen=True)
class Applied:
    """The result of a confirmation: rows changed, the number of unchanged rows, and why others were skipped."""

    changed: list[PlannedRow]
    unchanged: int
    refused: list[str]
    enforced: Enforcement


def preview_bulk(operation: Operation, model: Owner, ids: Iterable[int], *, person: Person, clock: Clock) -> Preview:
    """Return what the operation would do to those of the rows that the person sees; nothing is written."""
    with rolled_back():
        found = _lock_and_read(model, ids, person, lock_brands)
        rows = _planned(operation, model, found)
        changing = [row for row in rows if row.changes]
        operation.write(model, {row.pk: row.after for row in changing})
        scope = Scope.of_rows(model, [row.pk for row in changing])
        brands = sorted({row.brand_id for row in changing})
        return Preview(rows, effects(scope, brands, clock=clock) if changing else Effects())


@transaction.atomic
def apply_bulk(
    operation: Operation,
    model: Owner,
    shown: Fingerprints,
    *,
    person: Person,
    clock: Clock,
    channel: Channel = Channel.BULK,
) -> Applied:
    """Change the rows that are still as previewed, record each change, and enforce them."""
    found = _lock_and_read(model, shown, person, lambda brands: begin_change(brands, clock=clock))
    rows = _planned(operation, model, found)
    changing = [row for row in rows if row.changes and fingerprint(row.before) == shown[row.pk]]
    operation.write(model, {row.pk: row.after for row in changing})
    source = Source(person.get_username(), channel)
    record_changes((_change_of(operation, model, row) for row in changing), source, at=clock())
    scope = Scope.of_rows(model, [row.pk for row in changing])
    enforced = finish_change(scope, clock=clock, actor=source.actor)
    unchanged = sum(not row.changes and not row.refused for row in rows)
    return Applied(changing, unchanged, _refusals(operation, rows, changing, len(shown)), enforced)


def _change_of(operation: Operation, model: Owner, row: PlannedRow) -> ChangedRow:
    campaign_id = row.pk if issubclass(model, Campaign) else None
    changes = operation.changes(row.before, row.after)
    return ChangedRow(row.brand_id, campaign_id, row.name, changes, row.currency, row.currency)


def _refusals(
    operation: Operation, rows: Sequence[PlannedRow], changing: Sequence[PlannedRow], shown: int
) -> list[str]:
    done = {row.pk for row in changing}
    refusals = [
        f"Skipped “{row.name}”: someone changed its {operation.attribute} to"
        f" “{operation.format_value(row.before, row.currency)}” after the preview."
        for row in rows
        if row.pk not in done and (row.changes or row.refused)
    ]
    if gone := shown - len(rows):
        were = "previewed row" if gone == 1 else "previewed rows"
        refusals.append(f"{gone:,} {were} no longer exist{'s' if gone == 1 else ''}.")
    return refusals


def _lock_and_read(
    model: Owner, ids: Iterable[int], person: Person, lock: Callable[[list[int]], object]
) -> list[PlannedRow]:
    """Lock the brands of the rows that the person can see, and return the rows as of then."""
    wanted = sorted(set(ids))
    brands = {row.brand_id for row in _read(model, wanted, person)}
    lock(sorted(brands))
    return [row for row in _read(model, wanted, person) if row.brand_id in brands]


def _read(model: Owner, ids: Sequence[int], person: Person) -> list[PlannedRow]:
    if issubclass(model, Campaign):
        columns, brand = ("pk", "name", "brand__name", "brand", "brand__currency"), "brand"
    else:
        columns, brand = ("pk", "name", "name", "pk", "currency"), "pk"
    found: list[PlannedRow] = []
    for piece in in_pieces(ids):
        seen: Any = visible_to(person, model._base_manager.filter(pk__in=piece).order_by(), brand)
        found += [PlannedRow(*(row[name] for name in columns)) for row in seen.values(*set(columns))]
    return sorted(found, key=lambda row: (row.brand, row.name, row.pk))


def _planned(operation: Operation, model: Owner, rows: Sequence[PlannedRow]) -> list[PlannedRow]:
    values = operation.read(model, [row.pk for row in rows])
    return [_plan(operation, row, values[row.pk]) for row in rows]


def _plan(operation: Operation, row: PlannedRow, before: Any) -> PlannedRow:
    about = (row.pk, row.name, row.brand, row.brand_id, row.currency)
    try:
        return PlannedRow(*about, before, operation.after(before, row.currency))
    except OperationRefused as refusal:
        return PlannedRow(*about, before, before, str(refusal))
