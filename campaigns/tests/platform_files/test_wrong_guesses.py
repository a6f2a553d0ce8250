"""Values that spreadsheets have mangled, or that contradict each other: refused or asked, never guessed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import SimpleTestCase, TestCase
from django.urls import reverse

from campaigns.models import Brand, PlatformAccount
from campaigns.rules.zones import read_stated_zone
from campaigns.services.platform_files.answers import Answers, Ask
from campaigns.services.platform_files.download import Download, open_download
from campaigns.services.platform_files.headings import Role
from campaigns.tests.platform_files import files
from campaigns.tests.platform_files.test_hostile import changed, workbook
from campaigns.tests.platform_files.test_reports import NOW, read
from campaigns.tests.platform_files.test_wizard import UPLOAD, WizardCase


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


class WrittenTests(SimpleTestCase):
    def test_ids_as_spreadsheets_write_them_are_one(self) -> None:
        head = "Day,Campaign,Campaign ID,Currency code,Cost\n"
        for written in ("12345.0", "'12345", '"=""12345"""', '"12,345"', "12345"):
            (total,) = read(f"{head}2026-11-26,A,{written},EUR,5\n").totals
            self.assertEqual(total.key.campaign_id, "12345")

    def test_amounts_in_millionths(self) -> None:
        columns = {Role.DAY: 0, Role.CAMPAIGN: 1, Role.CAMPAIGN_ID: 2, Role.CURRENCY: 3, Role.AMOUNT: 4}
        for heading in ("cost_micros", "Spend (micro)", "Cost micros"):
            text = f"Day,Campaign,Campaign ID,Currency,{heading}\n2026-11-26,A,1,EUR,{{}}\n"
            self.assertEqual([each.ask for each in read(text.format(5)).questions], [Ask.AMOUNT])
            for written, amount in (("12500000001", "12500.000001"), ("-1", "-0.000001"), ("0", "0")):
                (total,) = read(text.format(written), Answers(columns=columns)).totals
                self.assertEqual(total.total, Decimal(amount))
            (problem,) = read(text.format("12.50"), Answers(columns=columns)).problems
            self.assertIn("isn’t a whole number of millionths", problem.sentence)
        text = "Day,Campaign,Campaign ID,Currency,Microsoft spend\n2026-11-26,A,1,EUR,12.50\n"
        self.assertEqual(read(text, Answers(columns=columns)).totals[0].total, Decimal("12.50"))


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

    def test_the_currency_that_the_number_format_of_an_amount_shows(self) -> None:
        head = ["Day", "Campaign", "Campaign ID", "Cost"]
        for shown, currency, possible in (
            ("#,##0.00", "", ""),
            ("[$$-409]#,##0.00", "", "CAD"),
            ("#,##0.00\\ [$€-407]", "EUR", ""),
        ):
            with self.subTest(shown):
                data = workbook(head, ["2026-11-26", "A", 1, -1.005], formats={"D2": shown})
                (total,) = read(data).totals
                self.assertEqual((total.total, total.currency), (Decimal("-1.005"), currency))
                self.assertEqual((bool(total.possible), possible in total.possible), (bool(possible), bool(possible)))

    def test_number_formats_change_no_other_value(self) -> None:
        """Campaign IDs and days stay as they are, also in columns that are formatted as money."""
        euro = "#,##0.00\\ [$€-407]"
        head = ["Day", "Campaign", "Campaign ID", "Cost"]
        data = workbook(head, [46352, "A", 1, 5.25], formats=dict.fromkeys(("A2", "C2", "D2"), euro))
        (total,) = read(data).totals
        self.assertEqual((str(total.day), total.key.campaign_id), ("2026-11-26", "1"))
        self.assertEqual((total.total, total.currency), (Decimal("5.25"), "EUR"))

    def test_built_in_number_formats_say_nothing(self) -> None:
        """A German spreadsheet writes € for them, an American one reads them as $."""
        data = workbook(
            ["Day", "Campaign", "Cost", "Currency code"],
            ["2026-11-26", "A", 5, "USD"],
            formats={"C2": '_-* #,##0.00\\ "€"_-'},
        )
        self.assertIn("several currencies", read(data).problems[0].sentence)
        (total,) = read(changed(data, "xl/styles.xml", b'numFmtId="164"', b'numFmtId="44"')).totals
        self.assertEqual(total.currency, "USD")

    def test_a_number_format_that_contradicts_the_currency_s_column(self) -> None:
        head = ["Day", "Campaign", "Cost", "Currency code"]
        (problem,) = read(workbook(head, ["2026-11-26", "A", 5, "EUR"], formats={"C2": '"$"0.00'})).problems
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


