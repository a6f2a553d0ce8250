"""What time does next: each campaign stores the minute at which a window, a date or a midnight can change it."""

from __future__ import annotations

import re
from datetime import date, time
from itertools import chain, repeat

from django.db import connection, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from campaigns.database.connection import fetch_all, is_postgresql
from campaigns.models import Brand, Campaign, DaypartingSchedule
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement.enforce import enforce_under_locks
from campaigns.services.enforcement.saving import begin_change, finish_change
from campaigns.services.jobs.quick_check import due_campaigns
from campaigns.services.scope import Scope
from campaigns.tests.support.checking import ACTIVE, enforce_at, history, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend, utc
from campaigns.tests.support.outside import OutsideTestCase
from campaigns.tests.support.passing import change, next_change, pass_at

NOON = "2026-11-20 12:00"  # a Friday
MONDAY, FRIDAY, SATURDAY = 1, 16, 32


class UpcomingTestCase(TestCase):
    def assert_next(self, campaign: Campaign, at: str, expected: str | None) -> None:
        """Enforced at an instant, the campaign stores the other one, or none."""
        enforce_at(at)
        self.assertEqual(next_change(campaign), None if expected is None else utc(expected))

    def windows(self, *edges: tuple[str, str], days: int = 127, zone: str = "UTC") -> Campaign:
        campaign = make_campaign(make_brand(timezone=zone))
        for start, end in edges:
            make_window(campaign, days, start, end)
        return campaign


class Windows(UpcomingTestCase):
    def test_one_opens(self) -> None:
        self.assert_next(self.windows(("18:00", "20:00")), NOON, "2026-11-20 18:00")
        self.assert_next(self.windows(("12:01", "20:00")), "2026-11-20 12:00:59.999999", "2026-11-20 12:01")

    def test_one_closes(self) -> None:
        campaign = self.windows(("12:00", "12:01"))
        self.assert_next(campaign, "2026-11-20 12:00:59", "2026-11-20 12:01")
        self.assert_next(campaign, "2026-11-20 12:01", "2026-11-21 00:00")
        self.assert_next(campaign, "2026-11-21 00:00", "2026-11-21 12:00")

    def test_the_first_of_several_counts(self) -> None:
        self.assert_next(
            self.windows(("11:00", "17:00"), ("15:00", "16:00"), ("18:00", "19:00")), NOON, "2026-11-20 15:00"
        )

    def test_one_that_passes_midnight_opens_today_and_closes_tomorrow(self) -> None:
        campaign = self.windows(("22:00", "02:00"), days=FRIDAY)
        self.assert_next(campaign, NOON, "2026-11-20 22:00")
        self.assert_next(campaign, "2026-11-20 22:00", "2026-11-21 00:00")
        self.assert_next(campaign, "2026-11-21 00:00", "2026-11-21 02:00")
        self.assert_next(campaign, "2026-11-21 02:00", "2026-11-22 00:00")
        self.assertEqual(reasons_of(campaign), PauseReason.OUTSIDE_SCHEDULE)

    def test_it_does_not_close_after_a_day_that_is_none_of_its_own(self) -> None:
        self.assert_next(self.windows(("22:00", "02:00"), days=SATURDAY), "2026-11-20 01:00", "2026-11-21 00:00")

    def test_an_end_of_midnight_is_tomorrow(self) -> None:
        campaign = self.windows(("18:00", "00:00"))
        self.assert_next(campaign, NOON, "2026-11-20 18:00")
        self.assert_next(campaign, "2026-11-20 18:00", "2026-11-21 00:00")

    def test_the_whole_day_ends_with_it(self) -> None:
        campaign = self.windows(("00:00", "00:00"), days=FRIDAY)
        self.assert_next(campaign, NOON, "2026-11-21 00:00")
        enforce_at("2026-11-21 00:00")
        self.assertEqual(reasons_of(campaign), PauseReason.OUTSIDE_SCHEDULE)

    def test_on_another_day_it_looks_again_at_midnight(self) -> None:
        self.assert_next(self.windows(("18:00", "20:00"), days=MONDAY), NOON, "2026-11-21 00:00")


