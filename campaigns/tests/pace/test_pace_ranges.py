"""The ranges of projections: learned from closed months, built in before, and counted when they hold."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import IntegrityError, transaction

from campaigns.database.connection import execute
from campaigns.models import BrandPace, BrandPeriod, PaceError
from campaigns.rules.pace import DAYS_LEFT, Range, days_from
from campaigns.rules.periods import ONE_DAY
from campaigns.services.pace import ranges
from campaigns.services.pace.history import History
from campaigns.services.pace.ranges import DEFAULT_RANGES, errors_of_month, known_ranges, learn_errors, reliability
from campaigns.services.pace.refresh import refresh_pace
from campaigns.tests.pace.test_brand_pace import TODAY, PaceTestCase
from campaigns.tests.support.factories import utc

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)


def error(**fields: Any) -> PaceError:
    return PaceError(**{"month": NOVEMBER, "volatility": 0, "days_left": 0, "low": 0, "high": 0, "held": 0} | fields)


class LearningTests(PaceTestCase):
    now = utc("2026-12-02 01:00")

    def learn(self, brands: int) -> None:
        for number in range(brands):
            brand = self.brand(days=90)
            # Each brand's last days are a little different.
            BrandPeriod.objects.bulk_create(
                BrandPeriod(brand=brand, kind="day", starts_on=day, spend=80 + number % 5 * 10)
                for day in days_from(TODAY, DECEMBER)
            )
        refresh_pace(now=self.now)

    def test_the_errors_of_a_closed_month_are_pooled_over_brands(self) -> None:
        self.learn(10)
        rows = {(row.volatility, row.days_left): row for row in PaceError.objects.all()}
        self.assertEqual(len(rows), 3 * len(DAYS_LEFT))
        # Three days of 80, 90, 100, 110 or 120 where 100 were expected, and where their first days were known.
        last = [row for row in rows.values() if row.errors]
        self.assertEqual({row.month for row in last}, {NOVEMBER})
        self.assertEqual(sum(row.errors for row in last), 10 * len(DAYS_LEFT))
        of_month = rows[0, len(DAYS_LEFT) - 1]
        self.assertEqual((of_month.low, of_month.high), (-40, 40))

    def test_a_month_is_learned_once(self) -> None:
        self.learn(1)
        PaceError.objects.update(errors=7)
        learn_errors(now=self.now)
        self.assertEqual({row.errors for row in PaceError.objects.all()}, {7})

    def test_a_month_that_still_runs_somewhere_is_not_learned(self) -> None:
        learn_errors(now=utc("2026-12-01 23:59"))
        self.assertEqual({row.month for row in PaceError.objects.all()}, {date(2026, 10, 1)})

    def test_ranges_that_held_are_counted(self) -> None:
        self.learn(10)
        found = reliability(now=self.now)
        self.assertEqual(found.projections, 70)
        self.assertEqual(found.held, sum(PaceError.objects.values_list("held", flat=True)))
        self.assertGreater(found.percent, 50)

    def test_off_days_have_no_error(self) -> None:
        days = days_from(date(2026, 9, 1), DECEMBER)
        history = History(None, None, {day: 100 for day in days if day < date(2026, 11, 20)})
        found = [classes for classes, _ in errors_of_month(history, NOVEMBER)]
        self.assertEqual(found, [])

    def test_no_error_is_above_the_daily_budget(self) -> None:
        days = days_from(date(2026, 9, 1), DECEMBER)
        history = History(50, None, dict.fromkeys(days, 100))
        self.assertEqual({error for _, error in errors_of_month(history, NOVEMBER)}, {1000})


class KnownRangeTests(PaceTestCase):
    def test_it_is_built_in_until_a_month_has_enough_errors(self) -> None:
        self.assertEqual(known_ranges()[0, 0], DEFAULT_RANGES[0, 0])
        error(errors=ranges.FEWEST_ERRORS - 1, low=-1, high=1).save()
        self.assertEqual(known_ranges()[0, 0], DEFAULT_RANGES[0, 0])
        error(month=DECEMBER, errors=ranges.FEWEST_ERRORS, low=-2, high=2).save()
        error(month=date(2027, 1, 1), errors=0).save()
        self.assertEqual(known_ranges()[0, 0], Range(-2, 2))

    def test_a_brand_of_less_than_two_weeks_has_none(self) -> None:
        for days, has_range in ((13, False), (14, True)):
            row = self.refreshed(self.brand(days=days))
            self.assertEqual((row.days, row.range_low is not None), (days, has_range))

    def test_it_is_that_of_the_days_that_are_left(self) -> None:
        brand = self.brand(days=40)
        for day, left in ((TODAY, 1), (TODAY + 5 * ONE_DAY, 0), (TODAY + 6 * ONE_DAY, 6)):
            refresh_pace(now=utc(f"{day} 12:00"))
            row = BrandPace.objects.get(brand=brand)
            self.assertEqual((row.range_low, row.range_high), DEFAULT_RANGES[0, left], day)


class GuardTests(PaceTestCase):
    def refused(self, constraint: str, change: str) -> None:
        with self.subTest(change), self.assertRaises(IntegrityError) as caught, transaction.atomic():
            execute(f"UPDATE campaigns_paceerror SET {change}")
        self.assertIn(constraint, str(caught.exception))

    def setUp(self) -> None:
        super().setUp()
        error(errors=5).save()

    def test_classes_are_known(self) -> None:
        for change in ("volatility = 3", "days_left = 7"):
            self.refused("pace_error_classes_known", change)
        execute("UPDATE campaigns_paceerror SET volatility = 2, days_left = 6")

    def test_a_range_is_in_order_and_holds_no_more_errors_than_there_are(self) -> None:
        for change in ("low = 1", "low = -1001", "high = 9001", "held = 6"):
            self.refused("pace_error_range_is_in_order", change)

    def test_a_class_has_one_row_a_month(self) -> None:
        with self.assertRaises(IntegrityError), transaction.atomic():
            error(errors=9).save()
