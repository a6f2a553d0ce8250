from __future__ import annotations

import gzip
import io
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.test import SimpleTestCase

from campaigns.models import Brand, Campaign, SpendRecord
from campaigns.rules.amounts import DecimalMark
from campaigns.rules.periods import local_date
from campaigns.services.intake.csv_reader import (
    EXTERNAL_ID_LENGTH,
    NAME_LENGTH,
    BadRow,
    Line,
    Row,
    SkippedLine,
    SkipReason,
    SpendFileError,
    read_spend_csv,
)
from campaigns.services.intake.lines import MAX_LINE_BYTES
from campaigns.services.intake.placement import BrandFacts, fit_to_brand

HEADER = b"timestamp,brand,campaign,amount,external_id\n"
GOOD = b"2026-03-01T12:00:00Z,Acme,Spring,1.50,a-1\n"


def read(file: bytes, zone: str = "UTC") -> list[Line]:
    """Read a file of brands in a zone."""
    brand = BrandFacts("Acme", zone, "USD")
    lines: list[Line] = []
    for line in read_spend_csv(io.BytesIO(file)):
        try:
            lines.append(fit_to_brand(line, brand, None) if isinstance(line, Row) else line)
        except ValueError as refusal:
            lines.append(BadRow(line.line, str(refusal), line.text))
    return lines


def read_line(line: str, zone: str = "UTC") -> Line:
    (only,) = read(HEADER + line.encode(), zone)
    return only


class ReadingCase(SimpleTestCase):
    def assert_reads(self, line: str, zone: str = "UTC") -> Row:
        row = read_line(line, zone)
        self.assertIsInstance(row, Row, row)
        assert isinstance(row, Row)
        return row

    def assert_refuses(self, line: str, *said: str, zone: str = "UTC") -> None:
        row = read_line(line, zone)
        self.assertIsInstance(row, BadRow, row)
        assert isinstance(row, BadRow)
        self.assertEqual((row.line, row.text), (2, line.rstrip("\r\n")))
        for words in said:
            self.assertIn(words, row.reason)

    def assert_breaks(self, file: bytes, *said: str) -> None:
        with self.assertRaises(SpendFileError) as caught:
            read(file)
        for words in said:
            self.assertIn(words, str(caught.exception))


