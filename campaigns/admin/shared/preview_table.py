"""Previews of changes: tables of what changes in each row, of spend in a new time zone, and of statuses."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from campaigns.admin.shared.display import chip, link_to, status_chips, table
from campaigns.admin.shared.messages import unknown_zone_note
from campaigns.models import Brand, Campaign
from campaigns.rules.money import format_amount, format_money
from campaigns.services.bulk.change_many import PlannedRow, Preview
from campaigns.services.bulk.operations import Operation, Owner
from campaigns.services.enforcement.enforce import Change
from campaigns.services.enforcement.saving import Effects, Spent, ZoneChange

EFFECTS = "Status changes"
ZONES = "Spend in the new time zone"

# Maximum number of rows shown of each kind; all of them are counted.
SHOWN = 100


@dataclass(frozen=True)
class PreviewPage:
    """What the page shows: a line of figures, notes, and titled tables."""

    counts: list[tuple[str, str]]
    notes: list[str]
    tables: list[tuple[str, SafeString]]
    changes: bool
    problems: bool = False


def bulk_preview(operation: Operation, model: Owner, preview: Preview) -> PreviewPage:
    changing, refused = preview.changing, preview.refused
    same = len(preview.rows) - len(changing) - len(refused)
    counts = [("to change", len(changing)), ("unchanged", same), ("skipped", len(refused))]
    effects = {change.campaign_id: change for change in preview.effects.changes}
    tables = [(title("Changes", len(changing)), _changes(operation, model, changing, effects))] if changing else []
    if issubclass(model, Brand) and effects:
        tables.append((title(EFFECTS, len(effects)), effects_table(preview.effects)))
    if refused:
        tables.append((title("Skipped", len(refused)), _refusals(operation, model, refused)))
    figures = [(f"{count:,}", word) for word, count in counts if count or word == "to change"]
    figures += status_counts(preview.effects)
    return PreviewPage(figures, zone_notes(preview.effects), tables, bool(changing))


def status_counts(effects: Effects) -> list[tuple[str, str]]:
    """Return how many campaigns would pause and resume, with words."""
    counts = (
        (effects.paused, "campaign pauses", "campaigns pause"),
        (effects.resumed, "campaign resumes", "campaigns resume"),
    )
    return [(f"{count:,}", one if count == 1 else many) for count, one, many in counts if count]


def zone_notes(effects: Effects) -> list[str]:
    return [unknown_zone_note(zone) for zone in effects.unknown_zones]


def arrow(before: Any, after: Any) -> SafeString:
    """Return an old and a new value, readable without colour and by screen readers."""
    return format_html(
        '<span class="campaigns-change"><del>{}</del><span class="campaigns-arrow" aria-hidden="true">→</span>'
        '<span class="campaigns-unseen"> becomes </span><ins>{}</ins></span>',
        before,
        after,
    )


def status_change(change: Change) -> SafeString:
    return arrow(status_chips(change.before), status_chips(change.after))


def effects_table(effects: Effects, new: Container[int] = ()) -> SafeString:
    """Return a table of status changes; new campaigns have no page to link to yet, and had no status."""
    rows = []
    for change in sorted(effects.changes, key=_is_only_reasons)[:SHOWN]:
        if change.campaign_id in new:
            rows.append((change.brand, change.campaign, arrow(chip("new", "note"), status_chips(change.after))))
        else:
            link = link_to(Campaign(pk=change.campaign_id), change.campaign)
            rows.append((change.brand, link, status_change(change)))
    return table(("Brand", "Campaign", "Status"), rows, empty="", cards=True)


def _changes(operation: Operation, model: Owner, rows: Sequence[PlannedRow], effects: dict[int, Change]) -> SafeString:
    """Return what changes in each row; for campaigns also the status, and those that pause or resume first."""
    first = sorted(rows, key=lambda row: _rank(effects.get(row.pk)))[:SHOWN] if issubclass(model, Campaign) else rows
    cells = [(*_names(model, row), _change(operation, row), _effect(effects.get(row.pk))) for row in first[:SHOWN]]
    heads = (*_heads(model), capfirst(operation.attribute), "Status")
    if issubclass(model, Brand):
        heads, cells = heads[:-1], [row[:-1] for row in cells]
    return table(heads, cells, empty="", cards=True)


def _rank(change: Change | None) -> int:
    return 2 if change is None else int(_is_only_reasons(change))


def _is_only_reasons(change: Change) -> bool:
    """Whether the campaign stays paused, for other reasons."""
    return bool(change.before and change.after)


def _effect(change: Change | None) -> SafeString:
    return status_change(change) if change else format_html('<span class="campaigns-quiet">{}</span>', "unchanged")


def _change(operation: Operation, row: PlannedRow) -> SafeString:
    return arrow(operation.format_value(row.before, row.currency), operation.format_value(row.after, row.currency))


def _refusals(operation: Operation, model: Owner, rows: Sequence[PlannedRow]) -> SafeString:
    shown = [
        (*_names(model, row), operation.format_value(row.before, row.currency), row.refused) for row in rows[:SHOWN]
    ]
    return table((*_heads(model), capfirst(operation.attribute), "Why"), shown, empty="", cards=True)


def _heads(model: Owner) -> tuple[str, ...]:
    return ("Brand",) if issubclass(model, Brand) else ("Brand", "Campaign")


def _names(model: Owner, row: PlannedRow) -> tuple[Any, ...]:
    return (_link(model, row),) if issubclass(model, Brand) else (row.brand, _link(model, row))


def _link(model: Owner, row: PlannedRow) -> SafeString:
    return link_to(model(pk=row.pk), row.name)


def title(text: str, count: int) -> str:
    return f"{text}: the first {SHOWN} of {count:,}" if count > SHOWN else f"{text}: {count:,}"


def brand_zone_table(change: ZoneChange) -> SafeString:
    """Return one brand's spend before and after a change of its time zone, narrow enough for a phone."""
    before, after = change.before, change.after
    rows = [
        ("Today", format_money(before.today, before.currency), format_money(after.today, after.currency)),
        (
            "This month",
            format_money(before.this_month, before.currency),
            format_money(after.this_month, after.currency),
        ),
    ]
    return table(("Spend", "Now", "After"), rows, numbers=(1, 2), empty="", label=ZONES)


def zones_table(changes: Iterable[ZoneChange]) -> SafeString:
    """Return the spend of several brands before and after a change of their time zones."""
    rows = [
        (
            change.before.name,
            arrow(change.before.timezone, change.after.timezone),
            _zone_change(change.before, change.after, "today"),
            _zone_change(change.before, change.after, "this_month"),
        )
        for change in changes
    ]
    return table(("Brand", "Time zone", "Spent today", "Spent this month"), rows, empty="", label=ZONES)


def _zone_change(before: Spent, after: Spent, period: str) -> SafeString | str:
    old: Decimal = getattr(before, period)
    new: Decimal = getattr(after, period)
    if old == new:
        return f"{format_amount(new, after.currency)} {after.currency}, unchanged"
    return arrow(format_amount(old, before.currency), f"{format_amount(new, after.currency)} {after.currency}")
