"""The preview of an import: what changes in each row, new rows, errors, and status changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from campaigns.admin.shared.display import chip, link_to, table
from campaigns.admin.shared.preview_table import (
    EFFECTS,
    SHOWN,
    ZONES,
    PreviewPage,
    arrow,
    effects_table,
    status_counts,
    title,
    zone_notes,
    zones_table,
)
from campaigns.services.exchange.columns import Kind
from campaigns.services.exchange.imports import ImportPreview, format_value
from campaigns.services.exchange.plan import ImportPlan, PlannedLine


def import_preview(preview: ImportPreview) -> PreviewPage:
    plan, effects = preview.plan, preview.effects
    counts = ((len(plan.changed), "to change"), (len(plan.new), "new"), (plan.same, "unchanged"))
    figures = [(f"{count:,}", word) for count, word in counts if count]
    tables = []
    if plan.problems:
        word = "line to correct" if len(plan.problems) == 1 else "lines to correct"
        figures.append((f"{len(plan.problems):,}", word))
        label = title("Errors", len(plan.problems))
        tables.append((label, _problems(plan, label)))
    if plan.lines:
        label = title("Changes", len(plan.lines))
        tables.append((label, _lines(plan, label)))
    if preview.zones:
        tables.append((title(ZONES, len(preview.zones)), zones_table(preview.zones[:SHOWN])))
    if effects.changes:
        tables.append((title(EFFECTS, len(effects.changes)), effects_table(effects, preview.new_campaigns)))
    can = bool(plan.lines) and not plan.problems
    figures += status_counts(effects)
    notes = [*_notes(plan), *preview.notes, *zone_notes(effects)]
    return PreviewPage(figures, notes, tables, can, bool(plan.problems))


def _problems(plan: ImportPlan, label: str) -> SafeString:
    rows = [(f"{problem.line:,}", problem.sentence) for problem in plan.problems[:SHOWN]]
    return table(("Line", "Error"), rows, numbers=(0,), empty="", cards=True, label=label)


def _notes(plan: ImportPlan) -> list[str]:
    notes = []
    if plan.problems:
        notes.append("Fix these lines first. The file is imported completely or not at all.")
    if plan.ignored:
        notes.append(f"These columns are calculated and ignored: {', '.join(plan.ignored)}.")
    return notes


def _lines(plan: ImportPlan, label: str) -> SafeString:
    of_brands = plan.kind == Kind.BRANDS
    heads = ("Line", "Brand", "Changes") if of_brands else ("Line", "Brand", "Campaign", "Changes")
    rows: list[Sequence[Any]] = []
    for line in plan.lines[:SHOWN]:
        name = link_to(plan.kind.model(pk=line.pk), line.name) if line.pk is not None else line.name
        if line.is_archived:
            name = format_html("{} (archived)", name)
        names = (name,) if of_brands else (line.brand, name)
        rows.append((f"{line.line:,}", *names, _changes(line)))
    return table(heads, rows, numbers=(0,), empty="", cards=True, label=label)


def _changes(line: PlannedLine) -> SafeString:
    if line.pk is None:
        values = [
            (_label(column), format_value(column, value, line.currency)) for column, (_, value) in line.changes.items()
        ]
        return format_html("{} {}", chip("new", "note"), format_html_join(", ", "{} {}", values))
    changed = [(_label(column), _arrow(line, column)) for column in line.changes]
    return format_html('<span class="campaigns-lines">{}</span>', format_html_join("", "<span>{}: {}</span>", changed))


def _arrow(line: PlannedLine, column: str) -> SafeString:
    before, after = line.changes[column]
    return arrow(format_value(column, before, line.currency), format_value(column, after, line.currency_after))


def _label(column: str) -> str:
    return column.replace("_", " ")
