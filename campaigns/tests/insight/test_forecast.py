from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.test import SimpleTestCase
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.models import Brand, Campaign, DaypartingSchedule
from campaigns.rules.reasons import PauseReason as Reason
from campaigns.services.insight.forecast import Forecast, forecast, is_open, next_opening
from campaigns.tests.support.factories import utc

MON, TUE, WED, THU, FRI, SAT, SUN = (1 << number for number in range(7))
WEEKDAYS = MON | TUE | WED | THU | FRI
EVERY_DAY = 127
BRAND_FIELDS = ("timezone", "daily_budget", "monthly_budget")


def window(days: int, start: str, end: str) -> DaypartingSchedule:
    return DaypartingSchedule(days_of_week=days, start_time=time.fromisoformat(start), end_time=time.fromisoformat(end))


def paused(reasons: Reason, *windows: DaypartingSchedule, now: str, **fields: Any) -> Forecast:
    brand = Brand(**{"timezone": "UTC"} | {name: fields.pop(name) for name in BRAND_FIELDS if name in fields})
    return forecast(Campaign(brand=brand, pause_reasons=int(reasons), **fields), windows, utc(now))


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


class IsOpenTests(SimpleTestCase):
    """2026-11-20 is a Friday."""

    def test_a_window_includes_its_start_and_excludes_its_end(self) -> None:
        windows = [window(FRI, "08:00", "18:00")]
        self.assertFalse(is_open(windows, wall("2026-11-20 07:59:59.999999")))
        self.assertTrue(is_open(windows, wall("2026-11-20 08:00")))
        self.assertTrue(is_open(windows, wall("2026-11-20 17:59:59.999999")))
        self.assertFalse(is_open(windows, wall("2026-11-20 18:00")))
        self.assertFalse(is_open(windows, wall("2026-11-19 12:00")))

    def test_a_window_past_midnight_belongs_to_the_day_on_which_it_starts(self) -> None:
        windows = [window(FRI, "22:00", "02:00")]
        self.assertFalse(is_open(windows, wall("2026-11-20 01:30")))
        self.assertFalse(is_open(windows, wall("2026-11-20 21:59")))
        self.assertTrue(is_open(windows, wall("2026-11-20 22:00")))
        self.assertTrue(is_open(windows, wall("2026-11-21 01:59")))
        self.assertFalse(is_open(windows, wall("2026-11-21 02:00")))
        self.assertFalse(is_open(windows, wall("2026-11-21 22:00")))

    def test_an_end_of_midnight_is_the_end_of_the_day(self) -> None:
        windows = [window(SUN, "20:00", "00:00")]
        self.assertTrue(is_open(windows, wall("2026-11-22 23:59")))
        self.assertFalse(is_open(windows, wall("2026-11-23 00:00")))
        self.assertFalse(is_open(windows, wall("2026-11-22 19:59")))

    def test_midnight_to_midnight_is_the_whole_day(self) -> None:
        windows = [window(SUN, "00:00", "00:00")]
        self.assertTrue(is_open(windows, wall("2026-11-22 00:00")))
        self.assertTrue(is_open(windows, wall("2026-11-22 23:59")))
        self.assertFalse(is_open(windows, wall("2026-11-21 23:59")))
        self.assertFalse(is_open(windows, wall("2026-11-23 00:00")))

    def test_windows_may_overlap_and_no_window_opens_nothing(self) -> None:
        windows = [window(FRI, "08:00", "12:00"), window(FRI, "10:00", "14:00")]
        self.assertTrue(is_open(windows, wall("2026-11-20 11:00")))
        self.assertTrue(is_open(windows, wall("2026-11-20 13:59")))
        self.assertFalse(is_open([], wall("2026-11-20 13:59")))


