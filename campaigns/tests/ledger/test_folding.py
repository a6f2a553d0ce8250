"""Folding: pending spend moves into the totals, exactly, and no decision notices (R3, R10, R12)."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from unittest.mock import patch

from django.test import TestCase

from campaigns.models import Brand, BrandPeriod, Campaign, CampaignDay, PendingSpend, SpendRecord
from campaigns.rules.periods import quarter_of
from campaigns.services.ledger import fold as fold_module
from campaigns.services.ledger.fold import fold
from campaigns.services.ledger.verify import verify
from campaigns.tests.support.checking import Spent, brand_spent, campaign_spent, check_at
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.ledger import day_of, totals_counted, totals_folded, totals_of_records, totals_pending
from campaigns.tests.support.outside import EPOCH

NOON = "2026-11-20 12:00"
ZONES = ("UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe")


class FoldingTestCase(TestCase):
    def assert_exact(self) -> None:
        """Folded + pending is what the records say, and the check of the totals finds the same."""
        self.assertEqual(totals_counted(), totals_of_records())
        self.assertEqual(verify(), [])

    def assert_folds(self, rows: int) -> None:
        """The rows are folded, nothing is left pending, and nothing that is counted changes."""
        before = totals_counted()
        self.assertEqual(fold(), rows)
        self.assertEqual(PendingSpend.objects.count(), 0)
        self.assertEqual(totals_folded(), before)
        self.assert_exact()


class EveryChangeOfTheLedgerIsFolded(FoldingTestCase):
    """R3 and R10."""

    def setUp(self) -> None:
        self.campaign = make_campaign()
        self.brand = self.campaign.brand

    def test_it_folds_nothing_where_nothing_is_pending(self) -> None:
        self.assert_folds(0)
        self.assertEqual(BrandPeriod.objects.count() + CampaignDay.objects.count(), 0)

    def test_it_adds_new_records_to_day_and_month(self) -> None:
        spend(self.campaign, "2.5", NOON)
        spend(self.campaign, "0.000001", "2026-11-21 12:00")
        self.assert_folds(2)
        self.assertEqual(day_of(self.brand, "2026-11-20"), Decimal("2.5"))
        self.assertEqual(day_of(self.brand, "2026-11-21"), Decimal("0.000001"))
        self.assertEqual(day_of(self.brand, "2026-11-01", "month"), Decimal("2.500001"))
        self.assertEqual(CampaignDay.objects.get(day="2026-11-20").spend, Decimal("2.5"))

    def test_it_adds_to_what_was_folded_before(self) -> None:
        for total in (1, 2, 3):
            spend(self.campaign, 1, NOON)
            self.assert_folds(1)
            self.assertEqual(day_of(self.brand, "2026-11-20"), total)

    def test_it_folds_each_row_once(self) -> None:
        spend(self.campaign, 1, NOON)
        self.assert_folds(1)
        self.assert_folds(0)
        self.assertEqual(day_of(self.brand, "2026-11-20"), 1)

    def test_it_follows_an_updated_amount(self) -> None:
        spend(self.campaign, 5, NOON)
        fold()
        SpendRecord.objects.update(amount=Decimal("7.25"))
        self.assert_exact()
        fold()
        self.assert_exact()
        self.assertEqual(day_of(self.brand, "2026-11-20"), Decimal("7.25"))

    def test_it_follows_a_record_to_another_day_and_month(self) -> None:
        spend(self.campaign, 5, "2026-11-30 23:59")
        fold()
        SpendRecord.objects.update(timestamp=utc("2026-12-01 00:00"))
        self.assert_exact()
        fold()
        self.assert_exact()
        self.assertEqual(day_of(self.brand, "2026-11-30"), 0)
        self.assertEqual(day_of(self.brand, "2026-12-01", "month"), 5)

    def test_it_follows_a_record_to_another_campaign_and_brand(self) -> None:
        other = make_campaign(make_brand(timezone="Pacific/Kiritimati"))
        spend(self.campaign, 5, NOON)
        fold()
        SpendRecord.objects.update(campaign=other, brand=other.brand)
        self.assert_exact()
        fold()
        self.assert_exact()
        self.assertEqual((day_of(self.brand, "2026-11-20"), day_of(other.brand, "2026-11-21")), (0, 5))

    def test_it_takes_off_a_deleted_record(self) -> None:
        gone = spend(self.campaign, 5, NOON)
        spend(self.campaign, 2, NOON)
        fold()
        gone.delete()
        self.assert_exact()
        self.assert_folds(1)
        self.assertEqual(day_of(self.brand, "2026-11-20"), 2)

    def test_it_folds_a_record_that_came_and_went(self) -> None:
        spend(self.campaign, 5, NOON).delete()
        self.assert_folds(2)
        self.assertEqual(totals_folded(), {})

    def test_it_folds_late_and_early_records_into_their_own_periods(self) -> None:
        for amount, at in ((1, "2012-01-01 00:00"), (2, "2025-02-28 23:59"), (4, NOON), (8, "2099-12-31 23:59")):
            spend(self.campaign, amount, at)
        self.assert_folds(4)
        self.assertEqual(day_of(self.brand, "2012-01-01"), 1)
        self.assertEqual(day_of(self.brand, "2025-02-01", "month"), 2)
        self.assertEqual(day_of(self.brand, "2099-12-01", "month"), 8)

    def test_it_keeps_a_total_below_zero(self) -> None:
        spend(self.campaign, "-3.5", NOON)
        self.assert_folds(1)
        self.assertEqual(day_of(self.brand, "2026-11-20"), Decimal("-3.5"))

    def test_it_adds_the_largest_amounts_to_the_last_millionth(self) -> None:
        for _ in range(50):
            spend(self.campaign, "999999999.999999", NOON)
        self.assert_folds(50)
        self.assertEqual(day_of(self.brand, "2026-11-20"), Decimal("49999999999.999950"))

    def test_it_forgets_a_campaign_that_was_deleted_after_its_records(self) -> None:
        sibling = make_campaign(self.brand)
        spend(sibling, 1, NOON)
        gone = spend(self.campaign, 5, NOON)
        fold()
        gone.delete()
        Campaign.objects.filter(pk=self.campaign.pk).delete()
        fold()
        self.assertEqual(totals_folded(), totals_of_records())
        self.assertEqual(verify(), [])


class DaysAreTheBrands(FoldingTestCase):
    """R3: in several zones, and to the microsecond."""

    def test_it_folds_one_instant_into_each_brands_own_day(self) -> None:
        campaigns = [make_campaign(make_brand(timezone=zone)) for zone in ZONES]
        for campaign in campaigns:
            spend(campaign, 1, "2026-11-20 10:30")
        self.assert_folds(len(ZONES))
        days = CampaignDay.objects.order_by("campaign_id").values_list("day", flat=True)
        self.assertEqual([day.day for day in days], [20, 20, 20, 21, 19, 20])

    def test_it_parts_days_at_local_midnight_to_the_microsecond(self) -> None:
        midnights = {  # of 2026-11-21, in UTC
            "UTC": "2026-11-21 00:00",
            "America/New_York": "2026-11-21 05:00",
            "Asia/Kathmandu": "2026-11-20 18:15",
            "Pacific/Kiritimati": "2026-11-20 10:00",
            "Pacific/Pago_Pago": "2026-11-21 11:00",
            "Australia/Lord_Howe": "2026-11-20 13:00",
        }
        for zone, midnight in midnights.items():
            campaign = make_campaign(make_brand(timezone=zone))
            spend(campaign, 1, utc(midnight) - timedelta(microseconds=1))
            spend(campaign, 2, midnight)
        self.assert_folds(2 * len(ZONES))
        for brand in Brand.objects.all():
            with self.subTest(brand.timezone):
                self.assertEqual((day_of(brand, "2026-11-20"), day_of(brand, "2026-11-21")), (1, 2))

    def test_it_parts_months_at_local_midnight_to_the_microsecond(self) -> None:
        campaign = make_campaign(make_brand(timezone="Asia/Kathmandu"))
        spend(campaign, 1, "2026-10-31 18:14:59.999999")
        spend(campaign, 2, "2026-10-31 18:15")
        self.assert_folds(2)
        months = [day_of(campaign.brand, month, "month") for month in ("2026-10-01", "2026-11-01")]
        self.assertEqual(months, [1, 2])

    def test_it_folds_every_quarter_hour_of_days_on_which_clocks_change(self) -> None:
        """23, 23.5, 24.5 and 25 hours, a skipped midnight and one that comes twice."""
        changes = {
            "America/New_York": ("2026-03-08", "2026-11-01"),
            "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
            "America/Santiago": ("2026-04-05", "2026-09-06"),
        }
        records = []
        for zone, days in changes.items():
            campaign = make_campaign(make_brand(timezone=zone))
            for day in days:
                start = quarter_of(utc(f"{day} 00:00")) - 96
                records += [
                    SpendRecord(brand=campaign.brand, campaign=campaign, amount=1, timestamp=_instant(start + number))
                    for number in range(3 * 96)
                ]
        SpendRecord.objects.bulk_create(records)
        self.assert_folds(len(records))
        found = {
            (zone, day): day_of(Brand.objects.get(timezone=zone), day) for zone in changes for day in changes[zone]
        }
        self.assertEqual(
            {key: int(quarters) for key, quarters in found.items()},
            {
                ("America/New_York", "2026-03-08"): 23 * 4,
                ("America/New_York", "2026-11-01"): 25 * 4,
                ("Australia/Lord_Howe", "2026-04-05"): 49 * 2,
                ("Australia/Lord_Howe", "2026-10-04"): 47 * 2,
                ("America/Santiago", "2026-04-05"): 24 * 4,
                ("America/Santiago", "2026-09-06"): 23 * 4,
            },
        )


class NoDecisionNotices(FoldingTestCase):
    def test_it_counts_the_same_before_and_after_a_fold(self) -> None:
        campaign = make_campaign(make_brand(timezone="America/New_York"))
        for amount, at in ((1, "2026-11-01 04:00"), (2, "2026-11-20 04:59:59"), (4, "2026-11-20 05:00"), (8, NOON)):
            spend(campaign, amount, at)
            for _ in range(2):
                seen = brand_spent(campaign.brand, NOON), campaign_spent(campaign, NOON)
                fold()
                self.assertEqual((brand_spent(campaign.brand, NOON), campaign_spent(campaign, NOON)), seen)
        self.assertEqual(seen, (Spent(Decimal(12), Decimal(15)), 12))


class SpendThatCannotBeBookedStaysPending(FoldingTestCase):
    """R6: an unknown zone stops nothing for the others."""

    def setUp(self) -> None:
        self.nowhere = make_campaign(make_brand(timezone="Mars/Olympus"))
        self.here = make_campaign()
        for campaign in (self.nowhere, self.here):
            spend(campaign, 5, NOON)

    def test_it_leaves_it_and_folds_the_others(self) -> None:
        self.assertEqual(fold(), 1)
        self.assertEqual(PendingSpend.objects.get().campaign, self.nowhere)
        self.assertEqual(totals_pending(), {})
        self.assert_exact()

    def test_it_ends_although_something_is_left(self) -> None:
        with patch.object(fold_module, "BATCH_DAYS", 1):
            for day in range(1, 8):
                spend(self.nowhere, 1, f"2026-11-{day:02} 12:00")
            self.assertEqual(fold(), 1)
        self.assertEqual(PendingSpend.objects.count(), 8)

    def test_it_folds_it_once_the_zone_is_corrected(self) -> None:
        check_at(NOON)
        spend(self.nowhere, 2, "2026-11-19 12:00")
        self.assertEqual(PendingSpend.objects.count(), 2)
        Brand.objects.filter(pk=self.nowhere.brand_id).update(timezone="Asia/Tokyo")
        done = check_at("2026-11-20 12:05")
        self.assertEqual((done.zone_changes, done.folded), (1, 2))
        self.assertEqual((day_of(self.nowhere.brand, "2026-11-20"), day_of(self.nowhere.brand, "2026-11-19")), (5, 2))
        self.assert_exact()


def _instant(quarter: int) -> datetime:
    return EPOCH + quarter * timedelta(minutes=15)
