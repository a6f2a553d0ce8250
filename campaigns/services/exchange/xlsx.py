"""Reading XLSX: the rows of a workbook's first sheet, as somebody would type them.

Nothing is evaluated. A formula counts with the value that was saved with it; a file in which nothing has calculated it
has none, or 0, which would take a budget away or pause all campaigns: such cells are refused by their addresses, and so
are errors and merged cells.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from campaigns.rules.amounts import DecimalMark
from campaigns.services.exchange.archive import MOST_SMALL, Archive, Attributes, Elements
from campaigns.services.exchange.files import FileRefused, Row, TextTable, as_table, shortened
from campaigns.services.exchange.sheet import Book, Sheet, unescaped
from campaigns.services.exchange.styles import Styles

UNREADABLE = "The file can't be read as a workbook: save it again as XLSX, or as CSV."


def read_xlsx(data: bytes) -> TextTable:
    """Return the table of a workbook's first sheet. Raises FileRefused."""
    archive = Archive(data)
    try:
        archive.check_prologs()
        return _read(archive)
    except FileRefused:
        raise
    except Exception as error:  # what others wrote is malformed in any way
        raise FileRefused(UNREADABLE) from error


def _read(archive: Archive) -> TextTable:
    path = next(iter(_related(archive, "").of_type("officeDocument")))
    workbook = _Workbook()
    archive.read(path, workbook)
    related = _related(archive, path)
    sheets = related.of_type("worksheet")
    shown = [sheet for sheet in workbook.sheets if sheet.is_shown and related.paths.get(sheet.key) in sheets]
    if not shown:
        raise FileRefused("The workbook shows no sheet with cells: save it again as XLSX, or as CSV.")
    strings, styles = _Strings(), Styles()
    for handler, type_ in ((strings, "sharedStrings"), (styles, "styles")):
        for part in related.of_type(type_)[:1]:
            archive.read(part, handler)
    sheet = Sheet(Book(strings.texts, styles, workbook.is_1904))
    table = as_table(_rows(archive, related.paths[shown[0].key], sheet), DecimalMark.UNKNOWN)
    if len(shown) > 1:
        table.notes.append(
            f"Only the first sheet is read, “{shortened(shown[0].name)}”; there are {len(shown) - 1:,} more."
        )
    return table


def _rows(archive: Archive, path: str, sheet: Sheet) -> Iterator[Row]:
    for _ in archive.read_on(path, sheet):
        yield from sheet.take_rows()
    sheet.refuse_faults()


def _related(archive: Archive, path: str) -> _Relations:
    """Return the parts that a part, or the archive as a whole, refers to."""
    folder, name = posixpath.split(path)
    relations = _Relations(folder)
    archive.read(posixpath.join(folder, "_rels", f"{name}.rels"), relations)
    return relations


class _Relations(Elements):
    most = MOST_SMALL

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
    most = MOST_SMALL

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
    """The texts that cells refer to by their number."""

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
            text = self.ids_as_text()
            if not self._is_phonetic:
                self._parts.append(text)
        elif name == "rPh":
            self._is_phonetic = False
        elif name == "si":
            self.texts.append(unescaped("".join(self._parts)))  # once, however many cells refer to it
