"""Tables of text as read from CSV or XLSX: within size limits, complete or refused.

CSV is campaigns.services.exchange.csv_files, XLSX campaigns.services.exchange.xlsx; both give rows of texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from campaigns.rules.amounts import DecimalMark
from campaigns.rules.text import shorten

# Size of a file.
MAX_BYTES = 5 * 1024 * 1024
MAX_ROWS = 20_000
MAX_COLUMNS = 40
MAX_CELL_LENGTH = 2_000

# A value written to a cell, with its type. A datetime has no zone: the name of its column says which one it is in.
Value = str | int | Decimal | date | datetime | None


class FileRefused(Exception):
    """The file can't be imported; the message says why and what to do."""


class Row(NamedTuple):
    """A row of a file; numbers are the positions of numeric cells, currencies what their formats can mean."""

    number: int
    values: list[str]
    numbers: frozenset[int] = frozenset()
    currencies: Mapping[int, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True)
class Line:
    # As editors and spreadsheets count; line 1 has the column names.
    number: int
    cells: dict[str, str]
    # The decimal separator in text cells.
    decimal: DecimalMark = DecimalMark.USUALLY_POINT
    # Columns with numeric cells, whose decimal separator is a point.
    numbers: frozenset[str] = frozenset()

    def decimal_of(self, column: str) -> DecimalMark:
        return DecimalMark.POINT if column in self.numbers else self.decimal


@dataclass(frozen=True)
class TextTable:
    columns: Sequence[str]
    lines: list[Line] = field(default_factory=list)
    # Messages about parts of the file that were left out.
    notes: list[str] = field(default_factory=list)


def as_table(rows: Iterable[Row], decimal: DecimalMark) -> TextTable:
    """Return the rows as lines of named cells, without blank rows. Raises FileRefused."""
    remaining = iter(rows)
    columns = _columns(next(remaining, Row(1, [])))
    table = TextTable(columns)
    for row in remaining:
        _check_row(row, len(columns))
        if not any(value.strip() for value in row.values):
            continue
        if len(table.lines) == MAX_ROWS:
            raise FileRefused(f"The file has more than {MAX_ROWS:,} rows: import it in several files.")
        padded = row.values + [""] * (len(columns) - len(row.values))
        numbers = frozenset(columns[place] for place in row.numbers)
        table.lines.append(Line(row.number, dict(zip(columns, padded, strict=False)), decimal, numbers))
    return table


def _columns(head: Row) -> list[str]:
    columns = [name.strip().lower().replace(" ", "_") for name in head.values]
    while columns and not columns[-1]:
        columns.pop()
    if not columns or head.number != 1:
        raise FileRefused("The first line is empty: it must name the columns.")
    if len(columns) > MAX_COLUMNS:
        raise FileRefused(f"The first line names more than {MAX_COLUMNS} columns: keep only those to import.")
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise FileRefused(f"The first line names the column “{shorten(twice)}” more than once: keep one of them.")
    return columns


def _check_row(row: Row, width: int) -> None:
    if any(value.strip() for value in row.values[width:]):
        raise FileRefused(
            f"Line {row.number} has more values than the first line has columns: put values with commas in quotes."
        )
    if any(len(value) > MAX_CELL_LENGTH for value in row.values):
        raise FileRefused(f"Line {row.number} holds a value of more than {MAX_CELL_LENGTH:,} characters: shorten it.")