class FileTest(ReadingCase):
    def test_it_shows_60_characters_of_a_value_that_it_refuses(self) -> None:
        for length, shown in ((60, "x" * 60), (61, "x" * 59 + "…")):
            self.assert_refuses(f"2026-03-01T12:00:00Z,Acme,Spring,{'x' * length},a", f"“{shown}”")

    def test_it_reads_a_row(self) -> None:
        expected = Row(2, datetime(2026, 3, 1, 12, tzinfo=UTC), "Acme", "Spring", Decimal("1.50"), "a-1")
        self.assertEqual(read(HEADER + GOOD), [expected])

    def test_it_takes_columns_in_any_order_and_ignores_others(self) -> None:
        (row,) = read(b"clicks, Amount ,CAMPAIGN,brand,timestamp\n7,2,Spring,Acme,2026-03-01T12:00:00Z")
        expected = Row(2, datetime(2026, 3, 1, 12, tzinfo=UTC), "Acme", "Spring", Decimal(2), None)
        self.assertEqual(row, expected)

    def test_it_accepts_a_byte_order_mark_and_crlf(self) -> None:
        plain = read(HEADER + GOOD + GOOD)
        self.assertEqual(read(b"\xef\xbb\xbf" + (HEADER + GOOD + GOOD).replace(b"\n", b"\r\n")), plain)

    def test_it_passes_over_empty_lines_and_still_counts_them(self) -> None:
        self.assertEqual([row.line for row in read(HEADER + b"\n  \r\n" + GOOD + b"\n")], [4])

    def test_it_reads_quoted_values(self) -> None:
        row = self.assert_reads('2026-03-01T12:00:00Z,"Acme, Inc.","5"" screen",1,x')
        self.assertEqual((row.brand, row.campaign), ("Acme, Inc.", '5" screen'))

    def test_it_reads_names_in_any_script(self) -> None:
        self.assertEqual(self.assert_reads("2026-03-01T12:00:00Z,花王,Frühling\u2028,1,é").brand, "花王")

    def test_it_yields_nothing_for_a_header_alone(self) -> None:
        self.assertEqual(read(HEADER), [])

    def test_it_breaks_at_an_empty_file(self) -> None:
        self.assert_breaks(b"", "empty", "timestamp, brand, campaign, amount")
        self.assert_breaks(b"\n" + HEADER, "empty")

    def test_it_breaks_at_a_missing_column(self) -> None:
        for name in ("timestamp", "brand", "campaign", "amount"):
            self.assert_breaks(HEADER.replace(name.encode(), b"x"), f"no column “{name}”", "commas")

    def test_it_breaks_at_a_column_that_is_named_twice(self) -> None:
        self.assert_breaks(b"timestamp,brand,campaign,amount,amount\n", "“amount” 2 times")

    def test_it_breaks_at_a_first_line_with_nul_bytes(self) -> None:
        self.assert_breaks(b"a\0b\n", "Line 1", "NUL", "UTF-8")
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
            self.assert_breaks((HEADER + GOOD).decode().encode(encoding), "Line 1", "UTF-8")

    def test_it_breaks_at_a_file_of_another_kind(self) -> None:
        self.assert_breaks(gzip.compress(HEADER + GOOD), "compressed (gzip): unpack it")
        self.assert_breaks(b"PK\x03\x04\x14\x00", "ZIP archive or a workbook: save it as CSV")

    def test_it_breaks_at_a_header_in_another_encoding(self) -> None:
        self.assert_breaks("timestamp,brand,campaign,amount,größe\n".encode("latin-1"), "Line 1", "UTF-8")

    def test_it_breaks_at_a_header_that_is_no_line_of_csv(self) -> None:
        self.assert_breaks(b'timestamp,"brand,campaign,amount\n', "Line 1", "quotes")
        self.assert_breaks(b"timestamp,brand\rcampaign,amount\n", "Line 1", "carriage return")

    def test_it_refuses_a_line_that_is_too_long_and_reads_on(self) -> None:
        padding = MAX_LINE_BYTES - len(GOOD)
        longest = GOOD.replace(b"Acme", b"Acme" + b" " * padding)
        self.assertEqual(read(HEADER + longest), read(HEADER + GOOD))
        for more in (1, 2, MAX_LINE_BYTES - 1, MAX_LINE_BYTES, MAX_LINE_BYTES + 1, 5 * MAX_LINE_BYTES):
            with self.subTest(more):
                too_long = longest.replace(b"Acme", b"Acme" + b" " * more)
                bad, good = read(HEADER + too_long + GOOD)
                assert isinstance(bad, BadRow)
                self.assertEqual((bad.line, good.line), (2, 3))
                self.assertIn("longer than 100,000 bytes", bad.reason)
                self.assertEqual(bad.text, too_long[:200].decode() + "…")

    def test_it_breaks_at_a_first_line_that_is_too_long(self) -> None:
        self.assert_breaks(HEADER.rstrip() + b" " * MAX_LINE_BYTES + b"\n", "Line 1", "100,000")

    def test_it_refuses_a_last_line_that_is_too_long(self) -> None:
        (bad,) = read(HEADER + b"x" * (MAX_LINE_BYTES + 1))
        self.assertEqual(bad.line, 2)

    def test_it_keeps_memory_flat_at_an_endless_line(self) -> None:
        tracemalloc.start()
        with self.assertRaises(SpendFileError):
            list(read_spend_csv(open("/dev/zero", "rb")))  # noqa: SIM115, PTH123
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        self.assertLess(peak, 2_000_000)

    def test_it_refuses_a_line_with_a_nul_byte_and_reads_on(self) -> None:
        bad, good = read(HEADER + GOOD.replace(b"Acme", b"Ac\0me") + GOOD)
        assert isinstance(bad, BadRow)
        self.assertEqual((bad.line, good.line), (2, 3))
        self.assertIn("NUL", bad.reason)
        self.assertEqual(bad.text, r"2026-03-01T12:00:00Z,Ac\x00me,Spring,1.50,a-1")


