"""Files that try to break the reader: bounds hold, and whatever is refused is refused in a sentence."""

from __future__ import annotations

import io
import time
import zipfile
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.test import SimpleTestCase
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.workbook.workbook import Workbook

from campaigns.services.exchange.files import FileRefused
from campaigns.services.platform_files.answers import Answers
from campaigns.services.platform_files.cells import MAX_BYTES, MAX_CELL_LENGTH, MAX_COLUMNS, MAX_ROWS
from campaigns.services.platform_files.find_table import find_table
from campaigns.services.platform_files.report import read_report
from campaigns.tests.platform_files import files
from campaigns.tests.platform_files.test_reports import NOW, read

REPORTS = [value for name, value in vars(files).items() if name.isupper()]


def workbook(*rows: list[Any], before: tuple[list[Any], ...] = (), formats: dict[str, str] | None = None) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (*before, *rows):
        sheet.append(row)
    for address, number_format in (formats or {}).items():
        sheet[address].number_format = number_format
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def changed(book: bytes, name: str, before: bytes, after: bytes) -> bytes:
    """Return the workbook with other bytes in one of its files."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as source, zipfile.ZipFile(out, "w") as target:
        for each in source.namelist():
            data = source.read(each)
            target.writestr(each, data.replace(before, after) if each == name else data)
    return out.getvalue()


class BoundTests(SimpleTestCase):
    def assert_refused(self, data: bytes, sentence: str) -> None:
        with self.assertRaisesMessage(FileRefused, sentence):
            find_table(data)

    def test_bytes_rows_columns_and_cells(self) -> None:
        self.assert_refused(b"x" * (MAX_BYTES + 1), "The file is larger than 10 MB")
        self.assert_refused(b"a,b\n" * (MAX_ROWS + 1), "more than 100,000 rows")
        self.assert_refused(b"a" + b",a" * MAX_COLUMNS + b"\n", "more than 250 columns")
        long = "a" * (MAX_CELL_LENGTH + 1)
        self.assert_refused(f"Day,Campaign,Cost\n2026-11-26,{long},5\n".encode(), "more than 2,000 characters")

    def test_time_is_bounded(self) -> None:
        """Cells that make regular expressions go back and forth, and tables as large as they may be."""
        nasty = ("(" * 1999, " " * 1900 + "x", "1 " * 999, "-" * 1999, "1,1" * 600, "a-" * 900, "%" * 1999, "1/" * 900)
        rows = "".join(f'"{cell}","{cell}","{cell}"\n' for cell in nasty * 20)
        heads = ",".join(f'"x{cell}x"' for cell in nasty * 20)
        for text in (f"Day,Campaign,Cost\n{rows}", f"{heads}\n{heads}\n"):
            begun = time.perf_counter()
            with suppress(FileRefused):
                read(text)
            self.assertLess(time.perf_counter() - begun, 5)

    def test_a_large_report(self) -> None:
        lines = [
            f'2026-11-{1 + n % 28:02},Campaign {n % 500},{n % 500},EUR,"{n},{n % 1000:03}.50"' for n in range(50_000)
        ]
        text = "Day,Campaign,Campaign ID,Currency code,Cost\n" + "\n".join(lines)
        begun = time.perf_counter()
        report = read(text)
        self.assertLess(time.perf_counter() - begun, 20)
        self.assertEqual(sum(total.rows for total in report.totals) + len(report.problems), 50_000)


class AnyFileTests(SimpleTestCase):
    @given(st.binary(max_size=2_000))
    def test_any_bytes(self, data: bytes) -> None:
        try:
            read(data)
        except FileRefused as refusal:
            self.assertTrue(str(refusal).endswith("."))

    @settings(max_examples=200)
    @given(st.sampled_from(REPORTS), st.data())
    def test_a_report_with_something_changed(self, text: str, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(text)))
        inserted = data.draw(st.text(alphabet='",;\t\n\0-0129./:ä€ﾠ', max_size=5))
        end = data.draw(st.integers(place, min(place + 20, len(text))))
        try:
            report = read(text[:place] + inserted + text[end:])
        except FileRefused:
            return
        for total in report.totals:
            self.assertLessEqual(total.day, date(2026, 11, 30))


class WorkbookTests(SimpleTestCase):
    HEAD = ("Day", "Campaign", "Campaign ID", "Currency", "Amount spent (EUR)")

    def totals(self, data: bytes) -> list[tuple[date, str, Decimal]]:
        report = read_report(find_table(data), Answers(), now=NOW)
        self.assertEqual((list(report.questions), list(report.problems)), ([], []))
        return [(total.day, total.key.campaign_id, total.total) for total in report.totals]

    def test_dates_numbers_titles_and_totals(self) -> None:
        data = workbook(
            list(self.HEAD),
            [datetime(2026, 11, 26), "A", 120210000000001, "EUR", 1234.5],  # noqa: DTZ001
            ["2026-11-27", "A", "120210000000001", "EUR", 7],
            ["Total", None, None, "EUR", 1241.5],
            before=(["Campaign report"], [], ["November 1, 2026 - November 27, 2026"]),
        )
        self.assertEqual(
            self.totals(data),
            [
                (date(2026, 11, 26), "120210000000001", Decimal("1234.5")),
                (date(2026, 11, 27), "120210000000001", Decimal(7)),
            ],
        )

    def test_days_without_a_format_of_dates(self) -> None:
        data = workbook(list(self.HEAD), [46352, "A", 1, "EUR", 5.25])
        self.assertEqual(self.totals(data), [(date(2026, 11, 26), "1", Decimal("5.25"))])

    def test_numbers_of_a_workbook_need_no_separator(self) -> None:
        data = workbook(list(self.HEAD), ["2026-11-26", "A", 1, "EUR", 1.234])
        self.assertEqual(self.totals(data), [(date(2026, 11, 26), "1", Decimal("1.234"))])

    def test_a_cover_sheet_before_the_table(self) -> None:
        book = Workbook()
        cover = book.active
        assert cover is not None
        cover.append(["About this report"])
        sheet = book.create_sheet("Data")
        for row in (list(self.HEAD), ["2026-11-26", "A", 1, "EUR", 5]):
            sheet.append(row)
        out = io.BytesIO()
        book.save(out)
        table = find_table(out.getvalue())
        self.assertEqual(list(table.notes), ["Sheet 2 of 2 is read."])

    def test_merged_titles_are_fine_and_merged_rows_are_not(self) -> None:
        for place, is_fine in (("A1:E1", True), ("A4:A5", False)):
            book = Workbook()
            sheet = book.active
            assert sheet is not None
            for row in (["Report"], list(self.HEAD), *[["2026-11-26", "A", 1, "EUR", 5]] * 3):
                sheet.append(row)
            sheet.merge_cells(place)
            out = io.BytesIO()
            book.save(out)
            if is_fine:
                find_table(out.getvalue())
            else:
                with self.assertRaisesMessage(FileRefused, "merged cells"):
                    find_table(out.getvalue())

    def test_errors_matter_only_in_columns_that_are_read(self) -> None:
        data = workbook([*self.HEAD, "CTR"], ["2026-11-26", "A", 1, "EUR", 5, "#DIV/0!"])
        self.assertEqual(self.totals(data), [(date(2026, 11, 26), "1", Decimal(5))])

    def test_formulas_that_nothing_has_calculated(self) -> None:
        with self.assertRaisesMessage(FileRefused, "Cells with formulas"):
            find_table(workbook(list(self.HEAD), ["2026-11-26", "A", 1, "EUR", "=SUM(1,2)"]))

    def test_a_broken_workbook(self) -> None:
        with self.assertRaises(FileRefused):
            find_table(b"PK\x03\x04" + b"x" * 100)
