"""Workbooks that would take a web process down: refused in a sentence, with little time and memory."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from unittest.mock import patch

from django.conf import settings
from django.test import SimpleTestCase

from campaigns.services.exchange import archive as exchange_archive
from campaigns.services.exchange.archive import MAX_DEPTH, MAX_TOKEN_BYTES, MAX_UNPACKED_BYTES
from campaigns.services.exchange.files import MAX_BYTES, FileRefused
from campaigns.services.exchange.read import read_table
from campaigns.tests.support.workbooks import SHEET, repacked, sheet_of, text_cell, workbook

ENTITY = '<!DOCTYPE x [<!ENTITY a "{}">]>'
DTD = "The workbook holds a document type definition"
PIECE = "The workbook holds a comment or tag of more than 1 MB"

# Reads a file with 400 MB and 30 s of processor at most, and says what is wrong with it.
READ_WITHIN_BOUNDS = """
import resource, sys
from campaigns.services.exchange.files import FileRefused
from campaigns.services.exchange.read import read_table
resource.setrlimit(resource.RLIMIT_AS, (400 * 1024**2,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
try:
    print(len(read_table(sys.argv[1], sys.stdin.buffer.read()).lines), "lines")
except FileRefused as refusal:
    print(refusal)
"""


def read_within_bounds(data: bytes, name: str = "a.xlsx") -> str:
    command = [sys.executable, "-c", READ_WITHIN_BOUNDS, name]
    done = subprocess.run(command, input=data, capture_output=True, cwd=settings.BASE_DIR, timeout=120)
    return done.stdout.decode() or done.stderr.decode()


class Bombs(SimpleTestCase):
    def assert_refused(self, data: bytes, sentence: str) -> None:
        self.assertLess(len(data), MAX_BYTES)
        with self.assertRaises(FileRefused) as caught:
            read_table("a.xlsx", data)
        self.assertIn(sentence, str(caught.exception))

    def test_entities_behind_a_long_comment_take_little_time_and_memory(self) -> None:
        megabyte = 1024**2
        bomb = sheet_of(
            f'<row r="2">{text_cell("A2", "&a;" * 800)}</row>',
            before=f"<!--{' ' * 10 * megabyte}-->{ENTITY.format('x' * megabyte)}",
        )
        self.assertLess(len(bomb), 30_000)
        self.assertIn(PIECE, read_within_bounds(bomb))
        bomb = sheet_of(f'<row r="2">{text_cell("A2", "&a;" * 800)}</row>', before=ENTITY.format("x" * megabyte))
        self.assertIn(DTD, read_within_bounds(bomb))

    def test_as_many_cells_as_are_taken_take_little_time_and_memory(self) -> None:
        row = "<row>" + "<c><v>1</v></c>" * 3 + "</row>"
        self.assertIn("20000 lines", read_within_bounds(sheet_of(row * 20_000)))
        self.assertIn("0 lines", read_within_bounds(sheet_of('<row><c s="1"/></row>' * 300_000)))

    def test_a_definition_is_refused_in_every_part_and_encoding(self) -> None:
        book = workbook(["name"], ["Alpine"])
        for name in (SHEET, "xl/workbook.xml", "xl/styles.xml", "_rels/.rels", "docProps/core.xml", "xl/more.xml"):
            for entities in ("", "[]", '[<!ENTITY a "b">]', 'SYSTEM "file:///etc/passwd"'):
                with self.subTest(name, entities=entities):
                    self.assert_refused(repacked(book, {name: f"<!DOCTYPE x {entities}><x/>".encode()}), DTD)
            declared = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x><x/>'
            self.assert_refused(repacked(book, {name: declared.encode("utf-16")}), DTD)

    def test_long_comments_and_tags_are_refused(self) -> None:
        spaces = " " * (MAX_TOKEN_BYTES + 200_000)
        for piece in (f"<!--{spaces}-->", f"<?x {spaces}?>", f"<x{spaces}/>", f'<x y="{spaces}"/>'):
            self.assert_refused(sheet_of(piece), PIECE)

    def test_too_many_elements_are_refused(self) -> None:
        with patch.object(exchange_archive, "MAX_ELEMENTS", 10_000):
            for piece in ("<row/>", "<c/>", "<?x?>"):
                self.assert_refused(sheet_of(piece * 10_001), "more than 10,000 cells and other elements")
                self.assertEqual(read_table("a.xlsx", sheet_of(piece * 9_000)).lines, [])

    def test_depths_are_refused(self) -> None:
        self.assert_refused(sheet_of("<x>" * MAX_DEPTH + "</x>" * MAX_DEPTH), "nested too deeply")

    def test_a_text_without_end_is_refused(self) -> None:
        self.assert_refused(sheet_of(f'<row r="2">{text_cell("A2", "x" * 10**7)}</row>'), "more than 2,000 characters")

    def test_an_archive_that_unpacks_to_too_much(self) -> None:
        bomb = repacked(workbook(["a"]), {SHEET: b"0" * (MAX_UNPACKED_BYTES + 1)})
        self.assert_refused(bomb, "The workbook unpacks to more than 40 MB")
        many = repacked(workbook(["a"]), {f"x{number}": b"" for number in range(501)})
        self.assert_refused(many, "The workbook unpacks to more than 40 MB")

    def test_an_archive_that_lies_about_its_size(self) -> None:
        data = repacked(workbook(["a"]), {SHEET: b"0" * (MAX_UNPACKED_BYTES + 1)})
        size = (MAX_UNPACKED_BYTES + 1).to_bytes(4, "little")
        self.assertIn(size, data)
        self.assert_refused(data.replace(size, (100).to_bytes(4, "little")), "can't be read as a workbook")

    def test_an_archive_packed_in_another_way(self) -> None:
        data = repacked(workbook(["a"]), {}, zipfile.ZIP_LZMA)
        self.assert_refused(data, "The workbook’s compression isn’t supported")

    def test_an_encrypted_or_old_file(self) -> None:
        old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5_000)
        self.assert_refused(old, "The file is encrypted, or an old XLS workbook: save it as XLSX without a password.")
        locked = bytearray(workbook(["a"]))
        at = locked.index(b"PK\x01\x02")
        locked[at + 8] |= 1
        self.assert_refused(bytes(locked), "The workbook is encrypted: save it without a password.")

    def test_what_is_no_workbook(self) -> None:
        for data in (b"PK\x03\x04garbage", b"", b"<html>"):
            self.assert_refused(data, "The file isn’t an XLSX workbook: save it again as XLSX, or as CSV.")
        for name, xml in {
            "xl/workbook.xml": b"<x",
            "_rels/.rels": b"<Relationships/>",
            "xl/styles.xml": b"<x></y>",
            SHEET: b"<worksheet><sheetData><row r='x'/></sheetData></worksheet>",
        }.items():
            self.assert_refused(repacked(workbook(["a"]), {name: xml}), "can't be read as a workbook")