class LineTest(ReadingCase):
    def test_it_refuses_a_line_in_another_encoding_and_reads_on(self) -> None:
        bad, good = read(HEADER + "2026-03-01T12:00:00Z,Café,x,1,\r\n".encode("latin-1") + GOOD)
        self.assertIsInstance(good, Row)
        assert isinstance(bad, BadRow)
        self.assertEqual((bad.line, bad.text), (2, "2026-03-01T12:00:00Z,Caf\\xe9,x,1,"))
        self.assertIn("Byte 25 of the line (0xe9) isn't valid UTF-8", bad.reason)

    def test_it_refuses_too_few_and_too_many_values(self) -> None:
        self.assert_refuses("2026-03-01T12:00:00Z,Acme,Spring,1", "4 values", "5 columns")
        self.assert_refuses("2026-03-01T12:00:00Z,Acme, Inc.,Spring,1,x", "6 values", "quote")

    def test_it_refuses_only_the_line_whose_quote_is_not_closed(self) -> None:
        bad, good = read(HEADER + b'2026-03-01T12:00:00Z,"Acme,Spring,1,x\n' + GOOD)
        self.assertIsInstance(bad, BadRow)
        self.assertIsInstance(good, Row)
        self.assertEqual((bad.line, good.line), (2, 3))

    def test_it_refuses_text_after_a_closing_quote(self) -> None:
        self.assert_refuses('2026-03-01T12:00:00Z,"Acme" Inc,Spring,1,x', "quotes")

    def test_it_refuses_a_carriage_return_within_a_line(self) -> None:
        self.assert_refuses("2026-03-01T12:00:00Z,Ac\rme,Spring,1,x", "carriage return")


class NameTest(ReadingCase):
    def test_it_trims_names_and_external_ids(self) -> None:
        row = self.assert_reads("2026-03-01T12:00:00Z, Acme , Spring\t,1, a-1 ")
        self.assertEqual((row.brand, row.campaign, row.external_id), ("Acme", "Spring", "a-1"))

    def test_it_takes_an_empty_external_id_for_none(self) -> None:
        self.assertIsNone(self.assert_reads("2026-03-01T12:00:00Z,Acme,Spring,1,  ").external_id)

    def test_it_refuses_an_empty_name(self) -> None:
        self.assert_refuses("2026-03-01T12:00:00Z, ,Spring,1,x", "The brand is empty")
        self.assert_refuses("2026-03-01T12:00:00Z,Acme,,1,x", "The campaign is empty")

    def test_it_refuses_what_is_longer_than_its_column(self) -> None:
        for length, word in (
            (NAME_LENGTH, "brand"),
            (NAME_LENGTH, "campaign"),
            (EXTERNAL_ID_LENGTH, "external_id"),
        ):
            values = {"brand": "Acme", "campaign": "Spring", "external_id": "x"}
            for excess in (0, 1):
                values[word] = "é" * (length + excess)
                line = "2026-03-01T12:00:00Z,{brand},{campaign},1,{external_id}".format(**values)
                if excess:
                    self.assert_refuses(line, word, f"{length + 1} characters", f"at most {length}", "é…")
                else:
                    self.assert_reads(line)

    def test_it_knows_the_lengths_of_the_columns(self) -> None:
        self.assertEqual(NAME_LENGTH, Brand._meta.get_field("name").max_length)
        self.assertEqual(NAME_LENGTH, Campaign._meta.get_field("name").max_length)
        self.assertEqual(EXTERNAL_ID_LENGTH, SpendRecord._meta.get_field("external_id").max_length)


