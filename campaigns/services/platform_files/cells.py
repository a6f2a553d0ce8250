"""A downloaded report as rows of text: from bytes or a workbook, in any encoding and with any separator.

Everything is bounded, because files are hostile input. Nothing is interpreted here: titles, tables, totals and notes
are all rows.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from campaigns.services.exchange.files import FileRefused

if TYPE_CHECKING:
    from campaigns.services.exchange.xlsx import SheetRows

MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 100_000
MAX_COLUMNS = 250
MAX_CELL_LENGTH = 2_000

SEPARATORS = (",", ";", "\t", "|")
SEPARATOR_LINE = re.compile(r"\s*\"?sep=(?P<separator>[,;\t|])\"?\s*(?:\r\n|\r|\n|$)", re.IGNORECASE)
# Rows that decide about the separator, and in which the table must begin.
HEAD_ROWS = 200
WORKBOOK = b"PK\x03\x04"
OTHER_FILES = {
    b"\x1f\x8b": "The file is compressed (gzip): unpack it and choose the file in it.",
    b"%pdf": "The file is a PDF: download the report as CSV or XLSX.",
    b"\xd0\xcf\x11\xe0": "The file is an old Excel workbook (XLS): save it as XLSX or CSV.",
}
# Web pages and XML, which are often named .xls; in any encoding.
WEB_PAGE = re.compile(r"[\ufeff\s]*(?:<[!?a-z]|MIME-Version:)", re.IGNORECASE)
NO_TEXT = (
    "The file is a web page or XML, whatever its name: open it in a spreadsheet and save it as XLSX or CSV, or download"
    " the report as one of these."
)
# Letters and signs that texts of western European languages contain; others suggest another encoding.
WESTERN = re.compile(r"[\w\s!-~€‚„…‘’“”•–—™©®°·×÷¡¿§£¥«»ªº´¨¸²³¹±¼½¾]*")


class FileRow(NamedTuple):
    """A row of a file. numbers are the positions of numeric cells of a workbook, whose decimal separator is a point.

    currencies are those that the number formats of such cells can mean.
    """

    line: int
    cells: Sequence[str]
    numbers: frozenset[int] = frozenset()
    currencies: Mapping[int, tuple[str, ...]] = MappingProxyType({})


class Sheet(NamedTuple):
    """The rows of a CSV file, or of one sheet of a workbook. notes are messages about how they were read."""

    rows: Sequence[FileRow]
    notes: Sequence[str] = ()
    # The last row of each merged range.
    merged_until: Sequence[int] = ()
    is_1904: bool = False


def read_sheets_of(data: bytes) -> list[list[Sheet]]:
    """Return the file's readings: for each sheet, the ways to split it. Raises FileRefused."""
    if len(data) > MAX_BYTES:
        raise FileRefused(
            f"The file is larger than {MAX_BYTES // 1024**2} MB: download a shorter period, or fewer columns."
        )
    if data.startswith(WORKBOOK):
        from campaigns.services.exchange.xlsx import read_sheets  # openpyxl, only needed for a workbook

        return [[_of_workbook(sheet)] for sheet in read_sheets(data, MAX_COLUMNS, MAX_ROWS)]
    for start, sentence in OTHER_FILES.items():
        if data[:64].lstrip().lower().startswith(start):
            raise FileRefused(sentence)
    text, note = decode(data)
    if not text.strip():
        raise FileRefused("The file is empty. Choose another one.")
    if WEB_PAGE.match(text):
        raise FileRefused(NO_TEXT)
    return [_split(text, note)]


def decode(data: bytes) -> tuple[str, str]:
    """Return the text, and a note if its encoding isn't certain. Raises FileRefused."""
    encoding = _unicode_encoding(data)
    try:
        text = data.decode(encoding)
        note = ""
    except UnicodeDecodeError:
        text, note = _decode_western(data), "Read as Windows-1252, since it isn’t UTF-8: check the letters in names."
    if "\0" in text:
        raise FileRefused("The file contains NUL characters, so it isn’t a text file: download the report as CSV.")
    return text, note


def _unicode_encoding(data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = data[:2000]
    even, odd = head[::2].count(0), head[1::2].count(0)
    # Without a byte order mark: most characters of a report are ASCII, and one of their two bytes is 0.
    if max(even, odd) * 4 >= len(head) > 2:
        return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8"


def _decode_western(data: bytes) -> str:
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        text = ""
    if not text or not WESTERN.fullmatch(text):
        raise FileRefused("The file’s encoding is unknown: download or save it as CSV in UTF-8, or as XLSX.")
    return text


def _split(text: str, note: str) -> list[Sheet]:
    """Return the text's rows by each separator that splits it; by the one that its first line names."""
    named = SEPARATOR_LINE.match(text)
    if named:
        # Line numbers stay those of an editor.
        return [_sheet(text[named.end() :], named["separator"], note, first=2)]
    found = [separator for separator in SEPARATORS if separator in text]
    readings: list[Sheet] = []
    refusal: FileRefused | None = None
    for separator in found or SEPARATORS[:1]:
        try:
            readings.append(_sheet(text, separator, note))
        except FileRefused as error:
            refusal = refusal or error
    if not readings and refusal:
        raise refusal
    return readings


def _sheet(text: str, separator: str, note: str, first: int = 1) -> Sheet:
    return Sheet(list(_rows(text, separator, first)), [note] if note else [])


def _rows(text: str, separator: str, first: int) -> Iterator[FileRow]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line, count = first, 0
    try:
        for cells in reader:
            count += 1
            if count > MAX_ROWS:
                raise FileRefused(f"The file has more than {MAX_ROWS:,} rows: download a shorter period.")
            yield _bounded(FileRow(line, [_printable(cell) for cell in cells]))
            line = reader.line_num + first
    except csv.Error as error:
        raise FileRefused(
            f"Line {line} can’t be read ({error}): check its quotes, or download the report again."
        ) from None


def _of_workbook(sheet: SheetRows) -> Sheet:
    rows = [
        _bounded(FileRow(row.number, [_printable(cell) for cell in row.values], row.numbers, row.currencies))
        for row in sheet.rows
    ]
    return Sheet(rows, (), sheet.merged_until, sheet.is_1904)


def _bounded(row: FileRow) -> FileRow:
    if len(row.cells) > MAX_COLUMNS:
        raise FileRefused(f"Line {row.line} has more than {MAX_COLUMNS} columns: download fewer columns.")
    if any(len(cell) > MAX_CELL_LENGTH for cell in row.cells):
        raise FileRefused(f"Line {row.line} holds a value of more than {MAX_CELL_LENGTH:,} characters.")
    return row


def _printable(cell: str) -> str:
    return cell.strip().lstrip("\ufeff").strip()
