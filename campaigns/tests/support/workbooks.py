"""Workbooks as spreadsheets, programs and attackers make them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from openpyxl.workbook.workbook import Workbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET = "xl/worksheets/sheet1.xml"


def workbook(*rows: list[Any]) -> bytes:
    """Return a workbook as a spreadsheet makes it: cells have types."""
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    return saved(book)


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(data: bytes, changes: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a workbook with some of its parts replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", method) as new:
        for name in {*old.namelist(), *changes}:
            new.writestr(name, changes[name] if name in changes else old.read(name))
    return out.getvalue()


def sheet_of(rows: str, *, before: str = "", after: str = "") -> bytes:
    """Return a workbook whose sheet holds these rows of XML under a header of name, daily_budget and enabled."""
    header = "".join(
        f'<c r="{column}1" t="inlineStr"><is><t>{name}</t></is></c>'
        for column, name in zip("ABC", ("name", "daily_budget", "enabled"), strict=True)
    )
    xml = f'{before}<worksheet xmlns="{MAIN}"><sheetData><row r="1">{header}</row>{rows}</sheetData>{after}</worksheet>'
    return repacked(workbook([]), {SHEET: xml.encode()})


def text_cell(address: str, text: str) -> str:
    return f'<c r="{address}" t="inlineStr"><is><t>{text}</t></is></c>'
