"""Importing files of brands, campaigns and schedules: a preview that writes nothing, then one confirmation.

In between, the file is stored in the database, for its owner only, with a fingerprint of every change that was
shown. All or nothing: if a line is refused, or a row was changed in the meantime, nothing is imported (R5).
Only columns that differ are written, in the transaction in which they take effect (R8).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from campaigns.database.write_column import write_column
from campaigns.models import Brand, Campaign, ImportDraft
from campaigns.rules.clock import Clock
from campaigns.rules.money import format_money
from campaigns.rules.names import name_key
from campaigns.services.bulk.operations import field_of, fingerprint
from campaigns.services.bulk.schedules import format_schedule, write_schedules
from campaigns.services.enforcement.enforce import Enforcement
from campaigns.services.enforcement.saving import (
    Effects,
    ZoneChange,
    begin_change,
    effects,
    finish_change,
    rolled_back,
    spent_of,
)
from campaigns.services.exchange.columns import Kind
from campaigns.services.exchange.files import TextTable
from campaigns.services.exchange.plan import ImportPlan, PlannedLine, check_columns, plan_rows, rounding_notes
from campaigns.services.exchange.read import read_table
from campaigns.services.exchange.schedules import SCHEDULE, plan_schedules
from campaigns.services.history.record import ChangedRow, Channel, Source, differences, record_changes
from campaigns.services.history.settings import read_settings
from campaigns.services.ledger.locks import lock_brands
from campaigns.services.people.owners import owner_ids
from campaigns.services.permissions import Person
from campaigns.services.scope import Scope

BATCH = 1_000
# How long a file waits for confirmation.
EXPIRES_AFTER = timedelta(days=1)

LIMIT_COLUMNS = ("daily_budget", "monthly_budget", "daily_spend_limit")


@dataclass(frozen=True)
class ImportPreview:
    """What a file would change, with the effect on statuses unless a line is refused."""

    plan: ImportPlan
    effects: Effects = field(default_factory=Effects)
    # Ids of new campaigns in the dry run.
    new_campaigns: frozenset[int] = frozenset()
    # Brands that get another time zone, with their spend before and after.
    zones: Sequence[ZoneChange] = ()
    # Messages about rows left out and amounts rounded.
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Imported:
    plan: ImportPlan
    enforced: Enforcement


class ImportConflict(Exception):
    """Rows changed after the preview, so nothing was imported; each sentence names a change."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__(f"{len(sentences):,} rows changed after the preview; nothing was imported.")
        self.sentences = sentences


def keep_draft(kind_of_list: Kind, name: str, data: bytes, *, person: Person, now: datetime) -> ImportDraft:
    """Store a file until it is confirmed, replacing the person's previous one. Raises FileRefused."""
    table = read_table(name, data)
    kind = _kind(kind_of_list, table)
    check_columns(kind, table)
    ImportDraft.objects.filter(created_at__lt=now - EXPIRES_AFTER).delete()
    ImportDraft.objects.filter(user=person.pk).delete()
    return ImportDraft.objects.create(user_id=person.pk or 0, kind=kind, name=name[-200:], data=data, created_at=now)


def find_draft(pk: int, *, person: Person) -> ImportDraft | None:
    """Return the person's file that waits for confirmation."""
    return ImportDraft.objects.filter(pk=pk, user=person.pk, kind__in=list(Kind)).first()


def preview_import(draft: ImportDraft, *, person: Person, clock: Clock) -> ImportPreview:
    """Return what the file would change now; store the fingerprints with the file."""
    table = _table(draft)
    with rolled_back():
        plan = _plan(Kind(draft.kind), table, person)
        lock_brands(_brands_of(plan))
        plan = _plan(Kind(draft.kind), table, person)
        would, new = Effects(), frozenset[int]()
        zones: list[ZoneChange] = []
        if plan.lines and not plan.problems:
            moving = [line.pk for line in plan.changed if line.pk and "timezone" in line.changes]
            before = spent_of(moving, clock())
            ids = _write(plan)
            would = effects(_scope(plan, ids), _brands_of(plan, ids), clock=clock)
            after = spent_of(moving, clock())
            zones = [ZoneChange(before[pk], after[pk]) for pk in moving]
            new = frozenset(ids[line.line] for line in plan.new if plan.kind == Kind.CAMPAIGNS)
    draft.shown = _fingerprints(plan)
    draft.save(update_fields=["shown"])
    return ImportPreview(plan, would, new, zones, (*table.notes, *rounding_notes(plan, table)))


@transaction.atomic
def apply_import(draft: ImportDraft, *, person: Person, clock: Clock) -> Imported:
    """Import the file as its preview showed it, and delete it. Raises ImportConflict, with nothing changed."""
    table, kind = _table(draft), Kind(draft.kind)
    begin_change(_brands_of(_plan(kind, table, person)), clock=clock)
    plan = _plan(kind, table, person)
    if plan.problems or _fingerprints(plan) != draft.shown:
        raise ImportConflict(_differences(plan, draft.shown))
    ids = _write(plan)
    source = Source(person.get_username(), Channel.IMPORT)
    record_changes(_changes_of(plan, ids), source, at=clock())
    enforced = finish_change(_scope(plan, ids), clock=clock, actor=source.actor)
    draft.delete()
    return Imported(plan, enforced)


