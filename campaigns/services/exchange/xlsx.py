"""Reading XLSX: the first sheet as text, or all sheets of a platform's report.

Nothing is evaluated. A formula counts as its cached value; a file that was never calculated
has none, or 0, which would remove a budget or pause all campaigns: such cells are refused, as
are errors and merged cells.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from campaigns.rules.amounts import DecimalMark
from campaigns.rules.text import shorten
from campaigns.services.exchange.archive import MAX_SMALL_PART_ELEMENTS, Archive, Attributes, Elements
from campaigns.services.exchange.files import FileRefused, Row, TextTable, as_table
from campaigns.services.exchange.sheet import Sheet, Styles, WorkbookContext, unescaped

# Sheets of a platform's workbook that are searched for the table.
MAX_SHEETS = 5

UNREADABLE = "The file can't be read as a workbook: save it again as XLSX, or as CSV."


class SheetRows(NamedTuple):
    """The rows of a sheet as they are, errors as their text; merged_until are the last rows of merged ranges."""

    rows: list[Row]
    merged_until: list[int]
    is_1904: bool


def read_xlsx(data: bytes) -> TextTable:
    """Return the table of a workbook's first sheet. Raises FileRefused."""
    with _readable(data) as archive:
        book, shown = _open(archive)
        table = as_table(_rows(archive, shown[0].path, Sheet(book)), DecimalMark.UNKNOWN)
        if len(shown) > 1:
            table.notes.append(
                f"Only the first sheet is read, “{shorten(shown[0].name)}”; there are {len(shown) - 1:,} more."
            )
        return table


def read_sheets(data: bytes, width: int, most_rows: int) -> list[SheetRows]:
    """Return the rows of all sheets that are shown, with titles and notes. Raises FileRefused."""
    with _readable(data) as archive:
        book, shown = _open(archive)
        found: list[SheetRows] = []
        for each in shown[:MAX_SHEETS]:
            sheet, rows = Sheet(book, width, is_report=True), list[Row]()
            for _ in archive.read_chunks(each.path, sheet):
                rows += sheet.take_rows()
                if len(rows) > most_rows:
                    raise FileRefused(f"The sheet “{shorten(each.name)}” has more than {most_rows:,} rows.")
            sheet.refuse_unknown_values()
            found.append(SheetRows(rows, sheet.merged_until, book.is_1904))
        return found


@contextmanager
def _readable(data: bytes) -> Iterator[Archive]:
    try:
        archive = Archive(data)
        archive.check_prologs()
        yield archive
    except FileRefused:
        raise
    except Exception as error:  # a malformed file can fail anywhere
        raise FileRefused(UNREADABLE) from error


class _ShownSheet(NamedTuple):
    name: str
    path: str


def _open(archive: Archive) -> tuple[WorkbookContext, list[_ShownSheet]]:
    """Return what the cells of all sheets refer to, and the sheets that are shown."""
    path = next(iter(_related(archive, "").of_type("officeDocument")))
    workbook = _Workbook()
    archive.read(path, workbook)
    related = _related(archive, path)
    sheets = related.of_type("worksheet")
    shown = [
        _ShownSheet(sheet.name, related.paths[sheet.key])
        for sheet in workbook.sheets
        if sheet.is_shown and related.paths.get(sheet.key) in sheets
    ]
    if not shown:
        raise FileRefused("The workbook shows no sheet with cells: save it again as XLSX, or as CSV.")
    strings, styles = _Strings(), Styles()
    for handler, type_ in ((strings, "sharedStrings"), (styles, "styles")):
        for part in related.of_type(type_)[:1]:
            archive.read(part, handler)
    return WorkbookContext(strings.texts, styles, workbook.is_1904), shown


def _rows(archive: Archive, path: str, sheet: Sheet) -> Iterator[Row]:
    for _ in archive.read_chunks(path, sheet):
        yield from sheet.take_rows()
    sheet.refuse_faults()


def _related(archive: Archive, path: str) -> _Relations:
    """Return the relationships of a part, or of the whole package."""
    folder, name = posixpath.split(path)
    relations = _Relations(folder)
    archive.read(posixpath.join(folder, "_rels", f"{name}.rels"), relations)
    return relations


class _Relations(Elements):
    most = MAX_SMALL_PART_ELEMENTS

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.folder = folder
        self.paths: dict[str, str] = {}
        self._types: dict[str, str] = {}

    def begin(self, name: str, attributes: Attributes) -> None:
        if name == "Relationship":
            path = posixpath.normpath(posixpath.join("/", self.folder, attributes["Target"]))[1:]
            self.paths[attributes["Id"]] = path
            self._types[attributes["Id"]] = attributes["Type"].rpartition("/")[2]

    def of_type(self, type_: str) -> Sequence[str]:
        return [self.paths[key] for key, found in self._types.items() if found == type_]


class _SheetName:
    def __init__(self, attributes: Attributes) -> None:
        self.name: str = attributes["name"]
        self.key: str = next(attributes[name] for name in attributes.getNames() if name.endswith(":id"))
        self.is_shown = attributes.get("state", "visible") == "visible"


class _Workbook(Elements):
    most = MAX_SMALL_PART_ELEMENTS

    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[_SheetName] = []
        self.is_1904 = False

    def begin(self, name: str, attributes: Attributes) -> None:
        if name == "sheet":
            self.sheets.append(_SheetName(attributes))
        elif name == "workbookPr":
            self.is_1904 = attributes.get("date1904", "0") in ("1", "true")


class _Strings(Elements):
    """The shared strings, which cells refer to by number."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._parts: list[str] = []
        self._is_phonetic = False

    def begin(self, name: str, attributes: Attributes) -> None:
        if name == "si":
            self._parts = []
        elif name == "rPh":
            self._is_phonetic = True
        elif name == "t":
            self.collect()

    def end(self, name: str) -> None:
        if name == "t":
            text = self.collected_text()
            if not self._is_phonetic:
                self._parts.append(text)
        elif name == "rPh":
            self._is_phonetic = False
        elif name == "si":
            self.texts.append(unescaped("".join(self._parts)))  # once, however many cells refer to it
