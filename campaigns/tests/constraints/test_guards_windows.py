"""What the table of dayparting windows refuses by name (R7)."""

from __future__ import annotations

from datetime import time
from typing import Any

from campaigns.models import DaypartingSchedule
from campaigns.tests.support.factories import make_campaign
from campaigns.tests.support.outside import SQLITE, OutsideTestCase, by_vendor

DAYS = "dayparting_has_a_day"
MINUTES = "dayparting_times_in_whole_minutes"
DIFFERENT = "dayparting_start_differs_from_end"
INSERT = (
    "INSERT INTO campaigns_daypartingschedule (campaign_id, days_of_week, start_time, end_time) VALUES (%s, %s, %s, %s)"
)


class WindowTestCase(OutsideTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign()

    def take(self, days: Any = 127, start: Any = "09:00:00", end: Any = "17:00:00") -> None:
        self.run_sql(INSERT, self.campaign.pk, days, start, end)

    def refuse(self, rule: str, days: Any = 127, start: Any = "09:00:00", end: Any = "17:00:00") -> None:
        self.assert_refused(rule, INSERT, self.campaign.pk, days, start, end)


class WindowTests(WindowTestCase):
    def test_it_takes_one_day_to_all_seven(self) -> None:
        for days in (1, 64, 127):
            with self.subTest(days):
                self.take(days=days)

    def test_it_refuses_no_day_and_an_eighth(self) -> None:
        self.refuse(DAYS, days=0)
        self.refuse(DAYS, days=128)
        self.refuse("days_of_week", days=-1)

    def test_it_takes_the_first_and_the_last_minute(self) -> None:
        self.take(start="00:00:00", end="23:59:00")
        self.take(start="23:59:00", end="00:00:00")
        window = DaypartingSchedule.objects.order_by("id")[0]
        self.assertEqual((window.start_time, window.end_time), (time(0, 0), time(23, 59)))

    def test_it_refuses_seconds(self) -> None:
        for text in ("09:00:01", "09:00:59", "09:00:00.5"):
            with self.subTest(text):
                self.refuse(MINUTES, start=text)
                self.refuse(MINUTES, end=text)

    def test_it_refuses_24_00(self) -> None:
        self.refuse(MINUTES, start="24:00:00")
        self.refuse(MINUTES, end="24:00:00")

    def test_it_takes_a_window_that_passes_midnight(self) -> None:
        self.take(start="22:00:00", end="02:00:00")

    def test_it_takes_the_whole_day_and_refuses_any_other_start_that_is_the_end(self) -> None:
        self.take(start="00:00:00", end="00:00:00")
        self.take(start="09:00:00", end="09:01:00")
        for text in ("09:00:00", "00:01:00", "23:59:00"):
            with self.subTest(text):
                self.refuse(DIFFERENT, start=text, end=text)

    def test_it_refuses_an_update_as_it_does_an_insert(self) -> None:
        self.take()
        self.assert_refused(DAYS, "UPDATE campaigns_daypartingschedule SET days_of_week = 0")
        self.assert_refused(MINUTES, "UPDATE campaigns_daypartingschedule SET end_time = '17:00:30'")
        self.assert_refused(DIFFERENT, "UPDATE campaigns_daypartingschedule SET end_time = start_time")

    def test_it_refuses_a_window_of_no_campaign(self) -> None:
        rule = by_vendor(postgresql="violates foreign key constraint", sqlite="campaign")
        self.assert_refused(rule, INSERT, self.campaign.pk + 1000, 127, "09:00:00", "17:00:00")
        self.take()
        self.assert_refused(rule, "UPDATE campaigns_daypartingschedule SET campaign_id = campaign_id + 1000")


if SQLITE:

    class SQLiteWindowTests(WindowTestCase):
        def test_it_refuses_other_forms_of_a_time(self) -> None:
            for text in ("09:00", "9:00:00", "09:60:00", "25:00:00", "noon", "", 9, b"09:00:00"):
                with self.subTest(text):
                    self.refuse(MINUTES, start=text)

        def test_it_refuses_days_that_are_no_whole_number(self) -> None:
            for days in (1.5, "Monday", b"1"):
                with self.subTest(days):
                    self.refuse(DAYS, days=days)
