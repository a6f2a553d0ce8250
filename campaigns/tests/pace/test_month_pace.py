"""What a brand's month pace says of its days, from the values that SQL computed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.test import SimpleTestCase

from campaigns.rules.pace import DAYS_FOR_WEEKDAYS, Verdict
from campaigns.services.insight.month_pace import COLUMNS, MonthPace, month_pace

# Thursday; the month begins on a Sunday and has 28 days.
TODAY = date(2026, 2, 12)
MILLION = 1_000_000
# Ten a day, on Sundays nothing: 9 finished days with spend, 6 by noon of today, and 14 days left with spend.
VALUES: dict[str, Any] = {
    "days": 56,
    "verdict": Verdict.ON_PACE.value,
    "pace": 1.0,
    "expected_percent": 40.0,
    "today_number": 11,
    "first_number": 0,
    "projected": 240 * MILLION,
    "projected_low": 220 * MILLION,
    "projected_high": 260 * MILLION,
    "range_low": -80,
    "range_high": 80,
    "of_finished_days": 90 * MILLION,
    "of_today": 10 * MILLION,
    "of_today_so_far": 6 * MILLION,
    "of_days_left": 140 * MILLION,
    "today_left": 4 * MILLION,
    **dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday"), 10 * MILLION),
    "sunday": 0,
}


def of_values(**changed: Any) -> MonthPace:
    found = month_pace([(VALUES | changed)[name] for name in COLUMNS], TODAY)
    assert found is not None
    return found


class MonthPaceTests(SimpleTestCase):
    def test_the_expected_line_leads_through_each_day_to_the_whole_month(self) -> None:
        shares = [round(share * 240, 6) for share in of_values().expected_shares()]
        finished = [0, 10, 20, 30, 40, 50, 60, 60, 70, 80, 90]
        left = [110, 120, 120, 130, 140, 150, 160, 170, 180, 180, 190, 200, 210, 220, 230, 240]
        self.assertEqual(shares, [*finished, 96, *left])

    def test_the_expected_line_begins_on_the_brands_first_day(self) -> None:
        # Its first day is Wednesday 11 February.
        pace = of_values(first_number=10, of_finished_days=10 * MILLION)
        self.assertEqual(pace.first, date(2026, 2, 11))
        shares = [round(share * 160, 6) for share in pace.expected_shares()]
        self.assertEqual(shares[:13], [0] * 10 + [10, 16, 30])
        self.assertEqual(shares[-1], 160)

    def test_nothing_expected_draws_no_line(self) -> None:
        pace = of_values(of_finished_days=0, of_today=0, of_today_so_far=0, of_days_left=0)
        self.assertEqual(list(pace.expected_shares()), [])

    def test_the_projection_goes_on_from_what_is_spent(self) -> None:
        projections = of_values().projections(Decimal(100))
        self.assertEqual(projections[:5], [100, 104, 114, 124, 124])
        self.assertEqual((len(projections), projections[-1]), (18, 244))

    def test_weekdays_need_days(self) -> None:
        for days, enough in ((DAYS_FOR_WEEKDAYS - 1, False), (DAYS_FOR_WEEKDAYS, True), (56, True)):
            self.assertEqual(of_values(days=days).has_weekdays, enough)

    def test_a_brand_without_a_verdict_or_a_range_has_neither(self) -> None:
        pace = of_values(verdict=None, range_low=None, range_high=None)
        self.assertEqual((pace.verdict, pace.low, pace.high, pace.errors), (None, None, None, None))
        pace = of_values()
        self.assertEqual((pace.verdict, pace.low, pace.high), (Verdict.ON_PACE, 220, 260))
        self.assertEqual(pace.errors, (-80, 80))

    def test_without_a_profile_or_a_local_day_there_is_none(self) -> None:
        for missing in ("days", "today_number"):
            values = VALUES | {missing: None}
            self.assertIsNone(month_pace([values[name] for name in COLUMNS], TODAY))
