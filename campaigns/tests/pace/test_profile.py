"""What a profile is computed from, and how it compares with the straight line."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from django.test import SimpleTestCase

from benchmarks import backtest
from campaigns.rules import pace
from campaigns.rules.open_hours import ALWAYS, Window, open_minutes
from campaigns.rules.pace import days_from, fit, off_days, runs_out_on
from campaigns.rules.periods import ONE_DAY
from campaigns.services.demo.advertisers import ADVERTISERS
from campaigns.services.pace.ranges import DEFAULT_RANGES

# A Monday.
TODAY = date(2026, 11, 30)
EIGHT_WEEKS = days_from(TODAY - 56 * ONE_DAY, TODAY)


class FitTests(SimpleTestCase):
    def test_it_follows_the_last_weeks(self) -> None:
        spend = {day: 1000 if day < TODAY - 10 * ONE_DAY else 2000 for day in EIGHT_WEEKS}
        profile = fit(EIGHT_WEEKS, spend, TODAY)
        assert profile
        # The last ten days weigh about half.
        self.assertAlmostEqual(fmean(profile.weekdays), 1500, delta=30)

    def test_less_than_two_weeks_are_a_plain_mean(self) -> None:
        spend = {day: 100 if day.weekday() < 5 else 0 for day in EIGHT_WEEKS}
        young, old = (fit(EIGHT_WEEKS[-days:], spend, TODAY) for days in (13, 14))
        assert young and old
        self.assertEqual((young.weekdays, young.days, young.volatility), ((69,) * 7, 13, 2))
        self.assertEqual((old.weekdays[5:], old.weekdays[0] > 90), ((0, 0), True))

    def test_three_days_are_needed(self) -> None:
        spend = dict.fromkeys(EIGHT_WEEKS, 100)
        self.assertIsNone(fit(EIGHT_WEEKS[-2:], spend, TODAY))
        self.assertIsNotNone(fit(EIGHT_WEEKS[-3:], spend, TODAY))

    def test_volatility_is_how_days_differ_from_their_weekday(self) -> None:
        for swing, expected in ((0, 0), (10, 0), (20, 1), (50, 2)):
            spend = {day: 100 + (swing if number // 7 % 2 else -swing) for number, day in enumerate(EIGHT_WEEKS)}
            profile = fit(EIGHT_WEEKS, spend, TODAY)
            assert profile
            self.assertEqual(profile.volatility, expected, swing)

    def test_refunds_make_no_day_negative(self) -> None:
        profile = fit(EIGHT_WEEKS, dict.fromkeys(EIGHT_WEEKS, -5), TODAY)
        assert profile
        self.assertEqual(profile.weekdays, (0,) * 7)

    def test_amounts_are_capped_by_the_daily_budget(self) -> None:
        profile = fit(EIGHT_WEEKS, dict.fromkeys(EIGHT_WEEKS, 100), TODAY)
        assert profile
        self.assertEqual((profile.expected(EIGHT_WEEKS), profile.expected(EIGHT_WEEKS, 30)), (5600, 1680))


class OffTests(SimpleTestCase):
    def off(self, spend: dict[date, int], budgets: dict[date, int | None] | None = None) -> list[int]:
        """Return the days before today that are off."""
        return sorted((TODAY - day).days for day in off_days(EIGHT_WEEKS, spend, budgets or {}))

    def test_a_day_without_spend_is_off_where_its_weekday_usually_has_some(self) -> None:
        spend = dict.fromkeys(EIGHT_WEEKS, 100) | {TODAY - ONE_DAY: 0, TODAY - 3 * ONE_DAY: 0}
        self.assertEqual(self.off(spend), [1, 3])

    def test_a_weekday_that_never_has_spend_is_not_off(self) -> None:
        self.assertEqual(self.off({day: 100 if day.weekday() < 5 else 0 for day in EIGHT_WEEKS}), [])

    def test_a_week_without_spend_is_off(self) -> None:
        for days, expected in ((7, list(range(20, 27))), (6, list(range(20, 26)))):
            spend = dict.fromkeys(EIGHT_WEEKS, 100) | {TODAY - (20 + number) * ONE_DAY: 0 for number in range(days)}
            self.assertEqual(self.off(spend), expected)
        weekdays_only = {day: 100 if day.weekday() < 5 and day < TODAY - 9 * ONE_DAY else 0 for day in EIGHT_WEEKS}
        self.assertEqual(self.off(weekdays_only), list(range(1, 10)))

    def test_days_from_the_one_that_reached_the_monthly_budget_are_off(self) -> None:
        spend = dict.fromkeys(EIGHT_WEEKS, 100)
        self.assertEqual(self.off(spend, {date(2026, 11, 1): 2750}), [1, 2])
        self.assertEqual(self.off(spend, {date(2026, 11, 1): None, date(2026, 10, 1): 10_000}), [])


class RunOutTests(SimpleTestCase):
    def test_it_is_the_day_on_which_the_rest_is_used(self) -> None:
        until = date(2026, 12, 10)
        for left, expected in ((0, 0), (5, 0), (6, 1), (15, 1), (16, 2), (95, 9), (96, None)):
            found = runs_out_on(left, 5, [10] * 7, TODAY, until)
            self.assertEqual(found, None if expected is None else TODAY + expected * ONE_DAY, left)


class OpenMinuteTests(SimpleTestCase):
    def minutes(self, weekday: int, *windows: Window) -> dict[int, int]:
        """Return the minutes that are open in each hour that has any."""
        found = open_minutes(frozenset(windows), weekday)
        return {hour: found[hour + 1] - found[hour] for hour in range(24) if found[hour + 1] != found[hour]}

    def test_windows_are_joined(self) -> None:
        office = (0b0011111, time(9, 30), time(11))
        self.assertEqual(self.minutes(0, office, (1, time(10), time(11, 15))), {9: 30, 10: 60, 11: 15})
        self.assertEqual(self.minutes(5, office), {})

    def test_one_past_midnight_counts_for_the_next_day_too(self) -> None:
        friday = (1 << 4, time(22), time(2))
        self.assertEqual((self.minutes(4, friday), self.minutes(5, friday)), ({22: 60, 23: 60}, {0: 60, 1: 60}))
        sunday = (1 << 6, time(23), time(0, 20))
        self.assertEqual(self.minutes(0, sunday), {0: 20})

    def test_always_is_the_whole_day(self) -> None:
        self.assertEqual(open_minutes(frozenset({ALWAYS}), 3), tuple(range(0, 1441, 60)))
        self.assertEqual(self.minutes(6, (1 << 6, time(18), time(0))), dict.fromkeys(range(18, 24), 60))


class BacktestTests(SimpleTestCase):
    def test_it_is_nearer_than_the_straight_line_and_its_ranges_hold(self) -> None:
        found = backtest.trials(backtest.simulated(60, "test"))
        for day, better in ((3, 0.6), (5, 0.75), (10, 0.95)):
            of_day = [trial for trial in found if trial.day == day]
            ours, straight = fmean(trial.ours for trial in of_day), fmean(trial.straight for trial in of_day)
            self.assertLess(ours, better * straight, day)
            self.assertLess(sum(trial.alarm for trial in of_day), 0.5 * sum(trial.straight_alarm for trial in of_day))
        ranged = [trial.held for trial in found if trial.held is not None]
        self.assertEqual(len(ranged), 60 * 3 * 4)
        self.assertGreater(fmean(ranged), 0.75)
        self.assertLess(fmean(ranged), 0.95)

    def test_the_demo_is_projected_to_a_few_percent(self) -> None:
        found = backtest.trials(backtest.demo(ADVERTISERS[:1]))
        self.assertEqual({trial.day for trial in found}, set(backtest.DAYS))
        self.assertLess(max(trial.ours for trial in found), 0.05)

    def test_the_built_in_ranges_are_those_that_are_measured(self) -> None:
        measured = backtest.measured_ranges()
        self.assertEqual(measured.keys(), DEFAULT_RANGES.keys())
        for classes, built_in in DEFAULT_RANGES.items():
            self.assertAlmostEqual(measured[classes].low, built_in.low, delta=1)
            self.assertAlmostEqual(measured[classes].high, built_in.high, delta=1)

    def test_a_file_is_one_period_with_a_mean_and_no_range(self) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder, "spend.csv")
            rows = [f"2013-06-{day:02}T10:00:00+08:00,Aster,{10 * day}" for day in range(6, 16)]
            path.write_text("\n".join(["timestamp,brand,amount", *rows]))
            (series,) = backtest.read_file(path)
        self.assertEqual(series.periods, [(date(2013, 6, 6), date(2013, 6, 16))])
        third, fifth = backtest.trials([series])
        # 60, 70 and 80 were spent of 1,050.
        self.assertEqual((third.day, third.held, round(third.ours, 3)), (3, None, round(1 - 700 / 1050, 3)))
        self.assertEqual((fifth.day, fifth.ours), (5, fifth.straight))

    def test_errors_are_bounded(self) -> None:
        for actual, expected, error in ((0, 100, -1000), (-50, 100, -1000), (110, 100, 100), (10**6, 1, 9000)):
            self.assertEqual(pace.relative_error(actual, expected), error)
