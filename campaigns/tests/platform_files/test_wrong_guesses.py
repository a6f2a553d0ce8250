"""Values that spreadsheets have mangled, or that contradict each other: refused or asked, never guessed."""

from __future__ import annotations

from decimal import Decimal

from django.test import SimpleTestCase, TestCase

from campaigns.models import PlatformAccount
from campaigns.services.platform_files.answers import Answers
from campaigns.services.platform_files.download import Download, open_download
from campaigns.services.platform_files.headings import Role
from campaigns.tests.platform_files.test_reports import NOW, read


class ShortenedIdTests(SimpleTestCase):
    def test_campaign_ids_that_excel_has_shortened(self) -> None:
        head = "Day,Campaign,Campaign ID,Currency code,Cost"
        for written in ("1.23457E+10", "1,23457E+10", "1E+10", "1.2e11"):
            text = f'{head}\n2026-11-26,Brand A,"{written}",EUR,100.50\n2026-11-26,Brand B,"{written}",EUR,200.50\n'
            report = read(text)
            self.assertEqual((report.totals, [problem.line for problem in report.problems]), ([], [2, 3]))
            self.assertEqual(
                report.problems[0].sentence,
                f"The campaign ID “{written}” was shortened by a spreadsheet, and its last digits are lost: download"
                " the report again as CSV and don’t open it in Excel, or choose no column for the campaign ID to match"
                " by name.",
            )
        columns = {Role.DAY: 0, Role.CAMPAIGN: 1, Role.CURRENCY: 3, Role.AMOUNT: 4}
        report = read(text, Answers(columns=columns))
        self.assertEqual(
            [(each.key.campaign, each.total) for each in report.totals],
            [("Brand A", Decimal("100.50")), ("Brand B", Decimal("200.50"))],
        )

    def test_an_account_id_that_excel_has_shortened(self) -> None:
        text = "Day,Campaign,Account ID,Currency code,Cost\n2026-11-26,A,1.20211E+14,EUR,5\n"
        (problem,) = read(text).problems
        self.assertIn("The account ID “1.20211E+14” was shortened by a spreadsheet", problem.sentence)

    def test_long_ids_that_excel_has_rounded(self) -> None:
        rows = "2026-11-26,Brand A,{},EUR,5\n2026-11-26,Brand B,{},EUR,6\n2026-11-27,Brand B,{},EUR,7\n"
        head = "Day,Campaign,Campaign ID,Currency code,Cost\n"
        rounded = "120210000000001000"
        problems = read(head + rows.format(rounded, rounded, rounded)).problems
        self.assertEqual([problem.line for problem in problems], [3, 4])
        self.assertIn("“Brand B” has the same ID as “Brand A” of line 2, “120210000000001000”", problems[0].sentence)
        fine = read(head + rows.format("120210000000002000", rounded, rounded))
        self.assertEqual((len(fine.totals), list(fine.problems)), (3, []))

    def test_other_ids_with_an_e(self) -> None:
        text = "Day,Campaign,Campaign ID,Currency code,Cost\n2026-11-26,A,8e12,EUR,5\n2026-11-26,B,E+10,EUR,6\n"
        self.assertEqual([each.key.campaign_id for each in read(text).totals], ["8e12", "E+10"])


class SignTests(SimpleTestCase):
    def test_two_signs_in_one_column(self) -> None:
        head = "Day,Campaign,Campaign ID,Cost\n"
        for first, second, named in (
            ("€100.50", "$200.50", ("USD, ARS, AUD or another one", "EUR")),
            ("$200.50", "€100.50", ("EUR", "USD, ARS, AUD or another one")),
            ("£100.50", "¥200", ("JPY or CNY", "GBP or EGP")),
            ("kr 100.50", "zł 200.50", ("PLN", "SEK, DKK, NOK or another one")),
            ("CAD 100.50", "£200.50", ("GBP or EGP", "CAD")),
        ):
            report = read(f"{head}2026-11-26,A,1,{first}\n2026-11-26,B,2,{second}\n")
            (problem,) = report.problems
            sentence = (
                f"The amount is in {named[0]}, but line 2 of the same account is in {named[1]}. Spend is never"
                " converted: download the report in the account’s currency."
            )
            self.assertEqual((problem.line, problem.sentence), (3, sentence))

    def test_signs_that_agree(self) -> None:
        head = "Day,Campaign,Campaign ID,Cost\n"
        report = read(f"{head}2026-11-26,A,1,$100.50\n2026-11-26,B,2,C$200.50\n2026-11-26,C,3,7\n")
        self.assertEqual(list(report.problems), [])
        self.assertEqual([each.currency for each in report.totals], ["", "CAD", ""])

    def test_a_sign_that_contradicts_the_heading_or_the_currency_s_column(self) -> None:
        for text in (
            "Day,Campaign,Cost ($)\n2026-11-26,A,€5\n",
            "Day,Campaign,Cost,Currency code\n2026-11-26,A,€5,$\n",
            "Day,Campaign,Cost,Currency code\n2026-11-26,A,$5,EUR\n",
        ):
            (problem,) = read(text).problems
            self.assertIn("The row names several currencies", problem.sentence)

    def test_a_code_that_is_no_currency(self) -> None:
        (problem,) = read("Day,Campaign,Cost\n2026-11-26,A,ABC 5\n").problems
        self.assertEqual(problem.sentence, "The currency “ABC” isn’t known.")


class AnsweredCurrencyTests(TestCase):
    TEXT = "Day,Campaign,Campaign ID,Account ID,Cost\n2026-11-26,A,1,77,$100.50\n"

    def open(self, text: str, currency: str = "") -> Download:
        return open_download(text.encode(), Answers(source="google_ads", currency=currency), now=NOW)

    def test_a_currency_that_the_sign_cannot_mean_is_asked_again(self) -> None:
        for text in (self.TEXT, self.TEXT.replace("Cost", "Cost ($)").replace("$100", "100")):
            (question,) = self.open(text, "EUR").questions
            self.assertEqual(
                question.sentence,
                "Which currency are the amounts in? By its sign, that of line 2 is in USD, ARS, AUD or another one, not"
                " in EUR.",
            )
            (row,) = self.open(text, "MXN").days(link=False)
            self.assertEqual((row.amount, row.currency), (Decimal("100.50"), "MXN"))

    def test_a_sign_that_the_account_s_currency_contradicts(self) -> None:
        PlatformAccount.objects.create(source="google_ads", external_id="77", name="Acme", currency="EUR")
        self.assertEqual(
            self.open(self.TEXT).problems,
            [
                "Line 2: by its sign, the amount is in USD, ARS, AUD or another one, but the account “Acme” is in EUR."
                " Spend is never converted."
            ],
        )
        PlatformAccount.objects.update(currency="AUD")
        self.assertTrue(self.open(self.TEXT).may_import)
