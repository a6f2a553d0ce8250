"""R7: dayparting, decided by enforcement at exact instants. 2026-11-20 is a Friday."""

from __future__ import annotations

from datetime import time

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import TestCase

from campaigns.models import Campaign, DaypartingSchedule
from campaigns.models.clocks import Clocks
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement.decide import brands_to_write
from campaigns.services.scope import Scope
from campaigns.tests.support.checking import reasons_at
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, utc

MON, TUE, WED, THU, FRI, SAT, SUN = (1 << number for number in range(7))
WEEKDAYS = MON | TUE | WED | THU | FRI


class WindowTestCase(TestCase):
    zone = "UTC"

    def setUp(self) -> None:
        self.campaign = make_campaign(make_brand(timezone=self.zone))

    def assert_open(self, *instants: str) -> None:
        for at in instants:
            self.assertEqual(reasons_at(self.campaign, at), PauseReason(0), at)

    def assert_closed(self, *instants: str) -> None:
        for at in instants:
            self.assertEqual(reasons_at(self.campaign, at), PauseReason.OUTSIDE_SCHEDULE, at)


class AWindowIncludesItsStartAndExcludesItsEnd(WindowTestCase):
    """R7."""

    def test_it_opens_at_its_start_and_closes_at_its_end(self) -> None:
        make_window(self.campaign, FRI, "09:00", "17:30")
        self.assert_closed("2026-11-20 08:59:59.999999")
        self.assert_open("2026-11-20 09:00", "2026-11-20 17:29:59.999999")
        self.assert_closed("2026-11-20 17:30")

    def test_it_may_be_a_minute_long(self) -> None:
        make_window(self.campaign, FRI, "09:00", "09:01")
        self.assert_closed("2026-11-20 08:59:59")
        self.assert_open("2026-11-20 09:00:59.999999")
        self.assert_closed("2026-11-20 09:01")

    def test_it_is_open_on_its_days_only(self) -> None:
        make_window(self.campaign, WEEKDAYS, "09:00", "17:00")
        self.assert_open("2026-11-16 12:00", "2026-11-18 12:00", "2026-11-20 12:00")
        self.assert_closed("2026-11-15 12:00", "2026-11-21 12:00", "2026-11-22 12:00")

    def test_it_has_a_bit_for_each_day_from_monday_1_to_sunday_64(self) -> None:
        window = make_window(self.campaign)
        for number in range(7):
            DaypartingSchedule.objects.filter(pk=window.pk).update(days_of_week=1 << number)
            self.assert_open(f"2026-11-{16 + number} 12:00")
            self.assert_closed(f"2026-11-{16 + (number + 1) % 7} 12:00")

    def test_it_takes_all_seven_days(self) -> None:
        make_window(self.campaign, 127, "09:00", "17:00")
        self.assert_open(*(f"2026-11-{16 + number} 12:00" for number in range(7)))


class AStartAfterTheEndPassesMidnight(WindowTestCase):
    """R7: it belongs to the day on which it starts."""

    def test_it_is_open_on_the_night_of_its_day_and_the_morning_after(self) -> None:
        make_window(self.campaign, FRI, "22:00", "02:00")
        self.assert_closed("2026-11-20 01:30", "2026-11-20 21:59:59.999999")
        self.assert_open("2026-11-20 22:00", "2026-11-20 23:59:59", "2026-11-21 00:00", "2026-11-21 01:30")
        self.assert_open("2026-11-21 01:59:59.999999")
        self.assert_closed("2026-11-21 02:00", "2026-11-21 22:00")

    def test_it_passes_from_sunday_to_monday(self) -> None:
        make_window(self.campaign, SUN, "23:59", "00:01")
        self.assert_open("2026-11-22 23:59", "2026-11-23 00:00:59")
        self.assert_closed("2026-11-23 00:01", "2026-11-22 00:00", "2026-11-23 23:59")

    def test_it_passes_into_a_new_month_and_year(self) -> None:
        make_window(self.campaign, THU, "22:00", "02:00")  # 2026-12-31
        self.assert_open("2026-12-31 22:00", "2027-01-01 01:59")
        self.assert_closed("2027-01-01 02:00")


