"""Files whose texts and parts are long: each takes little time and memory, and a refusal holds the beginning only."""

from __future__ import annotations

from django.test import SimpleTestCase

from campaigns.rules.csv_guard import guarded, unguarded
from campaigns.rules.text import MAX_QUOTED
from campaigns.services.exchange.files import MAX_BYTES, MAX_CELL_LENGTH, FileRefused
from campaigns.services.exchange.read import read_table
from campaigns.tests.exchange.test_exchange_bombs import read_within_bounds
from campaigns.tests.support.workbooks import MAIN, SHEET, repacked, sheet_of, text_cell, workbook

TOO_LONG = "Line 2 holds a value of more than 2,000 characters: shorten it."
RELATIONS = """
<Relationships>
  <Relationship Id="r1" Type="x/worksheet" Target="worksheets/sheet1.xml"/>
  <Relationship Id="r2" Type="x/sharedStrings" Target="sharedStrings.xml"/>
</Relationships>"""


def sharing(text: str, cells: str) -> bytes:
    """Return a workbook whose second row has these cells, and a text to which they may refer as the first."""
    sheets = '<sheets><sheet name="a" r:id="r1"/></sheets>'
    rows = f'<row r="1">{text_cell("A1", "name")}</row><row r="2">{cells}</row>'
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="r">{sheets}</workbook>',
        "xl/_rels/workbook.xml.rels": RELATIONS,
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}"><si><t>{text}</t></si></sst>',
        SHEET: f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>',
    }
    return repacked(workbook([]), {name: xml.encode() for name, xml in parts.items()})


class LongTexts(SimpleTestCase):
    def test_a_text_that_many_cells_share_is_read_once(self) -> None:
        cells = '<c r="A2" t="s"><v>0</v></c>' * 100_000
        self.assertIn(TOO_LONG, read_within_bounds(sharing("_x0041_" * 2_800, cells)))

    def test_a_csv_file_of_quotes_is_read_in_one_pass(self) -> None:
        field = '"' + "\n'" * 65_000 + '"'
        data = f"name\nAlpine\n{field}\n".encode()
        self.assertIn("Line 3 holds a value of more than 2,000", read_within_bounds(data, "a.csv"))
        columns = ",".join(f"c{number}" for number in range(38))
        data = f"{columns}\n{','.join([field] * 38)}\n".encode()
        self.assertLess(len(data), MAX_BYTES)
        self.assertIn(TOO_LONG, read_within_bounds(data, "a.csv"))

    def test_a_guard_is_taken_away_where_it_was_put_however_long_the_space_is(self) -> None:
        for space in ("", " ", "\t", "\n\n", " '\"", " " * MAX_CELL_LENGTH, "\n'" * MAX_CELL_LENGTH):
            for text in (f"x;{space}=1+1;y", f"{space}=1", f"'{space}=1", f"x|'{space}@A1", f"x,{space}y"):
                self.assertEqual(unguarded(guarded(text)), text)

    def test_a_long_text_that_begins_with_space_is_not_taken_for_an_empty_one(self) -> None:
        cell = f'<c t="str"><v>{"&#9;" * 30_000}Alpine</v></c>'
        for name, data in (
            ("a.xlsx", sheet_of(f'<row r="2">{cell}</row>')),
            ("a.csv", b"name\n" + b" " * 30_000 + b"Alpine\n"),
        ):
            with self.assertRaisesMessage(FileRefused, TOO_LONG):
                read_table(name, data)


class ManyPieces(SimpleTestCase):
    def assert_refused(self, data: bytes, part: str, most: str) -> None:
        self.assertLess(len(data), MAX_BYTES)
        message = f"The workbook’s part {part} holds more than {most} elements: copy its rows into a new one."
        self.assertIn(message, read_within_bounds(data))

    def test_sheets(self) -> None:
        sheets = "".join(f'<sheet name="{number}" r:id="{number}"/>' for number in range(900_000))
        xml = f'<workbook xmlns="{MAIN}" xmlns:r="r"><sheets>{sheets}</sheets></workbook>'
        self.assert_refused(repacked(workbook([]), {"xl/workbook.xml": xml.encode()}), "xl/workbook.xml", "10,000")

    def test_relations(self) -> None:
        related = "".join(f'<Relationship Id="{number}" Type="a" Target="b"/>' for number in range(700_000))
        xml = f"<Relationships>{related}</Relationships>"
        self.assert_refused(repacked(workbook([]), {"_rels/.rels": xml.encode()}), "_rels/.rels", "10,000")

    def test_styles(self) -> None:
        number_format = f'<numFmts><numFmt numFmtId="200" formatCode="{"[&quot;" * 100}"/></numFmts>'
        xml = f'<styleSheet xmlns="{MAIN}">{number_format}<cellXfs>{{}}</cellXfs></styleSheet>'
        many = xml.format('<xf numFmtId="200"/>' * 1_900_000)
        self.assert_refused(repacked(workbook([]), {"xl/styles.xml": many.encode()}), "xl/styles.xml", "500,000")
        most = xml.format('<xf numFmtId="200"/>' * 499_000)
        data = repacked(workbook(["name"], ["Alpine"]), {"xl/styles.xml": most.encode()})
        self.assertEqual(read_within_bounds(data), "1 lines\n")


class LongRefusals(SimpleTestCase):
    def test_a_sentence_holds_the_beginning_of_a_long_text(self) -> None:
        long = "x" * 10_000
        for name, data in (
            ("a.csv", f"{long},{long}\n".encode()),
            ("a.xlsx", sheet_of(f'<row r="2"><c t="e"><v>{long}</v></c></row>')),
            ("a.xlsx", sheet_of("", after=f'<mergeCells><mergeCell ref="{long}"/></mergeCells>')),
        ):
            with self.assertRaises(FileRefused) as caught:
                read_table(name, data)
            self.assertIn("x" * (MAX_QUOTED - 10), str(caught.exception))
            self.assertNotIn("x" * MAX_QUOTED, str(caught.exception))
