"""R15: a brand that changes its time zone has its open periods re-booked; closed periods stay as they were booked."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.test import TestCase

from campaigns.models import AccountingTimeZone, Brand, BrandPeriod, CampaignDay, SpendRecord
from campaigns.rules.reasons import PauseReason
from campaigns.services.ledger.change_time_zone import apply_zone_changes
from campaigns.services.ledger.fold import fold
from campaigns.services.ledger.verify import verify
from campaigns.tests.support.checking import ACTIVE, brand_spent, campaign_spent, check_at, period, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.ledger import change_brand, day_of, totals_counted, totals_folded, totals_of_records

EAST, WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"  # 14 hours before UTC, 11 after it
NOON = "2026-11-20 12:00"  # the 21st in the east, the 20th in the west


class RebookingTestCase(TestCase):
    """A brand that spends in every hour from the 15th of November on, each hour another amount."""

    zone = "UTC"
    until = utc("2026-11-22")

    def setUp(self) -> None:
        self.brand = make_brand(
            timezone=self.zone, daily_budget=10**6, monthly_budget=10**7, created_at=utc("2026-11-15")
        )
        self.campaign = make_campaign(self.brand)
        start = utc("2026-11-15 00:30")
        hours = int((self.until - start) / timedelta(hours=1)) + 1
        SpendRecord.objects.bulk_create(
            SpendRecord(
                brand=self.brand,
                campaign=self.campaign,
                amount=Decimal(number + 1).scaleb(-2),
                timestamp=start + timedelta(hours=number),
            )
            for number in range(hours)
        )

    def spent_on(self, zone: str, day: str) -> Decimal:
        """Return what the records of a zone's day add up to."""
        return self.spent_in(zone, date.fromisoformat(day), date.fromisoformat(day) + timedelta(days=1))

    def spent_in_month(self, zone: str, month: str) -> Decimal:
        first = date.fromisoformat(month)
        return self.spent_in(zone, first, (first + timedelta(days=31)).replace(day=1))

    def spent_in(self, zone: str, first: date, until: date) -> Decimal:
        records = SpendRecord.objects.filter(brand=self.brand)
        days = ((row.amount, row.timestamp.astimezone(ZoneInfo(zone)).date()) for row in records)
        return sum((amount for amount, day in days if first <= day < until), Decimal(0))

    def move(self, zone: str, at: str | datetime = NOON) -> None:
        change_brand(self.brand, at, timezone=zone)

    def move_by_sql(self, zone: str) -> None:
        Brand.objects.filter(pk=self.brand.pk).update(timezone=zone)

    def assert_exact(self) -> None:
        self.assertEqual(totals_counted(), totals_of_records())
        self.assertEqual(verify(), [])
        fold()
        self.assertEqual(totals_folded(), totals_of_records())

    def assert_booked(self, days: dict[str, str], month: str) -> None:
        """Each day's total is what its zone's day has, of the brand and of the campaign; so is November's."""
        self.assert_exact()
        for day, zone in days.items():
            with self.subTest(day):
                self.assertEqual(day_of(self.brand, day), self.spent_on(zone, day))
                self.assertEqual(CampaignDay.objects.get(day=day).spend, self.spent_on(zone, day))
        self.assertEqual(day_of(self.brand, "2026-11-01", "month"), self.spent_in_month(month, "2026-11-01"))


