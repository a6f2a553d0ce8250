"""Days and months begin and end where each zone's own calendar says, through every change of its clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.test import SimpleTestCase
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules.periods import (
    EARLIEST,
    LATEST,
    ONE_DAY,
    QUARTER_SECONDS,
    QUARTERS_IN_UTC_DAY,
    LocalClock,
    day_segments,
    find_zone,
    first_of_month,
    known_zones,
    local_clock,
    local_clocks,
    local_date,
    next_month,
    quarter_of,
    start_of_day,
    weekday_bit,
)

EPOCH = date(1970, 1, 1)
FIRST_UTC_DAY = (EARLIEST.date() - EPOCH).days
LAST_UTC_DAY = (LATEST.date() - EPOCH).days - 1

zones = st.sampled_from(sorted(known_zones())).map(ZoneInfo)
utc_days = st.integers(FIRST_UTC_DAY, LAST_UTC_DAY)
days = st.dates(date(2012, 1, 2), date(2099, 12, 30))
instants = st.builds(
    lambda day, passed: datetime.combine(day, time.min, tzinfo=UTC) + passed,
    st.dates(date(2012, 1, 3), date(2099, 11, 29)),
    st.timedeltas(timedelta(0), ONE_DAY),
)


@st.composite
def days_of_change(draw: st.DrawFn) -> tuple[ZoneInfo, int]:
    """Draw a zone and a UTC day in which, or next to which, its clocks change; else any day."""
    zone, start = draw(zones), draw(st.integers(FIRST_UTC_DAY, LAST_UTC_DAY - 366))
    offsets = [at_quarter(day * QUARTERS_IN_UTC_DAY).astimezone(zone).utcoffset() for day in range(start, start + 366)]
    changes = [start + n for n in range(1, 366) if offsets[n] != offsets[n - 1]] or [start + 1]
    return zone, max(FIRST_UTC_DAY, draw(st.sampled_from(changes)) + draw(st.integers(-2, 0)))


def at_quarter(quarter: int) -> datetime:
    return datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def clock(zone: str, text: str) -> LocalClock:
    return local_clock(ZoneInfo(zone), at(text))


class SegmentTests(SimpleTestCase):
    def assert_segments_agree(self, zone: ZoneInfo, utc_day: int) -> None:
        """Assert that the segments fill the UTC day and give each quarter-hour its date."""
        quarter = utc_day * QUARTERS_IN_UTC_DAY
        for segment in day_segments(zone, [utc_day]):
            self.assertEqual((segment.zone, segment.utc_day, segment.quarter_from), (zone.key, utc_day, quarter))
            self.assertGreater(segment.quarter_until, segment.quarter_from)
            self.assertEqual(segment.month, segment.day.replace(day=1))
            for quarter in range(segment.quarter_from, segment.quarter_until):
                for instant in (at_quarter(quarter), at_quarter(quarter + 1) - timedelta(microseconds=1)):
                    self.assertEqual(instant.astimezone(zone).date(), segment.day, f"{zone} {instant}")
            quarter = segment.quarter_until
        self.assertEqual(quarter, (utc_day + 1) * QUARTERS_IN_UTC_DAY)

    @given(zones, utc_days)
    def test_it_agrees_with_the_zones_clock_on_any_day(self, zone: ZoneInfo, utc_day: int) -> None:
        self.assert_segments_agree(zone, utc_day)

    @given(days_of_change())
    def test_it_agrees_with_the_zones_clock_when_clocks_change(self, drawn: tuple[ZoneInfo, int]) -> None:
        self.assert_segments_agree(*drawn)

    def test_it_agrees_in_every_zone_on_the_first_and_the_last_day(self) -> None:
        for name in sorted(known_zones()):
            for utc_day in (FIRST_UTC_DAY, LAST_UTC_DAY):
                self.assert_segments_agree(ZoneInfo(name), utc_day)

    def test_it_yields_the_days_that_it_is_given_in_order(self) -> None:
        segments = list(day_segments(ZoneInfo("Asia/Kathmandu"), [20000, 20002]))
        self.assertEqual([segment.utc_day for segment in segments], [20000, 20000, 20002, 20002])
        self.assertEqual(segments[1].quarter_from - segments[0].quarter_from, 73)

    def test_it_gives_a_day_of_utc_one_segment(self) -> None:
        (segment,) = day_segments(ZoneInfo("UTC"), [0])
        self.assertEqual((segment.quarter_from, segment.quarter_until, segment.day), (0, 96, EPOCH))


class StartOfDayTests(SimpleTestCase):
    @given(zones, days)
    def test_it_begins_every_day_on_a_quarter_hour(self, zone: ZoneInfo, day: date) -> None:
        start = start_of_day(zone, day)
        self.assertEqual(start, at_quarter(quarter_of(start)))

    @given(zones, days)
    def test_it_gives_the_first_instant_of_the_day(self, zone: ZoneInfo, day: date) -> None:
        start = start_of_day(zone, day)
        self.assertEqual(local_date(zone, start), day)
        self.assertEqual(local_date(zone, start - timedelta(microseconds=1)), day - ONE_DAY)

    @given(days_of_change())
    def test_it_gives_the_first_instant_when_clocks_change(self, drawn: tuple[ZoneInfo, int]) -> None:
        zone, utc_day = drawn
        for day in (EPOCH + timedelta(utc_day + n) for n in (0, 1, 2)):
            start = start_of_day(zone, day)
            self.assertEqual(start, at_quarter(quarter_of(start)))
            self.assertEqual(local_date(zone, start), day)
            self.assertEqual(local_date(zone, start - timedelta(microseconds=1)), day - ONE_DAY)

    def test_it_begins_a_day_without_a_midnight_when_clocks_jump(self) -> None:
        for zone, day, start in (
            ("America/Santiago", "2024-09-08", "2024-09-08 04:00"),
            ("Asia/Beirut", "2024-03-31", "2024-03-30 22:00"),
            ("America/Havana", "2024-03-10", "2024-03-10 05:00"),
        ):
            with self.subTest(zone):
                first = start_of_day(ZoneInfo(zone), date.fromisoformat(day))
                self.assertEqual(first, at(start))
                self.assertEqual(first.astimezone(ZoneInfo(zone)).time(), time(1))

    def test_it_begins_a_day_with_two_midnights_at_the_first(self) -> None:
        first = start_of_day(ZoneInfo("America/Havana"), date(2024, 11, 3))
        self.assertEqual(first, at("2024-11-03 04:00"))

    def test_it_begins_a_day_after_an_hour_before_midnight_that_came_twice(self) -> None:
        first = start_of_day(ZoneInfo("America/Santiago"), date(2024, 4, 7))
        self.assertEqual(first, at("2024-04-07 04:00"))


class ClockTests(SimpleTestCase):
    def assert_day(self, zone: str, text: str, starts: str, ends: str) -> LocalClock:
        """Assert when the local day around an instant starts and ends, in UTC."""
        seen = clock(zone, text)
        self.assertEqual((at_quarter(seen.day_from), at_quarter(seen.day_until)), (at(starts), at(ends)))
        return seen

    def test_it_reads_the_wall(self) -> None:
        seen = clock("Asia/Kathmandu", "2026-11-22 18:14:59.999999")
        self.assertEqual((seen.zone, seen.today, seen.month), ("Asia/Kathmandu", date(2026, 11, 22), date(2026, 11, 1)))
        self.assertEqual(seen.local_time, time(23, 59, 59))
        self.assertEqual((seen.weekday_bit, seen.yesterday_bit), (64, 32))

    def test_it_turns_the_day_in_kathmandu_at_a_quarter_past_six_in_the_evening(self) -> None:
        seen = self.assert_day("Asia/Kathmandu", "2026-11-22 18:15", "2026-11-22 18:15", "2026-11-23 18:15")
        self.assertEqual((seen.today, seen.local_time), (date(2026, 11, 23), time(0)))
        self.assertEqual((seen.weekday_bit, seen.yesterday_bit), (1, 64))

    def test_it_counts_a_day_of_23_hours_in_new_york(self) -> None:
        before = self.assert_day("America/New_York", "2026-03-08 06:59:59", "2026-03-08 05:00", "2026-03-09 04:00")
        after = clock("America/New_York", "2026-03-08 07:00")
        self.assertEqual((before.local_time, after.local_time), (time(1, 59, 59), time(3)))
        self.assertEqual(before.day_until - before.day_from, 92)

    def test_it_counts_a_day_of_25_hours_in_new_york(self) -> None:
        seen = self.assert_day("America/New_York", "2026-11-01 05:30", "2026-11-01 04:00", "2026-11-02 05:00")
        again = clock("America/New_York", "2026-11-01 06:30")
        self.assertEqual((seen.local_time, again.local_time), (time(1, 30), time(1, 30)))
        self.assertEqual(seen.day_until - seen.day_from, 100)

    def test_it_counts_short_and_long_days_in_london(self) -> None:
        self.assert_day("Europe/London", "2026-03-29 12:00", "2026-03-29 00:00", "2026-03-29 23:00")
        self.assert_day("Europe/London", "2026-10-25 12:00", "2026-10-24 23:00", "2026-10-26 00:00")

    def test_it_counts_half_an_hour_on_lord_howe(self) -> None:
        short = self.assert_day("Australia/Lord_Howe", "2026-10-04 02:00", "2026-10-03 13:30", "2026-10-04 13:00")
        long = self.assert_day("Australia/Lord_Howe", "2026-04-05 02:00", "2026-04-04 13:00", "2026-04-05 13:30")
        self.assertEqual(short.day_until - short.day_from, 94)
        self.assertEqual(long.day_until - long.day_from, 98)

    def test_it_skips_midnight(self) -> None:
        for zone, last, first in (
            ("America/Santiago", "2024-09-08 03:59:59", "2024-09-08 04:00"),
            ("Asia/Beirut", "2024-03-30 21:59:59", "2024-03-30 22:00"),
            ("America/Havana", "2024-03-10 04:59:59", "2024-03-10 05:00"),
        ):
            with self.subTest(zone):
                before, after = clock(zone, last), clock(zone, first)
                self.assertEqual(before.local_time, time(23, 59, 59))
                self.assertEqual(after.local_time, time(1))
                self.assertEqual(after.today, before.today + ONE_DAY)
                self.assertEqual(before.day_until, after.day_from)
                self.assertEqual(after.day_until - after.day_from, 92)

    def test_it_stays_on_the_day_when_the_hour_before_midnight_comes_twice(self) -> None:
        first, again = (clock("America/Santiago", f"2024-04-07 0{hour}:30") for hour in (2, 3))
        self.assertEqual((first.local_time, again.local_time), (time(23, 30), time(23, 30)))
        self.assertEqual(first.today, again.today)
        self.assertEqual((first.day_from, first.day_until), (again.day_from, again.day_until))
        self.assertEqual(first.day_until - first.day_from, 100)

    def test_it_turns_the_month_and_the_year(self) -> None:
        last, first = (
            clock("Pacific/Kiritimati", "2026-12-31 09:59"),
            clock("Pacific/Kiritimati", "2026-12-31 10:00"),
        )
        self.assertEqual((last.month, first.month), (date(2026, 12, 1), date(2027, 1, 1)))
        self.assertEqual(last.next_month, first.month)
        self.assertEqual(at_quarter(first.month_from), at("2026-12-31 10:00"))
        self.assertEqual(first.next_month, date(2027, 2, 1))

    @given(zones, instants)
    def test_it_goes_on_where_the_day_and_the_month_before_ended(self, zone: ZoneInfo, instant: datetime) -> None:
        now = local_clock(zone, instant)
        self.assertTrue(now.month_from <= now.day_from <= quarter_of(instant) < now.day_until)
        tomorrow = local_clock(zone, at_quarter(now.day_until))
        self.assertEqual((tomorrow.today, tomorrow.day_from), (now.today + ONE_DAY, now.day_until))
        following = local_clock(zone, start_of_day(zone, now.next_month))
        self.assertEqual((following.month, following.month_from), (now.next_month, following.day_from))
        self.assertEqual(following.today, following.month)
        yesterday = local_clock(zone, at_quarter(now.day_from - 1))
        self.assertEqual((yesterday.today, yesterday.day_until), (now.today - ONE_DAY, now.day_from))
        self.assertEqual(yesterday.weekday_bit, now.yesterday_bit)

    def test_it_gives_each_known_zone_one_clock_and_leaves_the_others_out(self) -> None:
        names = ["UTC", "Mars/Olympus", "Asia/Kathmandu", "UTC", "", "../etc/passwd", "utc "]
        seen = [each.zone for each in local_clocks(names, at("2026-11-22 10:00"))]
        self.assertEqual(seen, ["Asia/Kathmandu", "UTC"])


class SmallPartTests(SimpleTestCase):
    def test_it_counts_quarter_hours_since_1970(self) -> None:
        for text, quarter in (
            ("1970-01-01 00:00", 0),
            ("1970-01-01 00:14:59.999999", 0),
            ("1970-01-01 00:15", 1),
            ("2026-11-22 10:00", 1_994_824),
            ("2099-12-31 23:59:59.999999", 4_558_271),
        ):
            with self.subTest(text):
                self.assertEqual(quarter_of(at(text)), quarter)

    def test_it_counts_the_same_quarter_hour_in_any_zone(self) -> None:
        instant = at("2026-11-22 10:14")
        self.assertEqual(quarter_of(instant.astimezone(ZoneInfo("Asia/Kathmandu"))), quarter_of(instant))

    def test_it_finds_zones_by_their_exact_names(self) -> None:
        found = find_zone("Europe/Paris")
        self.assertEqual(found and found.key, "Europe/Paris")
        nowhere = ("localtime", "Factory", "posixrules", "right/UTC", "posix/UTC")
        for name in ("Europe/Pairs", "", "../UTC", "/etc/localtime", "Europe", "UTC\0", *nowhere):
            with self.subTest(name):
                self.assertIsNone(find_zone(name))

    def test_it_goes_from_month_to_month(self) -> None:
        for day, month, following in (
            ("2026-01-31", "2026-01-01", "2026-02-01"),
            ("2028-02-29", "2028-02-01", "2028-03-01"),
            ("2026-12-31", "2026-12-01", "2027-01-01"),
            ("2026-11-01", "2026-11-01", "2026-12-01"),
        ):
            with self.subTest(day):
                self.assertEqual(first_of_month(date.fromisoformat(day)), date.fromisoformat(month))
                self.assertEqual(next_month(date.fromisoformat(day)), date.fromisoformat(following))

    def test_it_gives_monday_1_and_sunday_64(self) -> None:
        week = [date(2026, 11, 16) + timedelta(n) for n in range(7)]
        self.assertEqual([weekday_bit(day) for day in week], [1, 2, 4, 8, 16, 32, 64])
