"""Comparing a file of brands or campaigns with the database. Nothing is written.

A line is matched by id or, if that is empty, by name (a campaign by its brand's name and its own); an unknown
name creates a row. A column missing from the file stays unchanged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from campaigns.rules.money import PLACES
from campaigns.rules.names import name_key
from campaigns.rules.text import quote
from campaigns.services.exchange.cells import AmountCell
from campaigns.services.exchange.columns import KEYS_OF, Kind, fields_of
from campaigns.services.exchange.files import FileRefused, Line, TextTable
from campaigns.services.exchange.find import Finder, Known, LineRefused
from campaigns.services.ledger.currency_lock import brands_that_keep_their_currency, currency_is_kept
from campaigns.services.naming.find_names import BrandAndName, brands_alike, campaigns_alike
from campaigns.services.people.owners import owner_ids
from campaigns.services.permissions import Person, sees_only_assigned_brands

# Columns that identify a row and aren't written.
KEYS = ("id", "brand", "campaign_id", "campaign")


@dataclass(frozen=True)
class Problem:
    line: int
    sentence: str


@dataclass(frozen=True)
class PlannedLine:
    """One row's changes: old and new value by column. A new row has no pk."""

    line: int
    pk: int | None
    name: str
    brand: str
    brand_id: int | None
    currency: str
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    is_archived: bool = False

    @property
    def currency_after(self) -> str:
        """The currency of the new amounts; the file may change it too."""
        return str(self.changes["currency"][1]) if "currency" in self.changes else self.currency

    @property
    def key(self) -> str:
        return str(self.pk) if self.pk is not None else f"{self.brand_id} {name_key(self.name)}"


@dataclass
class ImportPlan:
    """What a file would do: changed and new rows, the number of unchanged ones, and problems."""

    kind: Kind
    lines: list[PlannedLine] = field(default_factory=list)
    same: int = 0
    problems: list[Problem] = field(default_factory=list)
    # Read-only columns in the file.
    ignored: list[str] = field(default_factory=list)

    def add(self, planned: PlannedLine) -> None:
        if planned.changes or planned.pk is None:
            self.lines.append(planned)
        else:
            self.same += 1

    def refuse(self, line: int, sentence: str) -> None:
        self.problems.append(Problem(line, sentence))

    @property
    def new(self) -> list[PlannedLine]:
        return [line for line in self.lines if line.pk is None]

    @property
    def changed(self) -> list[PlannedLine]:
        return [line for line in self.lines if line.pk is not None]


def check_columns(kind: Kind, table: TextTable) -> list[str]:
    """Return the file's read-only columns. Raises FileRefused if a column is unknown or the key is missing."""
    fields = fields_of(kind)
    for name in table.columns:
        if name not in fields:
            raise FileRefused(f"Unknown column {quote(name)}: the columns of {kind} are {', '.join(fields)}.")
    key, by_name = KEYS_OF[kind]
    if key not in table.columns and not set(by_name) <= set(table.columns):
        names = " and ".join(by_name)
        raise FileRefused(f"The first line has neither {key} nor {names}, by which rows are matched: add one of them.")
    return [name for name in table.columns if fields[name].readonly]


def plan_rows(kind: Kind, table: TextTable, person: Person) -> ImportPlan:
    """Return what a file of brands or campaigns would change."""
    plan = ImportPlan(kind, ignored=check_columns(kind, table))
    finder = Finder(kind, table.lines, person)
    seen_before: dict[str, int] = {}
    for line in table.lines:
        try:
            planned = _plan_line(kind, line, finder, person)
            if (first := seen_before.setdefault(planned.key, line.number)) != line.number:
                raise LineRefused(f"“{planned.name}” is already in line {first}: keep one of the lines.")
            plan.add(planned)
        except (LineRefused, ValueError) as refusal:
            plan.refuse(line.number, str(refusal))
    _refuse_taken_names(plan)
    _refuse_other_currencies(plan)
    _refuse_unknown_owners(plan)
    return plan


def _plan_line(kind: Kind, line: Line, finder: Finder, person: Person) -> PlannedLine:
    known = finder.find(line)
    if known is None:
        return _plan_new(kind, line, finder, person)
    if not person.has_perm(f"campaigns.change_{kind.model._meta.model_name}"):
        raise LineRefused(f"“{known.name}” exists, and you don’t have permission to change {kind}: remove the line.")
    changes: dict[str, tuple[Any, Any]] = {}
    for column, text in _writable(kind, line):
        before = known.values[column]
        if column != "name":
            after = _read(kind, column, text, before, line=line)
        elif finder.is_by_id(line):
            after = _name(text, known, person, kind)
        else:
            continue  # the name was the key, perhaps in another spelling
        if after != before:
            changes[column] = (before, after)
    if known.archived and changes.get("enabled") == (False, True):
        raise LineRefused(f"enabled: “{known.name}” is archived: restore it first, or leave it off.")
    _check_dates({**known.values, **{column: after for column, (_, after) in changes.items()}})
    about = (known.pk, known.name, known.brand, known.brand_id, known.currency)
    return PlannedLine(line.number, *about, changes, known.archived)


