"""Money is exact to six decimals (R12), and shown so that a person can read it."""

from __future__ import annotations

from decimal import Decimal

from django.test import SimpleTestCase
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules.money import (
    AMOUNT_LIMIT,
    DAY_TOTAL_LIMIT,
    MICROS,
    MONTH_TOTAL_LIMIT,
    PLACES,
    SUM_LIMIT,
    format_amount,
    format_money,
    format_spend,
    from_micros,
    to_micros,
)

LARGEST = AMOUNT_LIMIT * MICROS - 1
micros = st.integers(min_value=-LARGEST, max_value=LARGEST)


class MicrosTests(SimpleTestCase):
    @given(micros)
    def test_it_gives_back_the_millionths_it_was_given(self, number: int) -> None:
        self.assertEqual(to_micros(from_micros(number)), number)

    @given(st.decimals(min_value=-AMOUNT_LIMIT, max_value=AMOUNT_LIMIT, places=PLACES))
    def test_it_gives_back_the_amount_it_was_given(self, amount: Decimal) -> None:
        self.assertEqual(from_micros(to_micros(amount)), amount)

    @given(st.lists(micros, max_size=50))
    def test_it_adds_up_as_the_millionths_do(self, numbers: list[int]) -> None:
        self.assertEqual(to_micros(sum(map(from_micros, numbers), Decimal(0))), sum(numbers))

    def test_it_takes_the_smallest_and_the_largest_amounts(self) -> None:
        for text, number in {
            "0.000001": 1,
            "-0.000001": -1,
            "0": 0,
            "1": 1_000_000,
            "1E+3": 1_000_000_000,
            "1.10000000000": 1_100_000,
            "999999999.999999": LARGEST,
            "-999999999.999999": -LARGEST,
        }.items():
            with self.subTest(text):
                self.assertEqual(to_micros(Decimal(text)), number)

    def test_it_takes_whole_numbers(self) -> None:
        self.assertEqual(to_micros(12), 12_000_000)
        self.assertEqual(from_micros(Decimal(12_000_000)), Decimal(12))

    def test_it_adds_ten_tenths_to_one(self) -> None:
        self.assertEqual(from_micros(sum([to_micros(Decimal("0.1"))] * 10)), Decimal(1))

    def test_it_refuses_what_is_finer_than_six_decimals(self) -> None:
        for text in ("0.0000001", "-0.0000001", "1.0000005", "999999999.9999999", f"1.{'0' * 30}1"):
            with self.subTest(text), self.assertRaisesMessage(ValueError, "has more than 6 decimals"):
                to_micros(Decimal(text))

    def test_it_refuses_what_is_not_a_number(self) -> None:
        for text in ("NaN", "Infinity", "-Infinity"):
            with self.subTest(text), self.assertRaises(ValueError):
                to_micros(Decimal(text))


class LimitsTests(SimpleTestCase):
    """A decision adds a sum that may be cut to a month's total less the totals of its days ahead."""

    MOST_BESIDE_IT = MONTH_TOTAL_LIMIT + 31 * DAY_TOTAL_LIMIT

    def test_what_a_decision_adds_up_fits_into_64_bits(self) -> None:
        self.assertLess(SUM_LIMIT + self.MOST_BESIDE_IT, 2**63)

    def test_a_sum_that_was_cut_is_above_every_budget_whatever_stands_beside_it(self) -> None:
        self.assertGreater(SUM_LIMIT - self.MOST_BESIDE_IT, LARGEST)

    def test_a_month_holds_ten_full_days(self) -> None:
        self.assertEqual(MONTH_TOTAL_LIMIT, 10 * DAY_TOTAL_LIMIT)


class FormatTests(SimpleTestCase):
    def test_it_shows_two_decimals_or_as_many_as_it_needs_where_the_currency_is_unknown(self) -> None:
        for text, shown in {
            "0": "0.00",
            "1": "1.00",
            "1000": "1,000.00",
            "1E+3": "1,000.00",
            "0.1": "0.10",
            "0.10": "0.10",
            "0.125": "0.125",
            "0.000001": "0.000001",
            "1.100000": "1.10",
            "1234567.891": "1,234,567.891",
            "999999999.999999": "999,999,999.999999",
            "-12.5": "-12.50",
        }.items():
            with self.subTest(text):
                self.assertEqual(format_amount(Decimal(text), ""), shown)

    def test_it_names_the_currency(self) -> None:
        self.assertEqual(format_money(Decimal(1000), "EUR"), "1,000.00 EUR")

    def test_it_shows_a_dash_for_no_amount(self) -> None:
        self.assertEqual(format_amount(None, ""), "–")

    def test_what_was_spent_has_the_decimals_of_its_currency(self) -> None:
        for amount, currency, limit, shown in (
            ("353.3986", "USD", None, "353.40"),
            ("72996.9965", "USD", "73000", "72,997.00"),
            ("99.9999", "USD", "100", "99.99"),
            ("100.0001", "USD", "100", "100.00"),
            ("1499.5", "JPY", None, "1,500"),
            ("0.0042", "USD", None, "0.0042"),
            ("-0.004", "USD", None, "-0.004"),
            ("0", "USD", None, "0.00"),
            ("1.23456", "KWD", None, "1.235"),
        ):
            with self.subTest(amount):
                below = None if limit is None else Decimal(limit)
                self.assertEqual(format_spend(Decimal(amount), currency, below), shown)
        self.assertEqual(format_money(None, "EUR"), "–")

    def test_it_shows_the_decimals_of_the_currency_and_more_only_where_they_are_there(self) -> None:
        for currency, shown in {
            "EUR": {"1200": "1,200.00", "100.5": "100.50", "0.000001": "0.000001", "-3": "-3.00"},
            "JPY": {"1200": "1,200", "100.5": "100.5", "100.000000": "100", "1E+3": "1,000", "0": "0", "-3": "-3"},
            "KWD": {"1200": "1,200.000", "100.5": "100.500", "1.2345": "1.2345"},
            "CLF": {"1": "1.0000"},
            "ZZZ": {"1": "1.00", "1.234567": "1.234567"},
        }.items():
            for text, expected in shown.items():
                with self.subTest(currency, amount=text):
                    self.assertEqual(format_amount(Decimal(text), currency), expected)
                    self.assertEqual(format_money(Decimal(text), currency), f"{expected} {currency}")

    @given(micros, st.sampled_from(["EUR", "JPY", "KWD", ""]))
    def test_it_rounds_nothing_away(self, number: int, currency: str) -> None:
        shown = format_amount(from_micros(number), currency)
        self.assertEqual(Decimal(shown.replace(",", "")), from_micros(number))