class OneReasonTests(SimpleTestCase):
    def test_an_active_campaign_runs(self) -> None:
        self.assertEqual(paused(Reason(0), now="2026-11-20 12:00"), Forecast(None, "running"))

    def test_a_daily_limit_holds_until_midnight_in_the_brands_zone(self) -> None:
        result = paused(
            Reason.CAMPAIGN_DAILY_LIMIT,
            now="2026-11-20 12:00",
            timezone="Asia/Tokyo",
            daily_spend_limit=Decimal(5),
        )
        self.assertEqual(result, Forecast(utc("2026-11-20 15:00"), "tomorrow 00:00 (Asia/Tokyo)"))

    def test_the_day_after_midnight_is_the_zones_own(self) -> None:
        before = paused(Reason.BRAND_DAILY_BUDGET, now="2026-11-20 14:59:59", timezone="Asia/Tokyo")
        after = paused(Reason.BRAND_DAILY_BUDGET, now="2026-11-20 15:00", timezone="Asia/Tokyo")
        self.assertEqual(before.at, utc("2026-11-20 15:00"))
        self.assertEqual(after.at, utc("2026-11-21 15:00"))

    def test_a_daily_budget_holds_until_midnight(self) -> None:
        result = paused(Reason.BRAND_DAILY_BUDGET, now="2026-12-31 23:59", daily_budget=Decimal(5))
        self.assertEqual(result, Forecast(utc("2027-01-01 00:00"), "tomorrow 00:00 (UTC)"))

    def test_a_monthly_budget_holds_until_the_first(self) -> None:
        result = paused(Reason.BRAND_MONTHLY_BUDGET, now="2026-11-20 12:00", monthly_budget=Decimal(5))
        self.assertEqual(result, Forecast(utc("2026-12-01 00:00"), "Tue 1 Dec 00:00 (UTC)"))

    def test_a_year_is_told_where_it_is_another(self) -> None:
        result = paused(Reason.BRAND_MONTHLY_BUDGET, now="2026-12-20 12:00")
        self.assertEqual(result.text, "Fri 1 Jan 2027 00:00 (UTC)")

    def test_a_limit_of_0_waits_for_people(self) -> None:
        zero = Decimal("0.000000")
        self.assertEqual(
            paused(Reason.CAMPAIGN_DAILY_LIMIT, now="2026-11-20 12:00", daily_spend_limit=zero),
            Forecast(None, "when its daily spend limit of 0 is raised"),
        )
        self.assertEqual(
            paused(Reason.BRAND_DAILY_BUDGET, now="2026-11-20 12:00", daily_budget=zero),
            Forecast(None, "when the brand's daily budget of 0 is raised"),
        )
        self.assertEqual(
            paused(Reason.BRAND_MONTHLY_BUDGET, now="2026-11-20 12:00", monthly_budget=zero),
            Forecast(None, "when the brand's monthly budget of 0 is raised"),
        )

    def test_a_switch_waits_for_people(self) -> None:
        self.assertEqual(
            paused(Reason.CAMPAIGN_DISABLED, now="2026-11-20 12:00"), Forecast(None, "when it is turned on")
        )
        self.assertEqual(
            paused(Reason.BRAND_DISABLED, now="2026-11-20 12:00"),
            Forecast(None, "when the brand is resumed"),
        )

    def test_it_starts_on_its_start_date(self) -> None:
        result = paused(
            Reason.NOT_STARTED, now="2026-11-20 12:00", starts_on=date(2026, 11, 23), timezone="Europe/Paris"
        )
        self.assertEqual(result, Forecast(utc("2026-11-22 23:00"), "Mon 23 Nov 00:00 (Europe/Paris)"))

    def test_what_has_ended_never_runs_again(self) -> None:
        result = paused(Reason.ENDED, now="2026-11-20 12:00", ends_on=date(2026, 11, 19))
        self.assertEqual(result, Forecast(None, "it ended on 2026-11-19", is_never=True))

    def test_it_runs_again_when_the_next_window_opens(self) -> None:
        result = paused(Reason.OUTSIDE_SCHEDULE, window(WEEKDAYS, "08:00", "18:00"), now="2026-11-20 18:00")
        self.assertEqual(result, Forecast(utc("2026-11-23 08:00"), "Mon 23 Nov 08:00 (UTC)"))

    def test_a_window_of_today_counts_until_it_opens(self) -> None:
        windows = window(FRI, "18:00", "19:00"), window(SAT, "06:00", "07:00")
        before = paused(Reason.OUTSIDE_SCHEDULE, *windows, now="2026-11-20 17:59:59")
        after = paused(Reason.OUTSIDE_SCHEDULE, *windows, now="2026-11-20 19:00")
        self.assertEqual(before, Forecast(utc("2026-11-20 18:00"), "today 18:00 (UTC)"))
        self.assertEqual(after, Forecast(utc("2026-11-21 06:00"), "tomorrow 06:00 (UTC)"))

    def test_a_reason_that_no_longer_holds_goes_with_the_next_check(self) -> None:
        now = "2026-11-20 18:00"
        result = paused(Reason.OUTSIDE_SCHEDULE, window(FRI, "18:00", "19:00"), now=now)
        self.assertEqual(result, Forecast(utc(now), "the next check"))

    def test_an_unknown_zone_is_told(self) -> None:
        result = paused(Reason.BRAND_DAILY_BUDGET, now="2026-11-20 12:00", timezone="Mars/Olympus")
        self.assertIsNone(result.at)
        self.assertIn("unknown time zone “Mars/Olympus”", result.text)