class TimestampTest(ReadingCase):
    def assert_instant(self, text: str, expected: str, zone: str = "UTC") -> None:
        instant = self.assert_reads(f"{text},Acme,Spring,1,x", zone).timestamp
        self.assertEqual(str(instant), f"{expected}+00:00")

    def assert_refused(self, text: str, *said: str, zone: str = "UTC") -> None:
        self.assert_refuses(f"{text},Acme,Spring,1,x", f"“{text}”", *said, zone=zone)

    def test_it_reads_offsets(self) -> None:
        self.assert_instant("2026-03-01T12:00:00Z", "2026-03-01 12:00:00")
        self.assert_instant("2026-03-01T12:00:00+08:00", "2026-03-01 04:00:00")
        self.assert_instant("2026-03-01 12:00:00.25-0530", "2026-03-01 17:30:00.250000")
        self.assert_instant("2026-03-01T12:00", "2026-03-01 12:00:00")

    def test_it_takes_the_zone_where_there_is_no_offset_and_only_there(self) -> None:
        self.assert_instant("2026-03-01T12:00:00", "2026-03-01 11:00:00", "Europe/Berlin")
        self.assert_instant("2026-07-01T12:00:00", "2026-07-01 10:00:00", "Europe/Berlin")
        self.assert_instant("2026-07-01T12:00:00Z", "2026-07-01 12:00:00", "Europe/Berlin")

    def test_it_takes_the_first_of_two_hours_when_clocks_go_back(self) -> None:
        self.assert_instant("2026-10-25T02:30:00", "2026-10-25 00:30:00", "Europe/Berlin")
        self.assert_instant("2026-10-25T03:00:00", "2026-10-25 02:00:00", "Europe/Berlin")

    def test_a_time_that_clocks_skip_moves_by_what_they_skip(self) -> None:
        self.assert_instant("2026-03-29T01:59:59", "2026-03-29 00:59:59", "Europe/Berlin")
        self.assert_instant("2026-03-29T02:30:00", "2026-03-29 01:30:00", "Europe/Berlin")
        self.assert_instant("2026-03-29T03:00:00", "2026-03-29 01:00:00", "Europe/Berlin")

    def test_a_time_that_clocks_skip_stays_in_its_day(self) -> None:
        # Havana skips the first hour of the day, Scoresbysund the last one.
        self.assert_instant("2026-03-08T00:00", "2026-03-08 05:00:00", "America/Havana")
        self.assert_instant("2026-03-28T23:30", "2026-03-29 00:30:00", "America/Scoresbysund")
        for zone, wall in (("America/Havana", "2026-03-08T00:30"), ("America/Scoresbysund", "2026-03-28T23:30")):
            instant = self.assert_reads(f"{wall},Acme,Spring,1,x", zone).timestamp
            self.assertEqual(str(local_date(ZoneInfo(zone), instant)), wall[:10])

    def test_a_day_without_a_time_is_its_noon(self) -> None:
        for text in ("2026-03-01", "2026/03/01", "20260301"):
            self.assert_instant(text, "2026-03-01 17:00:00", "America/New_York")

    def test_it_reads_the_basic_form_slashes_and_hours_of_one_digit(self) -> None:
        for text in ("20260301T120000Z", "20260301T1200+0000", "2026/03/01 12:00Z", "2026-03-01T13+01:00"):
            self.assert_instant(text, "2026-03-01 12:00:00")
        self.assert_instant("2026-03-01 9:05", "2026-03-01 09:05:00")

    def test_it_refuses_the_end_of_a_day(self) -> None:
        for text in ("2026-03-01T24:00:00", "2026-03-01 24:00", "20260301T240000Z", "2026-03-01T24:00:00.0+02:00"):
            self.assert_refused(text, "is midnight at the end of a day", "00:00 of the next day", "23:59")

    def test_it_refuses_dates_that_do_not_begin_with_the_year(self) -> None:
        for text in ("11/26/2026 0:00", "26/11/2026", "26.11.2026 14:30", "1-2-26", "01/03/2026 12:00"):
            self.assert_refused(text, "doesn't start with the year", "2026-03-01T14:30:00+02:00", "2026-03-01.")

    def test_it_refuses_what_is_no_date_and_time(self) -> None:
        for text in ("", "yesterday", "2026-03", "2026-W09", "2026-02-30T12:00:00", "2026-02-30", "1772366400"):
            self.assert_refused(text, "ISO 8601", "2026-03-01T14:30:00+02:00", "a day like")
        for text in ("2026-03-01x12:00:00", "2026-03-01T25:00:00", "2026-03-01T12:00:00 CET", "infinity"):
            self.assert_refused(text, "ISO 8601")

    def test_it_refuses_years_before_2012_and_from_2100_on(self) -> None:
        self.assert_instant("2012-01-01T00:00:00Z", "2012-01-01 00:00:00")
        self.assert_instant("2099-12-31T23:59:59.999999Z", "2099-12-31 23:59:59.999999")
        self.assert_instant("2011-12-31T23:30:00", "2012-01-01 04:30:00", zone="America/New_York")
        self.assert_instant("2100-01-01T00:30:00", "2099-12-31 23:30:00", zone="Europe/Berlin")
        for text in ("2011-12-31T23:59:59.999999Z", "2100-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"):
            self.assert_refused(text, "2012 to 2099")
        for text in ("0001-01-01T00:00:00", "9999-12-31T23:59:59", "2012-01-01T00:30:00"):
            self.assert_refused(text, "2012 to 2099", zone="Europe/Berlin")


