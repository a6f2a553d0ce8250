"""Amounts in files of brands and campaigns: read where they have one reading, rounded as the database rounds."""

from __future__ import annotations

from decimal import Decimal

from django.db import connection

from campaigns.models import Brand, Campaign
from campaigns.services.exchange.columns import Kind
from campaigns.services.exchange.files import FileRefused
from campaigns.services.exchange.imports import ImportPreview
from campaigns.tests.support.exchanging import NOON, ExchangeTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend
from campaigns.tests.support.outside import POSTGRESQL
from campaigns.tests.support.workbooks import workbook

# As the connector writes it.
INSERT = """
    INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount)
    VALUES (%s, %s, CAST(%s AS numeric))
    RETURNING amount
"""


class Amounts(ExchangeTestCase):
    def shown(self, name: str, data: bytes) -> ImportPreview:
        return self.preview(self.keep(Kind.BRANDS, data, name))

    def budgets(self, name: str, data: bytes) -> list[Decimal | None]:
        """Import a file and return the budgets that there are then, by the brands' names."""
        draft = self.keep(Kind.BRANDS, data, name)
        self.assertEqual(self.preview(draft).plan.problems, [])
        self.apply(draft)
        return list(Brand.objects.order_by("name").values_list("daily_budget", flat=True))


class WithSemicolons(Amounts):
    """Files of countries with a decimal comma, and of others."""

    def test_what_has_one_reading_is_read(self) -> None:
        for text, amount in (
            ("1250,50", "1250.50"),
            ("1250.50", "1250.50"),
            ("1.250,50", "1250.50"),
            ("1,250.50", "1250.50"),
            ("1.250.000", "1250000"),
            ("1250", "1250"),
            ("0,125", "0.125"),
        ):
            with self.subTest(text):
                data = f"name;daily_budget\r\nAlpine;{text}\r\n".encode("utf-8-sig")
                self.assertEqual(self.budgets("a.csv", data), [Decimal(amount)])

    def test_what_has_two_is_refused(self) -> None:
        make_brand(name="Alpine", daily_budget="1.255")
        for text, message in (
            ("1.250", "“1.250” could mean 1,250 or 1.25: write 1250 or 1.25."),
            ("10.000", "“10.000” could mean 10,000 or 10.00: write 10000 or 10.00."),
            ("1,255", "“1,255” could mean 1,255 or 1.2550: write 1255 or 1.2550."),
            ("1.255", "“1.255” could mean 1,255 or 1.2550: write 1255 or 1.2550."),
        ):
            with self.subTest(text):
                (problem,) = self.shown("a.csv", f"name;daily_budget\nAlpine;{text}\n".encode()).plan.problems
                self.assertEqual((problem.line, problem.sentence), (2, f"daily_budget: {message}"))

    def test_what_a_refusal_proposes_is_read(self) -> None:
        self.assertEqual(self.budgets("a.csv", b"name;daily_budget\nAlpine;1.2550\n"), [Decimal("1.255")])

    def test_with_commas_a_point_is_a_decimal_one(self) -> None:
        self.assertEqual(self.budgets("a.csv", b"name,daily_budget\nAlpine,1.250\n"), [Decimal("1.25")])


class Rounding(Amounts):
    def test_numbers_of_a_workbook_are_rounded_and_shown(self) -> None:
        rows = [["Alpine", 52.2622727272727 * 1.1], ["Boreal", 57.48849999999999], ["Corsa", 1e-05], ["Dune", 330.0]]
        data = workbook(["name", "daily_budget"], *rows, ["Elm", 33333.33333333334], ["Fir", 0.0000005])
        self.assertEqual(
            self.shown("a.xlsx", data).notes,
            (
                "Amounts are rounded to 6 decimals: 57.48849999999997 to 57.4885 (line 2); 57.48849999999999 to 57.4885"
                " (line 3); 33333.33333333334 to 33333.333333 (line 6); 5e-07 to 0.000001 (line 7).",
            ),
        )
        expected = ("57.4885", "57.4885", "0.00001", "330", "33333.333333", "0.000001")
        self.assertEqual(self.budgets("a.xlsx", data), [Decimal(amount) for amount in expected])

    def test_a_number_of_a_workbook_has_one_reading_and_a_text_may_have_two(self) -> None:
        self.assertEqual(
            self.budgets("a.xlsx", workbook(["name", "daily_budget"], ["Alpine", 1.255])), [Decimal("1.255")]
        )
        (problem,) = self.shown("a.xlsx", workbook(["name", "daily_budget"], ["Alpine", "1.255"])).plan.problems
        self.assertIn("“1.255” could mean 1,255 or 1.2550", problem.sentence)

    def test_a_file_is_rounded_as_the_database_rounds_what_is_inserted(self) -> None:
        amounts = ("0.0000005", "1.0000014999", "1.0000015", "2.0000025", "7.9999995", "1e-05", "3.5e2")
        rows = "".join(f"{number},{text}\n" for number, text in enumerate(amounts))
        rounded = self.budgets("a.csv", f"name,daily_budget\n{rows}".encode())
        expected = ("0.000001", "1.000001", "1.000002", "2.000003", "8", "0.00001", "350")
        self.assertEqual(rounded, [Decimal(amount) for amount in expected])
        if POSTGRESQL:
            campaign = make_campaign()
            for text, amount in zip(amounts, expected, strict=True):
                with connection.cursor() as cursor:
                    cursor.execute(INSERT, [campaign.brand_id, campaign.pk, text])
                    self.assertEqual(cursor.fetchone(), (Decimal(amount),))

    def test_what_is_the_same_when_rounded_changes_nothing(self) -> None:
        make_brand(name="Alpine", daily_budget="57.4885")
        plan = self.shown("a.xlsx", workbook(["name", "daily_budget"], ["Alpine", 57.48849999999999])).plan
        self.assertEqual((plan.lines, plan.same), ([], 1))

    def test_many_are_counted(self) -> None:
        rows = "".join(f"{number},1.0000001\n" for number in range(8))
        (note,) = self.shown("a.csv", f"name,daily_budget\n{rows}".encode()).notes
        self.assertIn("1.0000001 to 1 (line 6) and 3 more.", note)


class FormulasThatNothingCalculated(Amounts):
    def test_they_change_nothing(self) -> None:
        brand = make_brand(name="Alpine", daily_budget=50, monthly_budget=20_000)
        campaign = make_campaign(brand)
        spend(campaign, 60, NOON)
        data = workbook(["name", "daily_budget", "monthly_budget"], ["Alpine", "=1000*1.1", "=B2*30"])
        with self.assertRaisesMessage(FileRefused, "B2, C2"):
            self.keep(Kind.BRANDS, data, "a.xlsx")
        self.assertEqual(Brand.objects.values_list("daily_budget", "monthly_budget").get(), (50, 20_000))

    def test_errors_make_no_campaigns(self) -> None:
        make_brand(name="Alpine")
        for name, data in (
            ("a.csv", b"brand,name\nAlpine,#REF!\nAlpine,#N/A\n"),
            *(
                ("a.csv", f"brand;name\nAlpine;{error}\n".encode())
                for error in (
                    "#BEZUG!",
                    "#ÜBERLAUF!",
                    "#VALEUR!",
                    "#¡VALOR!",
                    "#¿NOMBRE?",
                    "#RIF!",
                    "#ERROR!",
                    "Err:502",
                )
            ),
        ):
            with self.assertRaisesMessage(FileRefused, "a spreadsheet writes where it couldn’t calculate a value"):
                self.keep(Kind.CAMPAIGNS, data, name)
        self.assertFalse(Campaign.objects.exists())
