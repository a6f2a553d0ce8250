"""R12: money is exact to six decimals on every database, and no float decides anything."""

from __future__ import annotations

from decimal import Decimal

from django.test import TestCase

from campaigns.models import BrandPeriod, Campaign, CampaignDay, PendingSpend, SpendRecord, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.ledger.fold import fold
from campaigns.tests.support.checking import (
    ACTIVE,
    Spent,
    brand_spent,
    campaign_spent,
    check_at,
    enforce_at,
    reasons_at,
    reasons_of,
)
from campaigns.tests.support.factories import make_brand, make_campaign, spend

NOON = "2026-11-20 12:00"
LARGEST = Decimal("999999999.999999")
EVERY_LIMIT = PauseReason.CAMPAIGN_DAILY_LIMIT | PauseReason.BRAND_DAILY_BUDGET | PauseReason.BRAND_MONTHLY_BUDGET


def make_limited(limit: str | Decimal) -> Campaign:
    """Make a campaign under all three limits of the same amount."""
    return make_campaign(make_brand(daily_budget=limit, monthly_budget=limit), daily_spend_limit=limit)


class ALimitIsTheMillionthsThatItSays(TestCase):
    """R12: 2.01 is 2009999.9999999998 millionths where a float is cut off instead of rounded."""

    def test_it_is_not_reached_a_millionth_below(self) -> None:
        campaign = make_limited("2.01")
        spend(campaign, "2.009999", NOON)
        self.assertEqual(reasons_at(campaign, NOON), ACTIVE)
        spend(campaign, "0.000001", NOON)
        self.assertEqual(reasons_at(campaign, NOON), EVERY_LIMIT)


class TenTenthsAreOne(TestCase):
    """R12."""

    def setUp(self) -> None:
        self.campaign = make_limited("1")

    def test_it_reaches_a_limit_of_1_with_the_tenth_tenth(self) -> None:
        for _ in range(9):
            spend(self.campaign, "0.1", NOON)
        self.assertEqual(reasons_at(self.campaign, NOON), ACTIVE)
        spend(self.campaign, "0.1", NOON)
        self.assertEqual(reasons_at(self.campaign, NOON), EVERY_LIMIT)
        self.assertEqual(campaign_spent(self.campaign, NOON), 1)

    def test_it_does_so_however_many_of_them_are_folded(self) -> None:
        for _ in range(10):
            spend(self.campaign, "0.1", NOON)
            fold()
        self.assertEqual(reasons_at(self.campaign, NOON), EVERY_LIMIT)
        self.assertEqual(brand_spent(self.campaign.brand, NOON), Spent(Decimal("1.0"), Decimal("1.0")))

    def test_it_does_so_when_they_are_written_in_one_statement(self) -> None:
        row = {"brand_id": self.campaign.brand_id, "campaign": self.campaign, "amount": Decimal("0.1")}
        SpendRecord.objects.bulk_create(SpendRecord(**row, timestamp="2026-11-20 12:00Z") for _ in range(10))
        self.assertEqual(reasons_at(self.campaign, NOON), EVERY_LIMIT)


class FloatsWouldDecideOtherwise(TestCase):
    """R12: sums that a float gets wrong on one side or the other."""

    def test_it_reaches_a_limit_that_a_sum_of_floats_misses(self) -> None:
        self.assertLess(0.7 + 0.1, 0.8)
        campaign = make_limited("0.8")
        for amount in ("0.7", "0.1"):
            spend(campaign, amount, NOON)
        self.assertEqual(reasons_at(campaign, NOON), EVERY_LIMIT)

    def test_it_does_not_reach_a_limit_that_a_sum_of_floats_passes(self) -> None:
        self.assertGreater(0.1 + 0.2, 0.3)
        campaign = make_limited("0.300001")
        for amount in ("0.1", "0.2"):
            spend(campaign, amount, NOON)
        self.assertEqual(reasons_at(campaign, NOON), ACTIVE)

    def test_it_counts_an_amount_that_a_float_in_millionths_falls_short_of(self) -> None:
        self.assertEqual(int(8.2 * 1_000_000), 8_199_999)
        campaign = make_limited("8.2")
        spend(campaign, "8.2", NOON)
        self.assertEqual(reasons_at(campaign, NOON), EVERY_LIMIT)
        self.assertEqual(campaign_spent(campaign, NOON), Decimal("8.2"))

    def test_it_comes_back_to_exactly_nothing(self) -> None:
        campaign = make_limited("0.000001")
        for amount in ("0.1", "0.2", "-0.3"):
            spend(campaign, amount, NOON)
        self.assertEqual(campaign_spent(campaign, NOON), 0)
        self.assertEqual(reasons_at(campaign, NOON), ACTIVE)