class EastAcrossTheDateLine(RebookingTestCase):
    """From the west, where it is the 20th, to the east, where it is the 21st: the 20th ends at once."""

    zone = WEST

    def booked(self) -> dict[str, str]:
        return {"2026-11-18": WEST, "2026-11-19": WEST, "2026-11-20": EAST, "2026-11-21": EAST, "2026-11-22": EAST}

    def test_it_books_the_open_day_and_month_in_the_new_zone(self) -> None:
        check_at(NOON)
        self.move(EAST)
        self.assert_booked(self.booked(), EAST)
        self.assertEqual(brand_spent(self.brand, NOON).day, self.spent_on(EAST, "2026-11-21"))
        self.assertEqual(campaign_spent(self.campaign, NOON), self.spent_on(EAST, "2026-11-21"))
        up_to_today = self.spent_in(EAST, date(2026, 11, 1), date(2026, 11, 22))
        self.assertEqual(brand_spent(self.brand, NOON).month, up_to_today)

    def test_it_does_so_when_nothing_was_folded_or_closed_before(self) -> None:
        self.move(EAST)
        self.assert_booked(self.booked(), EAST)

    def test_it_notices_a_zone_changed_by_sql(self) -> None:
        check_at(NOON)
        self.move_by_sql(EAST)
        self.assertEqual(check_at(NOON).zone_changes, 1)
        self.assert_booked(self.booked(), EAST)
        self.assertEqual(check_at("2026-11-20 12:05").zone_changes, 0)

    def test_it_leaves_closed_days_as_they_were(self) -> None:
        check_at(NOON)
        closed = list(BrandPeriod.objects.exclude(closed_at=None).order_by("id").values())
        self.assertEqual(len(closed), 6)  # it was created at 13:00 of the 14th there
        self.move(EAST)
        self.assertEqual(
            list(BrandPeriod.objects.filter(starts_on__lt="2026-11-20", kind="day").order_by("id").values()), closed
        )

    def test_it_closes_what_ended_in_the_old_zone_first(self) -> None:
        self.move(EAST)
        day = period(self.brand, "day", "2026-11-19")
        self.assertEqual((day.spend_at_close, day.closed_at), (self.spent_on(WEST, "2026-11-19"), utc(NOON)))

    def test_it_does_so_with_the_budget_that_held_where_the_zone_was_changed_by_sql(self) -> None:
        check_at("2026-11-17 12:00")
        self.move_by_sql(EAST)
        check_at(NOON)
        for number in (17, 18, 19):
            day = period(self.brand, "day", f"2026-11-{number}")
            expected = self.spent_on(WEST, f"2026-11-{number}"), 10**6
            self.assertEqual((day.spend_at_close, day.budget_at_close), expected)

    def test_it_closes_the_day_that_ended_by_the_move_at_the_next_check(self) -> None:
        self.move(EAST)
        self.assertFalse(BrandPeriod.objects.filter(starts_on="2026-11-20").exclude(closed_at=None).exists())
        check_at("2026-11-20 12:05")
        day = period(self.brand, "day", "2026-11-20")
        self.assertEqual((day.spend_at_close, day.adjustment), (self.spent_on(EAST, "2026-11-20"), 0))

    def test_it_books_late_rows_for_closed_days_in_the_old_zone(self) -> None:
        self.move(EAST)
        spend(self.campaign, 7, "2026-11-19 10:59:59.999999")  # still the 18th in the west, the 20th in the east
        spend(self.campaign, 8, "2026-11-19 09:00")  # the 18th in the west, the 19th in the east
        self.assert_booked(self.booked(), EAST)
        check_at("2026-11-20 12:05")
        self.assertEqual(period(self.brand, "day", "2026-11-18").adjustment, 15)


