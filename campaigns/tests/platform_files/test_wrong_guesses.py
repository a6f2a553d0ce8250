"""Values that spreadsheets have mangled, or that contradict each other: refused or asked, never guessed."""

from __future__ import annotations

from decimal import Decimal

from django.test import SimpleTestCase

from campaigns.services.platform_files.answers import Answers
from campaigns.services.platform_files.headings import Role
from campaigns.tests.platform_files.test_reports import read


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
