"""What is asked, what is refused with a remedy, and what is left out and counted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.test import SimpleTestCase

from campaigns.rules.amounts import DecimalMark
from campaigns.services.exchange.files import FileRefused
from campaigns.services.platform_files.answers import Answers, Ask
from campaigns.services.platform_files.dates import DateOrder
from campaigns.services.platform_files.headings import Role
from campaigns.services.platform_files.numbers import Parentheses
from campaigns.services.platform_files.report import Report
from campaigns.services.platform_files.spend_row import LeftOut
from campaigns.tests.platform_files import files
from campaigns.tests.platform_files.test_reports import read

HEAD = "Day,Campaign,Campaign ID,Currency code,Cost"


class QuestionTests(SimpleTestCase):
    def asked(self, text: str, answers: Answers | None = None) -> list[Ask]:
        return [question.ask for question in read(text, answers).questions]

    def test_an_order_of_dates_that_nothing_decides(self) -> None:
        text = f"{HEAD}\n05/11/2026,A,1,EUR,5.10\n06/11/2026,A,1,EUR,5.10\n"
        (question,) = read(text).questions
        self.assertEqual(question.sentence, "Which day is “05/11/2026”?")
        self.assertEqual(question.options, [("dmy", "5 November 2026"), ("mdy", "11 May 2026")])
        report = read(text, Answers(order=DateOrder.DAY_FIRST))
        self.assertEqual([total.day for total in report.totals], [date(2026, 11, 5), date(2026, 11, 6)])

    def test_lines_around_the_table_decide_the_order(self) -> None:
        text = f"Report Time: 11/05/2026,11/26/2026\n{HEAD}\n11/05/2026,A,1,EUR,5.10\n"
        self.assertEqual(read(text).totals[0].day, date(2026, 11, 5))

    def test_a_decimal_separator_that_nothing_decides(self) -> None:
        text = f'{HEAD}\n2026-11-26,A,1,EUR,"1,234"\n2026-11-26,B,2,EUR,7\n'
        (question,) = read(text).questions
        self.assertEqual(question.sentence, "Which amount is “1,234”?")
        self.assertEqual(question.options, [("point", "1,234"), ("comma", "1.234")])
        report = read(text, Answers(decimal=DecimalMark.COMMA))
        self.assertEqual(report.totals[0].total, Decimal("1.234"))

    def test_an_answer_that_contradicts_the_file_counts_for_nothing(self) -> None:
        text = f'{HEAD}\n26/11/2026,A,1,EUR,"1.234,56"\n'
        report = read(text, Answers(order=DateOrder.MONTH_FIRST, decimal=DecimalMark.POINT))
        self.assertEqual((report.totals[0].day, report.totals[0].total), (date(2026, 11, 26), Decimal("1234.56")))

    def test_other_numbers_of_the_file_decide_the_decimal_separator(self) -> None:
        text = 'Day,Campaign,Currency code,Cost,CTR\n2026-11-26,A,EUR,"1,234","3.45 %"\n'
        self.assertEqual(read(text).totals[0].total, Decimal(1234))

    def test_parentheses_are_credits_beside_positive_amounts(self) -> None:
        report = read(f"{HEAD}\n2026-11-26,A,1,EUR,20.00\n2026-11-27,A,1,EUR,(12.34)\nTotal,,,EUR,7.66\n")
        self.assertEqual([total.total for total in report.totals], [Decimal(20), Decimal("-12.34")])
        self.assertEqual((report.parentheses, report.left_out), (Parentheses.CREDIT, {LeftOut.TOTAL: 1}))

    def test_parentheses_that_nothing_decides(self) -> None:
        # A total outside parentheses is no spend, so it decides nothing.
        text = f"{HEAD}\n2026-11-26,A,1,EUR,(12.34)\n2026-11-27,A,1,EUR,0.00\nTotal,,,EUR,12.34\n"
        (question,) = read(text).questions
        self.assertEqual((question.ask, question.sentence), (Ask.PARENTHESES, "Which amount is “(12.34)”?"))
        self.assertEqual(question.options, [("credit", "-12.34, a credit"), ("spend", "12.34, spend")])
        for answer, amount in ((Parentheses.CREDIT, "-12.34"), (Parentheses.SPEND, "12.34")):
            report = read(text, Answers(parentheses=answer))
            self.assertEqual(report.totals[0].total, Decimal(amount))

    def test_parentheses_beside_a_minus_are_asked(self) -> None:
        text = f"{HEAD}\n2026-11-26,A,1,EUR,(12.34)\n2026-11-27,A,1,EUR,-3.00\n2026-11-28,A,1,EUR,5.00\n"
        self.assertEqual(self.asked(text), [Ask.PARENTHESES])

    def test_what_parentheses_were_counts_only_where_the_file_allows_it(self) -> None:
        spend = Answers(usual_parentheses=Parentheses.SPEND)
        text = f"{HEAD}\n2026-11-26,A,1,EUR,(12.34)\n"
        self.assertEqual(read(text, spend).totals[0].total, Decimal("12.34"))
        self.assertEqual(self.asked(f"{text}2026-11-27,A,1,EUR,5.00\n", spend), [Ask.PARENTHESES])

    def test_several_columns_of_spend(self) -> None:
        text = (
            "Date,Advertiser ID,Campaign ID,Media Cost (Advertiser Currency),Total Media Cost (Advertiser Currency)\n"
            "2026/11/26,1,2,5.10,6.20\n2026/11/27,1,2,5.10,6.20\n"
        )
        (question,) = read(text).questions
        self.assertEqual(question.ask, Ask.AMOUNT)
        self.assertEqual([place for place, _ in question.options], ["3", "4"])
        columns = {Role.DAY: 0, Role.ACCOUNT_ID: 1, Role.CAMPAIGN_ID: 2, Role.AMOUNT: 4}
        self.assertEqual(read(text, Answers(columns=columns)).totals[0].total, Decimal("6.20"))

    def test_the_period_of_the_title_decides_the_order(self) -> None:
        title = "Rapport sur les campagnes\n1 septembre 2026 - 30 septembre 2026\n"
        text = f"{title}Jour;Campagne;Code de devise;Coût\n05/09/2026;A;EUR;5,10\n"
        self.assertEqual(read(text).totals[0].day, date(2026, 9, 5))
        self.assertEqual(self.asked(text.replace("septembre", "octobre")), [Ask.ORDER])

    def test_rates_are_no_spend(self) -> None:
        self.assertEqual(
            self.asked("Day,Campaign,Avg. CPC,Cost / conv.,Budget\n2026-11-26,A,1.1,2.2,3.3\n"), [Ask.AMOUNT]
        )

    def test_days_that_may_begin_weeks(self) -> None:
        head = "Start date,Campaign,Cost (EUR)\n"
        self.assertEqual(self.asked(f"{head}2026-11-02,A,5.1\n2026-11-09,A,5.1\n"), [Ask.PERIOD])
        self.assertEqual(self.asked(f"{head}2026-11-02,A,5.1\n2026-11-03,A,5.1\n"), [])
        self.assertEqual(self.asked(f"{head}2026-11-02,A,5.1\n", Answers(is_daily=True)), [])
        self.assertEqual(self.asked("Day,Campaign,Cost (EUR)\n2026-11-02,A,5.1\n2026-11-09,A,5.1\n"), [])


class RefusalTests(SimpleTestCase):
    def assert_refused(self, text: str, *sentences: str) -> None:
        with self.assertRaises(FileRefused) as caught:
            read(text)
        for sentence in sentences:
            self.assertIn(sentence, str(caught.exception))

    def test_totals_of_the_whole_period(self) -> None:
        remedy = "Download the report again with a column for the day"
        self.assert_refused("Campaign,Campaign ID,Currency code,Cost\nA,1,EUR,5\n", "no column for the day", remedy)
        self.assert_refused(
            files.META.replace("2026-11-26,2026-11-26", "2026-11-01,2026-11-26"), "covers several days", remedy
        )

    def test_weeks_and_months(self) -> None:
        self.assert_refused("Week,Campaign,Cost\n2026-11-23,A,5\n", "periods (“Week”)", "can’t be divided into days")
        self.assert_refused("Monat;Kampagne;Kosten\nNov. 2026;A;5\n", "periods (“Monat”)")
        self.assert_refused("Date,Campaign,Cost\nNovember 2026,A,5\n", "“November 2026” is a month")
        self.assert_refused("Date,Campaign,Cost\n2026-11-23 - 2026-11-29,A,5\n", "period of several days")
        self.assert_refused(files.MICROSOFT.replace("Aggregation: Daily", "Aggregation: Weekly"), "weeks, months")

    def test_days_in_several_orders(self) -> None:
        self.assert_refused(f"{HEAD}\n26/11/2026,A,1,EUR,5\n11/27/2026,A,1,EUR,5\n", "in several orders")

    def test_other_files(self) -> None:
        for data, sentence in (
            (b"", "The file is empty"),
            (b"\x1f\x8b\x08", "compressed (gzip)"),
            (b"%PDF-1.7", "is a PDF"),
            (b"<!DOCTYPE html><html>", "is a web page"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel workbook"),
            (b"hello\nworld\n", "No table was found"),
            (b"Day,Campaign,Cost\n2026-11-26,\x81\x8d,5\n", "encoding is unknown"),
            (b'Day,Campaign,Cost\n2026-11-26,"A,5\n', "check its quotes"),
        ):
            with self.subTest(data), self.assertRaisesMessage(FileRefused, sentence):
                read(data)


class ProblemTests(SimpleTestCase):
    def problems(self, *lines: str, head: str = HEAD) -> list[str]:
        return [f"{line}: {sentence}" for line, sentence in read("\n".join((head, *lines, ""))).problems]

    def test_rows_that_cannot_be_read(self) -> None:
        good = "2026-11-26,A,1,EUR,5"
        for row, sentence in (
            ("2026-11-26,B,2,EUR,abc", "isn't a valid amount"),
            ("2026-11-26,B,2,EUR,#DIV/0!", "isn't a valid amount"),
            ("hello,B,2,EUR,7", "isn’t a day"),
            ("2027-01-01,B,2,EUR,7", "is in the future"),
            ("2026-11-26,B,2,XXX,7", "The currency “XXX” isn’t known"),
            ("2026-11-26,B,2,EUR,$7", "several currencies: EUR and USD"),
        ):
            with self.subTest(row):
                (problem,) = self.problems(good, row)
                self.assertIn(sentence, problem)
                self.assertTrue(problem.startswith("3: "), problem)

    def test_money_without_a_campaign_is_left_out_only_as_a_sum(self) -> None:
        rows = ("2026-11-26,A,1,EUR,5", "2026-11-26,B,2,EUR,7")
        self.assertEqual(self.problems(*rows, "2026-11-26,,,EUR,12"), [])
        self.assertEqual(
            self.problems(*rows, "2026-11-26,,,EUR,11"), ["4: The row has the amount 11, but no campaign."]
        )
        self.assertEqual(self.problems(*rows, ",A,1,EUR,5"), [])
        self.assertEqual(self.problems(*rows, ",A,1,EUR,6"), ["4: The row has the amount 6, but no day."])

    def test_more_values_than_columns(self) -> None:
        (problem,) = self.problems("2026-11-26,Search, exact,1,EUR,5", head="Day,Campaign,Cost,Campaign ID,Currency")
        self.assertIn("isn't a valid amount", problem)
        (problem,) = self.problems("2026-11-26,A,1,EUR,5,50")
        self.assertIn("more values than columns", problem)


class LeftOutTests(SimpleTestCase):
    def left_out(self, text: str) -> dict[LeftOut, int]:
        report: Report = read(text)
        self.assertEqual(list(report.problems), [])
        return dict(report.left_out)

    def test_each_row_that_is_no_spend_is_counted(self) -> None:
        text = (
            f"{HEAD}\n2026-11-26,A,1,EUR,5\n,,,,\n2026-11-26,B,2,EUR,--\n2026-11-26,C,3,EUR,\n2026-11-26,D,4,EUR,n/a\n"
            f"{HEAD}\nGesamt,,,EUR,5\nTotal,,,EUR,5\n,,,EUR,5\n© 2026 Somebody,,,,\nNote: figures may change\n"
        )
        self.assertEqual(
            self.left_out(text), {LeftOut.NO_SPEND: 3, LeftOut.HEADINGS: 1, LeftOut.TOTAL: 3, LeftOut.NOTE: 2}
        )

    def test_a_campaign_that_is_called_like_a_total(self) -> None:
        report = read(f"{HEAD}\n2026-11-26,Total Wine,1,EUR,5\n2026-11-26,All,2,EUR,6\n")
        self.assertEqual([total.key.campaign for total in report.totals], ["Total Wine", "All"])

    def test_totals_in_words_that_nobody_knows(self) -> None:
        rows = f"{HEAD}\n2026-11-26,A,1,EUR,5\n2026-11-27,B,2,EUR,6\n"
        self.assertEqual(self.left_out(f"{rows}Összesen,--,--,EUR,11\n"), {LeftOut.TOTAL: 1})
        (problem,) = read(f"{rows}Összesen,--,--,EUR,12\n").problems
        self.assertIn("“Összesen” isn’t a day", problem.sentence)

    def test_a_total_of_each_day(self) -> None:
        rows = "Day,Campaign,Cost (EUR)\n2026-11-26,A,5\n2026-11-26,B,6\n"
        self.assertEqual(self.left_out(f"{rows}2026-11-26,Total,11\n"), {LeftOut.TOTAL: 1})
        self.assertEqual(len(read(f"{rows}2026-11-26,Total,12\n").totals), 3)

    def test_sub_totals_of_a_pivot_table(self) -> None:
        head = "Campaign name,Day,Ad name,Amount spent (EUR)\n"
        rows = "A,2026-11-26,All,10\nA,2026-11-26,Ad 1,6\nA,2026-11-26,Ad 2,4\nA,All,All,10\n"
        report = read(head + rows)
        self.assertEqual(([total.total for total in report.totals], report.left_out), ([10], {LeftOut.TOTAL: 2}))
        (problem,) = read(head + rows.replace("All,10\nA,2026", "All,11\nA,2026")).problems
        self.assertIn("“All” under “Ad name”, but isn’t the sum", problem.sentence)
        same = read(f"{head}A,2026-11-26,All,10\n")
        self.assertEqual([total.total for total in same.totals], [10])

    def test_a_period_that_ends_at_midnight(self) -> None:
        head = "Start time,End time,Campaign name,Amount spent (EUR)\n"
        day = "2026-11-26T00:00:00.000-08:00,2026-11-27T00:00:00.000-08:00,A,10\n"
        self.assertEqual([total.day for total in read(head + day).totals], [date(2026, 11, 26)])

    def test_zero_is_said(self) -> None:
        report = read(f"{HEAD}\n2026-11-26,A,1,EUR,0.00\n")
        self.assertEqual([total.total for total in report.totals], [0])

    def test_negative_amounts_count(self) -> None:
        self.assertEqual(read(f"{HEAD}\n2026-11-26,A,1,EUR,-5.10\n").totals[0].total, Decimal("-5.10"))