def _plan_new(kind: Kind, line: Line, finder: Finder, person: Person) -> PlannedLine:
    name = _read(kind, "name", line.cells.get("name", ""))
    if not _may_add(kind, person):
        raise LineRefused(f"Unknown {kind.model._meta.model_name} {quote(name)}: correct the name.")
    brand = finder.brand_of(line) if kind == Kind.CAMPAIGNS else None
    if brand and brand.archived_at:
        raise LineRefused(f"brand: “{brand.name}” is archived: restore it first, or name another brand.")
    values = {column: _read(kind, column, text, line=line) for column, text in _writable(kind, line) if text.strip()}
    _check_dates(values)
    changes = {column: (None, value) for column, value in (values | {"name": name}).items()}
    currency = brand.currency if brand else str(values.get("currency", "USD"))
    brand_name, brand_id = (brand.name, brand.pk) if brand else (name, None)
    return PlannedLine(line.number, None, name, brand_name, brand_id, currency, changes)


def _may_add(kind: Kind, person: Person) -> bool:
    """Return whether the person may add rows; brands only if they see all: a refused name would reveal a hidden one."""
    if kind == Kind.BRANDS and sees_only_assigned_brands(person):
        return False
    return person.has_perm(f"campaigns.add_{kind.model._meta.model_name}")


def _writable(kind: Kind, line: Line) -> Iterable[tuple[str, str]]:
    fields = fields_of(kind)
    return ((column, text) for column, text in line.cells.items() if column not in KEYS and not fields[column].readonly)


def _read(kind: Kind, column: str, text: str, before: Any = None, line: Line | None = None) -> Any:
    """Return a cell's value. A value equal to the stored one isn't checked again.

    Amounts are: 1.255 in a file with semicolons is ambiguous even if the stored amount is 1.255.
    """
    widget = fields_of(kind)[column].widget
    is_amount = isinstance(widget, AmountCell)
    if before is not None and not is_amount and text == widget.render(before):
        return before
    try:
        return widget.clean(text, decimal=line.decimal_of(column)) if is_amount and line else widget.clean(text)
    except ValueError as error:
        raise LineRefused(f"{column}: {error}") from error


def _name(text: str, known: Known, person: Person, kind: Kind) -> str:
    """Return the new name of a row that was matched by id; surrounding space doesn't rename it."""
    if text in (known.name, known.name.strip()):
        return known.name
    if kind == Kind.BRANDS and sees_only_assigned_brands(person):
        raise LineRefused(f"name: you can't rename “{known.name}”: ask an administrator, or leave its name as it is.")
    return str(_read(kind, "name", text))


def _check_dates(values: Mapping[str, Any]) -> None:
    starts, ends = values.get("starts_on"), values.get("ends_on")
    if starts and ends and ends < starts:
        raise LineRefused(f"ends_on: the end date {ends} is before the start date {starts}. They can be the same day.")


def _refuse_other_currencies(plan: ImportPlan) -> None:
    """Refuse a new currency for brands that have spend."""
    wanted = [line for line in plan.changed if "currency" in line.changes]
    kept = brands_that_keep_their_currency(line.pk for line in wanted if line.pk)
    for line in wanted:
        if line.pk in kept:
            plan.lines.remove(line)
            plan.refuse(line.line, f"currency: {currency_is_kept(line.name, line.currency)}")
    plan.problems.sort(key=lambda problem: problem.line)


def _refuse_unknown_owners(plan: ImportPlan) -> None:
    wanted = [line for line in plan.lines if line.changes.get("owner", (None, None))[1]]
    known = owner_ids(line.changes["owner"][1] for line in wanted)
    for line in wanted:
        if (name := line.changes["owner"][1]) not in known:
            plan.lines.remove(line)
            plan.refuse(line.line, f"owner: {quote(name)} isn’t an active user: use a username, or leave it empty.")
    plan.problems.sort(key=lambda problem: problem.line)


def _refuse_taken_names(plan: ImportPlan) -> None:
    """Refuse names that equal another row's, in the database or in the file."""
    of_brands = plan.kind == Kind.BRANDS
    wanted = [
        (0 if of_brands else line.brand_id or 0, line.changes["name"][1], line)
        for line in plan.lines
        if "name" in line.changes
    ]
    alike = (
        brands_alike([name for _, name, _ in wanted])
        if of_brands
        else campaigns_alike([(brand_id, name) for brand_id, name, _ in wanted])
    )
    there: dict[BrandAndName, dict[int | None, str]] = defaultdict(dict)
    for row in alike:
        there[row.scope, name_key(row.name)][row.id] = row.label
    for scope, name, line in wanted:
        taken = there[scope, name_key(name)]
        others = [other for pk, other in taken.items() if pk is None or pk != line.pk]
        if others:
            plan.lines.remove(line)
            what = plan.kind.model._meta.model_name
            plan.refuse(line.line, f"name: another {what} is named {others[0]}: choose another name.")
        taken[None] = f"“{name}”"
    plan.problems.sort(key=lambda problem: problem.line)


# Amounts shown in the message.
MAX_NAMED = 5


def rounding_notes(plan: ImportPlan, table: TextTable) -> list[str]:
    """Return a message that names the amounts with more than six decimals, if any."""
    refused = {problem.line for problem in plan.problems}
    rounded = [note for line in table.lines if line.number not in refused for note in _rounded(plan, line)]
    if not rounded:
        return []
    more = f" and {len(rounded) - MAX_NAMED:,} more" if len(rounded) > MAX_NAMED else ""
    return [f"Amounts are rounded to {PLACES} decimals: {'; '.join(rounded[:MAX_NAMED])}{more}."]


def _rounded(plan: ImportPlan, line: Line) -> Iterator[str]:
    for column, declared in fields_of(plan.kind).items():
        cell, text, decimal = declared.widget, line.cells.get(column, ""), line.decimal_of(column)
        if isinstance(cell, AmountCell) and not declared.readonly and cell.is_rounded(text, decimal):
            yield f"{text.strip()} to {cell.render(cell.clean(text, decimal=decimal))} (line {line.number})"
