"""Writing XLSX: one sheet of typed values, never a formula.

The XML is put together here: openpyxl takes six times as long, as it makes several objects for each cell. Rows are
compressed as they come, so only the file itself grows with their number.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from html import escape
from itertools import chain
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from campaigns.services.exchange.files import Value

NOT_IN_XML = re.compile("[\0-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
# Spreadsheets have no dates before 1900, and a 29 February 1900 that didn't exist.
FIRST_DATE = date(1900, 3, 1)
FIRST_TIME = datetime.combine(FIRST_DATE, time())
# The day 0 of the dates from then on.
DAY_ZERO = datetime.combine(date(1899, 12, 30), time())
ONE_DAY = timedelta(days=1)
# Spreadsheet numbers are floats, exact for integers below this.
MAX_EXACT_INTEGER = 10**15
DATE_FORMAT, AMOUNT_FORMAT = "yyyy-mm-dd", "#,##0.00####"

# The numbers of the styles in STYLES. With the text format, a cell stays text when it is edited.
TEXT, AMOUNT, DATE, DATE_AND_TIME = 1, 2, 3, 4

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"

STYLES = f"""<styleSheet xmlns="{MAIN}"><numFmts count="3"><numFmt numFmtId="164" formatCode="{AMOUNT_FORMAT}"/>
<numFmt numFmtId="165" formatCode="{DATE_FORMAT}"/>
<numFmt numFmtId="166" formatCode="{DATE_FORMAT} hh:mm:ss"/></numFmts>
<fonts count="1"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>
<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>
<cellXfs count="5"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>
<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="166" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"""

PARTS = {
    "[Content_Types].xml": f"""<Types xmlns="{PACKAGE}/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/xl/workbook.xml" ContentType="{TYPES}.sheet.main+xml"/>
<Override PartName="/xl/styles.xml" ContentType="{TYPES}.styles+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{TYPES}.worksheet+xml"/></Types>""",
    "_rels/.rels": f"""<Relationships xmlns="{PACKAGE}/relationships">
<Relationship Id="rId1" Type="{DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>""",
    "xl/workbook.xml": f"""<workbook xmlns="{MAIN}" xmlns:r="{DOCUMENT}">
<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>""",
    "xl/_rels/workbook.xml.rels": f"""<Relationships xmlns="{PACKAGE}/relationships">
<Relationship Id="rId1" Type="{DOCUMENT}/worksheet" Target="worksheets/sheet1.xml"/>
<Relationship Id="rId2" Type="{DOCUMENT}/styles" Target="styles.xml"/></Relationships>""",
    "xl/styles.xml": STYLES,
}
SHEET_BEGIN = f"""<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0">
<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft"/>
</sheetView></sheetViews><sheetData>"""
SHEET_END = "</sheetData></worksheet>"


def write_xlsx(columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> bytes:
    """Return a workbook with one sheet."""
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, xml in PARTS.items():
            archive.writestr(name, HEAD + xml)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write((HEAD + SHEET_BEGIN).encode())
            for row in _rows(chain([columns], rows)):
                sheet.write(row.encode())
            sheet.write(SHEET_END.encode())
    return out.getvalue()


def _rows(rows: Iterable[Sequence[Value]]) -> Iterator[str]:
    letters: list[str] = []
    for number, values in enumerate(rows, start=1):
        letters += map(_letters, range(len(letters) + 1, len(values) + 1))
        cells = [
            f'<c r="{letter}{number}"{_writer(value)(value)}</c>'
            for letter, value in zip(letters, values, strict=False)
            if value is not None and value != ""
        ]
        yield f'<row r="{number}">{"".join(cells)}</row>'


def _letters(column: int) -> str:
    """Return the letters of a column, counted from 1: A, …, Z, AA, …"""
    before, last = divmod(column - 1, 26)
    return (_letters(before) if before else "") + chr(ord("A") + last)


def _text(value: str) -> str:
    shown = escape(NOT_IN_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", value), quote=False)
    return f' s="{TEXT}" t="inlineStr"><is><t xml:space="preserve">{shown}</t></is>'


def _integer(value: int) -> str:
    return f"><v>{value}</v>" if abs(value) < MAX_EXACT_INTEGER else _text(str(value))


def _amount(value: Decimal) -> str:
    return f' s="{AMOUNT}"><v>{value:f}</v>'


def _date(value: date) -> str:
    if value < FIRST_DATE:
        return _text(value.isoformat())
    return f' s="{DATE}"><v>{(datetime.combine(value, time()) - DAY_ZERO).days}</v>'


def _date_and_time(value: datetime) -> str:
    if value < FIRST_TIME:
        return _text(value.isoformat(sep=" ", timespec="seconds"))
    return f' s="{DATE_AND_TIME}"><v>{(value.replace(microsecond=0) - DAY_ZERO) / ONE_DAY!r}</v>'


# A datetime is a date too, but the first that fits counts.
WRITERS: dict[type, Callable[[Any], str]] = {
    str: _text,
    int: _integer,
    Decimal: _amount,
    datetime: _date_and_time,
    date: _date,
}


def _writer(value: Any) -> Callable[[Any], str]:
    """Return what writes a value: by its type, or for a type derived from one of these, by the first that fits."""
    return WRITERS.get(type(value)) or next(write for kind, write in WRITERS.items() if isinstance(value, kind))
