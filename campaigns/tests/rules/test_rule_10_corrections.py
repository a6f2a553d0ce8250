"""R10: corrections are rows; rows updated or deleted by hand change the totals just as exactly."""

from __future__ import annotations

from decimal import Decimal

from django.db import IntegrityError, transaction
from django.test import TestCase

from campaigns.models import SpendRecord
from campaigns.rules.reasons import PauseReason
from campaigns.services.ledger.fold import fold
from campaigns.tests.support.checking import ACTIVE, Spent, brand_spent, check_at, history, reasons_at, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

NOON, LATER = "2026-11-20 12:00", "2026-11-20 12:05"


class ARefundIsASpendRecord(TestCase):
    """R10."""

    def setUp(self) -> None:
        self.brand = make_brand()
        self.campaign = make_campaign(self.brand, daily_spend_limit=10)

    def test_it_resumes_when_a_refund_brings_spend_below_the_limit(self) -> None:
        spend(self.campaign, 12, NOON)
        self.assertEqual(reasons_at(self.campaign, NOON), PauseReason.CAMPAIGN_DAILY_LIMIT)
        spend(self.campaign, "-2.000001", NOON)
        self.assertEqual(reasons_at(self.campaign, LATER), ACTIVE)
        limit = PauseReason.CAMPAIGN_DAILY_LIMIT
        self.assertEqual(history(self.campaign), [(ACTIVE, limit), (limit, ACTIVE)])

    def test_it_stays_paused_when_a_refund_brings_spend_to_the_limit(self) -> None:
        spend(self.campaign, 12, NOON)
        check_at(NOON)
        spend(self.campaign, -2, NOON)
        self.assertEqual(reasons_at(self.campaign, LATER), PauseReason.CAMPAIGN_DAILY_LIMIT)

    def test_it_counts_the_same_whether_it_was_folded(self) -> None:
        for amount in (12, -3):
            spend(self.campaign, amount, NOON)
            fold()
        spend(self.campaign, "-0.5", NOON)
        self.assertEqual(brand_spent(self.brand, NOON), Spent(Decimal("8.5"), Decimal("8.5")))

    def test_it_resumes_the_whole_brand(self) -> None:
        for budget in ("daily_budget", "monthly_budget"):
            with self.subTest(budget):
                brand = make_brand(**{budget: 100})
                one, two = make_campaign(brand), make_campaign(brand)
                spend(one, 100, NOON)
                check_at(NOON)
                self.assertTrue(reasons_of(two))
                spend(one, "-0.000001", NOON)
                check_at(LATER)
                self.assertEqual((reasons_of(one), reasons_of(two)), (ACTIVE, ACTIVE))

    def test_it_counts_a_refund_in_the_period_of_its_timestamp(self) -> None:
        """R3: a credit that is dated yesterday doesn't resume a campaign that reached its limit today."""
        spend(self.campaign, 10, NOON)
        spend(self.campaign, -5, "2026-11-19 23:59")
        self.assertEqual(reasons_at(self.campaign, NOON), PauseReason.CAMPAIGN_DAILY_LIMIT)
        self.assertEqual(brand_spent(self.brand, NOON), Spent(Decimal(10), Decimal(5)))

    def test_it_keeps_spend_below_0(self) -> None:
        spend(self.campaign, -5, NOON)
        self.assertEqual(reasons_at(self.campaign, NOON), ACTIVE)
        spend(self.campaign, "14.999999", NOON)
        self.assertEqual(reasons_at(self.campaign, NOON), ACTIVE)
        spend(self.campaign, "0.000001", NOON)
        self.assertEqual(reasons_at(self.campaign, NOON), PauseReason.CAMPAIGN_DAILY_LIMIT)

    def test_it_does_not_open_a_limit_of_0(self) -> None:
        """R2."""
        closed = make_campaign(daily_spend_limit=0)
        spend(closed, -5, NOON)
        self.assertEqual(reasons_at(closed, NOON), PauseReason.CAMPAIGN_DAILY_LIMIT)

    def test_it_refuses_an_amount_of_0(self) -> None:
        for amount in ("0", "-0", "0.0000001"):
            with self.subTest(amount), self.assertRaises(IntegrityError) as refusal, transaction.atomic():
                spend(self.campaign, amount, NOON)
            self.assertIn("spend_amount_in_range_and_not_zero", str(refusal.exception))
        self.assertEqual(brand_spent(self.brand, NOON), Spent(Decimal(0), Decimal(0)))


class RowsChangedByHand(TestCase):
    """R10. Folded or not, the totals follow."""

    def setUp(self) -> None:
        self.campaign = make_campaign(daily_spend_limit=10)
        self.record = spend(self.campaign, 12, NOON)
        check_at(NOON)
        self.assertEqual(reasons_of(self.campaign), PauseReason.CAMPAIGN_DAILY_LIMIT)

    def test_it_resumes_when_an_amount_is_lowered(self) -> None:
        SpendRecord.objects.filter(pk=self.record.pk).update(amount=Decimal("9.999999"))
        self.assertEqual(reasons_at(self.campaign, LATER), ACTIVE)

    def test_it_stays_paused_when_it_is_lowered_to_the_limit(self) -> None:
        SpendRecord.objects.filter(pk=self.record.pk).update(amount=10)
        self.assertEqual(reasons_at(self.campaign, LATER), PauseReason.CAMPAIGN_DAILY_LIMIT)

    def test_it_resumes_when_a_row_is_deleted(self) -> None:
        self.record.delete()
        self.assertEqual(reasons_at(self.campaign, LATER), ACTIVE)
        self.assertEqual(brand_spent(self.campaign.brand, LATER), Spent(Decimal(0), Decimal(0)))

    def test_it_resumes_when_a_row_is_moved_to_another_day(self) -> None:
        SpendRecord.objects.filter(pk=self.record.pk).update(timestamp=utc("2026-11-19 23:59:59.999999"))
        self.assertEqual(reasons_at(self.campaign, LATER), ACTIVE)
        self.assertEqual(brand_spent(self.campaign.brand, LATER), Spent(Decimal(0), Decimal(12)))

    def test_it_pauses_the_campaign_that_a_row_is_moved_to(self) -> None:
        sibling = make_campaign(self.campaign.brand, daily_spend_limit=12)
        SpendRecord.objects.filter(pk=self.record.pk).update(campaign=sibling)
        check_at(LATER)
        self.assertEqual((reasons_of(self.campaign), reasons_of(sibling)), (ACTIVE, PauseReason.CAMPAIGN_DAILY_LIMIT))