def format_value(column: str, value: Any, currency: str) -> str:
    """Return a column's value for people."""
    if column == SCHEDULE:
        return format_schedule(value)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Decimal):
        return format_money(value, currency)
    if value is None:
        return "no limit" if column in LIMIT_COLUMNS else "empty"
    return str(value)


def _kind(kind_of_list: Kind, table: TextTable) -> Kind:
    """Return the file's kind: in the campaign list, a file with a column “days” has schedules."""
    is_schedule = kind_of_list == Kind.CAMPAIGNS and "days" in table.columns
    return Kind.SCHEDULES if is_schedule else kind_of_list


def _table(draft: ImportDraft) -> TextTable:
    return read_table(draft.name, bytes(draft.data))


def _plan(kind: Kind, table: TextTable, person: Person) -> ImportPlan:
    return plan_schedules(table, person) if kind == Kind.SCHEDULES else plan_rows(kind, table, person)


def _brands_of(plan: ImportPlan, ids: Mapping[int, int] | None = None) -> list[int]:
    """Return the brands of the plan, including new ones if the written ids are given."""
    known = {line.brand_id for line in plan.lines if line.brand_id is not None}
    if ids and plan.kind == Kind.BRANDS:
        known |= set(ids.values())
    return sorted(known)


def _scope(plan: ImportPlan, ids: Mapping[int, int]) -> Scope:
    return Scope.of_rows(plan.kind.model, ids.values())


def _fingerprints(plan: ImportPlan) -> dict[str, str]:
    """Return a fingerprint of each row's change: its old and new values."""
    return {line.key: fingerprint({name: str(pair) for name, pair in line.changes.items()}) for line in plan.lines}


def _differences(plan: ImportPlan, was_shown: Mapping[str, str]) -> list[str]:
    sentences = [f"Line {problem.line}: {problem.sentence}" for problem in plan.problems]
    now = _fingerprints(plan)
    sentences += [
        f"“{line.name}” (line {line.line}) changed after the preview: someone else edited it."
        for line in plan.lines
        if was_shown.get(line.key) != now[line.key]
    ]
    gone = was_shown.keys() - now.keys()
    if gone and not plan.problems:
        sentences.append(f"{len(gone):,} of the rows already match the file: someone else edited them.")
    return sentences


def _write(plan: ImportPlan) -> dict[int, int]:
    """Apply the plan; return row ids by line number."""
    ids = {line.line: line.pk for line in plan.changed if line.pk is not None}
    if plan.kind == Kind.SCHEDULES:
        write_schedules({ids[line.line]: line.changes[SCHEDULE][1] for line in plan.changed})
        return ids
    for column in dict.fromkeys(name for line in plan.changed for name in line.changes):
        changed = {ids[line.line]: line.changes[column][1] for line in plan.changed if column in line.changes}
        if column == "owner":
            owners = owner_ids(changed.values())
            changed = {pk: owners.get(name) for pk, name in changed.items()}
        write_column(field_of(plan.kind.model, column), changed)
        if column == "name":
            keys = {pk: name_key(name) for pk, name in changed.items()}
            write_column(field_of(plan.kind.model, "name_key"), keys)
    owners = owner_ids(line.changes["owner"][1] for line in plan.new if "owner" in line.changes)
    rows = [_new_row(plan.kind, line, owners) for line in plan.new]
    plan.kind.model._base_manager.bulk_create(rows, batch_size=BATCH)
    return ids | {line.line: row.pk for line, row in zip(plan.new, rows, strict=True)}


def _new_row(kind: Kind, line: PlannedLine, owners: Mapping[str, int]) -> Any:
    values = {column: after for column, (_, after) in line.changes.items()}
    if "owner" in values:
        values["owner_id"] = owners.get(values.pop("owner"))
    return Brand(**values) if kind == Kind.BRANDS else Campaign(brand_id=line.brand_id or 0, **values)


def _changes_of(plan: ImportPlan, ids: Mapping[int, int]) -> Iterator[ChangedRow]:
    """Yield what the written plan did to brands or campaigns, for the change history."""
    for line in plan.changed:
        pk = ids[line.line]
        brand_id, campaign_id = (pk, None) if plan.kind == Kind.BRANDS else (line.brand_id or 0, pk)
        name = str(line.changes["name"][1]) if "name" in line.changes else line.name
        yield ChangedRow(brand_id, campaign_id, name, line.changes, line.currency, line.currency_after)
    # With the defaults of columns that the file doesn't have.
    yield from differences({}, read_settings(plan.kind.model, (ids[line.line] for line in plan.new)))
