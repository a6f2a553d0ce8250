"""What is said of the import of a spend file, by the command and by the admin."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.models import SpendUpload
from campaigns.rules.money import format_money
from campaigns.services.intake.importer import Counts
from campaigns.services.intake.preview import Preview

State = SpendUpload.State


def number(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def remarks(counts: Counts | SpendUpload) -> Iterator[str]:
    """Yield sentences about lines that were no spend records, and about amounts that were rounded."""
    passed_over = []
    if counts.without_spend:
        passed_over.append(f"{number(counts.without_spend, 'row')} without spend (0, -- or empty)")
    if counts.notes:
        passed_over.append(f"{number(counts.notes, 'line')} of totals and notes")
    if passed_over:
        yield f"Passed over: {' and '.join(passed_over)}."
    if counts.rounded:
        yield f"Rounded to six decimals: {number(counts.rounded, 'amount')}."


def note_lines(preview: Preview) -> str:
    """Name the lines of totals and notes, "" where there are none."""
    lines = ", ".join(f"{line:,}" for line in preview.note_lines)
    more = preview.counts.notes - len(preview.note_lines)
    if not lines:
        return ""
    word = "line" if preview.counts.notes == 1 else "lines"
    return f"Totals and notes, which are no spend: {word} {lines}{f' and {more:,} more' if more else ''}."


def earlier_sentence(earlier: SpendUpload, *, show_who: bool = True) -> str:
    """Say when, by whom and how the same bytes were imported."""
    who = earlier.who if show_who else "somebody else"
    when = f"{earlier.created_at:%Y-%m-%d %H:%M} UTC"
    if earlier.state in (State.WAITING, State.RUNNING):
        return f"The same file, uploaded on {when} by {who}, is being imported."
    rows = number(earlier.imported, "row")
    return f"The same file was imported on {when} by {who} as “{earlier.name}”: {rows}."


def table_text(preview: Preview) -> Iterator[str]:
    """Yield the lines of a table for a terminal: money by brand and local day."""
    head = ("brand", "day", "rows", "amount")
    rows = [(day.brand, str(day.day), f"{day.rows:,}", format_money(day.amount, day.currency)) for day in preview.days]
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    for row in (head, *rows):
        brand, day, count, money = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        yield f"{brand}  {day}  {count.strip():>{widths[2]}}  {money.strip():>{widths[3]}}"
    if preview.other_rows:
        yield f"and {number(preview.other_rows, 'row')} of further days"
    for currency, amount in preview.totals.items():
        yield f"Together: {format_money(amount, currency)}"
