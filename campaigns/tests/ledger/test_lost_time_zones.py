"""Booking zones that were lost by hand, or that the machine's zone data no longer knows: the next check mends them."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test import TestCase

from campaigns.models import AccountingTimeZone, Brand, BrandPeriod, PendingSpend
from campaigns.services.ledger.fold import fold
from campaigns.services.ledger.verify import TotalsRange, repair, verify
from campaigns.tests.support.checking import check_at
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.ledger import day_of, totals_counted, totals_of_records

NOON, LATER = "2026-11-20 12:00", "2026-11-20 12:05"


class LostTimeZones(TestCase):
    """A brand of the 18th; its 18th and 19th are closed."""

    def setUp(self) -> None:
        self.brand = make_brand(daily_budget=50, monthly_budget=100, created_at=utc("2026-11-18"))
        self.campaign = make_campaign(self.brand)
        spend(self.campaign, 5, "2026-11-19 12:00")
        check_at(NOON)
        self.closed = self.statements()
        spend(self.campaign, 7, NOON)

    def statements(self) -> list[Any]:
        return list(BrandPeriod.objects.exclude(closed_at=None).order_by("id").values())

    def assert_mended(self) -> None:
        """One row for days and one for months, totals as the records say, and every statement as it was."""
        check_at(LATER)
        zones = AccountingTimeZone.objects.order_by("kind").values_list("kind", "timezone")
        self.assertEqual(sorted(set(zones)), [("day", self.brand.timezone), ("month", self.brand.timezone)])
        self.assertEqual(PendingSpend.objects.count(), 0)
        self.assertEqual(day_of(self.brand, "2026-11-20"), 7)
        self.assertEqual(day_of(self.brand, "2026-11-01", "month"), 12)
        self.assertEqual(totals_counted(), totals_of_records())
        self.assertEqual(verify(), [])
        self.assertLessEqual(BrandPeriod.objects.count(), len(self.closed) + 2)
        self.assertEqual(self.statements(), self.closed)

    def test_it_keeps_spend_pending_while_there_are_none(self) -> None:
        spend(make_campaign(), 3, NOON)
        AccountingTimeZone.objects.filter(brand=self.brand).delete()
        self.assertEqual(fold(), 1)
        self.assertEqual(PendingSpend.objects.get().brand, self.brand)
        AccountingTimeZone.objects.all().delete()
        self.assertEqual(fold(), 0)

    def test_it_makes_them_anew(self) -> None:
        AccountingTimeZone.objects.all().delete()
        self.assert_mended()

    def test_it_keeps_the_budgets_that_held_in_closed_periods(self) -> None:
        AccountingTimeZone.objects.all().delete()
        Brand.objects.update(daily_budget=60)
        self.assert_mended()

    def test_it_makes_those_of_days_anew(self) -> None:
        AccountingTimeZone.objects.filter(kind="day").delete()
        self.assert_mended()

    def test_it_makes_those_of_months_anew(self) -> None:
        AccountingTimeZone.objects.filter(kind="month").delete()
        self.assert_mended()

    def test_it_leaves_a_zone_that_is_no_longer_known_for_one_that_is(self) -> None:
        AccountingTimeZone.objects.update(timezone="US/Pacific-New")
        Brand.objects.update(daily_budget=None)  # or it would write a statement for each day since the year 1
        self.assert_mended()


class BooksOfNobody(TestCase):
    """Books and pending spend of a brand that isn't there, as a restore that failed half-way leaves them (R6)."""

    def setUp(self) -> None:
        self.campaign = make_campaign()
        spend(self.campaign, 5, NOON)
        for kind in ("day", "month"):
            AccountingTimeZone.objects.create(brand_id=999, kind=kind, timezone="UTC")
        PendingSpend.objects.create(brand_id=999, campaign_id=999, quarter=1_700_000, amount=3)

    def test_it_folds_and_closes_for_the_others(self) -> None:
        check_at("2026-11-21 12:00")
        connection.check_constraints()
        self.assertEqual(set(BrandPeriod.objects.values_list("brand", flat=True)), {self.campaign.brand_id})
        self.assertEqual(day_of(self.campaign.brand, "2026-11-20"), 5)
        self.assertEqual(PendingSpend.objects.count(), 0)

    def test_it_verifies_and_repairs_the_others(self) -> None:
        self.assertEqual(verify(), [])
        PendingSpend.objects.filter(brand=self.campaign.brand_id).delete()
        self.assertEqual({row.lacks for row in verify()}, {5})
        self.assertEqual(repair(TotalsRange()), 3)
        connection.check_constraints()
        self.assertEqual(verify(), [])
