"""What an import rounds, told before it is confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.rules.money import PLACES
from campaigns.services.exchange.cells import AmountCell
from campaigns.services.exchange.columns import fields_of
from campaigns.services.exchange.files import Line, TextTable
from campaigns.services.exchange.plan import Plan

# So many amounts are shown; all of them are counted.
TELL = 5


def rounding_notes(plan: Plan, table: TextTable) -> list[str]:
    """Return a sentence on the amounts of a file that have more decimals than are kept, if there are any."""
    refused = {problem.line for problem in plan.problems}
    rounded = [told for line in table.lines if line.number not in refused for told in _rounded(plan, line)]
    if not rounded:
        return []
    more = f" and {len(rounded) - TELL:,} more" if len(rounded) > TELL else ""
    return [f"Amounts are rounded to {PLACES} decimals: {'; '.join(rounded[:TELL])}{more}."]


def _rounded(plan: Plan, line: Line) -> Iterator[str]:
    for column, field in fields_of(plan.kind).items():
        cell, text, decimal = field.widget, line.cells.get(column, ""), line.decimal_of(column)
        if isinstance(cell, AmountCell) and not field.readonly and cell.is_rounded(text, decimal):
            yield f"{text.strip()} to {cell.render(cell.clean(text, decimal=decimal))} (line {line.number})"
