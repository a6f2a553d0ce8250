"""What is the same to a search: case, accents and compatible letters. The database must see it as Python does."""

from __future__ import annotations

import unicodedata

from django.test import SimpleTestCase, TestCase

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import rows_param, rows_sql
from campaigns.rules.search_text import LETTERS, search_text

PAIRS = (
    ("Sabiá", "sabia"),
    ("Sabia\u0301", "sabia"),
    ("Straße", "strasse"),
    ("STRASSE", "strasse"),
    ("STRAẞE", "strasse"),
    ("İstanbul", "istanbul"),
    ("ISTANBUL", "istanbul"),
    ("Isparta", "ısparta"),
    ("Łódź", "lodz"),
    ("Ærø", "aero"),
    ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
    ("Ёлка", "елка"),
    ("ﬁt ②", "fit 2"),
    ("A\u00a0b", "a b"),
)


class SearchTextTests(SimpleTestCase):
    def test_names_that_a_search_takes_for_the_same(self) -> None:
        for one, other in PAIRS:
            with self.subTest(one):
                self.assertEqual(search_text(one), search_text(other))

    def test_letters_that_differ_stay_different(self) -> None:
        self.assertEqual(len({search_text(text) for text in ("a", "b", "か", "が", "ア", "क", "कि")}), 7)

    def test_each_letter_is_replaced_in_both_cases(self) -> None:
        for letter, plain in LETTERS.items():
            with self.subTest(letter):
                self.assertEqual((search_text(letter), search_text(letter.upper())), (plain, plain.casefold()))


class DatabaseTests(TestCase):
    def test_it_sees_every_character_as_python_does(self) -> None:
        """Those of Unicode 3.2, which every database and every Python knows, in words that begin and end with them."""
        old = unicodedata.ucd_3_2_0
        characters = [chr(code) for code in range(1, 0x20000) if old.category(chr(code)) not in ("Cn", "Cs", "Co")]
        words = [f"{character}x{character}" for character in characters]
        columns = {"number": "bigint", "word": "text"}
        sql = f"WITH given AS ({rows_sql(columns)}) SELECT number, campaigns_search_text(word) FROM given"
        found = dict(fetch_all(sql, [rows_param(columns, list(enumerate(words)))]))
        self.assertEqual(len(found), len(words))
        different = {words[number]: text for number, text in found.items() if text != search_text(words[number])}
        self.assertEqual(different, {})
