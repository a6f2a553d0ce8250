"""CSV and XLSX: tables of text, written so that a spreadsheet runs nothing of them, and read within bounds.

A text that a spreadsheet would take for a formula gets ' before it in CSV, and so does one that would look like such a
text; reading takes it away again. In a workbook every cell is a text. Nothing of a file is evaluated; a workbook's
formulas count with the values that were saved in it.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from openpyxl.cell.cell import WriteOnlyCell
from openpyxl.reader.excel import load_workbook
from openpyxl.workbook.workbook import Workbook

LARGEST = 5 * 1024 * 1024
"""Bytes of a file that is taken."""
LARGEST_UNPACKED = 40 * 1024 * 1024
"""Bytes to which a workbook may unpack: it is an archive, and a small one may hold gigabytes."""
PARTS = 500
"""Files that a workbook may hold."""
MOST_ROWS = 20_000
MOST_COLUMNS = 40
LONGEST_CELL = 2_000

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
NOT_IN_XML = re.compile("[\0-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


class FileRefused(Exception):
    """The file as a whole can't be read; the message is a sentence that says why and what to do."""


@dataclass(frozen=True)
class Line:
    number: int
    """As an editor or a spreadsheet counts them; the first line names the columns."""
    cells: dict[str, str]


@dataclass(frozen=True)
class TextTable:
    columns: Sequence[str]
    lines: list[Line] = field(default_factory=list)


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a CSV file in UTF-8, with the mark by which spreadsheets know that."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_guarded(text) for text in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def write_xlsx(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a workbook with one sheet, each cell a text."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.freeze_panes = "A2"
    for row in (columns, *rows):
        sheet.append([_text_cell(sheet, text) for text in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read_table(name: str, data: bytes) -> TextTable:
    """Return the file's table; its name tells the format. Raises FileRefused."""
    if len(data) > LARGEST:
        raise FileRefused(f"The file is larger than {LARGEST // 1024**2} MB: import it in several files.")
    if name.lower().endswith(".xlsx"):
        return _as_table(_read_xlsx(data))
    if name.lower().endswith(".csv"):
        return _as_table(_read_csv(data))
    raise FileRefused(f"“{name}” is neither CSV nor XLSX: save it as one of these.")


def _guarded(text: str) -> str:
    return f"'{text}" if _looks_guarded_or_formula(text) else text


def _unguarded(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith((*FORMULA_STARTS, "'")) else text


def _looks_guarded_or_formula(text: str) -> bool:
    return text.startswith(FORMULA_STARTS) or _unguarded(text) != text


def _text_cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, "")
    cell.data_type = "s"
    cell._value = NOT_IN_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    return cell


def _as_table(rows: Iterator[tuple[int, list[str]]]) -> TextTable:
    _, head = next(rows, (1, []))
    columns = [name.strip().lower().replace(" ", "_") for name in head]
    while columns and not columns[-1]:
        columns.pop()
    if not columns:
        raise FileRefused("The first line is empty: it names the columns.")
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise FileRefused(f"The first line names the column “{twice}” more than once: leave one of them.")
    table = TextTable(columns)
    for number, values in rows:
        if not any(values):
            continue
        if len(table.lines) == MOST_ROWS:
            raise FileRefused(f"The file has more than {MOST_ROWS:,} rows: import it in several files.")
        _check_line(number, values, len(columns))
        padded = values + [""] * (len(columns) - len(values))
        table.lines.append(Line(number, dict(zip(columns, padded, strict=False))))
    return table


def _check_line(number: int, values: Sequence[str], width: int) -> None:
    if any(values[width:]):
        raise FileRefused(f"Line {number} has more values than the first line names columns: quote those with commas.")
    if any(len(value) > LONGEST_CELL for value in values):
        raise FileRefused(f"Line {number} holds a value of more than {LONGEST_CELL:,} characters: shorten it.")


def _read_csv(data: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileRefused("The file is not in UTF-8: save it as “CSV UTF-8” and import it again.") from None
    head = text.splitlines()[0] if text else ""
    # Spreadsheets of some countries put semicolons between values.
    delimiter = ";" if head.count(";") > head.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 1
    try:
        for row in reader:
            yield number, [_unguarded(value) for value in row]
            number = reader.line_num + 1
    except csv.Error as error:
        raise FileRefused(f"Line {number} can't be read ({error}): quote what holds quotes or line breaks.") from None


def _read_xlsx(data: bytes) -> Iterator[tuple[int, list[str]]]:
    _check_archive(data)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its own size is not to be trusted
        rows = sheet.iter_rows(max_row=MOST_ROWS + 2, max_col=MOST_COLUMNS, values_only=True)
        for number, row in enumerate(rows, 1):
            yield number, [_as_text(value) for value in row]
    except Exception as error:  # a parser of what others wrote fails in any way
        raise FileRefused("The file can't be read as a workbook: save it again as XLSX, or as CSV.") from error


def _check_archive(data: bytes) -> None:
    """Refuse an archive that unpacks to more than is reasonable. No part is unpacked beyond the size told here."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise FileRefused("The file is no XLSX workbook: save it again as XLSX, or as CSV.") from error
    if len(parts) > PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise FileRefused(
            f"The workbook unpacks to more than {LARGEST_UNPACKED // 1024**2} MB: copy its rows into a new one."
        )


def _as_text(value: Any) -> str:
    """Return a cell as somebody would type it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        return str(int(value))
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == time(0) else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