class ClocksThatChange(UpcomingTestCase):
    """All edges are those of the wall clock (R7), on days of 23 and 25 hours too."""

    def test_an_edge_after_the_change_comes_by_the_new_offset(self) -> None:
        for zone, before, shift, edge in (
            ("America/New_York", "2026-11-01 04:30", "2026-11-01 06:00", "2026-11-01 17:00"),
            ("America/New_York", "2026-03-08 05:30", "2026-03-08 07:00", "2026-03-08 16:00"),
            ("Europe/London", "2026-10-25 00:30", "2026-10-25 01:00", "2026-10-25 12:00"),
            ("Australia/Lord_Howe", "2026-04-04 13:30", "2026-04-04 15:00", "2026-04-05 01:30"),
        ):
            with self.subTest(zone, before=before):
                campaign = self.windows(("12:00", "13:00"), zone=zone)
                self.assert_next(campaign, before, shift)
                self.assert_next(campaign, shift, edge)

    def test_an_edge_within_the_hour_that_comes_twice_comes_twice(self) -> None:
        campaign = self.windows(("01:30", "03:00"), zone="America/New_York")
        for at, then in (
            ("2026-11-01 04:00", "2026-11-01 05:30"),  # 00:00, and the first 01:30
            ("2026-11-01 05:30", "2026-11-01 06:00"),  # clocks go back to 01:00
            ("2026-11-01 06:00", "2026-11-01 06:30"),  # the second 01:30
            ("2026-11-01 06:30", "2026-11-01 08:00"),  # 03:00
        ):
            self.assert_next(campaign, at, then)
        self.assertEqual([after for _, after in history(campaign)], [PauseReason.OUTSIDE_SCHEDULE, ACTIVE] * 2)

    def test_an_hour_that_is_skipped_opens_nothing(self) -> None:
        campaign = self.windows(("02:15", "02:45"), zone="America/New_York")
        self.assert_next(campaign, "2026-03-08 05:00", "2026-03-08 07:00")
        self.assert_next(campaign, "2026-03-08 07:00", "2026-03-09 04:00")
        self.assertEqual(history(campaign), [(ACTIVE, PauseReason.OUTSIDE_SCHEDULE)])

    def test_a_zone_of_quarter_hours_has_its_edges_there(self) -> None:
        campaign = self.windows(("18:00", "20:00"), zone="Asia/Kathmandu")
        self.assert_next(campaign, "2026-11-20 12:00", "2026-11-20 12:15")
        self.assert_next(campaign, "2026-11-20 12:15", "2026-11-20 14:15")
        self.assert_next(campaign, "2026-11-20 14:15", "2026-11-20 18:15")

    def test_days_of_23_and_25_hours_end_at_their_midnight(self) -> None:
        for at, midnight in (("2026-03-08 12:00", "2026-03-09 04:00"), ("2026-11-01 12:00", "2026-11-02 05:00")):
            brand = make_brand(timezone="America/New_York", daily_budget=0)
            self.assert_next(make_campaign(brand), at, midnight)


class DatesAndLimits(UpcomingTestCase):
    def test_nothing_comes_for_a_campaign_that_has_no_window_date_or_limit(self) -> None:
        self.assert_next(make_campaign(), NOON, None)
        self.assert_next(make_campaign(enabled=False), NOON, None)

    def test_nothing_comes_for_a_limit_that_is_not_reached(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=2, monthly_budget=2), daily_spend_limit=2)
        spend(campaign, 1, NOON)
        self.assert_next(campaign, NOON, None)

    def test_a_limit_of_the_day_is_reached_until_midnight(self) -> None:
        for of_brand, of_campaign in (({"daily_budget": 1}, {}), ({}, {"daily_spend_limit": 1})):
            campaign = make_campaign(make_brand(timezone="Asia/Kathmandu", **of_brand), **of_campaign)
            spend(campaign, 1, NOON)
            self.assert_next(campaign, NOON, "2026-11-20 18:15")
            self.assert_next(campaign, "2026-11-20 18:15", None)

    def test_a_monthly_budget_is_reached_until_the_1st(self) -> None:
        campaign = make_campaign(make_brand(timezone="America/New_York", monthly_budget=1))
        spend(campaign, 1, NOON)
        self.assert_next(campaign, NOON, "2026-12-01 05:00")
        self.assert_next(campaign, "2026-12-01 05:00", None)

    def test_it_starts_tomorrow(self) -> None:
        campaign = make_campaign(starts_on=date(2026, 11, 21))
        self.assert_next(campaign, NOON, "2026-11-21 00:00")
        self.assert_next(campaign, "2026-11-21 00:00", None)

    def test_it_ends_with_its_last_day(self) -> None:
        campaign = make_campaign(ends_on=date(2026, 11, 20))
        self.assert_next(campaign, NOON, "2026-11-21 00:00")
        self.assert_next(campaign, "2026-11-21 00:00", None)
        self.assertEqual(reasons_of(campaign), PauseReason.ENDED)

    def test_a_day_that_is_far_away_is_looked_at_a_day_early(self) -> None:
        """Clocks may change until then."""
        starting, ending = make_campaign(starts_on=date(2026, 12, 20)), make_campaign(ends_on=date(2026, 12, 19))
        for campaign in (starting, ending):
            self.assert_next(campaign, NOON, "2026-12-19 00:00")
            self.assert_next(campaign, "2026-12-19 00:00", "2026-12-20 00:00")
            self.assert_next(campaign, "2026-12-20 00:00", None)

    def test_it_looks_at_least_once_a_year(self) -> None:
        campaign = make_campaign(starts_on=date(9999, 12, 31))
        self.assert_next(campaign, NOON, "2027-11-22 00:00")

    def test_the_first_of_all_counts(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=0, monthly_budget=0), ends_on=date(2026, 11, 21))
        make_window(campaign, start="11:00", end="13:00")
        self.assert_next(campaign, NOON, "2026-11-20 13:00")
        DaypartingSchedule.objects.all().delete()
        self.assert_next(campaign, "2026-11-20 13:00", "2026-11-21 00:00")

    def test_nothing_comes_in_a_zone_that_nobody_knows(self) -> None:
        campaign = make_campaign(make_brand(timezone="Mars/Olympus", daily_budget=0), ends_on=date(2026, 11, 20))
        make_window(campaign, start="11:00", end="13:00")
        self.assert_next(campaign, NOON, None)


