from __future__ import annotations

from django.test import SimpleTestCase

from campaigns.rules.names import name_key, normal_name

COMPOSED, DECOMPOSED = "M\u00fcller GmbH", "Mu\u0308ller GmbH"


class NormalNameTests(SimpleTestCase):
    def test_a_decomposed_name_is_composed(self) -> None:
        self.assertEqual(normal_name(DECOMPOSED), COMPOSED)

    def test_spaces_of_any_kind_become_one_and_those_around_it_go(self) -> None:
        for space in (
            " ",
            "  ",
            "\u00a0",
            "\u202f",
            "\u2009",
            "\u3000",
            "\t",
            "\n",
            "\r\n",
            "\x85",
            "\u2028",
            "\u2029",
        ):
            with self.subTest(space=ascii(space)):
                self.assertEqual(normal_name(f"{space}M\u00fcller{space}GmbH{space}"), COMPOSED)

    def test_what_can_not_be_seen_is_refused_by_its_code(self) -> None:
        for character in (
            # Format characters; a joiner, fillers, a blank pattern, a tag; controls, half a surrogate, noncharacters.
            *"\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufeff\u00ad\u061c\u180e",
            *"\u034f\u115f\u3164\uffa0\u2800\U000e0041",
            *"\0\x1b\x1f\x7f\x9f\ud800\ufffe\ufdd0\U0010ffff",
        ):
            begins = f"“Ac[U+{ord(character):04X}]me” contains the character U+"
            with self.subTest(character=ascii(character)), self.assertRaisesMessage(ValueError, begins):
                normal_name(f"Ac{character}me")

    def test_the_refusal_names_the_character_and_the_remedy(self) -> None:
        with self.assertRaises(ValueError) as caught:
            normal_name("Acme\u200b")
        self.assertEqual(
            str(caught.exception),
            "“Acme[U+200B]” contains the character U+200B (zero width space), which is invisible:"
            " remove it from the name.",
        )

    def test_emoji_with_a_variation_selector_and_newer_ones_stay(self) -> None:
        for name in ("\u2764\ufe0f Sale", "\U0001fae8 Shake", "検索", "Übersicht 🎯"):
            self.assertEqual(normal_name(name), name)

    def test_a_variation_selector_alone_is_no_name(self) -> None:
        with self.assertRaisesMessage(ValueError, "invisible characters"):
            normal_name("\ufe0f")

    def test_an_empty_name_stays_empty(self) -> None:
        self.assertEqual([normal_name(""), normal_name(" \u00a0")], ["", ""])


class NameKeyTests(SimpleTestCase):
    def test_one_name_written_differently_has_one_key(self) -> None:
        for name in (
            DECOMPOSED,
            "M\u00fcller\u00a0GmbH",
            "m\u00fcller gmbh",
            "MÜLLER  GMBH ",
            "M\u00fcller\u200b GmbH",
        ):
            with self.subTest(name=ascii(name)):
                self.assertEqual(name_key(name), name_key(COMPOSED))

    def test_case_is_folded_fully(self) -> None:
        for one, other in (("Straße", "STRASSE"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("\u1fb3\u0301", "\u0391\u0301\u0399")):
            self.assertEqual(name_key(one), name_key(other))

    def test_case_is_of_no_language(self) -> None:
        self.assertEqual(len({name_key(letter) for letter in ("i", "\u0130", "\u0131")}), 3)
        self.assertEqual(name_key("I"), name_key("i"))

    def test_accents_and_scripts_count(self) -> None:
        self.assertNotEqual(name_key("Müller"), name_key("Muller"))
        self.assertNotEqual(name_key("Acme"), name_key("A\u0441me"))  # Cyrillic с

    def test_shapes_of_an_emoji_are_one_name(self) -> None:
        self.assertEqual(name_key("\u2764\ufe0f Sale"), name_key("\u2764 sale"))

    def test_the_key_of_a_key_is_itself(self) -> None:
        for name in (DECOMPOSED, "STRASSE ß", "\u0130\u0345", "Ǆ", "ŉ", "検索", "ﬁﬀ", "\u1e9e"):
            self.assertEqual(name_key(name_key(name)), name_key(name))

    def test_any_text_has_a_key(self) -> None:
        self.assertEqual(name_key("\ud800a\0b\u202ec"), "abc")