class AnEndOfMidnightIsTheEndOfTheDay(WindowTestCase):
    """R7."""

    def test_it_closes_at_midnight(self) -> None:
        make_window(self.campaign, FRI, "20:00", "00:00")
        self.assert_closed("2026-11-20 00:00", "2026-11-20 19:59")
        self.assert_open("2026-11-20 20:00", "2026-11-20 23:59:59.999999")
        self.assert_closed("2026-11-21 00:00")

    def test_it_is_open_the_whole_day_from_midnight_to_midnight(self) -> None:
        make_window(self.campaign, FRI, "00:00", "00:00")
        self.assert_closed("2026-11-19 23:59:59.999999")
        self.assert_open("2026-11-20 00:00", "2026-11-20 12:00", "2026-11-20 23:59:59.999999")
        self.assert_closed("2026-11-21 00:00")

    def test_it_refuses_any_other_window_whose_start_is_its_end(self) -> None:
        window = DaypartingSchedule(campaign=self.campaign, start_time=time(10), end_time=time(10))
        with self.assertRaisesMessage(ValidationError, "10:00 to 10:00 is an empty window"):
            window.full_clean()
        with self.assertRaisesMessage(IntegrityError, "dayparting_start_differs_from_end"), transaction.atomic():
            window.save()

    def test_it_refuses_a_time_finer_than_a_minute(self) -> None:
        with self.assertRaisesMessage(IntegrityError, "dayparting_times_in_whole_minutes"), transaction.atomic():
            make_window(self.campaign, FRI, "10:00:30", "11:00")


class SeveralWindows(WindowTestCase):
    """R7: they may overlap; no window at all means always."""

    def test_it_is_open_where_one_of_them_is(self) -> None:
        make_window(self.campaign, FRI, "08:00", "12:00")
        make_window(self.campaign, FRI, "10:00", "14:00")
        make_window(self.campaign, SAT, "09:00", "10:00")
        self.assert_closed("2026-11-20 07:59", "2026-11-20 14:00", "2026-11-21 08:59")
        self.assert_open("2026-11-20 08:00", "2026-11-20 11:00", "2026-11-20 13:59", "2026-11-21 09:00")

    def test_a_check_counts_a_campaign_once_however_many_are_open(self) -> None:
        for _ in range(3):
            make_window(self.campaign, FRI, "09:00", "12:00")
        self.assert_closed("2026-11-20 08:00")
        found = brands_to_write(Scope.everything(), Clocks(["UTC"], utc("2026-11-20 10:00")))
        self.assertEqual(found, [(self.campaign.brand_id, 1)])

    def test_it_is_always_open_without_a_window(self) -> None:
        self.assert_open("2026-11-20 00:00", "2026-11-22 23:59:59")

    def test_it_is_open_again_when_the_last_window_is_gone(self) -> None:
        window = make_window(self.campaign, FRI, "08:00", "12:00")
        self.assert_closed("2026-11-20 12:00")
        window.delete()
        self.assert_open("2026-11-20 12:00")

    def test_it_holds_for_its_own_campaign_only(self) -> None:
        sibling = make_campaign(self.campaign.brand)
        make_window(sibling, SAT)
        self.assert_open("2026-11-20 12:00")
        self.assertEqual(Campaign.objects.get(pk=sibling.pk).reasons, PauseReason.OUTSIDE_SCHEDULE)


class WindowsAreInTheBrandsOwnTime(WindowTestCase):
    """R7: Kathmandu is 5:45 ahead of UTC."""

    zone = "Asia/Kathmandu"

    def test_it_opens_at_the_local_time(self) -> None:
        make_window(self.campaign, FRI, "09:00", "17:00")
        self.assert_closed("2026-11-20 03:14:59")
        self.assert_open("2026-11-20 03:15", "2026-11-20 11:14:59")
        self.assert_closed("2026-11-20 11:15")

    def test_it_is_friday_from_the_local_midnight_on(self) -> None:
        make_window(self.campaign, FRI)
        self.assert_closed("2026-11-19 18:14:59")
        self.assert_open("2026-11-19 18:15", "2026-11-20 18:14:59")
        self.assert_closed("2026-11-20 18:15")