class WestAcrossTheDateLine(RebookingTestCase):
    """From the east, where it is the 21st, to the west, where it is the 20th: the 20th is open again."""

    zone = EAST

    def booked(self) -> dict[str, str]:
        return {"2026-11-18": EAST, "2026-11-19": EAST, "2026-11-20": WEST, "2026-11-21": WEST}

    def test_it_opens_the_day_that_had_ended_and_books_it_anew(self) -> None:
        check_at(NOON)
        self.assertEqual(period(self.brand, "day", "2026-11-20").spend_at_close, self.spent_on(EAST, "2026-11-20"))
        self.move(WEST)
        day = period(self.brand, "day", "2026-11-20")
        self.assertEqual((day.closed_at, day.spend_at_close, day.budget_at_close), (None, None, None))
        self.assert_booked(self.booked(), WEST)
        self.assertEqual(brand_spent(self.brand, NOON).day, self.spent_on(WEST, "2026-11-20"))

    def test_it_closes_that_day_again_when_it_has_ended(self) -> None:
        self.move(WEST)
        check_at("2026-11-21 10:59:59")
        self.assertIsNone(period(self.brand, "day", "2026-11-20").closed_at)
        check_at("2026-11-21 11:00")
        day = period(self.brand, "day", "2026-11-20")
        self.assertEqual((day.spend_at_close, day.adjustment), (self.spent_on(WEST, "2026-11-20"), 0))

    def test_it_notices_a_zone_changed_by_sql(self) -> None:
        fold()
        self.move_by_sql(WEST)
        check_at(NOON)
        self.assert_booked(self.booked(), WEST)

    def test_it_leaves_closed_days_as_they_were(self) -> None:
        check_at(NOON)
        earlier = BrandPeriod.objects.filter(kind="day", starts_on__lt="2026-11-20").order_by("id")
        before = list(earlier.values())
        self.move(WEST)
        self.assertEqual(list(earlier.values()), before)


class AcrossTheEndOfAMonth(RebookingTestCase):
    until = utc("2026-12-02 12:00")
    zone = "Asia/Tokyo"

    def test_it_opens_the_month_that_had_ended(self) -> None:
        """At 16:00 UTC of the 30th it is December in Tokyo and November in New York."""
        check_at("2026-11-30 16:00")
        self.assertIsNotNone(period(self.brand, "month", "2026-11-01").closed_at)
        self.move("America/New_York", "2026-11-30 16:00")
        self.assertIsNone(period(self.brand, "month", "2026-11-01").closed_at)
        self.assert_booked({"2026-11-29": "Asia/Tokyo", "2026-11-30": "America/New_York"}, "America/New_York")
        check_at("2026-12-01 05:00")
        month = period(self.brand, "month", "2026-11-01")
        self.assertEqual(month.spend_at_close, self.spent_in_month("America/New_York", "2026-11-01"))

    def test_it_leaves_a_month_that_ended_in_both_zones(self) -> None:
        check_at("2026-12-01 12:00")
        before = BrandPeriod.objects.filter(starts_on="2026-11-01", kind="month").values().get()
        self.move("America/New_York", "2026-12-01 12:00")
        self.assertEqual(BrandPeriod.objects.filter(starts_on="2026-11-01", kind="month").values().get(), before)
        self.assert_booked({"2026-11-30": "Asia/Tokyo", "2026-12-01": "America/New_York"}, "Asia/Tokyo")
        december = self.spent_in_month("America/New_York", "2026-12-01")
        self.assertEqual(day_of(self.brand, "2026-12-01", "month"), december)


class AgainAndAgain(RebookingTestCase):
    def test_it_ends_in_the_last_zone_of_a_day(self) -> None:
        self.move(EAST)
        self.move(WEST, "2026-11-20 12:10")
        self.assert_booked({"2026-11-18": "UTC", "2026-11-19": "UTC", "2026-11-20": WEST, "2026-11-21": WEST}, WEST)

    def test_it_is_as_before_when_a_move_is_taken_back(self) -> None:
        fold()
        before = totals_counted()
        for zone in (EAST, WEST):
            with self.subTest(zone):
                self.move(zone)
                self.assertNotEqual(totals_counted(), before)
                self.move("UTC", "2026-11-20 12:10")
                self.assertEqual(totals_counted(), before)
                self.assert_exact()

    def test_it_follows_moves_on_several_days(self) -> None:
        for day, zone in ((16, EAST), (17, WEST), (18, "Asia/Kathmandu"), (19, WEST), (20, EAST)):
            self.move(zone, f"2026-11-{day} 12:00")
            self.assert_exact()
            check_at(f"2026-11-{day} 12:05")
            self.assert_exact()
        self.assertEqual(brand_spent(self.brand, NOON).day, self.spent_on(EAST, "2026-11-21"))

    def test_it_books_every_period_in_one_zone(self) -> None:
        for hour, zone in enumerate((EAST, WEST, "UTC", EAST, "Asia/Tokyo", WEST)):
            self.move(zone, f"2026-11-20 {8 + hour:02}:00")
        for kind in ("day", "month"):
            zones = list(AccountingTimeZone.objects.filter(kind=kind).order_by("first"))
            ends = [zone.until for zone in zones]
            self.assertEqual([zone.first for zone in zones[1:]], ends[:-1])
            self.assertEqual((zones[0].first, ends[-1]), (date(1, 1, 1), date(9999, 12, 1)))


