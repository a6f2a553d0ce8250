"""Writing XLSX: numbers and dates as such, texts as texts, and never a formula."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from openpyxl.cell.cell import WriteOnlyCell
from openpyxl.workbook.workbook import Workbook

from campaigns.services.exchange.files import Value

NOT_IN_XML = re.compile("[\0-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
# Spreadsheets have no dates before 1900, and count one in February 1900 that never was.
FIRST_DATE = date(1900, 3, 1)
# Below that, a spreadsheet's numbers hold an integer exactly.
MOST_DIGITS = 10**15
TEXT_FORMAT, AMOUNT_FORMAT, DATE_FORMAT = "@", "#,##0.00####", "yyyy-mm-dd"


def write_xlsx(columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> bytes:
    """Return a workbook with one sheet."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.freeze_panes = "A2"
    for row in (columns, *rows):
        sheet.append([_cell(sheet, value) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(sheet: Any, value: Value) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return _text(sheet, value)
    if isinstance(value, date):
        return _formatted(sheet, value, DATE_FORMAT) if value >= FIRST_DATE else _text(sheet, value.isoformat())
    if isinstance(value, int):
        return value if abs(value) < MOST_DIGITS else _text(sheet, str(value))
    return _formatted(sheet, value, AMOUNT_FORMAT)


def _formatted(sheet: Any, value: Any, number_format: str) -> Any:
    cell = WriteOnlyCell(sheet, value)
    cell.number_format = number_format
    return cell


def _text(sheet: Any, text: str) -> Any:
    # Its format is that of texts, so that a spreadsheet takes it for one after somebody edits it, too.
    cell = _formatted(sheet, "", TEXT_FORMAT)
    cell.data_type = "s"
    cell._value = NOT_IN_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    return cell
