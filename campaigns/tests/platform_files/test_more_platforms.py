"""Files of more platforms and in more forms: read rightly, or asked about, or refused in a sentence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.test import SimpleTestCase

from campaigns.models import PlatformAccount, SpendTotal
from campaigns.services.exchange.files import FileRefused
from campaigns.services.platform_files.answers import EACH, ONCE, Answers, Ask
from campaigns.services.platform_files.find_table import find_table
from campaigns.services.platform_files.report import Report, read_report
from campaigns.services.platform_files.spend_row import LeftOut
from campaigns.tests.platform_files import files
from campaigns.tests.platform_files.test_import import ImportCase
from campaigns.tests.platform_files.test_reports import NOW, read
from campaigns.tests.platform_files.test_wizard import WizardCase

D26, D27 = date(2026, 11, 26), date(2026, 11, 27)


class PlatformTests(SimpleTestCase):
    def of_bytes(self, data: bytes) -> Report:
        return read_report(find_table(data), Answers(), now=NOW)

    def amounts(self, report: Report) -> list[tuple[date, Decimal]]:
        self.assertEqual((report.questions, report.problems), ((), []))
        return [(total.day, total.total) for total in report.totals]

    def test_linkedin_in_german_and_utf_16(self) -> None:
        report = self.of_bytes(files.LINKEDIN_DE.encode("utf-16"))
        self.assertEqual(self.amounts(report), [(D26, Decimal("75.25")), (D27, Decimal(1080))])

    def test_pinterest_in_french_and_windows_1252(self) -> None:
        report = self.of_bytes(files.PINTEREST_FR.encode("cp1252"))
        self.assertEqual(self.amounts(report), [(D26, Decimal("12.34")), (D27, Decimal(1010))])
        self.assertEqual({total.currency for total in report.totals}, {"EUR"})

    def test_criteo_counts_the_cost_and_not_the_revenue(self) -> None:
        self.assertEqual(self.amounts(read(files.CRITEO)), [(D26, Decimal("35.2")), (D27, Decimal("40.1"))])

    def test_taboola(self) -> None:
        self.assertEqual(self.amounts(read(files.TABOOLA)), [(D26, Decimal("12.34")), (D27, Decimal("1112.34"))])

    def test_apple_counts_the_spend_and_not_the_budget(self) -> None:
        report = read(files.APPLE)
        self.assertEqual(self.amounts(report), [(D26, Decimal("35.2"))])
        self.assertEqual(report.left_out, {LeftOut.TOTAL: 1})

    def test_tiktok_in_japanese_asks_for_the_columns_that_it_does_not_know(self) -> None:
        report = self.of_bytes(files.TIKTOK_JA.encode("utf-16"))
        self.assertIn(Ask.AMOUNT, [question.ask for question in report.questions])

    def test_an_accounting_format(self) -> None:
        report = read(files.ACCOUNTING)
        self.assertEqual(self.amounts(report), [(D26, Decimal("1234.5")), (D26, Decimal("-12.3"))])
        self.assertEqual(report.left_out, {LeftOut.TOTAL: 1, LeftOut.NO_SPEND: 1})

    def test_web_pages_and_xml_that_are_named_xls(self) -> None:
        for text, encoding in (
            ("<table><tr><td>Day</td></tr></table>", "utf-8"),
            ("\ufeff\n<!DOCTYPE html><html></html>", "utf-8"),
            ('<html xmlns:o="urn:schemas-microsoft-com:office:office"></html>', "utf-16"),
            ('<?xml version="1.0"?><Workbook></Workbook>', "utf-8"),
            ("MIME-Version: 1.0\nContent-Type: text/html\n\n<table></table>", "ascii"),
        ):
            with self.subTest(text), self.assertRaisesMessage(FileRefused, "is a web page or XML, whatever its name"):
                find_table(text.encode(encoding))


class RepeatedRowsTests(SimpleTestCase):
    def test_rows_that_are_the_same_in_every_column_are_asked_about(self) -> None:
        (question,) = read(files.REPEATED).questions
        self.assertEqual(question.sentence, "Lines 2 and 4 are the same. How do they count?")
        for answer, amount, left_out in ((ONCE, 5, {LeftOut.REPEATED: 1}), (EACH, 10, {})):
            report = read(files.REPEATED, Answers(repeated=answer))
            self.assertEqual(report.totals[0].total, amount)
            self.assertEqual(report.left_out, left_out)

    def test_rows_that_differ_in_any_column_are_added_up(self) -> None:
        self.assertEqual(read(files.GOOGLE_BY_DEVICE).questions, ())


class SameNameTests(ImportCase):
    """Two accounts of one name are never guessed between."""

    def setUp(self) -> None:
        super().setUp()
        for external_id in ("a77", "a78"):
            PlatformAccount.objects.create(source="microsoft_ads", external_id=external_id, name="Acme", currency="USD")
            PlatformAccount.objects.create(source="google_ads", external_id=external_id, name="Acme", currency="USD")

    def test_a_file_that_only_names_the_account(self) -> None:
        problems = self.open(files.MICROSOFT).problems
        self.assertEqual(problems, ["Several accounts are named “Acme”: download the report with the account ID."])

    def test_a_name_that_a_person_enters(self) -> None:
        (question,) = self.open(files.GOOGLE_EN, Answers(account="acme")).questions
        self.assertEqual(question.sentence, "2 accounts are named “acme”. Which one is it? Enter its ID.")
        self.assertEqual(question.options, [("a77", "Acme"), ("a78", "Acme")])
        self.import_file(files.GOOGLE_EN, Answers(account="A-78"))
        self.assertEqual(set(SpendTotal.objects.values_list("account", flat=True)), {"a78"})


class EmptyTests(WizardCase):
    def test_an_empty_report_asks_nothing(self) -> None:
        for text in ("Day,Campaign,Cost\n", "Campaign report\nDay,Campaign,Cost\nTotal: Account,--,0.00\n"):
            page = self.upload(text)
            self.assertContains(page, "The file has no spend to import.")
            self.assertEqual(page.context["form"].questions, [])
            self.assertFalse(page.context["can_import"])

    def test_repeated_rows_are_asked_on_the_page(self) -> None:
        page = self.post(self.upload(files.REPEATED), source="google_ads")
        self.assertContains(page, "Lines 2 and 4 are the same.")
        page = self.post(page, repeated=ONCE)
        self.assertContains(page, "10.00 EUR for 26 November 2026")
        page = self.post(page, column_campaign="3")
        self.assertEqual(page.context["form"]["repeated"].value(), ONCE)
