"""Pace: one rule, tested on both sides of its boundaries, on days of every length, and in SQL as in Python."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from decimal import Decimal
from unittest import TestCase
from zoneinfo import ZoneInfo

from django.test import TestCase as DatabaseTestCase

from campaigns.database.connection import fetch_all
from campaigns.rules.money import to_micros
from campaigns.rules.reasons import is_reached, reached_sql
from campaigns.services.insight import pacing
from campaigns.services.insight.pacing import Span, day_span, month_span
from campaigns.tests.support.factories import utc

UTC_ZONE, PARIS, NEW_YORK = ZoneInfo("UTC"), ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York")
NOON = day_span(UTC_ZONE, utc("2026-11-25 12:00"))
SMALLEST = Decimal("0.000001")


def hours(span: Span) -> float:
    return span.length / 3600


class Spans(TestCase):
    def test_a_day_is_as_long_as_its_clock_says(self) -> None:
        for instant, length in (("2026-03-29 10:00", 23), ("2026-10-25 10:00", 25), ("2026-11-25 10:00", 24)):
            self.assertEqual(hours(day_span(PARIS, utc(instant))), length, instant)

    def test_half_of_a_short_day_has_passed_after_half_of_its_hours(self) -> None:
        span = day_span(PARIS, utc("2026-03-29 10:30"))  # 12:30 in Paris, after 11.5 hours
        self.assertEqual(span.fraction, Decimal("0.5"))

    def test_a_month_with_a_change_of_clocks_is_an_hour_shorter_or_longer(self) -> None:
        self.assertEqual(hours(month_span(PARIS, utc("2026-03-10 00:00"))), 31 * 24 - 1)
        self.assertEqual(hours(month_span(NEW_YORK, utc("2026-11-10 12:00"))), 30 * 24 + 1)

    def test_a_day_is_that_of_the_zone(self) -> None:
        span = day_span(NEW_YORK, utc("2026-11-25 03:00"))
        self.assertEqual(span.starts_at, utc("2026-11-24 05:00"))
        self.assertEqual(span.elapsed, 22 * 3600)

    def test_an_instant_outside_the_span_is_at_its_ends(self) -> None:
        for now, fraction in (("2026-11-24 23:00", 0), ("2026-11-26 01:00", 1)):
            self.assertEqual(Span(NOON.starts_at, NOON.ends_at, utc(now)).fraction, fraction)

    def test_it_is_early_until_an_hour_of_a_day_has_passed(self) -> None:
        self.assertTrue(day_span(UTC_ZONE, utc("2026-11-25 00:59:59")).is_early)
        self.assertFalse(day_span(UTC_ZONE, utc("2026-11-25 01:00:00")).is_early)

    def test_the_remaining_days_are_those_after_today_and_the_rest_of_today(self) -> None:
        self.assertEqual(pacing.remaining_days(UTC_ZONE, utc("2026-11-25 12:00")), Decimal("5.5"))
        self.assertEqual(pacing.remaining_days(UTC_ZONE, utc("2026-12-31 18:00")), Decimal("0.25"))
        self.assertEqual(pacing.remaining_days(PARIS, utc("2026-10-24 22:00")), 7)  # 25 October begins, with 25 hours


class Judgements(TestCase):
    def test_spend_above_105_percent_of_the_even_pace_is_fast(self) -> None:
        for spend, expected in (("52.5", False), ("52.500001", True), ("100", False), ("99.999999", True)):
            self.assertEqual(pacing.is_fast(Decimal(spend), Decimal(100), NOON), expected, spend)

    def test_spend_below_90_percent_of_the_even_pace_is_slow(self) -> None:
        for spend, expected in (("45", False), ("44.999999", True), ("0", True), ("-3", True)):
            self.assertEqual(pacing.is_slow(Decimal(spend), Decimal(100), NOON), expected, spend)

    def test_nothing_is_said_early_without_a_budget_or_when_it_is_reached(self) -> None:
        early = day_span(UTC_ZONE, utc("2026-11-25 00:59:59"))
        cases: tuple[tuple[str, Decimal | None, Span], ...] = (
            ("90", Decimal(100), early),
            ("0", Decimal(100), early),
            ("0", None, NOON),
            ("90", None, NOON),
            ("0", Decimal(0), NOON),
            ("-1", Decimal(0), NOON),
            ("100", Decimal(100), NOON),
        )
        for spend, budget, span in cases:
            self.assertFalse(pacing.is_fast(Decimal(spend), budget, span), (spend, budget))
            self.assertFalse(pacing.is_slow(Decimal(spend), budget, span), (spend, budget))

    def test_reached_is_rule_2(self) -> None:
        for spend, limit, expected in (
            ("9.999999", Decimal(10), False),
            ("10", Decimal(10), True),
            ("-5", Decimal(0), True),
            ("5", None, False),
        ):
            self.assertEqual(is_reached(limit, Decimal(spend)), expected, (spend, limit))


class Figures(TestCase):
    def test_the_index_is_the_share_of_the_budget_over_the_share_of_time(self) -> None:
        for spend, expected in (("50", "1.00"), ("75", "1.50"), ("0", "0.00"), ("-10", "-0.20"), ("0.25", "0.00")):
            self.assertEqual(pacing.pacing_index(Decimal(spend), Decimal(100), NOON), Decimal(expected), spend)

    def test_there_is_no_index_without_a_budget_or_at_the_first_instant(self) -> None:
        midnight = day_span(UTC_ZONE, utc("2026-11-25 00:00"))
        self.assertIsNone(pacing.pacing_index(Decimal(5), None, NOON))
        self.assertIsNone(pacing.pacing_index(Decimal(5), Decimal(0), NOON))
        self.assertIsNone(pacing.pacing_index(Decimal(5), Decimal(100), midnight))

    def test_a_pace_reaches_the_budget_at_an_instant(self) -> None:
        self.assertEqual(pacing.reaches_at(Decimal(75), Decimal(100), NOON), utc("2026-11-25 16:00"))

    def test_a_pace_that_lands_on_the_budget_reaches_it_before_the_end_never(self) -> None:
        self.assertIsNone(pacing.reaches_at(Decimal(50), Decimal(100), NOON))
        self.assertEqual(pacing.reaches_at(Decimal("50.01"), Decimal(100), NOON), utc("2026-11-25 23:59:43"))

    def test_a_budget_that_is_reached_or_none_or_a_pace_of_nothing_has_no_instant(self) -> None:
        for spend, budget in (
            ("100", Decimal(100)),
            ("5", Decimal(0)),
            ("5", None),
            ("0", Decimal(9)),
            ("-1", Decimal(9)),
        ):
            self.assertIsNone(pacing.reaches_at(Decimal(spend), budget, NOON), (spend, budget))

    def test_the_daily_spend_that_lands_on_the_budget(self) -> None:
        for spend, budget, days, expected in (
            ("450", Decimal(1000), "5.5", Decimal("100.00")),
            ("1000", Decimal(1000), "5.5", Decimal("0.00")),
            ("1200", Decimal(1000), "5.5", Decimal("0.00")),
            ("-10", Decimal(1000), "3", Decimal("336.66")),
            ("5", Decimal(0), "3", Decimal("0.00")),
            ("5", None, "3", None),
        ):
            self.assertEqual(
                pacing.daily_spend_for_full_budget(Decimal(spend), budget, Decimal(days)), expected, (spend, budget)
            )

    def test_days_at_that_spend_do_land_on_the_budget(self) -> None:
        daily = pacing.daily_spend_for_full_budget(Decimal("123.45"), Decimal(1000), Decimal(7))
        assert daily is not None
        self.assertLessEqual(Decimal("123.45") + 7 * daily, 1000)
        self.assertGreater(Decimal("123.45") + 7 * (daily + Decimal("0.01")), 1000)


class Projections(TestCase):
    span = month_span(UTC_ZONE, utc("2026-11-16 00:00"))

    def project(self, *days: int) -> pacing.Projection:
        found = pacing.projection(Decimal(sum(days)), self.span, [Decimal(day) for day in days], Decimal(15))
        assert found is not None
        return found

    def test_days_that_are_alike_leave_no_doubt(self) -> None:
        found = self.project(*[10] * 15)
        self.assertEqual((found.expected, found.low, found.high), (300, 300, 300))

    def test_days_that_differ_leave_a_band_on_both_sides(self) -> None:
        found = self.project(*[8, 12] * 7, 10)
        # s = 2·√(14/14) = 2, t(14) = 1.345, √(15 + 15²/15) = √30: 14.73
        self.assertEqual((found.expected, found.low, found.high), (300, Decimal("285.27"), Decimal("314.73")))

    def test_few_days_are_wide(self) -> None:
        few = pacing.projection(Decimal(150), self.span, [Decimal(70), Decimal(80)], Decimal(15))
        many = self.project(*[5, 15] * 7, 10)
        assert few and few.high and many.high
        self.assertGreater(few.high - few.expected, 5 * (many.high - many.expected))

    def test_less_than_two_finished_days_have_no_band(self) -> None:
        found = pacing.projection(Decimal(150), self.span, [Decimal(150)], Decimal(15))
        assert found
        self.assertEqual((found.expected, found.low, found.high), (300, None, None))

    def test_what_is_spent_is_spent(self) -> None:
        found = self.project(*[0] * 13, 100, 50)
        self.assertEqual(found.low, 150)

    def test_refunds_may_project_below_nothing(self) -> None:
        found = self.project(*[-10] * 15)
        self.assertEqual((found.expected, found.low), (-300, -300))

    def test_it_is_too_early_on_the_first_day_and_no_longer_on_the_second_morning(self) -> None:
        for now, expected in (("2026-11-02 05:59:59", None), ("2026-11-02 06:00", Decimal("24.00"))):
            found = pacing.projection(Decimal(1), month_span(UTC_ZONE, utc(now)), [], Decimal(28))
            self.assertEqual(found and found.expected, expected)


class TheSameInSql(DatabaseTestCase):
    """Around every threshold, a millionth above and below it, for small and for the largest budgets."""

    def test_sql_judges_as_python_does(self) -> None:
        spans = [
            day_span(PARIS, utc("2026-03-29 00:00") + timedelta(minutes=minutes)) for minutes in (3, 61, 700, 1377)
        ]
        spans += [month_span(NEW_YORK, datetime.fromisoformat("2026-11-10T12:34:56+00:00"))]
        budgets = [Decimal(text) for text in ("0.000001", "0.01", "7.77", "333.333333", "999999999.999999")]
        for span, budget in itertools.product(spans, budgets):
            for threshold in (pacing.even_pace(budget, span, share) for share in (pacing.FAST, pacing.SLOW)):
                for spend in (threshold - SMALLEST, threshold, threshold + SMALLEST):
                    if not is_reached(budget, spend):
                        self.compare(spend, budget, span)

    def compare(self, spend: Decimal, budget: Decimal, span: Span) -> None:
        given = "SELECT CAST(%s AS bigint) AS spend, CAST(%s AS bigint) AS budget, %s AS elapsed, %s AS length"
        columns = ("spend", "budget", "elapsed", "length")
        flags = [f"CASE WHEN {sql(*columns)} THEN 1 ELSE 0 END" for sql in (pacing.fast_sql, pacing.slow_sql)]
        ((fast, slow),) = fetch_all(
            f"SELECT {', '.join(flags)} FROM ({given}) given",
            [to_micros(spend), to_micros(budget), span.elapsed, span.length],
        )
        expected = pacing.is_fast(spend, budget, span), pacing.is_slow(spend, budget, span)
        self.assertEqual((bool(fast), bool(slow)), expected, (spend, budget, span))

    def test_sql_and_python_agree_on_what_is_reached(self) -> None:
        given = "SELECT CAST(%s AS bigint) AS budget, CAST(%s AS bigint) AS spend"
        sql = f"SELECT CASE WHEN {reached_sql('budget', 'spend')} THEN 1 ELSE 0 END FROM ({given}) given"
        for limit, spend in itertools.product((0, 1, 10, None), (-1, 0, 1, 9, 10, 11)):
            ((found,),) = fetch_all(sql, [limit, spend])
            expected = is_reached(None if limit is None else Decimal(limit), Decimal(spend))
            self.assertEqual(bool(found), expected, (limit, spend))
