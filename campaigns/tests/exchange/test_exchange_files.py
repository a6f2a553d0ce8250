"""CSV and XLSX files: exact round trips, and safe with untrusted files."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime
from datetime import time as clock
from decimal import Decimal
from unittest.mock import patch

from django.test import SimpleTestCase
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules.csv_guard import FORMULA_STARTS
from campaigns.services.exchange import files as exchange_files
from campaigns.services.exchange.csv_files import write_csv
from campaigns.services.exchange.files import MAX_BYTES, FileRefused, Value
from campaigns.services.exchange.read import read_table
from campaigns.services.exchange.write_xlsx import write_xlsx
from campaigns.tests.support.workbooks import workbook

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.text(
    "=+-@'\"\t\r\n ,;|_x0041é\x01", max_size=9
)
SEPARATORS = ",;|\t\r\n"
BEFORE_A_FORMULA = ("", "x;", "x,", "x|", "x\t", "x\n", 'x;"', "x; ", "x;'", "x;;")
WRITERS = {"a.csv": write_csv, "a.xlsx": write_xlsx}


class RoundTrip(SimpleTestCase):
    @given(st.lists(st.tuples(TEXTS, TEXTS).filter(lambda row: any(text.strip() for text in row)), max_size=5))
    def test_every_text_is_read_as_it_was_written(self, rows: list[tuple[str, str]]) -> None:
        for name, write in WRITERS.items():
            table = read_table(name, write(["a", "b"], rows))
            self.assertEqual([(line.cells["a"], line.cells["b"]) for line in table.lines], rows, name)

    def test_a_csv_file_holds_nothing_that_a_spreadsheet_takes_for_a_formula(self) -> None:
        formulas = [f"{start}cmd|' /C calc'!A0" for start in FORMULA_STARTS]
        texts = [f"{before}{formula};y" for before in BEFORE_A_FORMULA for formula in formulas]
        self.assert_harmless(texts)

    @given(st.lists(TEXTS, max_size=5))
    def test_no_text_at_all_is_taken_for_a_formula(self, texts: list[str]) -> None:
        self.assert_harmless(texts)

    def assert_harmless(self, texts: list[str]) -> None:
        """Split a file as a spreadsheet may, heeding quotes and not: no cell begins like a formula."""
        text = write_csv(["a", "b"], [[1, text] for text in texts]).decode("utf-8-sig")
        for separator in ",;|\t":
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
                for cell in row:
                    self.assertNotIn(cell.strip(' "\t\r\n')[:1] or "x", FORMULA_STARTS, (separator, cell))
        for cell in re.split(f"[{SEPARATORS}]", text):
            self.assertNotIn(cell.strip(' "\t\r\n')[:1] or "x", FORMULA_STARTS, cell)

    def test_every_text_is_quoted_and_numbers_are_numbers(self) -> None:
        row: list[Value] = ["x;=1+1;y", "on", Decimal("-0.750001"), 7, date(2026, 1, 2), None]
        written = write_csv(list("abcdef"), [row]).decode("utf-8-sig").splitlines()
        self.assertEqual(written[1], '''"x;'=1+1;y","on",-0.750001,7,"2026-01-02",""''')

    def test_a_name_like_an_error_is_told_from_one(self) -> None:
        for name in ("#REF!", "#N/A", "'#N/A", " #VALUE! "):
            (line,) = read_table("a.csv", write_csv(["name"], [[name]])).lines
            self.assertEqual(line.cells["name"], name)
            (line,) = read_table("a.xlsx", write_xlsx(["name"], [[name]])).lines
            self.assertEqual(line.cells["name"], name)


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

    def test_rows_of_separators_and_spaces_are_blank(self) -> None:
        self.assertEqual(self.lines("a.csv", b"name,id\n,\n , \nx,1\n,,,\n"), [{"name": "x", "id": "1"}])

    def test_lines_are_numbered_as_an_editor_does(self) -> None:
        table = read_table("a.csv", b'name\n\n"two\nlines"\nlast\n')
        self.assertEqual([(line.number, line.cells["name"]) for line in table.lines], [(3, "two\nlines"), (5, "last")])
        table = read_table("a.xlsx", workbook(["name"], [None], ["x"]))
        self.assertEqual([line.number for line in table.lines], [3])


class WhatIsRefused(SimpleTestCase):
    def assert_refused(self, name: str, data: bytes, sentence: str) -> None:
        with self.assertRaises(FileRefused) as caught:
            read_table(name, data)
        self.assertIn(sentence, str(caught.exception))

    def test_other_formats(self) -> None:
        for name in ("a.xls", "a.json", "a.yaml", "a.html", "csv", "a.csv.exe", "../../etc/passwd", ""):
            self.assert_refused(name, b"name\nx\n", f"“{name}” isn’t a CSV or XLSX file: save it as one of these.")

    def test_what_is_too_large(self) -> None:
        self.assert_refused("a.csv", b"x" * (MAX_BYTES + 1), "The file is larger than 5 MB")
        with patch.object(exchange_files, "MAX_ROWS", 2):
            self.assertEqual(len(read_table("a.csv", b"a\n1\n2\n").lines), 2)
            self.assert_refused("a.csv", b"a\n1\n2\n3\n", "The file has more than 2 rows")
            self.assert_refused("a.xlsx", workbook(["a"], [1], [2], [3]), "The file has more than 2 rows")
        self.assert_refused("a.csv", b"a\n" + b"x" * 2_001, "Line 2 holds a value of more than 2,000 characters")

    def test_what_is_no_csv(self) -> None:
        self.assert_refused("a.csv", "näme\n".encode("latin-1"), "The file is not in UTF-8")
        self.assert_refused("a.csv", b"", "The first line is empty")
        self.assert_refused("a.csv", b"name,name\n", "The first line names the column “name” more than once")
        wide = ",".join(f"c{number}" for number in range(300_000)).encode()
        self.assert_refused("a.csv", wide, "The first line names more than 40 columns")
        error = "Line 3 holds “#REF!”, which a spreadsheet writes where it couldn’t calculate a value"
        self.assert_refused("a.csv", b"name,daily_budget\nx,1\n#REF!,2\n", error)
        self.assert_refused("a.csv", b"name\nx,y\n", "Line 2 has more values than the first line has columns")
        self.assert_refused("a.csv", b'name\n"x\n', "Line 2 can't be read")