class AmountTest(ReadingCase):
    def assert_amount(self, text: str, expected: str) -> None:
        amount = self.assert_reads(f"2026-03-01T12:00:00Z,Acme,Spring,{text},x").amount
        self.assertEqual(amount, Decimal(expected))

    def assert_refused(self, text: str, *said: str) -> None:
        self.assert_refuses(f"2026-03-01T12:00:00Z,Acme,Spring,{text},x", "The amount", *said)

    def test_it_reads_plain_decimals_exactly(self) -> None:
        for text in ("1", "-0.75", "0.000001", "999999999.999999", "-999999999.999999", " 0.1 "):
            self.assert_amount(text, text.strip())

    def test_it_reads_less_common_forms(self) -> None:
        for text, amount in (("+3.5", "3.5"), (".5", "0.5"), ("5.", "5"), ("0000000000012", "12")):
            self.assert_amount(text, amount)

    def test_it_rounds_half_away_from_zero_to_six_decimals(self) -> None:
        for text, amount in (
            ("1100.0000000000002", "1100"),
            ("0.0000005", "0.000001"),
            ("-0.0000005", "-0.000001"),
            ("1.1234565", "1.123457"),
            ("-1.12345649", "-1.123456"),
            ("999999999.9999994", "999999999.999999"),
        ):
            self.assert_amount(text, amount)
            self.assertTrue(self.assert_reads(f"2026-03-01T12:00:00Z,Acme,Spring,{text},x").is_rounded)
        for text in ("0.1000000", "1.5", "35.200000"):
            self.assertFalse(self.assert_reads(f"2026-03-01T12:00:00Z,Acme,Spring,{text},x").is_rounded)

    def test_it_reads_scientific_notation(self) -> None:
        for text, amount in (("1E-05", "0.00001"), ("3.5e2", "350"), ("-1e3", "-1000"), ("1E+2", "100")):
            self.assert_amount(text, amount)

    def test_it_passes_over_what_is_no_spend(self) -> None:
        for text in ("0", "-0.00", "+0", "0.0000000", "0.0000004", "0E-6", "", "--", " -- ", "-", "–"):
            skipped = read_line(f"2026-03-01T12:00:00Z,Acme,Spring,{text},")
            assert isinstance(skipped, SkippedLine), text
            self.assertEqual((skipped.line, skipped.reason, skipped.zero), (2, SkipReason.NO_SPEND, None))

    def test_a_row_of_0_with_an_external_id_says_so(self) -> None:
        skipped = read_line("2026-03-01T12:00:00Z,Acme,Spring,0.00,x")
        assert isinstance(skipped, SkippedLine)
        assert skipped.zero
        self.assertEqual((skipped.zero.amount, skipped.zero.external_id), (0, "x"))

    def test_it_refuses_a_billion_and_more(self) -> None:
        for text in ("1000000000", "-1000000000.000000", "9" * 5000, "999999999.9999995", "1e9", "1e9999"):
            self.assert_refused(text, "too large", "1,000,000,000")

    def test_it_refuses_what_is_no_plain_decimal(self) -> None:
        for text in (
            ".",
            "NaN",
            "-Infinity",
            "inf",
            "e3",
            "1e",
            "1e99999",
            "1_000",
            "0x10",
            "１２",
            "(5)",
            "5 %",
            "--5",
        ):
            self.assert_refused(text, "isn't a valid amount", "12.50")
        for text in ("1,00,000.00", "1,000.00.00", "1.000,00,00", "10,00.50"):
            self.assert_refuses(f'2026-03-01T12:00:00Z,Acme,Spring,"{text}",x', f"“{text}” isn't a valid amount")


