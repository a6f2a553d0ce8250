"""Errors with a line of an imported file: it is named by its number, with the value and the remedy."""

from __future__ import annotations

from campaigns.models import Campaign
from campaigns.services.exchange.columns import Kind
from campaigns.services.exchange.files import FileRefused
from campaigns.services.exchange.imports import ImportConflict
from campaigns.tests.support.exchanging import ExchangeTestCase, csv_of
from campaigns.tests.support.factories import make_brand, make_campaign


class WhatIsWrongWithALine(ExchangeTestCase):
    def test_every_value_is_checked(self) -> None:
        brand = make_brand(name="Alpine")
        for column, text, sentence in (
            ("enabled", "perhaps", "enabled: Enter “on” or “off”, not “perhaps”."),
            ("currency", "DEM", "currency: “DEM” isn't a currency we know. Enter a code of ISO 4217, like EUR."),
            ("currency", "EURO PEAN", "currency: “EURO PEAN” isn't a currency we know. Enter a code"),
            ("currency", "$", "currency: “$” could be USD, ARS, AUD or another one. Enter the code."),
            ("timezone", "Pariss", "timezone: “Pariss” isn’t a time zone we know. Try Europe/Paris."),
            ("timezone", "istanbul", "“istanbul” isn’t a time zone we know. Try Asia/Istanbul or Europe/Istanbul."),
            ("timezone", "Mars", "timezone: “Mars” isn’t a time zone we know. Use a name like Europe/Paris or UTC."),
            (
                "daily_budget",
                "a lot",
                "daily_budget: “a lot” isn’t a valid amount. Use a number like 1250.50, below 1,000,000,000, or"
                " leave it empty for no limit.",
            ),
            ("daily_budget", "NaN", "daily_budget: “NaN” isn’t a valid amount"),
            ("daily_budget", "--", "daily_budget: “--” isn’t a valid amount"),
            ("daily_budget", "1,000", "daily_budget: “1,000” could mean 1,000 or 1.00: write 1000 or 1.00."),
            ("daily_budget", "5 EUR", "daily_budget: “5 EUR” includes a currency: enter the number only"),
            ("daily_budget", "-1", "daily_budget: “-1” is out of range: use a number from 0 to below 1,000,000,000."),
            ("daily_budget", "1000000000", "daily_budget: “1000000000” isn’t a valid amount"),
            (
                "daily_budget",
                "0.0000001",
                "daily_budget: “0.0000001” rounds to 0, and a limit of 0 pauses: use 0, or at least 0.000001.",
            ),
            ("name", "x" * 201, "name: “" + "x" * 59 + "…” has 201 characters: a name has at most 200."),
            ("name", "", "name: The name is empty: enter one."),
            ("id", "first", "id: “first” isn’t a valid id: use the exported id, or leave it empty to match by name."),
        ):
            with self.subTest(sentence):
                row = {"id": str(brand.pk), "name": "Alpine"} | {column: text}
                ((line, message),) = self.problems(Kind.BRANDS, list(row), list(row.values()))
                self.assertEqual(line, 2)
                self.assertIn(sentence, message)

    def test_dates_are_checked_together(self) -> None:
        campaign = make_campaign(ends_on="2026-01-31")
        header = ("id", "starts_on")
        self.assertEqual(
            self.problems(Kind.CAMPAIGNS, header, (campaign.pk, "2026-02-01")),
            [(2, "ends_on: the end date 2026-01-31 is before the start date 2026-02-01. They can be the same day.")],
        )
        self.assertEqual(self.problems(Kind.CAMPAIGNS, header, (campaign.pk, "2026-01-31")), [])
        sentence = "starts_on: “31.1.2026” isn’t a valid date: use the form 2026-12-31, or leave it empty."
        self.assertEqual(self.problems(Kind.CAMPAIGNS, header, (campaign.pk, "31.1.2026")), [(2, sentence)])

    def test_names_are_checked_against_others(self) -> None:
        one, two = make_campaign(make_brand(name="Alpine"), name="One"), make_campaign(name="Two")
        make_campaign(one.brand, name="Three")
        taken = "name: another campaign is named “Three”: choose another name."
        self.assertEqual(
            self.problems(Kind.CAMPAIGNS, ("id", "name"), (one.pk, "Three"), (two.pk, "Three")),
            [(2, taken)],
        )
        self.assertEqual(
            self.problems(Kind.CAMPAIGNS, ("brand", "name"), ("Alpine", "Four"), ("Alpine", "Four")),
            [(3, "“Four” is already in line 2: keep one of the lines.")],
        )

    def test_what_is_not_there_is_said(self) -> None:
        campaign = make_campaign(make_brand(name="Alpine"), name="Search")
        self.assertEqual(
            self.problems(
                Kind.CAMPAIGNS, ("id", "brand", "name"), ("", "Boreal", "X"), (campaign.pk, "Boreal", "Search")
            ),
            [
                (2, "brand: unknown brand “Boreal”: correct the name, or import the brand first."),
                (
                    3,
                    f"brand: “Search” ({campaign.pk}) belongs to the brand “Alpine”, not to “Boreal”: move a"
                    " campaign to"
                    " another brand on its own page.",
                ),
            ],
        )
        sentence = "id: unknown campaign 999999: correct it, or leave it empty for a new one."
        self.assertEqual(self.problems(Kind.CAMPAIGNS, ("id", "enabled"), ("999999", "on")), [(2, sentence)])
        header = ("brand", "campaign", "days", "from", "until")
        sentence = "campaign: the brand “Alpine” has no campaign “Video”: correct the name."
        self.assertEqual(
            self.problems(Kind.CAMPAIGNS, header, ("Alpine", "Video", "Mon", "1:00", "2:00")), [(2, sentence)]
        )

    def test_windows_are_checked(self) -> None:
        campaign = make_campaign(name="Search")
        for days, start, end, sentence in (
            (
                "Someday",
                "9:00",
                "10:00",
                "days: “Someday” aren’t valid days: use “Mon Wed”, “Mon-Fri”, “every day”",
            ),
            ("", "9:00", "10:00", "days: “” aren’t valid days"),
            ("Mon", "24:00", "10:00", "from: “24:00” isn’t a valid time: use 00:00 to 23:59, like 09:00."),
            ("Mon", "9:00", "", "from: a window needs both times: use 00:00 and 00:00 for the whole day."),
            ("Mon", "9:00", "9:00", "until: 09:00 to 09:00 is empty: use 00:00 to 00:00 for the whole day."),
            ("always", "9:00", "", "from: “always” takes no times: leave them empty, or enter the days."),
        ):
            with self.subTest(sentence):
                header = ("campaign_id", "days", "from", "until")
                ((line, message),) = self.problems(Kind.CAMPAIGNS, header, (campaign.pk, days, start, end))
                self.assertEqual(line, 2)
                self.assertIn(sentence, message)
        both = ((campaign.pk, "Mon", "9:00", "10:00"), (campaign.pk, "always", "", ""))
        sentence = "days: “Search” is “always” in one line and has a window in another: keep one."
        self.assertEqual(self.problems(Kind.CAMPAIGNS, header, *both), [(2, sentence)])

    def test_columns_are_checked(self) -> None:
        for columns, sentence in (
            (("id", "daily_buget"), "Unknown column “daily_buget”: the columns of brands are id, name,"),
            (("enabled",), "The first line has neither id nor name, by which rows are matched: add one of them."),
        ):
            with self.assertRaises(FileRefused) as caught:
                self.preview(self.keep(Kind.BRANDS, csv_of(columns, ["x"] * len(columns))))
            self.assertIn(sentence, str(caught.exception))

    def test_nothing_is_imported_where_a_line_is_wrong(self) -> None:
        campaign = make_campaign(daily_spend_limit=1)
        draft = self.keep(Kind.CAMPAIGNS, csv_of(("id", "daily_spend_limit"), (campaign.pk, "2"), ("999999", "3")))
        self.preview(draft)
        with self.assertRaises(ImportConflict):
            self.apply(draft)
        self.assertEqual(Campaign.objects.get().daily_spend_limit, 1)
