"""Workbooks: each cell that counts is taken, and one that can't be taken refuses the file by its address."""

from __future__ import annotations

import io
from datetime import datetime
from decimal import Decimal

from django.test import SimpleTestCase
from openpyxl.reader.excel import load_workbook
from openpyxl.utils.datetime import MAC_EPOCH
from openpyxl.workbook.workbook import Workbook

from campaigns.rules.amounts import DecimalMark
from campaigns.services.exchange.files import MAX_ROWS, FileRefused, Value
from campaigns.services.exchange.read import read_table
from campaigns.services.exchange.write_xlsx import write_xlsx
from campaigns.tests.support.workbooks import saved, sheet_of, text_cell, workbook


def lines_of(data: bytes) -> list[dict[str, str]]:
    return [line.cells for line in read_table("a.xlsx", data).lines]


class Refused(SimpleTestCase):
    def assert_refused(self, data: bytes, sentence: str) -> None:
        with self.assertRaises(FileRefused) as caught:
            read_table("a.xlsx", data)
        self.assertEqual(str(caught.exception), sentence)


class Formulas(Refused):
    SENTENCE = (
        "Cells with formulas whose saved value is missing or 0, as where nothing has calculated it: {}. Put the values"
        " in their place and save the file again."
    )

    def test_one_that_nothing_has_calculated_is_refused_by_its_address(self) -> None:
        data = workbook(["name", "daily_budget", "monthly_budget"], ["Alpine", "=1000*1.1", "=B2*30"])
        self.assert_refused(data, self.SENTENCE.format("B2, C2"))

    def test_one_saved_as_0_or_as_an_empty_text_is_refused_too(self) -> None:
        for cell in (
            '<c r="B2"><f>1000*1.1</f><v>0</v></c>',
            '<c r="B2" t="n"><f>A1</f><v>0.0</v></c>',
            '<c r="B2" t="str"><f>""</f><v></v></c>',
            '<c r="B2"><f t="shared" si="0"/></c>',
            '<c r="B2"><f t="array" ref="B2:B3">A1</f><v/></c>',
        ):
            with self.subTest(cell):
                row = f'<row r="2">{text_cell("A2", "Alpine")}{cell}</row>'
                self.assert_refused(sheet_of(row), self.SENTENCE.format("B2"))

    def test_one_with_a_saved_value_counts_with_it(self) -> None:
        cells = '<c r="B2"><f>1000*1.1</f><v>1100</v></c><c r="C2" t="b"><f>FALSE()</f><v>0</v></c>'
        (cell,) = lines_of(sheet_of(f'<row r="2">{text_cell("A2", "Alpine")}{cells}</row>'))
        self.assertEqual(cell, {"name": "Alpine", "daily_budget": "1100", "enabled": "off"})

    def test_a_plain_0_counts(self) -> None:
        self.assertEqual(lines_of(workbook(["name", "daily_budget"], ["Alpine", 0]))[0]["daily_budget"], "0")


class CellsWithoutAValue(Refused):
    def test_errors_are_refused_by_their_addresses(self) -> None:
        codes = ("#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!")
        rows = "".join(
            f'<row r="{number}"><c r="A{number}" t="e"><f>1/0</f><v>{code}</v></c></row>'
            for number, code in enumerate(codes, 2)
        )
        message = ", ".join(f"A{number} ({code})" for number, code in enumerate(codes, 2))
        self.assert_refused(sheet_of(rows), f"Cells with errors: {message}. Correct them and save the file again.")

    def test_many_are_counted(self) -> None:
        rows = "".join(f'<row r="{number}"><c t="e"><v>#N/A</v></c></row>' for number in range(2, 14))
        message = ", ".join(f"A{number} (#N/A)" for number in range(2, 12))
        sentence = f"Cells with errors: {message} and 2 more. Correct them and save the file again."
        self.assert_refused(sheet_of(rows), sentence)

    def test_merged_cells_are_refused(self) -> None:
        merged = '<mergeCells count="1"><mergeCell ref="B2:B4"/></mergeCells>'
        self.assert_refused(
            sheet_of(f'<row r="2">{text_cell("A2", "Alpine")}<c r="B2"><v>5</v></c></row>', after=merged),
            "Merged cells, of which only the first has a value: B2:B4. Unmerge them, fill each of them and save the"
            " file again.",
        )

    def test_values_far_outside_are_refused(self) -> None:
        self.assert_refused(
            sheet_of(f'<row r="1048576">{text_cell("XFD1048576", "far")}</row>'),
            "Cells with values to the right of column AN: XFD1048576. Clear them and save the file again.",
        )

    def test_a_number_that_is_no_date_in_a_cell_of_dates_is_refused(self) -> None:
        book = Workbook()
        book.worksheets[0].append(["name", "starts_on"])
        book.worksheets[0].append(["Search", 1e10])
        book.worksheets[0]["B2"].number_format = "yyyy-mm-dd"
        self.assert_refused(
            saved(book), "Cells with errors: B2 (no date: 10000000000). Correct them and save the file again."
        )


