"""Days and months of every length, and what is reached, in SQL as in Python."""

from __future__ import annotations

import itertools
from decimal import Decimal
from unittest import TestCase
from zoneinfo import ZoneInfo

from django.test import TestCase as DatabaseTestCase

from campaigns.database.connection import fetch_all
from campaigns.rules.reasons import is_reached, reached_sql
from campaigns.services.insight.spans import Span, day_span, month_span, remaining_days
from campaigns.tests.support.factories import utc

UTC_ZONE, PARIS, NEW_YORK = ZoneInfo("UTC"), ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York")
NOON = day_span(UTC_ZONE, utc("2026-11-25 12:00"))


def hours(span: Span) -> float:
    return (span.ends_at - span.starts_at).total_seconds() / 3600


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
        self.assertEqual(span.fraction, Decimal(22) / 24)

    def test_an_instant_outside_the_span_is_at_its_ends(self) -> None:
        for now, fraction in (("2026-11-24 23:00", 0), ("2026-11-26 01:00", 1)):
            self.assertEqual(Span(NOON.starts_at, NOON.ends_at, utc(now)).fraction, fraction)

    def test_the_remaining_days_are_those_after_today_and_the_rest_of_today(self) -> None:
        self.assertEqual(remaining_days(UTC_ZONE, utc("2026-11-25 12:00")), Decimal("5.5"))
        self.assertEqual(remaining_days(UTC_ZONE, utc("2026-12-31 18:00")), Decimal("0.25"))
        self.assertEqual(remaining_days(PARIS, utc("2026-10-24 22:00")), 7)  # 25 October begins, with 25 hours


class Reached(TestCase):
    def test_reached_is_rule_2(self) -> None:
        for spend, limit, expected in (
            ("9.999999", Decimal(10), False),
            ("10", Decimal(10), True),
            ("-5", Decimal(0), True),
            ("5", None, False),
        ):
            self.assertEqual(is_reached(limit, Decimal(spend)), expected, (spend, limit))


class TheSameInSql(DatabaseTestCase):
    def test_sql_and_python_agree_on_what_is_reached(self) -> None:
        given = "SELECT CAST(%s AS bigint) AS budget, CAST(%s AS bigint) AS spend"
        sql = f"SELECT CASE WHEN {reached_sql('budget', 'spend')} THEN 1 ELSE 0 END FROM ({given}) given"
        for limit, spend in itertools.product((0, 1, 10, None), (-1, 0, 1, 9, 10, 11)):
            ((found,),) = fetch_all(sql, [limit, spend])
            expected = is_reached(None if limit is None else Decimal(limit), Decimal(spend))
            self.assertEqual(bool(found), expected, (limit, spend))
