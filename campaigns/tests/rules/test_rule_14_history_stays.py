"""R14: what has history can't vanish; it is switched off instead."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import Model, ProtectedError
from django.test import TestCase

from campaigns.models import AccountingTimeZone, Brand, BrandPeriod, Campaign, SpendRecord, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.ledger.fold import fold
from campaigns.services.ledger.verify import verify
from campaigns.tests.support.checking import check_at, enforce_at, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend
from campaigns.tests.support.ledger import change_brand

NOON = "2026-11-20 12:00"


class WithSpendItStays(TestCase):
    """R14."""

    def setUp(self) -> None:
        self.brand = make_brand()
        self.campaign = make_campaign(self.brand)
        self.record = spend(self.campaign, 5, NOON)

    def assert_protected(self, *rows: Model) -> None:
        for row in rows:
            with self.subTest(type(row).__name__), self.assertRaises(ProtectedError), transaction.atomic():
                row.delete()
        self.assertEqual((Brand.objects.count(), Campaign.objects.count()), (1, 1))

    def test_it_deletes_neither_campaign_nor_brand(self) -> None:
        self.assert_protected(self.campaign, self.brand)

    def test_it_deletes_neither_after_folding_and_closing(self) -> None:
        check_at("2027-01-01 00:00")
        self.assert_protected(self.campaign, self.brand)
        self.assertEqual(BrandPeriod.objects.exclude(closed_at=None).count(), 2)

    def test_it_deletes_neither_when_the_spend_adds_up_to_0(self) -> None:
        spend(self.campaign, -5, NOON)
        self.assert_protected(self.campaign, self.brand)

    def test_it_deletes_neither_when_all_are_deleted_at_once(self) -> None:
        for rows in (Campaign.objects.all(), Brand.objects.all()):
            with self.assertRaises(ProtectedError), transaction.atomic():
                rows.delete()
        self.assertEqual((Brand.objects.count(), Campaign.objects.count()), (1, 1))

    def test_it_moves_no_campaign_to_another_brand(self) -> None:
        self.campaign.brand = make_brand()
        with self.assertRaises(IntegrityError), transaction.atomic():
            self.campaign.save()
        self.campaign.refresh_from_db()
        self.assertEqual(self.campaign.brand, self.brand)

    def test_it_can_be_switched_off_and_its_spend_stays(self) -> None:
        change_brand(self.brand, NOON, enabled=False)
        self.assertEqual(reasons_of(self.campaign), PauseReason.BRAND_DISABLED)
        fold()
        self.assertEqual(BrandPeriod.objects.get(kind="day").spend, 5)


class WithoutSpendItMayGo(TestCase):
    """R14: only what has spend is history."""

    def setUp(self) -> None:
        self.brand = make_brand()
        self.campaign = make_campaign(self.brand, enabled=False)
        make_window(self.campaign)
        enforce_at(NOON)

    def test_it_deletes_a_campaign_with_its_windows_and_lines(self) -> None:
        self.campaign.delete()
        self.assertEqual((Campaign.objects.count(), StatusChange.objects.count()), (0, 0))

    def test_it_deletes_a_brand_once_it_has_no_campaigns(self) -> None:
        with self.assertRaises(ProtectedError), transaction.atomic():
            self.brand.delete()
        self.campaign.delete()
        self.brand.delete()
        self.assertEqual((Brand.objects.count(), AccountingTimeZone.objects.count()), (0, 0))

    def test_it_moves_a_campaign_to_another_brand(self) -> None:
        self.campaign.brand = make_brand(enabled=False)
        self.campaign.save()
        enforce_at(NOON)
        self.assertEqual(reasons_of(self.campaign), PauseReason.CAMPAIGN_DISABLED | PauseReason.BRAND_DISABLED)

    def test_it_deletes_a_campaign_whose_records_were_deleted_by_hand(self) -> None:
        spend(self.campaign, 5, NOON)
        SpendRecord.objects.all().delete()
        self.campaign.delete()
        fold()
        self.assertEqual(verify(), [])

    def test_it_deletes_a_brand_with_statements_and_no_spend(self) -> None:
        change_brand(self.brand, NOON, daily_budget=5)
        check_at("2027-01-01 00:00")
        self.assertGreater(BrandPeriod.objects.count(), 0)
        self.campaign.delete()
        self.brand.delete()
        self.assertEqual((BrandPeriod.objects.count(), verify()), (0, []))