class WhatAMoveDecides(RebookingTestCase):
    def test_it_takes_effect_at_once_on_statuses(self) -> None:
        """R8: in the same transaction the campaign is decided on with the spend of the new zone's day."""
        self.move("UTC")
        in_utc, in_the_west = self.spent_on("UTC", "2026-11-20"), self.spent_on(WEST, "2026-11-20")
        self.assertLess(in_utc, in_the_west)
        change_brand(self.brand, NOON, daily_budget=in_the_west)
        self.assertEqual(reasons_of(self.campaign), ACTIVE)
        self.move(WEST)
        self.assertEqual(reasons_of(self.campaign), PauseReason.BRAND_DAILY_BUDGET)

    def test_it_touches_no_other_brand(self) -> None:
        other = make_campaign(make_brand(created_at=utc("2026-11-15")))
        spend(other, 5, NOON)
        self.move_by_sql(EAST)
        Brand.objects.filter(pk=other.brand_id).update(timezone=WEST)
        apply_zone_changes(clock=lambda: utc(NOON), brands=[self.brand.pk])
        zones = AccountingTimeZone.objects.filter(brand=other.brand).values_list("timezone", flat=True).distinct()
        self.assertEqual(list(zones), ["UTC"])

    def test_it_makes_statements_only_from_the_creation_on(self) -> None:
        """A brand made on the west's 20th, which is the east's 21st, has no 20th there."""
        brand = make_brand(timezone=WEST, daily_budget=5, created_at=utc("2026-11-20 11:30"))
        check_at("2026-11-20 11:35")
        change_brand(brand, NOON, timezone=EAST)
        check_at("2026-11-20 12:05")
        self.assertEqual(BrandPeriod.objects.filter(brand=brand).count(), 0)

    def test_it_makes_none_for_days_that_ended_without_a_budget(self) -> None:
        """R9."""
        brand = make_brand(timezone=WEST, created_at=utc("2026-11-16"))
        change_brand(brand, "2026-11-18 12:00", daily_budget=5)
        change_brand(brand, NOON, timezone="UTC")
        check_at("2026-11-21 00:00")
        days = BrandPeriod.objects.filter(brand=brand, kind="day").order_by("starts_on")
        self.assertEqual([str(day) for day in days], ["2026-11-18", "2026-11-19", "2026-11-20"])


class AZoneThatNobodyKnows(RebookingTestCase):
    """R6: it is left alone and stops nothing."""

    def test_it_goes_on_being_booked_as_before(self) -> None:
        check_at("2026-11-20 11:00")
        other = make_campaign(enabled=False)
        self.move_by_sql("Mars/Olympus")
        spend(self.campaign, 5, "2026-11-20 10:00")
        done = check_at(NOON)
        self.assertEqual((done.zone_changes, done.folded), (0, 1))
        self.assertIn("'Mars/Olympus'", done.problem)
        self.assertEqual(reasons_of(other), PauseReason.CAMPAIGN_DISABLED)
        self.assert_booked({"2026-11-19": "UTC", "2026-11-20": "UTC"}, "UTC")

    def test_it_is_re_booked_once_it_is_corrected(self) -> None:
        self.move_by_sql("Mars/Olympus")
        check_at("2026-11-20 11:00")
        self.move_by_sql(EAST)
        self.assertEqual(check_at(NOON).zone_changes, 1)
        self.assert_booked({"2026-11-18": "UTC", "2026-11-19": "UTC", "2026-11-20": EAST, "2026-11-21": EAST}, EAST)
