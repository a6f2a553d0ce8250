"""Reports of each platform: what is read from them without a question."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from django.test import SimpleTestCase

from campaigns.services.platform_files.answers import Answers
from campaigns.services.platform_files.find_table import find_table
from campaigns.services.platform_files.report import Report, read_report
from campaigns.services.platform_files.spend_row import LeftOut
from campaigns.tests.platform_files import files

NOW = datetime(2026, 11, 29, 4, tzinfo=UTC)
D26, D27 = date(2026, 11, 26), date(2026, 11, 27)


def read(text: str | bytes, answers: Answers | None = None) -> Report:
    data = text.encode() if isinstance(text, str) else text
    return read_report(find_table(data), answers or Answers(), now=NOW)


class ReportCase(SimpleTestCase):
    def check(
        self,
        text: str | bytes,
        source: str,
        *totals: tuple[str, str, str, date, str, str],
        answers: Answers | None = None,
    ) -> Report:
        """Assert the totals, each as account, campaign, campaign id, day, amount and currency."""
        report = read(text, answers)
        self.assertEqual([question.sentence for question in report.questions], [])
        self.assertEqual(list(report.problems), [])
        found = [
            (
                each.key.account or each.key.account_id,
                each.key.campaign,
                each.key.campaign_id,
                each.day,
                each.total,
                each.currency,
            )
            for each in report.totals
        ]
        self.assertEqual(found, [(*total[:4], Decimal(total[4]), total[5]) for total in totals])
        self.assertEqual(report.source, source)
        return report


class GoogleTests(ReportCase):
    SEARCH = ("", "Search | Brand, exact", "12345678901", D26, "1234.50", "USD")
    PMAX = ("", "PMax - Herbst 2026", "12345678902", D26, "0", "USD")

    def test_english(self) -> None:
        report = self.check(files.GOOGLE_EN, "google_ads", self.SEARCH, self.PMAX)
        self.assertEqual(report.left_out, {LeftOut.TOTAL: 2, LeftOut.NO_SPEND: 1})
        self.assertEqual(report.days, (D26, D26))

    def test_excel_csv_in_each_utf16(self) -> None:
        text = files.GOOGLE_EXCEL
        for data in (text.encode("utf-16"), text.encode("utf-16-le"), text.encode("utf-16-be")):
            self.check(data, "google_ads", self.SEARCH, self.PMAX)
        self.check(b"\xfe\xff" + text.encode("utf-16-be"), "google_ads", self.SEARCH, self.PMAX)

    def test_french_with_narrow_spaces(self) -> None:
        self.check(files.GOOGLE_FR, "google_ads", ("", "Suche", "", D26, "1234.56", "EUR"))
        self.check("\ufeff" + files.GOOGLE_FR, "google_ads", ("", "Suche", "", D26, "1234.56", "EUR"))

    def test_german_with_three_columns_of_money(self) -> None:
        suche = ("", "Suche", "111", D26, "1234.56", "EUR")
        other = ("", "Übersicht", "222", D27, "7.00", "EUR")
        self.check(files.GOOGLE_DE, "google_ads", suche, other)
        report = self.check(files.GOOGLE_DE.encode("cp1252"), "google_ads", suche, other)
        self.assertEqual(
            list(report.notes), ["Read as Windows-1252, since it isn’t UTF-8: check the letters in names."]
        )

    def test_other_languages(self) -> None:
        self.check(files.GOOGLE_ES, "google_ads", ("", "Búsqueda", "", D26, "1234.50", "EUR"))
        self.check(files.GOOGLE_PT, "google_ads", ("", "Pesquisa", "", D26, "1234.50", "BRL"))
        self.check(files.GOOGLE_IT, "google_ads", ("", "Ricerca", "", D26, "1234.50", "EUR"))
        self.check(files.GOOGLE_NL, "google_ads", ("", "Zoeken", "", D26, "1234.50", "EUR"))

    def test_swiss_apostrophes(self) -> None:
        self.check(files.GOOGLE_CH, "", ("", "Suche", "", D26, "1234.50", "CHF"))

    def test_segments_of_a_day_are_added_up(self) -> None:
        report = self.check(
            files.GOOGLE_BY_DEVICE,
            "google_ads",
            ("", "Display", "777", D26, "15.15", "USD"),
            ("", "Display", "777", D27, "1.00", "USD"),
        )
        self.assertEqual([total.rows for total in report.totals], [2, 1])


class MicrosoftTests(ReportCase):
    def test_english(self) -> None:
        report = self.check(
            files.MICROSOFT,
            "microsoft_ads",
            ("Acme", "Display", "", D26, "35.20", "USD"),
            ("Acme", "Display", "", D27, "80.00", "USD"),
        )
        self.assertEqual(report.as_of, datetime(2026, 11, 28, 22, 15, tzinfo=UTC))
        self.assertEqual(report.left_out, {LeftOut.NOTE: 1})

    def test_german(self) -> None:
        self.check(files.MICROSOFT_DE, "microsoft_ads", ("Müller GmbH", "Suche", "333", D26, "1035.20", "EUR"))


class MetaTests(ReportCase):
    def test_days_by_start_and_end_with_a_row_of_totals(self) -> None:
        report = self.check(
            files.META,
            "meta_ads",
            ("", "Prospecting", "120210000000001", D26, "35.25", "EUR"),
            ("", "Retargeting", "120210000000002", D26, "12.25", "EUR"),
        )
        self.assertEqual(report.left_out, {LeftOut.TOTAL: 1})

    def test_a_day_column_counts_before_the_period(self) -> None:
        self.check(files.META_DE, "meta_ads", ("Müller", "Suche", "1201", D26, "1035.20", "EUR"))

    def test_pivot_with_rows_of_all_days(self) -> None:
        report = self.check(
            files.META_ES_PIVOT,
            "meta_ads",
            ("", "Marca", "", D26, "10.5", "USD"),
            ("", "Marca", "", D27, "20", "USD"),
        )
        self.assertEqual(report.left_out, {LeftOut.TOTAL: 1})

    def test_other_languages(self) -> None:
        self.check(files.META_PT, "meta_ads", ("", "Marca", "", D26, "1234.56", "BRL"))
        self.check(files.META_IT, "meta_ads", ("", "Marca", "", D26, "200", "EUR"))
        self.check(files.META_NL, "meta_ads", ("", "Merk", "", D26, "200", "EUR"))
        self.check(files.META_FR, "meta_ads", ("", "Marque", "", D26, "200", "EUR"))


class OtherPlatformTests(ReportCase):
    def test_dv360(self) -> None:
        report = self.check(
            files.DV360,
            "dv360",
            ("Acme", "Display", "777", D26, "35.20", "USD"),
            ("Acme", "Display", "777", D27, "0", "USD"),
        )
        self.assertEqual(report.as_of, datetime(2026, 11, 28, 9, tzinfo=UTC))
        self.assertEqual(report.left_out, {LeftOut.TOTAL: 1, LeftOut.NOTE: 4})
        self.assertEqual(report.totals[0].key.account_id, "12345")

    def test_tiktok(self) -> None:
        report = self.check(
            files.TIKTOK,
            "tiktok_ads",
            ("", "TT Prospecting", "1770000000000001", D26, "55.10", "USD"),
            ("", "TT Prospecting", "1770000000000001", D27, "40.00", "USD"),
        )
        self.assertEqual(report.left_out, {LeftOut.TOTAL: 1})

    def test_linkedin_with_five_title_lines_in_utf16(self) -> None:
        report = self.check(
            files.LINKEDIN.encode("utf-16"),
            "linkedin_ads",
            ("Acme LI", "Leads", "2001", D26, "75.25", "USD"),
            ("Acme LI", "Leads", "2001", D27, "80.00", "USD"),
        )
        self.assertEqual(report.as_of, datetime(2026, 11, 28, 9, tzinfo=UTC))

    def test_amazon_by_target(self) -> None:
        self.check(
            files.AMAZON,
            "amazon_ads",
            ("", "SP Auto", "", D26, "3.25", "USD"),
            ("", "SP Auto", "", D27, "1.00", "USD"),
        )

    def test_pinterest_snapchat_and_x(self) -> None:
        pins, snap = ("549700000001", "Pins", "626700000001"), ("", "Snap", "ab12-cd34")
        self.check(files.PINTEREST, "pinterest_ads", (*pins, D26, "12.34", ""), (*pins, D27, "10.00", ""))
        self.check(files.SNAPCHAT, "snapchat_ads", (*snap, D26, "9.99", "USD"))
        promote = ("", "Promote", "f1a2")
        self.check(files.X_ADS, "x_ads", (*promote, D26, "15.75", "USD"), (*promote, D27, "14.25", "USD"))

    def test_hours_are_added_up_to_days(self) -> None:
        display = ("Acme", "Display", "")
        self.check(files.HOURLY, "", (*display, D26, "3.30", ""), (*display, D27, "4.40", ""))

    def test_a_line_that_names_the_separator(self) -> None:
        report = self.check(files.SEP_LINE, "", ("", "Suche", "", D26, "35.20", "EUR"))
        self.assertEqual([total.line for total in report.totals], [3])
