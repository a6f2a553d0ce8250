"""Closing: each period that has ended is closed once, in order, with its spend and the budget that held (part 4)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from django.test import TestCase

from campaigns.models import AccountingTimeZone, Brand, BrandPeriod
from campaigns.services.ledger import close_periods as close_module
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.fold import fold
from campaigns.services.ledger.verify import verify
from campaigns.tests.support.checking import check_at, period
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.ledger import change_brand

NOON = "2026-11-20 12:00"
Row = tuple[str, Any, Any]


def close_at(at: str, *brands: Brand) -> int:
    return close_periods(now=utc(at), brands=[brand.pk for brand in brands] or None)


def closed(brand: Brand, kind: str = "day") -> list[Row]:
    """Return what was kept of each closed period, in the order in which they were: spend and budget."""
    rows = BrandPeriod.objects.filter(brand=brand, kind=kind).exclude(closed_at=None).order_by("starts_on")
    return [(str(row), row.spend_at_close, row.budget_at_close) for row in rows]


class EachPeriodIsClosedOnce(TestCase):
    def setUp(self) -> None:
        self.brand = make_brand(daily_budget=50, monthly_budget=500, created_at=utc("2026-11-18 09:00"))
        self.campaign = make_campaign(self.brand)

    def test_it_closes_a_day_when_it_has_ended_and_not_before(self) -> None:
        spend(self.campaign, 5, "2026-11-18 10:00")
        self.assertEqual(close_at("2026-11-18 23:59:59.999999"), 0)
        self.assertEqual(close_at("2026-11-19 00:00"), 1)
        self.assertEqual(closed(self.brand), [("2026-11-18", 5, 50)])
        self.assertEqual(period(self.brand, "day", "2026-11-18").closed_at, utc("2026-11-19"))

    def test_it_closes_a_month_when_it_has_ended_and_not_before(self) -> None:
        spend(self.campaign, 5, "2026-11-30 23:59:59.999999")
        close_at("2026-11-30 23:59:59.999999")
        self.assertEqual(closed(self.brand, "month"), [])
        close_at("2026-12-01 00:00")
        self.assertEqual(closed(self.brand, "month"), [("2026-11", 5, 500)])

    def test_it_closes_more_brands_than_one_batch_takes(self) -> None:
        brands = [self.brand, *(make_brand(daily_budget=5, created_at=utc("2026-11-19 09:00")) for _ in range(4))]
        for name in ("BATCH_BRANDS_ON_POSTGRESQL", "BATCH_BRANDS_ON_SQLITE"):
            self.enterContext(patch.object(close_module, name, 2))
        self.assertEqual(close_at(NOON), 6)
        self.assertEqual([len(closed(brand)) for brand in brands], [2, 1, 1, 1, 1])

    def test_it_closes_nothing_a_second_time(self) -> None:
        spend(self.campaign, 5, "2026-11-18 10:00")
        check_at(NOON)
        before = list(BrandPeriod.objects.order_by("id").values())
        Brand.objects.update(daily_budget=1)
        spend(self.campaign, 5, "2026-11-18 10:00")
        self.assertEqual(close_at("2026-11-20 13:00"), 0)
        self.assertEqual(list(BrandPeriod.objects.order_by("id").values()), before)

    def test_it_closes_what_is_late_only_when_clocks_have_gone_back(self) -> None:
        close_at("2026-12-02 12:00")
        before = closed(self.brand)
        spend(self.campaign, 5, "2026-11-10 10:00")
        fold()
        self.assertEqual(close_at("2026-11-20 12:00"), 1)
        self.assertEqual(closed(self.brand), [("2026-11-10", 5, 50), *before])

    def test_it_closes_every_day_and_month_after_a_long_downtime(self) -> None:
        for day, amount in (("2026-11-30", 7), ("2027-02-28", 8), ("2027-12-31", 9)):
            spend(self.campaign, amount, f"{day} 12:00")
        check_at("2028-01-02 00:00")
        days = closed(self.brand)
        first = date(2026, 11, 18)
        self.assertEqual([row[0] for row in days], [f"{first + timedelta(days=n)}" for n in range(410)])
        self.assertEqual(
            [row for row in days if row[1]], [("2026-11-30", 7, 50), ("2027-02-28", 8, 50), ("2027-12-31", 9, 50)]
        )
        months = closed(self.brand, "month")
        self.assertEqual([row[0] for row in months], ["2026-11", "2026-12", *(f"2027-{n:02}" for n in range(1, 13))])
        self.assertEqual({row[1] for row in months}, {0, 7, 8, 9})

    def test_it_makes_no_difference_how_often_it_ran(self) -> None:
        often = make_brand(daily_budget=50, monthly_budget=500, created_at=utc("2026-11-18 09:00"))
        for campaign in (self.campaign, make_campaign(often)):
            for day in range(18, 31):
                spend(campaign, day, f"2026-11-{day} 12:00")
        for day in range(18, 31):
            close_at(f"2026-11-{day} 00:00", often)
            close_at(f"2026-11-{day} 18:00", often)
        close_at("2026-12-02 12:00")
        self.assertEqual(closed(self.brand), closed(often))
        self.assertEqual(closed(self.brand, "month"), closed(often, "month"))

    def test_it_does_not_open_again_what_an_earlier_clock_calls_open(self) -> None:
        close_at(NOON)
        before = closed(self.brand)
        self.assertEqual(close_at("2026-11-19 12:00"), 0)
        self.assertEqual(closed(self.brand), before)
        self.assertEqual(close_at("2026-11-20 13:00"), 0)

    def test_it_closes_the_others_where_one_was_closed_by_a_clock_of_a_later_month(self) -> None:
        close_at("2026-12-05 12:00")
        before = closed(self.brand)
        other = make_brand(daily_budget=1, timezone="Asia/Tokyo", created_at=utc("2026-11-19 12:00"))
        self.assertEqual(close_at("2026-11-20 12:00"), 1)
        self.assertEqual((closed(self.brand), closed(other)), (before, [("2026-11-19", 0, 1)]))

    def test_it_keeps_no_statement_of_todays_budget_where_an_earlier_clock_came_between(self) -> None:
        """What was closed without spend or budget stays closed: the mark of what is closed never goes back."""
        brand = make_brand(created_at=utc("2026-11-18"))
        close_at("2026-12-05 12:00")
        make_brand(daily_budget=1, timezone="Asia/Tokyo", created_at=utc("2026-11-19 12:00"))
        self.assertEqual(close_at("2026-11-20 12:00"), 1)
        Brand.objects.filter(pk=brand.pk).update(daily_budget=9)
        close_at("2026-12-06 12:00")
        self.assertEqual(closed(brand), [("2026-12-05", 0, 9)])

    def test_it_closes_only_the_brands_it_was_asked_to(self) -> None:
        other = make_brand(daily_budget=1, created_at=utc("2026-11-18"))
        self.assertEqual(close_at("2026-11-19 12:00", other), 1)
        self.assertEqual((closed(self.brand), closed(other)), ([], [("2026-11-18", 0, 1)]))
        self.assertEqual(close_at("2026-11-19 12:00"), 1)


class TheMarkOfWhatIsClosed(TestCase):
    def test_it_never_goes_back_where_a_clock_does(self) -> None:
        """A record that arrives late opens a day anew, which even an earlier clock has to close."""
        brand = make_brand(created_at=utc("2026-11-10"))
        campaign = make_campaign(brand)
        marks: list[list[date | None]] = []
        for at in ("2026-11-20 12:00", "2026-11-15 12:00"):
            spend(campaign, 1, "2026-11-11 12:00" if marks else "2026-11-10 12:00")
            fold()
            self.assertEqual(close_at(at), 1)
            zones = AccountingTimeZone.objects.filter(brand=brand).order_by("kind")
            marks.append(list(zones.values_list("closed_before", flat=True)))
        self.assertEqual(marks[0], [date(2026, 11, 20), date(2026, 11, 1)])
        self.assertEqual(marks[1], marks[0])


class WhatHasSpendOrABudgetIsClosed(TestCase):
    def brand(self, **budgets: Any) -> Brand:
        return make_brand(created_at=utc("2026-11-19 09:00"), **budgets)

    def test_it_closes_days_with_a_budget_and_no_spend(self) -> None:
        brand = self.brand(daily_budget=50)
        check_at("2026-11-21 12:00")
        self.assertEqual(closed(brand), [("2026-11-19", 0, 50), ("2026-11-20", 0, 50)])
        self.assertEqual(closed(brand, "month"), [])

    def test_it_closes_months_with_a_budget_and_no_spend(self) -> None:
        brand = self.brand(monthly_budget=500)
        check_at("2027-01-01 00:00")
        self.assertEqual(closed(brand), [])
        self.assertEqual(closed(brand, "month"), [("2026-11", 0, 500), ("2026-12", 0, 500)])

    def test_it_closes_days_with_a_budget_of_0(self) -> None:
        brand = self.brand(daily_budget=0)
        check_at(NOON)
        self.assertEqual(closed(brand), [("2026-11-19", 0, 0)])

    def test_it_closes_days_with_spend_and_no_budget(self) -> None:
        brand = self.brand()
        spend(make_campaign(brand), 5, "2026-11-20 12:00")
        check_at("2026-11-22 12:00")
        self.assertEqual(closed(brand), [("2026-11-20", 5, None)])

    def test_it_keeps_nothing_of_a_brand_without_either(self) -> None:
        self.brand()
        check_at("2027-11-20 12:00")
        self.assertEqual(BrandPeriod.objects.count(), 0)

    def test_it_closes_a_day_whose_spend_adds_up_to_0(self) -> None:
        brand = self.brand()
        campaign = make_campaign(brand)
        for amount in (5, -5):
            spend(campaign, amount, "2026-11-19 12:00")
        check_at(NOON)
        self.assertEqual(closed(brand), [("2026-11-19", 0, None)])

    def test_it_keeps_no_budget_for_the_time_before_the_brand_was_there(self) -> None:
        brand = self.brand(daily_budget=50, monthly_budget=500)
        self.assertEqual(check_at("2026-11-19 23:59").closed, 0)
        check_at(NOON)
        self.assertEqual(closed(brand), [("2026-11-19", 0, 50)])

    def test_it_takes_the_day_of_creation_in_the_brands_zone(self) -> None:
        early = make_brand(daily_budget=1, timezone="Pacific/Kiritimati", created_at=utc("2026-11-18 10:00"))
        late = make_brand(daily_budget=1, timezone="Pacific/Pago_Pago", created_at=utc("2026-11-18 10:59"))
        check_at(NOON)
        self.assertEqual([row[0] for row in closed(early)], ["2026-11-19", "2026-11-20"])
        self.assertEqual([row[0] for row in closed(late)], ["2026-11-17", "2026-11-18", "2026-11-19"])

    def test_it_counts_a_brand_that_was_created_ahead_of_the_clock_from_now_on(self) -> None:
        brand = self.brand(daily_budget=50)
        Brand.objects.filter(pk=brand.pk).update(created_at=utc("2026-11-21 12:00"))
        self.assertEqual(check_at(NOON).closed, 0)
        check_at("2026-11-22 00:00")
        self.assertEqual(closed(brand), [("2026-11-20", 0, 50), ("2026-11-21", 0, 50)])

    def test_it_keeps_statements_for_imported_spend_of_before(self) -> None:
        brand = self.brand(daily_budget=50, monthly_budget=500)
        campaign = make_campaign(brand)
        spend(campaign, 60, "2026-09-03 12:00")
        spend(campaign, 40, "2026-09-05 12:00")
        check_at(NOON)
        self.assertEqual(closed(brand), [("2026-09-03", 60, 50), ("2026-09-05", 40, 50), ("2026-11-19", 0, 50)])
        self.assertEqual(closed(brand, "month"), [("2026-09", 100, 500)])

    def test_it_leaves_a_brand_in_an_unknown_zone_and_closes_the_others(self) -> None:
        nowhere, here = self.brand(daily_budget=1, timezone="Mars/Olympus"), self.brand(daily_budget=1)
        spend(make_campaign(nowhere), 5, "2026-11-19 12:00")
        check_at(NOON)
        self.assertEqual((closed(nowhere), closed(here)), ([], [("2026-11-19", 0, 1)]))


class WhatIsKeptIsExact(TestCase):
    def setUp(self) -> None:
        self.brand = make_brand(daily_budget=50, monthly_budget=50, created_at=utc("2026-11-19 09:00"))
        self.campaign = make_campaign(self.brand)

    def yesterday(self) -> BrandPeriod:
        return period(self.brand, "day", "2026-11-19")

    def test_it_counts_spend_that_is_not_folded_yet(self) -> None:
        spend(self.campaign, "12.345678", "2026-11-19 12:00")
        fold()
        spend(self.campaign, "0.000001", "2026-11-19 13:00")
        spend(self.campaign, 99, "2026-11-20 00:00")
        close_at(NOON)
        self.assertEqual(self.yesterday().spend_at_close, Decimal("12.345679"))
        fold()
        self.assertEqual((self.yesterday().spend, self.yesterday().adjustment), (Decimal("12.345679"), 0))

    def test_it_counts_a_day_of_which_nothing_is_folded_yet(self) -> None:
        Brand.objects.update(daily_budget=None)
        spend(self.campaign, 5, "2026-11-19 12:00")
        close_at(NOON)
        self.assertEqual(closed(self.brand), [("2026-11-19", 5, None)])
        fold()
        self.assertEqual(self.yesterday().adjustment, 0)

    def test_it_tells_the_overspend_to_the_millionth(self) -> None:
        for amount, over in (("49.999999", "0"), ("0.000001", "0"), ("0.000001", "0.000001"), ("10", "10.000001")):
            spend(self.campaign, amount, "2026-11-19 12:00")
            check_at(NOON)
            self.assertEqual(self.yesterday().overspend, Decimal(over))

    def test_it_tells_no_overspend_without_a_budget_or_while_open(self) -> None:
        spend(self.campaign, 70, "2026-11-20 11:00")
        check_at(NOON)
        today = period(self.brand, "day", "2026-11-20")
        self.assertEqual((today.overspend, today.adjustment, today.closed_at), (None, None, None))
        change_brand(self.brand, NOON, daily_budget=None)
        check_at("2026-11-21 00:00")
        today.refresh_from_db()
        self.assertEqual((today.overspend, today.adjustment, today.spend_at_close), (None, 0, 70))

    def test_it_shows_what_arrives_later_as_an_adjustment(self) -> None:
        spend(self.campaign, 60, "2026-11-19 12:00")
        check_at(NOON)
        spend(self.campaign, "1.5", "2026-11-19 23:59")
        check_at("2026-11-20 12:05")
        self.assertEqual((self.yesterday().spend_at_close, self.yesterday().adjustment), (60, Decimal("1.5")))
        spend(self.campaign, -20, "2026-11-19 12:00")
        check_at("2026-11-20 12:10")
        day = self.yesterday()
        self.assertEqual((day.spend, day.spend_at_close, day.adjustment), (Decimal("41.5"), 60, Decimal("-18.5")))
        self.assertEqual((day.overspend, day.closed_at), (0, utc(NOON)))

    def test_it_shows_a_record_deleted_later_as_an_adjustment(self) -> None:
        record = spend(self.campaign, 60, "2026-11-19 12:00")
        check_at(NOON)
        record.delete()
        check_at("2026-11-20 12:05")
        self.assertEqual((self.yesterday().spend, self.yesterday().adjustment), (0, -60))

    def test_it_gives_a_late_first_record_the_limit_that_held_not_todays(self) -> None:
        brand = make_brand(created_at=utc("2026-11-19 09:00"))
        check_at(NOON)
        change_brand(brand, NOON, daily_budget=10)
        spend(make_campaign(brand), 60, "2026-11-19 12:00")
        check_at("2026-11-20 12:05")
        self.assertEqual(closed(brand), [("2026-11-19", 60, None)])


class AnEditClosesEndedPeriodsFirst(TestCase):
    """R9: they keep the budget that held in them, though no check has run since."""

    def test_it_closes_them_with_the_old_budget_in_the_brands_zone(self) -> None:
        for zone, days in (("Pacific/Kiritimati", ["2026-11-19", "2026-11-20"]), ("Pacific/Pago_Pago", ["2026-11-19"])):
            with self.subTest(zone):
                created = utc("2026-11-19 11:30") - timedelta(days=zone.endswith("Kiritimati"))
                brand = make_brand(timezone=zone, daily_budget=50, created_at=created)
                change_brand(brand, "2026-11-20 11:30", daily_budget=20)
                self.assertEqual(closed(brand), [(day, 0, 50) for day in days])

    def test_it_counts_pending_spend_and_shows_no_adjustment_for_it(self) -> None:
        brand = make_brand(daily_budget=50, created_at=utc("2026-11-19 09:00"))
        spend(make_campaign(brand), 60, "2026-11-19 12:00")
        change_brand(brand, NOON, daily_budget=20)
        check_at("2026-11-20 12:05")
        day = period(brand, "day", "2026-11-19")
        self.assertEqual((day.spend_at_close, day.budget_at_close), (60, 50))
        self.assertEqual((day.spend, day.adjustment, day.overspend), (60, 0, 10))

    def test_it_closes_nothing_of_another_brand(self) -> None:
        brand, other = (make_brand(daily_budget=50, created_at=utc("2026-11-19")) for _ in range(2))
        change_brand(brand, NOON, daily_budget=20)
        self.assertEqual(closed(other), [])
        self.assertEqual(len(closed(brand)), 1)


class MidnightIsTheBrands(TestCase):
    """Not the application's, which is UTC's."""

    def test_it_closes_at_local_midnight(self) -> None:
        midnights = {  # the ends of 2026-11-19
            "Pacific/Kiritimati": "2026-11-19 10:00",
            "Asia/Kathmandu": "2026-11-19 18:15",
            "UTC": "2026-11-20 00:00",
            "America/New_York": "2026-11-20 05:00",
            "Pacific/Pago_Pago": "2026-11-20 11:00",
        }
        for zone, midnight in midnights.items():
            with self.subTest(zone):
                brand = make_brand(timezone=zone, daily_budget=1, created_at=utc(midnight) - timedelta(hours=2))
                close_periods(now=utc(midnight) - timedelta(microseconds=1))
                self.assertEqual(closed(brand), [])
                close_at(midnight)
                self.assertEqual(closed(brand), [("2026-11-19", 0, 1)])

    def test_it_closes_a_month_at_local_midnight(self) -> None:
        brand = make_brand(timezone="America/New_York", monthly_budget=5, created_at=utc("2026-11-19"))
        spend(make_campaign(brand), 3, "2026-12-01 04:59:59.999999")
        close_at("2026-12-01 04:59:59.999999")
        self.assertEqual(closed(brand, "month"), [])
        close_at("2026-12-01 05:00")
        self.assertEqual(closed(brand, "month"), [("2026-11", 3, 5)])

    def test_it_closes_days_on_which_clocks_change(self) -> None:
        """In Santiago 2026-09-06 begins at 01:00; in New York 2026-11-01 has 25 hours."""
        santiago = make_brand(timezone="America/Santiago", daily_budget=1, created_at=utc("2026-09-05 12:00"))
        close_at("2026-09-06 03:59:59.999999")
        self.assertEqual(closed(santiago), [])
        close_at("2026-09-06 04:00")
        self.assertEqual(closed(santiago), [("2026-09-05", 0, 1)])
        new_york = make_brand(timezone="America/New_York", daily_budget=1, created_at=utc("2026-11-01 12:00"))
        close_at("2026-11-02 04:59:59", new_york)
        self.assertEqual(closed(new_york), [])
        close_at("2026-11-02 05:00", new_york)
        self.assertEqual(closed(new_york), [("2026-11-01", 0, 1)])

    def test_it_agrees_with_the_records_after_closing(self) -> None:
        for zone in ("Asia/Kathmandu", "Pacific/Pago_Pago"):
            campaign = make_campaign(make_brand(timezone=zone, daily_budget=1))
            for hour in range(0, 72, 5):
                spend(campaign, hour + 1, utc("2026-11-17") + timedelta(hours=hour))
        check_at(NOON)
        self.assertEqual(verify(), [])
