"""CSV and XLSX as files: exact both ways, and harmless whoever made them."""

from __future__ import annotations

import io
import time
import zipfile
from datetime import date, datetime
from datetime import time as clock
from typing import Any
from unittest.mock import patch

from django.test import SimpleTestCase
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.reader.excel import load_workbook
from openpyxl.workbook.workbook import Workbook

from campaigns.services import exchange_files
from campaigns.services.exchange_archive import LARGEST_UNPACKED
from campaigns.services.exchange_csv import FORMULA_STARTS, write_csv
from campaigns.services.exchange_files import LARGEST, FileRefused
from campaigns.services.exchange_read import read_table
from campaigns.services.exchange_xlsx_write import write_xlsx

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.text(
    "=+-@'\"\t\r\n ,;_x0041é\x01", max_size=9
)
WRITERS = {"a.csv": write_csv, "a.xlsx": write_xlsx}


def workbook(*rows: list[Any]) -> bytes:
    """Return a workbook as a spreadsheet makes it: cells have types."""
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(data: bytes, changes: dict[str, bytes]) -> bytes:
    """Return a workbook with some of its parts replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in {*old.namelist(), *changes}:
            new.writestr(name, changes[name] if name in changes else old.read(name))
    return out.getvalue()


class RoundTrip(SimpleTestCase):
    @settings(deadline=None)
    @given(st.lists(st.tuples(TEXTS, TEXTS).filter(any), max_size=5))
    def test_every_text_is_read_as_it_was_written(self, rows: list[tuple[str, str]]) -> None:
        for name, write in WRITERS.items():
            table = read_table(name, write(["a", "b"], rows))
            self.assertEqual([(line.cells["a"], line.cells["b"]) for line in table.lines], rows, name)

    def test_a_csv_file_holds_nothing_that_a_spreadsheet_takes_for_a_formula(self) -> None:
        texts = [f"{start}cmd|' /C calc'!A0" for start in FORMULA_STARTS]
        for line in write_csv(["a"], [[text] for text in texts]).decode("utf-8-sig").split("\r\n")[1:]:
            self.assertFalse(line.removeprefix('"').startswith(FORMULA_STARTS), line)

    def test_a_workbook_holds_text_and_no_formula(self) -> None:
        rows = [["=1+1", "007", "12.500000", "2026-01-01", "#N/A", "true"]]
        book = load_workbook(io.BytesIO(write_xlsx(list("abcdef"), rows)))
        cells = next(iter(book.worksheets[0].iter_rows(min_row=2)))
        self.assertEqual([(cell.data_type, cell.value) for cell in cells], [("s", text) for text in rows[0]])


class WhatPeopleMake(SimpleTestCase):
    def lines(self, name: str, data: bytes) -> list[dict[str, str]]:
        return [line.cells for line in read_table(name, data).lines]

    def test_cells_of_any_type_are_read_as_somebody_would_type_them(self) -> None:
        day = datetime(2026, 1, 2)  # noqa: DTZ001  # a cell has no zone
        row = [1250, 0.1, 12.0, True, day, date(2026, 1, 3), clock(9, 30), None, " text "]
        (cells,) = self.lines("a.XLSX", workbook([f"c{n}" for n in range(len(row))], row))
        self.assertEqual(
            list(cells.values()),
            ["1250", "0.1", "12", "on", "2026-01-02", "2026-01-03", "09:30:00", "", " text "],
        )

    def test_headers_are_forgiving(self) -> None:
        data = b"\xef\xbb\xbfName;Daily Budget;\r\nAlpine;1250.5;\r\n\r\n"
        self.assertEqual(self.lines("x.CSV", data), [{"name": "Alpine", "daily_budget": "1250.5"}])

    def test_lines_are_numbered_as_an_editor_does(self) -> None:
        table = read_table("a.csv", b'name\n\n"two\nlines"\nlast\n')
        self.assertEqual([(line.number, line.cells["name"]) for line in table.lines], [(3, "two\nlines"), (5, "last")])
        table = read_table("a.xlsx", workbook(["name"], [None], ["x"]))
        self.assertEqual([line.number for line in table.lines], [3])


class WhatIsRefused(SimpleTestCase):
    def assert_refused(self, name: str, data: bytes, sentence: str) -> None:
        began = time.monotonic()
        with self.assertRaises(FileRefused) as caught:
            read_table(name, data)
        self.assertIn(sentence, str(caught.exception))
        self.assertLess(time.monotonic() - began, 10)

    def test_other_formats(self) -> None:
        for name in ("a.xls", "a.json", "a.yaml", "a.html", "csv", "a.csv.exe", "../../etc/passwd", ""):
            self.assert_refused(name, b"name\nx\n", f"“{name}” is neither CSV nor XLSX: save it as one of these.")

    def test_what_is_too_large(self) -> None:
        self.assert_refused("a.csv", b"x" * (LARGEST + 1), "The file is larger than 5 MB")
        with patch.object(exchange_files, "MOST_ROWS", 2):
            self.assertEqual(len(read_table("a.csv", b"a\n1\n2\n").lines), 2)
            self.assert_refused("a.csv", b"a\n1\n2\n3\n", "The file has more than 2 rows")
            self.assert_refused("a.xlsx", workbook(["a"], [1], [2], [3]), "The file has more than 2 rows")
        self.assert_refused("a.csv", b"a\n" + b"x" * 2_001, "Line 2 holds a value of more than 2,000 characters")

    def test_what_is_no_csv(self) -> None:
        self.assert_refused("a.csv", "näme\n".encode("latin-1"), "The file is not in UTF-8")
        self.assert_refused("a.csv", b"", "The first line is empty")
        self.assert_refused("a.csv", b"name,name\n", "The first line names the column “name” more than once")
        self.assert_refused("a.csv", b"name\nx,y\n", "Line 2 has more values than the first line names columns")
        self.assert_refused("a.csv", b'name\n"x\n', "Line 2 can't be read")

    def test_what_is_no_workbook(self) -> None:
        self.assert_refused("a.xlsx", b"PK\x03\x04garbage", "The file is no XLSX workbook")
        self.assert_refused("a.xlsx", b"", "The file is no XLSX workbook")
        self.assert_refused(
            "a.xlsx", repacked(workbook(["a"]), {"xl/workbook.xml": b"<x"}), "can't be read as a workbook"
        )

    def test_an_archive_that_unpacks_to_too_much(self) -> None:
        bomb = repacked(workbook(["a"]), {"xl/worksheets/sheet1.xml": b"0" * (LARGEST_UNPACKED + 1)})
        self.assertLess(len(bomb), LARGEST)
        self.assert_refused("a.xlsx", bomb, "The workbook unpacks to more than 40 MB")
        many = repacked(workbook(["a"]), {f"x{number}": b"" for number in range(501)})
        self.assert_refused("a.xlsx", many, "The workbook unpacks to more than 40 MB")

    def test_an_archive_that_lies_about_its_size(self) -> None:
        data = repacked(workbook(["a"]), {"xl/worksheets/sheet1.xml": b"0" * (LARGEST_UNPACKED + 1)})
        size = (LARGEST_UNPACKED + 1).to_bytes(4, "little")
        self.assertIn(size, data)
        self.assert_refused("a.xlsx", data.replace(size, (100).to_bytes(4, "little")), "can't be read as a workbook")

    def test_entities_that_multiply_or_read_files(self) -> None:
        lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
        for entities in (f'<!ENTITY l0 "lol">{lol}', '<!ENTITY l11 SYSTEM "file:///etc/passwd">'):
            cell = "<row><c t='inlineStr'><is><t>&l11;</t></is></c></row>"
            sheet = f"<!DOCTYPE x [{entities}]><worksheet><sheetData>{cell}</sheetData></worksheet>"
            data = repacked(workbook(["a"]), {"xl/worksheets/sheet1.xml": sheet.encode()})
            self.assert_refused("a.xlsx", data, "")

    def test_a_sheet_that_says_that_it_is_endless(self) -> None:
        sheet = (
            b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            b'<dimension ref="A1:XFD1048576"/><sheetData>'
            b'<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row>'
            b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>far</t></is></c></row></sheetData></worksheet>'
        )
        data = repacked(workbook(["a"]), {"xl/worksheets/sheet1.xml": sheet})
        began = time.monotonic()
        self.assertEqual(read_table("a.xlsx", data).lines, [])
        self.assertLess(time.monotonic() - began, 10)