class SeveralReasonsTests(SimpleTestCase):
    def test_the_latest_of_day_and_month_counts(self) -> None:
        result = paused(Reason.CAMPAIGN_DAILY_LIMIT | Reason.BRAND_MONTHLY_BUDGET, now="2026-11-20 12:00")
        self.assertEqual(result.at, utc("2026-12-01 00:00"))

    def test_after_midnight_it_still_waits_for_its_window(self) -> None:
        result = paused(Reason.CAMPAIGN_DAILY_LIMIT, window(WEEKDAYS, "08:00", "00:00"), now="2026-11-20 12:00")
        self.assertEqual(result, Forecast(utc("2026-11-23 08:00"), "Mon 23 Nov 08:00 (UTC)"))

    def test_a_window_that_passes_midnight_is_open_when_the_day_begins(self) -> None:
        result = paused(Reason.CAMPAIGN_DAILY_LIMIT, window(FRI, "22:00", "02:00"), now="2026-11-20 23:00")
        self.assertEqual(result.at, utc("2026-11-21 00:00"))

    def test_beyond_its_end_date_it_never_runs_again(self) -> None:
        friday, monday = date(2026, 11, 20), date(2026, 11, 23)
        windows = window(WEEKDAYS, "08:00", "18:00")
        self.assertEqual(
            paused(Reason.OUTSIDE_SCHEDULE, windows, now="2026-11-20 18:00", ends_on=friday),
            Forecast(None, "it ends on 2026-11-20, before it can run again", is_never=True),
        )
        last_day = paused(Reason.OUTSIDE_SCHEDULE, windows, now="2026-11-20 18:00", ends_on=monday)
        self.assertEqual(last_day.at, utc("2026-11-23 08:00"))

    def test_a_daily_limit_on_the_last_day_is_the_end(self) -> None:
        result = paused(Reason.CAMPAIGN_DAILY_LIMIT, now="2026-11-20 12:00", ends_on=date(2026, 11, 20))
        self.assertIsNone(result.at)
        self.assertIn("never", result.text)

    def test_people_first_then_the_calendar(self) -> None:
        result = paused(
            Reason.CAMPAIGN_DISABLED | Reason.BRAND_DISABLED | Reason.BRAND_DAILY_BUDGET,
            now="2026-11-20 12:00",
        )
        self.assertEqual(
            result,
            Forecast(
                None,
                "when it is turned on and the brand is resumed, but not before tomorrow 00:00 (UTC)",
            ),
        )

    def test_the_start_date_and_the_schedule_both_count(self) -> None:
        result = paused(
            Reason.NOT_STARTED | Reason.OUTSIDE_SCHEDULE,
            window(WED, "09:30", "10:00"),
            now="2026-11-20 12:00",
            starts_on=date(2026, 11, 26),
        )
        self.assertEqual(result.at, utc("2026-12-02 09:30"))