class AnHourThatIsSkippedOpensNothing(WindowTestCase):
    """R7: in New York 2026-03-08 went from 02:00 EST to 03:00 EDT, at 07:00 UTC."""

    zone = "America/New_York"

    def test_it_never_opens_a_window_inside_the_hour(self) -> None:
        make_window(self.campaign, SUN, "02:00", "03:00")
        self.assert_closed("2026-03-08 06:59:59.999999", "2026-03-08 07:00", "2026-03-08 07:30")
        self.assert_open("2026-03-15 06:00", "2026-03-15 06:59")  # a week later at 02:00 EDT

    def test_it_cuts_a_window_short_that_ends_in_the_hour(self) -> None:
        make_window(self.campaign, SUN, "01:30", "02:30")
        self.assert_closed("2026-03-08 06:29:59")
        self.assert_open("2026-03-08 06:30", "2026-03-08 06:59:59.999999")
        self.assert_closed("2026-03-08 07:00")

    def test_it_opens_a_window_that_starts_in_the_hour_after_it(self) -> None:
        make_window(self.campaign, SUN, "02:30", "04:00")
        self.assert_closed("2026-03-08 06:59:59.999999")
        self.assert_open("2026-03-08 07:00", "2026-03-08 07:59:59")
        self.assert_closed("2026-03-08 08:00")

    def test_it_closes_a_night_window_at_the_local_time(self) -> None:
        make_window(self.campaign, SAT, "22:00", "04:00")
        self.assert_open("2026-03-08 03:00", "2026-03-08 07:59:59")
        self.assert_closed("2026-03-08 02:59:59", "2026-03-08 08:00")


class AnHourThatComesTwiceIsOpenTwice(WindowTestCase):
    """R7: in New York 2026-11-01 went from 02:00 EDT back to 01:00 EST, at 06:00 UTC."""

    zone = "America/New_York"

    def test_it_opens_twice(self) -> None:
        make_window(self.campaign, SUN, "01:15", "01:45")
        self.assert_closed("2026-11-01 05:14:59", "2026-11-01 05:45", "2026-11-01 06:14:59", "2026-11-01 06:45")
        self.assert_open("2026-11-01 05:15", "2026-11-01 05:44:59", "2026-11-01 06:15", "2026-11-01 06:44:59")

    def test_it_stays_open_through_both_hours(self) -> None:
        make_window(self.campaign, SUN, "01:00", "02:00")
        self.assert_closed("2026-11-01 04:59:59")
        self.assert_open("2026-11-01 05:00", "2026-11-01 05:59:59", "2026-11-01 06:00", "2026-11-01 06:59:59")
        self.assert_closed("2026-11-01 07:00")


class ClocksThatChangeOtherwise(WindowTestCase):
    """R7: Lord Howe's clocks change by half an hour, Santiago's at midnight."""

    def test_it_opens_nothing_in_a_skipped_half_hour(self) -> None:
        self.campaign.brand.timezone = "Australia/Lord_Howe"  # 2026-10-04: 02:00 to 02:30, at 15:30 UTC of the 3rd
        self.campaign.brand.save()
        make_window(self.campaign, SUN, "02:00", "02:30")
        self.assert_closed("2026-10-03 15:29:59.999999", "2026-10-03 15:30")
        self.assert_open("2026-10-10 15:00", "2026-10-10 15:29:59")
        self.assert_closed("2026-10-10 15:30")

    def test_it_opens_a_whole_day_whose_midnight_is_skipped(self) -> None:
        self.campaign.brand.timezone = "America/Santiago"  # 2026-09-06 begins at 01:00, at 04:00 UTC
        self.campaign.brand.save()
        make_window(self.campaign, SUN)
        self.assert_closed("2026-09-06 03:59:59.999999")
        self.assert_open("2026-09-06 04:00", "2026-09-07 02:59:59")
        self.assert_closed("2026-09-07 03:00")

    def test_it_is_saturday_twice_between_23_and_24_where_clocks_go_back_at_midnight(self) -> None:
        self.campaign.brand.timezone = "America/Santiago"  # 2026-04-04 24:00 went back to 23:00, at 03:00 UTC
        self.campaign.brand.save()
        make_window(self.campaign, SAT, "23:00", "00:00")
        self.assert_closed("2026-04-05 01:59:59")
        self.assert_open("2026-04-05 02:00", "2026-04-05 02:59:59", "2026-04-05 03:00", "2026-04-05 03:59:59")
        self.assert_closed("2026-04-05 04:00")
