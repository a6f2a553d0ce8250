"""The currencies that number formats of workbooks show, and those that only look so."""

from __future__ import annotations

from django.test import SimpleTestCase

from campaigns.rules.currencies import SIGNS
from campaigns.services.exchange.number_formats import currencies_of_format

DOLLARS = tuple(sorted(SIGNS["$"]))


class Currencies(SimpleTestCase):
    def assert_shows(self, *codes: str, formats: tuple[str, ...]) -> None:
        for number_format in formats:
            with self.subTest(number_format):
                self.assertEqual(currencies_of_format(number_format), codes)

    def test_signs_and_codes(self) -> None:
        self.assert_shows(
            *("EUR",),
            formats=("[$€-407] #,##0", '_-* #,##0.00\\ "€"_-;-* #,##0.00\\ "€"_-', "€#,##0", "[$EUR] #,##0.00"),
        )
        self.assert_shows("USD", formats=('"US$"0', '#,##0.00" USD"', "\\U\\S\\D 0"))
        self.assert_shows("BRL", formats=("[$R$-416] 0", '"R"$ #,##0.00', "R$ #,##0.00"))
        self.assert_shows(*sorted(SIGNS["kr"]), formats=("#,##0.00\\ [$kr.-406]", '0.00 "kr."'))
        self.assert_shows(
            *DOLLARS, formats=('"$"#,##0.00_);[Red]\\("$"#,##0.00\\)', "[$$-409]#,##0.00", '_("$"* #,##0.00_)')
        )

    def test_what_narrows_each_other(self) -> None:
        self.assert_shows("USD", formats=('[$$-409]#,##0.00" USD"',))
        self.assert_shows(formats=('"EUR" 0 "USD"',))

    def test_the_format_of_positive_numbers_decides(self) -> None:
        self.assert_shows("USD", formats=('"USD" 0;-"EUR" 0',))

    def test_none(self) -> None:
        self.assert_shows(
            formats=(
                *("General", "#,##0.00", "[$-409]#,##0.00", '#,##0.00" Mio"', "[Red]0", "@", "", ";;;"),
                # Spaces as wide as a sign, and a sign that fills the cell.
                *("_-* #,##0.00\\ _€_-;-* #,##0.00\\ _€_-", "#,##0.00_$", "*€0"),
                # Seconds and a word: codes are capitals.
                *('0" sek"', '0" all"', "[$eur] 0"),
                "[$€",
            )
        )
