"""Messages about an import, for the command and the admin."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from campaigns.models import SpendUpload
from campaigns.rules.money import format_money
from campaigns.rules.times import format_time
from campaigns.services.history.actors import actor_name
from campaigns.services.intake.placement import Counts
from campaigns.services.intake.preview import Preview

State = SpendUpload.State


def pluralize(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def remarks(counts: Counts | SpendUpload) -> Iterator[str]:
    """Yield sentences about skipped lines and rounded amounts."""
    skipped = []
    if counts.without_spend:
        skipped.append(f"{pluralize(counts.without_spend, 'row')} without spend (0, -- or empty)")
    if counts.notes:
        skipped.append(f"{pluralize(counts.notes, 'line')} of totals and notes")
    if skipped:
        yield f"Skipped: {' and '.join(skipped)}."
    if counts.rounded:
        yield f"Rounded to six decimals: {pluralize(counts.rounded, 'amount')}."


def describe_preview(preview: Preview) -> Iterator[str]:
    """Yield sentences about what a file would do, besides its figures."""
    yield from remarks(preview.counts)
    for sentence in (describe_notes(preview), describe_archived(preview), describe_reversed(preview)):
        if sentence:
            yield sentence


def describe_notes(preview: Preview) -> str:
    """Return a sentence with the lines of totals and notes, or ""."""
    lines = ", ".join(f"{line:,}" for line in preview.note_lines)
    more = preview.counts.notes - len(preview.note_lines)
    if not lines:
        return ""
    word = "line" if preview.counts.notes == 1 else "lines"
    return f"Totals and notes, not imported: {word} {lines}{f' and {more:,} more' if more else ''}."


def describe_archived(preview: Preview) -> str:
    """Return a sentence with the archived brands and campaigns that the file has spend of, or ""."""
    return f"Archived, which their spend doesn't change: {', '.join(preview.archived)}." if preview.archived else ""


def describe_reversed(preview: Preview) -> str:
    """Return what to do about rows whose import was reversed: an external ID counts once (R11), also at 0."""
    if not preview.reversed:
        return ""
    verb = "was" if preview.reversed == 1 else "were"
    return (
        f"{pluralize(preview.reversed, 'row')} with an existing external_id {verb} reversed with the import, so they"
        " add up to 0, and stay skipped. To import them again, give them new IDs, for example with “-2” at the end."
    )


def describe_earlier_import(earlier: SpendUpload, *, show_who: bool = True) -> str:
    """Return a sentence on when and by whom the same bytes were imported."""
    who = actor_name(earlier.who) if show_who else "somebody else"
    when = format_time(earlier.created_at, ZoneInfo("UTC"), seconds=False)
    if earlier.state in (State.WAITING, State.RUNNING):
        return f"The same file, uploaded on {when} by {who}, is being imported."
    rows = pluralize(earlier.imported, "row")
    return f"The same file was imported on {when} by {who} as “{earlier.name}”: {rows}."


def format_table(preview: Preview) -> Iterator[str]:
    """Yield the lines of a text table: spend by brand and local day."""
    head = ("brand", "day", "rows", "amount")
    rows = [(day.brand, str(day.day), f"{day.rows:,}", format_money(day.amount, day.currency)) for day in preview.days]
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    for row in (head, *rows):
        brand, day, count, money = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        yield f"{brand}  {day}  {count.strip():>{widths[2]}}  {money.strip():>{widths[3]}}"
    if preview.other_rows:
        yield f"and {pluralize(preview.other_rows, 'row')} of further days"
    for currency, amount in preview.totals.items():
        yield f"Total: {format_money(amount, currency)}"
