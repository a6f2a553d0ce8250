"""Reading a sheet of a workbook: cells as text, dates by their number format, and cells that can't be imported."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from openpyxl.styles.numbers import BUILTIN_FORMATS
from openpyxl.utils.cell import column_index_from_string, get_column_letter
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

from campaigns.rules.text import shorten
from campaigns.services.exchange.archive import Attributes, Elements
from campaigns.services.exchange.files import MAX_COLUMNS, FileRefused, Row
from campaigns.services.exchange.number_formats import (
    FIRST_CUSTOM_FORMAT,
    MAX_LENGTH,
    currencies_of_format,
    is_date,
    is_duration,
)

ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
LAST_NUMBER = re.compile(r"[0-9]{1,7}$")
# Cells named in an error message.
MAX_NAMED = 10
# XML elements; spreadsheets allow about 65,000 styles with a few elements each.
MAX_STYLE_ELEMENTS = 500_000


class Styles(Elements):
    """Collects the styles that show a number as a date, a duration or money; cells refer to styles by number."""

    most = MAX_STYLE_ELEMENTS

    def __init__(self) -> None:
        super().__init__()
        self.dates: set[int] = set()
        self.durations: set[int] = set()
        # The currencies that a style's sign or code can mean.
        self.currencies: dict[int, tuple[str, ...]] = {}
        self._formats: dict[str, str] = {}
        self._parents: list[str] = []
        self._styles = 0

    def begin(self, name: str, attributes: Attributes) -> None:
        parent = self._parents[-1] if self._parents else ""
        self._parents.append(name)
        if (parent, name) == ("numFmts", "numFmt"):
            self._formats[attributes["numFmtId"]] = attributes["formatCode"][:MAX_LENGTH]
        elif (parent, name) == ("cellXfs", "xf"):
            self._add_style(attributes.get("numFmtId", "0"))

    def end(self, name: str) -> None:
        self._parents.pop()

    def _add_style(self, key: str) -> None:
        number_format = self._formats.get(key) or BUILTIN_FORMATS.get(int(key), "General")
        if is_duration(number_format):
            self.durations.add(self._styles)
        elif is_date(number_format):
            self.dates.add(self._styles)
        elif int(key) >= FIRST_CUSTOM_FORMAT and (currencies := currencies_of_format(number_format)):
            self.currencies[self._styles] = currencies
        self._styles += 1


@dataclass(frozen=True)
class WorkbookContext:
    """Shared strings, styles and the date system, which cells refer to."""

    strings: Sequence[str]
    styles: Styles
    is_1904: bool

    @property
    def epoch(self) -> datetime:
        return MAC_EPOCH if self.is_1904 else WINDOWS_EPOCH


@dataclass
class _Cell:
    column: int
    address: str
    type: str
    style: int
    is_formula: bool = False
    value: str = ""
    texts: list[str] = field(default_factory=list)


@dataclass
class _Faults:
    """Cells with the same problem."""

    what: str
    remedy: str
    cells: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, cell: str) -> None:
        self.count += 1
        if self.count <= MAX_NAMED:
            self.cells.append(shorten(cell))

    def refuse(self) -> None:
        """Raise FileRefused if there are such cells."""
        if self.count:
            more = f" and {self.count - MAX_NAMED:,} more" if self.count > MAX_NAMED else ""
            raise FileRefused(f"{self.what}: {', '.join(self.cells)}{more}. {self.remedy}")


class Sheet(Elements):
    """Collects a sheet's rows; those of reports with errors as text."""

    def __init__(self, book: WorkbookContext, width: int = MAX_COLUMNS, *, is_report: bool = False) -> None:
        super().__init__()
        self._book, self._width, self._is_report = book, width, is_report
        # The last row of each merged range.
        self.merged_until: list[int] = []
        self._rows: list[Row] = []
        self._row, self._column = 0, 0
        self._texts: dict[int, str] = {}
        self._numbers: set[int] = set()
        self._currencies: dict[int, tuple[str, ...]] = {}
        self._cell: _Cell | None = None
        self._is_phonetic = False
        self._errors = _Faults("Cells with errors", "Correct them and save the file again.")
        self._formulas = _Faults(
            "Cells with formulas whose saved value is missing or 0, as where nothing has calculated it",
            "Put the values in their place and save the file again.",
        )
        self._outside = _Faults(
            f"Cells with values to the right of column {get_column_letter(width)}",
            "Clear them and save the file again.",
        )
        self._merged = _Faults(
            "Merged cells, of which only the first has a value",
            "Unmerge them, fill each of them and save the file again.",
        )

    def take_rows(self) -> list[Row]:
        """Return the rows that were read since the last call."""
        rows, self._rows = self._rows, []
        return rows

    def refuse_faults(self) -> None:
        """Raise FileRefused, with addresses, if a cell can't be imported."""
        for faults in (self._errors, self._formulas, self._outside, self._merged):
            faults.refuse()

    def refuse_unknown_values(self) -> None:
        """Raise FileRefused if a cell's value isn't known, or wasn't read."""
        for faults in (self._formulas, self._outside):
            faults.refuse()

    def begin(self, name: str, attributes: Attributes) -> None:
        if name == "row":
            self._row = int(attributes.get("r", self._row + 1))
            self._column, self._texts, self._numbers, self._currencies = 0, {}, set(), {}
        elif name == "c":
            self._begin_cell(attributes)
        elif name == "mergeCell":
            self._merged.add(attributes["ref"])
            self.merged_until += map(int, LAST_NUMBER.findall(attributes["ref"]))
        elif self._cell is not None:
            self._begin_in_cell(self._cell, name)

    def _begin_cell(self, attributes: Attributes) -> None:
        address = attributes.get("r")
        self._column = column_index_from_string(address.rstrip("0123456789")) if address else self._column + 1
        address = f"{get_column_letter(self._column)}{self._row}"
        self._cell = _Cell(self._column, address, attributes.get("t", "n"), int(attributes.get("s", 0)))

    def _begin_in_cell(self, cell: _Cell, name: str) -> None:
        if name == "f":
            cell.is_formula = True
        elif name == "rPh":
            self._is_phonetic = True
        elif name in ("v", "t"):
            self.collect()

    def end(self, name: str) -> None:
        if name == "row":
            width = min(max(self._texts, default=0), self._width)
            values = [self._texts.get(column, "") for column in range(1, width + 1)]
            numbers = frozenset(column - 1 for column in self._numbers if column <= width)
            self._rows.append(Row(self._row, values, numbers, self._currencies))
        elif self._cell is not None:
            self._end_in_cell(self._cell, name)

    def _end_in_cell(self, cell: _Cell, name: str) -> None:
        if name == "v":
            cell.value = self.collected_text()
        elif name == "t":
            text = self.collected_text()
            if not self._is_phonetic:
                cell.texts.append(text)
        elif name == "rPh":
            self._is_phonetic = False
        elif name == "c":
            self._cell = None
            self._add(cell)

    def _add(self, cell: _Cell) -> None:
        if cell.type == "e":
            self._errors.add(f"{cell.address} ({cell.value})")
            if self._is_report:
                self._texts[cell.column] = cell.value
        elif cell.is_formula and _is_uncalculated(cell):
            self._formulas.add(cell.address)
        elif text := self._shown(cell):
            self._texts[cell.column] = text
            if cell.column > self._width:
                self._outside.add(cell.address)

    def _shown(self, cell: _Cell) -> str:
        """Return a cell's text as a user would type it."""
        if cell.type == "inlineStr":
            return unescaped("".join(cell.texts))
        if not cell.value:
            return ""
        if cell.type == "s":
            return self._book.strings[int(cell.value)]
        if cell.type == "str":
            return unescaped(cell.value)
        if cell.type == "b":
            return "on" if cell.value in ("1", "true") else "off"
        if cell.type == "d":
            return _day_or_instant(datetime.fromisoformat(cell.value))
        return self._number_or_date(cell)

    def _number_or_date(self, cell: _Cell) -> str:
        number = _number(cell.value)
        is_duration = cell.style in self._book.styles.durations
        if not is_duration and cell.style not in self._book.styles.dates:
            self._numbers.add(cell.column)
            if currencies := self._book.styles.currencies.get(cell.style):
                self._currencies[cell.column - 1] = currencies
            return str(number)
        try:
            return _day_or_instant(from_excel(number, self._book.epoch, timedelta=is_duration))
        except (OverflowError, ValueError):
            self._errors.add(f"{cell.address} (no date: {cell.value})")
            return ""


def _is_uncalculated(cell: _Cell) -> bool:
    return not cell.value or (cell.type == "n" and not _number(cell.value))


def _number(text: str) -> int | float:
    if not NUMBER.fullmatch(text):
        raise ValueError(text)
    if text.isdecimal():
        return int(text)
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 10**15 else number


def _day_or_instant(value: datetime | date | time | timedelta) -> str:
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(" ")
    return value.isoformat()


def unescaped(text: str) -> str:
    """Return a text with its _xHHHH_ escapes decoded."""
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
