"""Tables of text, as files of brands, campaigns and schedules hold them, within bounds and complete or refused.

CSV is campaigns.services.exchange.csv_files, XLSX campaigns.services.exchange.xlsx; both give rows of texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from campaigns.rules.amounts import DecimalMark

# Bytes of a file that is taken.
LARGEST = 5 * 1024 * 1024
MOST_ROWS = 20_000
MOST_COLUMNS = 40
LONGEST_CELL = 2_000
SHOWN = 60

# What is written to a cell: a text stays a text, a number a number, a date a date.
Value = str | int | Decimal | date | None


class FileRefused(Exception):
    """The file as a whole can't be read; the message is a sentence that says why and what to do."""


def shortened(text: str) -> str:
    """Return a text of a file for a sentence, the beginning of a long one."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


class Row(NamedTuple):
    """A row of a file; numbers are the places of the cells that are numbers as such, not texts."""

    number: int
    values: list[str]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Line:
    # As an editor or a spreadsheet counts them; the first line names the columns.
    number: int
    cells: dict[str, str]
    # What is known of the decimal separator in texts.
    decimal: DecimalMark = DecimalMark.USUALLY_POINT
    # The columns whose cells are numbers as such: those have a decimal point.
    numbers: frozenset[str] = frozenset()

    def decimal_of(self, column: str) -> DecimalMark:
        return DecimalMark.POINT if column in self.numbers else self.decimal


@dataclass(frozen=True)
class TextTable:
    columns: Sequence[str]
    lines: list[Line] = field(default_factory=list)
    # Sentences on what of the file was left out.
    notes: list[str] = field(default_factory=list)


def as_table(rows: Iterable[Row], decimal: DecimalMark) -> TextTable:
    """Return the rows as lines of named cells. Blank rows are passed over. Raises FileRefused."""
    remaining = iter(rows)
    columns = _columns(next(remaining, Row(1, [])))
    table = TextTable(columns)
    for row in remaining:
        _check_row(row, len(columns))
        if not any(value.strip() for value in row.values):
            continue
        if len(table.lines) == MOST_ROWS:
            raise FileRefused(f"The file has more than {MOST_ROWS:,} rows: import it in several files.")
        padded = row.values + [""] * (len(columns) - len(row.values))
        numbers = frozenset(columns[place] for place in row.numbers)
        table.lines.append(Line(row.number, dict(zip(columns, padded, strict=False)), decimal, numbers))
    return table


def _columns(head: Row) -> list[str]:
    columns = [name.strip().lower().replace(" ", "_") for name in head.values]
    while columns and not columns[-1]:
        columns.pop()
    if not columns or head.number != 1:
        raise FileRefused("The first line is empty: it names the columns.")
    if len(columns) > MOST_COLUMNS:
        raise FileRefused(f"The first line names more than {MOST_COLUMNS} columns: leave those to import.")
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise FileRefused(f"The first line names the column “{shortened(twice)}” more than once: leave one of them.")
    return columns


def _check_row(row: Row, width: int) -> None:
    if any(value.strip() for value in row.values[width:]):
        raise FileRefused(
            f"Line {row.number} has more values than the first line names columns: quote those with commas."
        )
    if any(len(value) > LONGEST_CELL for value in row.values):
        raise FileRefused(f"Line {row.number} holds a value of more than {LONGEST_CELL:,} characters: shorten it.")