class Due(UpcomingTestCase):
    def test_it_is_due_from_its_minute_on(self) -> None:
        campaign = make_campaign()
        make_window(campaign, start="18:00", end="20:00")
        enforce_at(NOON)
        self.assertEqual(due_campaigns(now=utc("2026-11-20 17:59:59.999999"), most=9), [])
        self.assertEqual(due_campaigns(now=utc("2026-11-20 18:00"), most=9), [campaign.pk])

    def test_those_come_first_that_have_been_due_for_longest(self) -> None:
        late, early = make_campaign(), make_campaign()
        make_window(late, start="18:00", end="20:00")
        make_window(early, start="17:00", end="20:00")
        enforce_at(NOON)
        self.assertEqual(due_campaigns(now=utc("2026-11-20 18:00"), most=9), [early.pk, late.pk])
        self.assertEqual(due_campaigns(now=utc("2026-11-20 18:00"), most=1), [early.pk])

    def test_a_second_run_writes_nothing(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=0), ends_on=date(2027, 11, 20))
        make_window(campaign, start="18:00", end="20:00")
        enforce_at(NOON)
        before = Campaign.objects.values().get(pk=campaign.pk)
        with CaptureQueriesContext(connection) as asked:
            self.assertEqual(enforce_at(NOON).changed, 0)
        self.assertEqual([query["sql"] for query in asked if re.search("INSERT|UPDATE|DELETE", query["sql"])], [])
        self.assertEqual(Campaign.objects.values().get(pk=campaign.pk), before)


class PeopleChange(UpcomingTestCase):
    """R8: what people save is noted at once, also where the reasons stay."""

    def setUp(self) -> None:
        self.campaign = make_campaign()
        make_window(self.campaign, start="11:00", end="20:00")
        enforce_at(NOON)
        self.assertEqual(next_change(self.campaign), utc("2026-11-20 20:00"))

    def test_a_window(self) -> None:
        change(self.campaign.brand_id, NOON, lambda: DaypartingSchedule.objects.update(end_time=time(15)))
        self.assertEqual(next_change(self.campaign), utc("2026-11-20 15:00"))

    def test_dates(self) -> None:
        DaypartingSchedule.objects.all().delete()
        for fields, expected in (
            ({"ends_on": date(2026, 11, 20)}, utc("2026-11-21 00:00")),
            ({"ends_on": None}, None),
            ({"starts_on": date(2026, 11, 21)}, utc("2026-11-21 00:00")),
        ):
            change(self.campaign.brand_id, NOON, lambda fields=fields: Campaign.objects.update(**fields))  # type: ignore[misc]
            self.assertEqual(next_change(self.campaign), expected)

    def test_nothing_that_differs(self) -> None:
        """Then no row is written anew."""
        before = self.rows_written()
        enforce_under_locks(Scope.everything(), ["UTC"], now=utc(NOON), actor="amara")
        self.assertEqual(self.rows_written(), before)

    def rows_written(self) -> object:
        """Return what differs once a campaign has been written, even as it was."""
        if is_postgresql():
            return fetch_all("SELECT CAST(ctid AS text) FROM campaigns_campaign")
        return connection.connection.total_changes

    def test_the_zone(self) -> None:
        change(self.campaign.brand_id, NOON, lambda: Brand.objects.update(timezone="Asia/Kathmandu"))
        self.assertEqual(next_change(self.campaign), utc("2026-11-20 14:15"))

    def test_a_window_that_closes_in_the_middle_of_a_save(self) -> None:
        """Enforced before it closes and noted after it, the campaign would run on until the next check."""
        closing, brand = utc("2026-11-20 20:00"), self.campaign.brand_id
        for late in range(1, 6):
            with self.subTest(late=late), transaction.atomic():
                clock = chain([utc("2026-11-20 19:59:59")] * late, repeat(closing)).__next__
                begin_change([brand], clock=clock)
                finish_change(Scope.of_brands([brand]), clock=clock, actor="amara")
                if reasons_of(self.campaign) == ACTIVE:
                    self.assertEqual(due_campaigns(now=closing, most=9), [self.campaign.pk])
                transaction.set_rollback(True)


class WrittenBySQL(OutsideTestCase):
    def test_a_campaign_that_was_inserted_is_due_at_once(self) -> None:
        brand = make_brand(enabled=False)
        self.run_sql("INSERT INTO campaigns_campaign (brand_id, name) VALUES (%s, 'By SQL')", brand.pk)
        pass_at(NOON)
        self.assertEqual(reasons_of(Campaign.objects.get()), PauseReason.BRAND_DISABLED)
