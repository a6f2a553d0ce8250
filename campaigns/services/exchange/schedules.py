"""Comparing a file of schedules with the database: each campaign in the file gets exactly the windows of its lines.

Campaigns not in the file keep their windows. "always", without times, removes all windows.
"""

from __future__ import annotations

from typing import Any

from campaigns.models import Campaign
from campaigns.rules.text import quote
from campaigns.services.bulk.operations import ApplySchedule
from campaigns.services.bulk.schedules import Schedule, WindowValue
from campaigns.services.exchange.cells import ALWAYS
from campaigns.services.exchange.columns import Kind, fields_of
from campaigns.services.exchange.files import Line, TextTable
from campaigns.services.exchange.find import Finder, Known, LineRefused
from campaigns.services.exchange.plan import ImportPlan, PlannedLine, check_columns
from campaigns.services.permissions import Person

SCHEDULE = "schedule"
READER = ApplySchedule(())


def plan_schedules(table: TextTable, person: Person) -> ImportPlan:
    """Return what a file of schedules would change."""
    plan = ImportPlan(Kind.SCHEDULES, ignored=check_columns(Kind.SCHEDULES, table))
    finder = Finder(Kind.SCHEDULES, table.lines, person)
    wanted: dict[int, list[tuple[Line, WindowValue | None]]] = {}
    for line in table.lines:
        try:
            known = _campaign(finder, line, person)
            window = _window(line)
            wanted.setdefault(known.pk, []).append((line, window))
        except LineRefused as refusal:
            plan.refuse(line.number, str(refusal))
    there = READER.read(Campaign, list(wanted))
    for pk, windows in wanted.items():
        _plan_campaign(plan, finder.by_id[pk], windows, there[pk])
    plan.problems.sort(key=lambda problem: problem.line)
    return plan


def _plan_campaign(
    plan: ImportPlan, known: Known, windows: list[tuple[Line, WindowValue | None]], before: Schedule
) -> None:
    values = [window for _, window in windows if window is not None]
    first = windows[0][0].number
    if values and len(values) < len(windows):
        plan.refuse(first, f"days: “{known.name}” is “{ALWAYS}” in one line and has a window in another: keep one.")
        return
    after = tuple(sorted(values))
    changes: dict[str, tuple[Any, Any]] = {SCHEDULE: (before, after)} if after != before else {}
    about = (known.name, known.brand, known.brand_id, known.currency)
    plan.add(PlannedLine(first, known.pk, *about, changes))


def _campaign(finder: Finder, line: Line, person: Person) -> Known:
    known = finder.find(line)
    if known is None:
        brand = finder.brand_of(line)
        name = quote(line.cells.get("campaign", ""))
        raise LineRefused(f"campaign: the brand “{brand.name}” has no campaign {name}: correct the name.")
    if not person.has_perm("campaigns.change_campaign"):
        raise LineRefused(f"“{known.name}” exists, and you don’t have permission to change campaigns: remove the line.")
    return known


def _window(line: Line) -> WindowValue | None:
    """Return the window of a line; None for a campaign without windows. Raises LineRefused."""
    days, start, end = (_read(line, column) for column in ("days", "from", "until"))
    if not days:
        if start or end:
            raise LineRefused(f"from: “{ALWAYS}” takes no times: leave them empty, or enter the days.")
        return None
    if not start or not end:
        raise LineRefused("from: a window needs both times: use 00:00 and 00:00 for the whole day.")
    if start == end != "00:00":
        raise LineRefused(f"until: {start} to {end} is empty: use 00:00 to 00:00 for the whole day.")
    return WindowValue(days, start, end)


def _read(line: Line, column: str) -> Any:
    try:
        return fields_of(Kind.SCHEDULES)[column].widget.clean(line.cells.get(column, ""))
    except ValueError as error:
        raise LineRefused(f"{column}: {error}") from error