class BlankRows(SimpleTestCase):
    def test_12000_rows_with_blank_ones_between_are_all_taken(self) -> None:
        rows = [row for number in range(12_000) for row in ([f"C{number}"], [])]
        table = read_table("a.xlsx", workbook(["name"], *rows))
        self.assertEqual([line.cells["name"] for line in table.lines], [f"C{number}" for number in range(12_000)])
        self.assertEqual((table.lines[0].number, table.lines[-1].number), (2, 24_000))

    def test_a_row_too_many_is_refused_wherever_it_stands(self) -> None:
        cells = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(2, MAX_ROWS + 2))
        last = '<row r="1048576"><c r="A1048576"><v>1</v></c></row>'
        self.assertEqual(len(lines_of(sheet_of(cells))), MAX_ROWS)
        with self.assertRaisesMessage(FileRefused, "The file has more than 20,000 rows: import it in several files."):
            read_table("a.xlsx", sheet_of(cells + last))

    def test_a_sheet_that_says_that_it_is_endless_costs_nothing(self) -> None:
        row = f'<row r="1048576">{text_cell("A1048576", "last")}</row>'
        table = read_table("a.xlsx", sheet_of(row, before='<!-- <dimension ref="A1:XFD1048576"/> -->'))
        self.assertEqual([(line.number, line.cells["name"]) for line in table.lines], [(1_048_576, "last")])

    def test_other_sheets_are_told_of(self) -> None:
        book = Workbook()
        book.worksheets[0].append(["name"])
        book.create_sheet("More").append(["name"])
        self.assertEqual(
            read_table("a.xlsx", saved(book)).notes, ["Only the first sheet is read, “Sheet”; there are 1 more."]
        )

    def test_a_hidden_sheet_is_not_the_first(self) -> None:
        book = Workbook()
        book.worksheets[0].append(["name"])
        book.worksheets[0].sheet_state = "hidden"
        shown = book.create_sheet("Shown")
        for row in (["name"], ["Alpine"]):
            shown.append(row)
        self.assertEqual(lines_of(saved(book)), [{"name": "Alpine"}])


class NumbersAndDates(SimpleTestCase):
    def test_a_number_has_a_decimal_point_and_a_text_may_not(self) -> None:
        table = read_table("a.xlsx", workbook(["name", "daily_budget"], ["Alpine", 1.255], ["Boreal", "1.255"]))
        message = [(line.cells["daily_budget"], line.decimal_of("daily_budget")) for line in table.lines]
        self.assertEqual(message, [("1.255", DecimalMark.POINT), ("1.255", DecimalMark.UNKNOWN)])

    def test_dates_count_from_1904_where_the_workbook_says_so(self) -> None:
        book = Workbook()
        book.epoch = MAC_EPOCH
        book.worksheets[0].append(["name", "starts_on"])
        book.worksheets[0].append(["Search", datetime(2026, 12, 1)])  # noqa: DTZ001  # a cell has no zone
        self.assertEqual(lines_of(saved(book)), [{"name": "Search", "starts_on": "2026-12-01"}])

    def test_texts_in_runs_are_joined_without_what_says_how_they_sound(self) -> None:
        cell = (
            "<c r='A2' t='inlineStr'><is><r><t>Kyo</t></r><r><t>to</t></r><rPh sb='0' eb='1'><t>きょ</t></rPh></is></c>"
        )
        self.assertEqual(lines_of(sheet_of(f'<row r="2">{cell}</row>'))[0]["name"], "Kyoto")


class Written(SimpleTestCase):
    def test_numbers_and_dates_are_such_and_texts_are_texts(self) -> None:
        day = datetime(2026, 12, 31)  # noqa: DTZ001  # a cell has no zone
        values: list[Value] = [7, Decimal("-1250.500001"), day.date(), "=1+1", "007", "#N/A", "2026-01-01", None, ""]
        book = load_workbook(io.BytesIO(write_xlsx([f"c{n}" for n in range(len(values))], [values])))
        cells = [(cell.data_type, cell.value) for cell in next(iter(book.worksheets[0].iter_rows(min_row=2)))]
        texts = [("s", text) for text in ("=1+1", "007", "#N/A", "2026-01-01")]
        self.assertEqual(cells[:3], [("n", 7), ("n", -1250.500001), ("d", day)])
        self.assertEqual(cells[3:7], texts)
        self.assertEqual([value for _, value in cells[7:]], [None] * (len(cells) - 7))

    def test_what_a_spreadsheet_can_not_hold_exactly_is_a_text(self) -> None:
        early = datetime(1899, 1, 1)  # noqa: DTZ001  # a cell has no zone
        (cells,) = lines_of(write_xlsx(["id", "starts_on"], [[10**17 + 1, early.date()]]))
        self.assertEqual(cells, {"id": "100000000000000001", "starts_on": "1899-01-01"})

    def test_times_are_times_to_the_second_unless_a_spreadsheet_has_no_such_day(self) -> None:
        late, early = datetime(2026, 11, 3, 14, 5, 9, 999_999), datetime(1899, 1, 1, 8, 0, 1)  # noqa: DTZ001  # as above
        book = load_workbook(io.BytesIO(write_xlsx(["a", "b"], [[late, early]])))
        _, (at, before) = book.worksheets[0].iter_rows()
        self.assertEqual((at.value, at.number_format), (late.replace(microsecond=0), "yyyy-mm-dd hh:mm:ss"))
        self.assertEqual((before.value, before.number_format), ("1899-01-01 08:00:01", "@"))

    def test_columns_beyond_z_have_two_letters_and_then_three(self) -> None:
        columns = [f"c{number}" for number in range(1, 704)]
        book = load_workbook(io.BytesIO(write_xlsx(columns, [])))
        for address, name in (("Z1", "c26"), ("AA1", "c27"), ("AZ1", "c52"), ("ZZ1", "c702"), ("AAA1", "c703")):
            self.assertEqual(book.worksheets[0][address].value, name)
