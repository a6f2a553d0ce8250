"""A form says in a sentence what the database refuses by name."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.test import TestCase

from campaigns.models import Brand, Campaign, DaypartingSchedule, SpendRecord
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend


class SentenceTests(TestCase):
    def assert_sentence(self, sentence: str, row: models.Model) -> None:
        with self.assertRaises(ValidationError) as refusal:
            row.full_clean()
        self.assertIn(sentence, refusal.exception.messages)

    def assert_constraint_sentence(self, sentence: str, row: models.Model) -> None:
        """As a constraint says it, for where a field's own validator speaks first in a form."""
        with self.assertRaises(ValidationError) as refusal:
            row.validate_constraints()
        self.assertIn(sentence, refusal.exception.messages)


class BrandSentenceTests(SentenceTests):
    def test_it_takes_a_brand_with_nothing_but_a_name(self) -> None:
        Brand(name="B").full_clean()

    def test_it_takes_budgets_on_both_boundaries(self) -> None:
        for budget in (Decimal(0), Decimal("999999999.999999")):
            Brand(name="B", daily_budget=budget, monthly_budget=budget).full_clean()

    def test_it_says_what_a_budget_may_be(self) -> None:
        self.assert_sentence(
            "-0.000001 is below 0: enter 0 or more, or leave it empty for no limit.",
            Brand(name="B", daily_budget=Decimal("-0.000001")),
        )
        for name in ("daily", "monthly"):
            for budget in (Decimal("-0.000001"), Decimal(10**9)):
                self.assert_constraint_sentence(
                    f"A {name} budget must be empty, or at least 0 and below 1,000,000,000.",
                    Brand(name="B", **{f"{name}_budget": budget}),
                )

    def test_it_says_that_a_brand_needs_a_name(self) -> None:
        self.assert_constraint_sentence("Enter a name for the brand.", Brand(name=""))

    def test_it_says_what_a_currency_is(self) -> None:
        self.assert_constraint_sentence("A currency must have three letters, like EUR.", Brand(name="B", currency="EU"))
        self.assert_sentence("“eur” isn't a currency we know. Try EUR (Euro).", Brand(name="B", currency="eur"))

    def test_it_says_that_is_unknown_the_zone(self) -> None:
        self.assert_sentence(
            "“Europe/Pairs” isn’t a time zone we know. Try Europe/Paris.",
            Brand(name="B", timezone="Europe/Pairs"),
        )


class CampaignSentenceTests(SentenceTests):
    def campaign(self, **fields: Any) -> Campaign:
        return Campaign(**{"brand": make_brand(), "name": "C"} | fields)

    def test_it_takes_dates_that_are_the_same(self) -> None:
        self.campaign(starts_on=date(2026, 11, 22), ends_on=date(2026, 11, 22)).full_clean()

    def test_it_says_that_the_end_lies_before_the_start(self) -> None:
        self.assert_sentence(
            "The end date is before the start date. They can be the same day.",
            self.campaign(starts_on=date(2026, 11, 22), ends_on=date(2026, 11, 21)),
        )

    def test_it_says_that_the_name_is_taken(self) -> None:
        first = make_campaign(name="C")
        self.assert_sentence(
            "The brand already has a campaign with this name. Choose another name.",
            Campaign(brand=first.brand, name="C"),
        )

    def test_it_says_that_a_campaign_needs_a_name(self) -> None:
        self.assert_constraint_sentence("Enter a name for the campaign.", self.campaign(name=""))

    def test_it_says_what_a_limit_may_be(self) -> None:
        self.campaign(daily_spend_limit=Decimal(0)).full_clean()
        for limit in (Decimal("-0.000001"), Decimal(10**9)):
            self.assert_constraint_sentence(
                "A daily spend limit must be empty, or at least 0 and below 1,000,000,000.",
                self.campaign(daily_spend_limit=limit),
            )


class WindowSentenceTests(SentenceTests):
    def window(self, **fields: Any) -> DaypartingSchedule:
        return DaypartingSchedule(**{"campaign": make_campaign(), "start_time": time(9), "end_time": time(17)} | fields)

    def test_it_takes_a_window_the_whole_day_and_one_that_passes_midnight(self) -> None:
        self.window().full_clean()
        self.window(start_time=time(0), end_time=time(0)).full_clean()
        self.window(start_time=time(22), end_time=time(2)).full_clean()
        make_window(make_campaign()).full_clean()

    def test_it_says_that_a_window_needs_a_day(self) -> None:
        for days in (0, 128):
            self.assert_sentence("Choose at least one day of the week.", self.window(days_of_week=days))

    def test_it_says_that_times_are_in_minutes(self) -> None:
        self.assert_sentence(
            "Enter times from 00:00 to 23:59, without seconds.", self.window(start_time=time(9, 0, 30))
        )
        self.assert_sentence(
            "Enter times from 00:00 to 23:59, without seconds.", self.window(end_time=time(17, 0, 0, 1))
        )

    def test_it_says_that_the_start_is_the_end(self) -> None:
        self.assert_sentence(
            "09:00 to 09:00 is an empty window. Enter 00:00 to 00:00 for the whole day, or two different times.",
            self.window(end_time=time(9)),
        )
        self.assert_constraint_sentence(
            "Start and end are the same. Enter 00:00 to 00:00 for the whole day, or two different times.",
            self.window(end_time=time(9)),
        )


class SpendSentenceTests(SentenceTests):
    def record(self, **fields: Any) -> SpendRecord:
        campaign = make_campaign()
        return SpendRecord(**{"brand": campaign.brand, "campaign": campaign, "amount": Decimal(1)} | fields)

    def test_it_takes_a_record_with_nothing_but_an_amount(self) -> None:
        self.record().full_clean()

    def test_it_takes_amounts_on_both_boundaries(self) -> None:
        for amount in ("0.000001", "-0.000001", "999999999.999999", "-999999999.999999"):
            self.record(amount=Decimal(amount)).full_clean()

    def test_it_says_what_an_amount_may_be(self) -> None:
        sentence = "The amount must not be 0, and must be between -1,000,000,000 and 1,000,000,000."
        self.assert_sentence(sentence, self.record(amount=Decimal(0)))
        for amount in (10**9, -(10**9)):
            self.assert_constraint_sentence(sentence, self.record(amount=Decimal(amount)))

    def test_it_takes_instants_on_both_boundaries(self) -> None:
        for instant in (
            datetime(2012, 1, 1, tzinfo=UTC),
            datetime(2099, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        ):
            self.record(timestamp=instant).full_clean()

    def test_it_says_when_a_timestamp_may_lie(self) -> None:
        for instant in (datetime(2011, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)):
            self.assert_sentence("The timestamp must be between 2012 and 2100.", self.record(timestamp=instant))

    def test_it_says_that_the_row_is_there_already(self) -> None:
        first = spend(make_campaign(), 1, external_id="row-1")
        self.assert_sentence(
            "The campaign already has a record with this external ID; it counts once.",
            self.record(campaign=first.campaign, brand=first.brand, external_id="row-1"),
        )

    def test_it_says_that_an_external_id_is_not_empty(self) -> None:
        self.assert_constraint_sentence(
            "An external ID must be left out (NULL) or have 1 to 255 characters.", self.record(external_id="")
        )