class ClockChangeTests(SimpleTestCase):
    """New York: 2026-03-08 skips 02:00–03:00, 2026-11-01 has 01:00–02:00 twice; both are Sundays."""

    zone = ZoneInfo("America/New_York")

    def opening(self, start: str, end: str, after: str) -> datetime | None:
        return next_opening([window(SUN, start, end)], self.zone, utc(after))

    def test_a_window_partly_in_a_skipped_hour_opens_when_the_hour_ends(self) -> None:
        self.assertEqual(self.opening("02:30", "04:00", "2026-03-08 05:00"), utc("2026-03-08 07:00"))

    def test_a_window_wholly_in_a_skipped_hour_opens_a_week_later(self) -> None:
        self.assertEqual(self.opening("02:15", "02:45", "2026-03-08 05:00"), utc("2026-03-15 06:15"))

    def test_a_window_in_an_hour_that_comes_twice_opens_twice(self) -> None:
        self.assertEqual(self.opening("01:15", "01:45", "2026-11-01 04:00"), utc("2026-11-01 05:15"))
        self.assertEqual(self.opening("01:15", "01:45", "2026-11-01 05:45"), utc("2026-11-01 06:15"))
        self.assertEqual(self.opening("01:15", "01:45", "2026-11-01 06:45"), utc("2026-11-08 06:15"))

    def test_a_window_opens_again_where_the_clock_goes_back_into_it(self) -> None:
        self.assertEqual(self.opening("00:30", "01:30", "2026-11-01 05:30"), utc("2026-11-01 06:00"))

    def test_a_midnight_that_is_skipped_begins_when_the_clock_jumps(self) -> None:
        result = paused(
            Reason.BRAND_DAILY_BUDGET,
            now="2026-09-05 12:00",
            timezone="America/Santiago",
            daily_budget=Decimal(1),
        )
        self.assertEqual(result, Forecast(utc("2026-09-06 04:00"), "tomorrow 01:00 (America/Santiago)"))


ZONES = (
    "UTC",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Africa/Cairo",
)
NEAR_CHANGES = [
    utc(day)
    for day in (
        "2026-03-07",
        "2026-03-27",
        "2026-04-04",
        "2026-04-23",
        "2026-09-05",
        "2026-10-03",
        "2026-10-24",
        "2026-10-29",
        "2026-10-31",
        "2026-07-01",
    )
]
TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))


@st.composite
def window_strategy(draw: st.DrawFn) -> DaypartingSchedule:
    start, end = draw(TIMES), draw(TIMES)
    if start == end:
        start, end = time(0), time(0)
    return DaypartingSchedule(days_of_week=draw(st.integers(1, EVERY_DAY)), start_time=start, end_time=end)


def by_brute_force(windows: list[DaypartingSchedule], zone: ZoneInfo, instant: datetime) -> datetime | None:
    """Look at every minute of two weeks."""
    minutes = (instant + timedelta(minutes=number) for number in range(14 * 24 * 60))
    return next((at for at in minutes if is_open(windows, at.astimezone(zone))), None)


class BruteForceTests(SimpleTestCase):
    @settings(max_examples=300)
    @given(
        windows=st.lists(window_strategy(), min_size=1, max_size=2),
        zone=st.sampled_from(ZONES),
        start=st.sampled_from(NEAR_CHANGES),
        minutes=st.integers(0, 3 * 24 * 60),
    )
    def test_it_finds_the_same_opening_as_looking_at_every_minute(
        self, windows: list[DaypartingSchedule], zone: str, start: datetime, minutes: int
    ) -> None:
        instant = start.astimezone(UTC) + timedelta(minutes=minutes)
        found = next_opening(windows, ZoneInfo(zone), instant)
        self.assertEqual(found, by_brute_force(windows, ZoneInfo(zone), instant))