class AMillionthCounts(TestCase):
    """R12: one impression costs fractions of a cent."""

    def test_it_counts_a_thousand_millionths(self) -> None:
        campaign = make_limited("0.001")
        for number in range(1000):
            spend(campaign, "0.000001", NOON)
            if number == 998:
                self.assertEqual(reasons_at(campaign, NOON), ACTIVE)
        self.assertEqual(reasons_at(campaign, NOON), EVERY_LIMIT)

    def test_it_counts_a_millionth_beside_the_largest_amount(self) -> None:
        campaign = make_limited(LARGEST)
        spend(campaign, LARGEST - Decimal("0.000001"), NOON)
        self.assertEqual(reasons_at(campaign, NOON), ACTIVE)
        spend(campaign, "0.000001", NOON)
        self.assertEqual(reasons_at(campaign, NOON), EVERY_LIMIT)
        self.assertEqual(campaign_spent(campaign, NOON), LARGEST)

    def test_it_keeps_a_sum_of_many_large_amounts_exact(self) -> None:
        campaign = make_campaign()
        for number in range(100):
            spend(campaign, LARGEST, NOON)
            if number == 50:
                fold()
        self.assertEqual(campaign_spent(campaign, NOON), Decimal("99999999999.999900"))
        fold()
        self.assertEqual(CampaignDay.objects.get().spend, Decimal("99999999999.999900"))
        spend(campaign, "0.000001", NOON)
        self.assertEqual(brand_spent(campaign.brand, NOON).month, Decimal("99999999999.999901"))

    def test_it_gives_back_every_amount_as_it_was_written(self) -> None:
        campaign = make_campaign()
        amounts = [Decimal(text) for text in ("0.000001", "-0.000001", "123456789.123456", "33.333333")]
        amounts += [LARGEST, -LARGEST]
        for amount in amounts:
            spend(campaign, amount, NOON)
        self.assertEqual([row.amount for row in SpendRecord.objects.order_by("id")], amounts)
        self.assertEqual(campaign_spent(campaign, NOON), Decimal("123456822.456789"))


class WhatIsStoredIsExact(TestCase):
    """R12: totals, closings and history, in millionths, as Decimals."""

    def test_it_stores_exact_totals_and_history(self) -> None:
        campaign = make_limited("33.333333")
        for _ in range(3):
            spend(campaign, "11.111111", NOON)
        enforce_at(NOON)
        self.assertEqual(sum(row.amount for row in PendingSpend.objects.all()), Decimal("33.333333"))
        check_at("2026-12-01 00:00")
        exact = Decimal("33.333333")
        self.assertEqual(CampaignDay.objects.get().spend, exact)
        kept = BrandPeriod.objects.filter(spend__gt=0).values_list("spend", "spend_at_close", "budget_at_close")
        self.assertEqual(list(kept), [(exact, exact, exact)] * 2)
        line = StatusChange.objects.order_by("id")[0]
        self.assertEqual((line.campaign_spend, line.campaign_limit, line.brand_month_spend), (exact, exact, exact))

    def test_it_annotates_decimals(self) -> None:
        campaign = make_campaign()
        self.assertIsInstance(campaign_spent(campaign, NOON), Decimal)
        spend(campaign, "0.1", NOON)
        self.assertIsInstance(brand_spent(campaign.brand, NOON).day, Decimal)
        self.assertEqual(str(campaign_spent(campaign, NOON)), "0.100000")

    def test_it_pauses_at_a_limit_of_six_decimals(self) -> None:
        campaign = make_limited("0.123457")
        spend(campaign, "0.123456", NOON)
        enforce_at(NOON)
        self.assertEqual(reasons_of(campaign), ACTIVE)
        spend(campaign, "0.000001", NOON)
        enforce_at(NOON)
        self.assertEqual(reasons_of(campaign), EVERY_LIMIT)