class ZoneTests(WizardCase):
    TEXT = "Campaign report\nDay,Account name,Campaign,Campaign ID,Cost (USD)\n2026-11-26,{},A,1,5.10\n"

    def test_the_time_zone_of_the_file(self) -> None:
        page = self.upload(files.MICROSOFT)
        self.assertContains(page, "The days of the account Acme are days in America/Los_Angeles, as the file says.")
        self.post(page, **{"import": ""})
        self.assertEqual(PlatformAccount.objects.get().timezone, "America/Los_Angeles")
        PlatformAccount.objects.update(timezone="Europe/Paris")
        self.assertContains(
            self.upload(files.MICROSOFT),
            "The file’s days are in America/Los_Angeles, but those of the account Acme are taken to be in"
            " Europe/Paris.",
        )

    def ask(self, account: str) -> Any:
        data = {"file": SimpleUploadedFile("report.csv", self.TEXT.format(account).encode())}
        page = self.client.post(reverse(UPLOAD), {**data}, follow=True)
        self.assertContains(page, f"In which time zone does the account “{account}” count its days?")
        return page

    def test_it_is_asked_before_the_preview_with_the_brand_s_proposed(self) -> None:
        Brand.objects.update(timezone="Asia/Tokyo")
        page = self.ask("Acme")
        self.assertEqual(page.context["form"]["timezone"].value(), "Asia/Tokyo")
        page = self.post(page, timezone="new york")
        self.assertContains(page, "The days of the account Acme are days in America/New_York, as you say.")
        self.post(page, **{"import": ""})
        self.assertEqual(PlatformAccount.objects.get().timezone, "America/New_York")
        # The account has it now: the next file asks nothing.
        self.assertEqual(self.upload(self.TEXT.format("Acme")).context["form"].questions, [])

    def test_what_waits_without_it_is_said(self) -> None:
        page = self.post(self.ask("Unknown"), timezone="")
        self.assertContains(page, "The time zone of the account Unknown is unknown: its spend is imported, but waits")
        page = self.post(page, **{"import": ""})
        self.assertContains(page, "The spend of “Unknown” waits as unassigned until the account’s time zone is set")
        self.assertNotContains(page, "booked within seconds")

    def test_time_zones_as_titles_have_them(self) -> None:
        for text, zone in (
            ("(GMT-08:00) Pacific Time (US & Canada); Tijuana", "America/Los_Angeles"),
            ("(GMT+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Amsterdam"),
            ("(GMT-05:00) Eastern Time (US & Canada)", "America/New_York"),
            ("(GMT) Greenwich Mean Time: Dublin, Edinburgh, Lisbon, London", "Europe/Lisbon"),
            ("(GMT+09:00) Osaka, Sapporo, Tokyo", "Asia/Tokyo"),
            ("(UTC+01:00) Berlin", "Europe/Berlin"),
            ("(UTC+02:00) Berlin", None),
            ("Europe/Berlin", "Europe/Berlin"),
            ("UTC", "UTC"),
            ("GMT+00:00", "UTC"),
            ("GMT-5", None),
            ("nowhere", None),
        ):
            self.assertEqual(read_stated_zone(text), zone, text)
        self.assertEqual(read(files.LINKEDIN).timezone, "UTC")
        self.assertEqual(read(f"Zeitzone: Europe/Berlin\n{files.GOOGLE_DE}").timezone, "Europe/Berlin")
        self.assertEqual(read(files.GOOGLE_EN).timezone, "")