class FormatTest(ReadingCase):
    """Separators and signs are read where there is one reading."""

    def amounts(self, *texts: str, separator: str = ",", decimal: DecimalMark = DecimalMark.UNKNOWN) -> list[str]:
        """Return what becomes of the amounts: the number or "refused"."""
        lines = [f'2026-03-01T12:00Z{separator}Acme{separator}Spring{separator}"{text}"' for text in texts]
        header = separator.join(("timestamp", "brand", "campaign", "amount"))
        file = "\n".join((header, *lines)).encode()
        read = list(read_spend_csv(io.BytesIO(file), decimal=decimal))
        return [f"{line.amount.normalize():f}" if isinstance(line, Row) else "refused" for line in read]

    def test_a_number_with_one_reading_is_read_with_any_separator(self) -> None:
        texts = (
            "1,234.50",
            "1.234,50",
            "1 234,50",
            "1\u202f234.5",
            "1'234.50",
            "1,234,567",
            "35,20",
            "0,123",
            "1234.567",
        )
        numbers = ["1234.5", "1234.5", "1234.5", "1234.5", "1234.5", "1234567", "35.2", "0.123", "1234.567"]
        for separator in (",", ";", "\t"):
            self.assertEqual(self.amounts(*texts, separator=separator), numbers)

    def test_what_has_two_readings_is_refused(self) -> None:
        self.assertEqual(self.amounts("1,250", "1.250"), ["refused", "1.25"])
        for separator in (";", "\t"):
            self.assertEqual(self.amounts("1.250", "1,250", "-12.345", separator=separator), ["refused"] * 3)
        (bad,) = read(b"timestamp;brand;campaign;amount\n2026-03-01T12:00Z;Acme;Spring;1.250\n")
        assert isinstance(bad, BadRow)
        self.assertIn("“1.250” could mean 1.25 or 1,250: ", bad.reason)
        self.assertIn("write 1250 or 1.25, or choose the file's decimal separator", bad.reason)
        (bad,) = read(b"timestamp;brand;campaign;amount\n2026-03-01T12:00Z;Acme;Spring;12,345\n")
        assert isinstance(bad, BadRow)
        self.assertIn("12.345 or 12,345: write 12345 or 12.3450, or choose", bad.reason)
        self.assertEqual(self.amounts("12345", "12.3450", separator=";"), ["12345", "12.345"])

    def test_people_can_say_which_is_the_decimal_separator(self) -> None:
        point, comma = DecimalMark.POINT, DecimalMark.COMMA
        self.assertEqual(
            self.amounts("1.250", "1,250", "12,50", separator=";", decimal=point), ["1.25", "1250", "refused"]
        )
        self.assertEqual(
            self.amounts("1.250", "1,250", "12.50", separator=";", decimal=comma), ["1250", "1.25", "refused"]
        )

    def test_a_sign_says_the_currency(self) -> None:
        for text, currencies in (
            ("$35.20", ("USD", "AUD")),
            ("-$35.20", ("USD", "AUD")),
            ("US$ 35.20", ("USD",)),
            ('"35,20\u00a0€"', ("EUR",)),
            ("35.20 EUR", ("EUR",)),
        ):
            (row,) = read_spend_csv(io.BytesIO(HEADER + f"2026-03-01T12:00:00Z,Acme,Spring,{text},x".encode()))
            assert isinstance(row, Row), row
            self.assertEqual(abs(row.amount), Decimal("35.2"))
            self.assertLessEqual(set(currencies), set(row.currencies))

    def test_a_first_line_names_the_separator(self) -> None:
        for file in (b"\xef\xbb\xbfsep=;\r\n", b"SEP=;\n"):
            (row,) = read(file + b"timestamp;brand;campaign;amount\r\n2026-03-01T12:00Z;Acme;Spring;35,20\r\n")
            assert isinstance(row, Row)
            self.assertEqual((row.line, row.amount), (3, Decimal("35.2")))
        self.assert_breaks(b"sep=|\n" + HEADER, "Line 1 has “sep=|”", "a comma, a semicolon or a tab")
        self.assert_breaks(b"sep=;\n" + HEADER, "Line 2 names no column “timestamp”")

    def test_a_line_that_mixes_separators_is_refused(self) -> None:
        (bad,) = read(b"timestamp;brand;campaign;amount\n2026-03-01T12:00Z,Acme,Spring,1\n")
        assert isinstance(bad, BadRow)
        self.assertIn("separate them by semicolons", bad.reason)


class CurrencyTest(ReadingCase):
    def read_with(self, header: str, values: str) -> Line:
        (line,) = read(f"timestamp,brand,campaign,amount,{header}\n2026-03-01T12:00Z,Acme,Spring,{values}".encode())
        return line

    def test_a_currency_that_contradicts_the_brand_is_refused(self) -> None:
        for header in ("Currency", "currency code", "currency_code", "Advertiser Currency", "CurrencyCode"):
            self.assertIsInstance(self.read_with(header, "1,usd"), Row)
            self.assertIsInstance(self.read_with(header, "1, "), Row)
            bad = self.read_with(header, "1,EUR")
            assert isinstance(bad, BadRow)
            self.assertEqual(
                bad.reason,
                "The amount is in EUR, but the brand “Acme” uses USD: convert it, or correct the currency.",
            )
        self.assertIsInstance(self.read_with("currency conversion rate", "1,EUR"), Row)

    def test_a_sign_that_contradicts_the_brand_or_the_column_is_refused(self) -> None:
        for header, values, said in (
            ("x", "€1,", "in EUR, but the brand “Acme” uses USD"),
            ("currency", "€1,USD", "the sign beside the amount means EUR"),
            ("currency,account currency", "1,USD,EUR", "has the currencies EUR and USD"),
        ):
            bad = self.read_with(header, values)
            assert isinstance(bad, BadRow), values
            self.assertIn(said, bad.reason)
        for currency in ("USD", "usd", "US Dollar", "$"):
            self.assertIsInstance(self.read_with("currency", f"$1,{currency}"), Row)


class TotalsTest(ReadingCase):
    def test_rows_of_only_separators_are_empty(self) -> None:
        self.assertEqual([line.line for line in read(HEADER + b",,,,\r\n" + GOOD + b",,\n;;\n , ,,,\n")], [3, 5])
        self.assertEqual(len(read(HEADER + b",,,,\n" + GOOD + b" , ,,,\n,,\n")), 1)

    def test_a_total_and_the_notes_after_it_are_skipped(self) -> None:
        lines = read(HEADER + GOOD + b",,,1.50,\nReport Time:,2026/11/28\nNote\n" + GOOD)
        self.assertIsInstance(lines[0], Row)
        self.assertEqual(
            [(line.line, line.reason) for line in lines[1:4] if isinstance(line, SkippedLine)],
            [(n, SkipReason.NOTE) for n in (3, 4, 5)],
        )
        self.assertIsInstance(lines[4], Row)

    def test_without_a_total_a_short_line_is_refused(self) -> None:
        self.assertIsInstance(read(HEADER + GOOD + b"Report Time:,2026/11/28\n")[1], BadRow)
