"""Folding in batches: what is planned, what of it is taken, and when a fold ends."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

from django.db import connection

from campaigns.database.connection import take_ledger_lock
from campaigns.models import AccountingTimeZone, PendingSpend
from campaigns.rules.periods import quarter_of
from campaigns.services.ledger import fold as fold_module
from campaigns.services.ledger.fold import fold
from campaigns.tests.ledger.test_folding import NOON, ZONES, FoldingTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.ledger import day_of, totals_folded
from campaigns.tests.support.outside import POSTGRESQL


class BatchesAreSmallerThanWhatIsPending(FoldingTestCase):
    def test_it_folds_a_few_days_at_a_time(self) -> None:
        campaigns = [make_campaign(make_brand(timezone=zone)) for zone in ZONES]
        for number, day in enumerate(range(10, 24)):
            spend(campaigns[number % len(campaigns)], number + 1, f"2026-11-{day} 10:30")
        with patch.object(fold_module, "BATCH_DAYS", 3):
            self.assert_folds(14)

    def test_it_goes_on_after_a_batch_of_one_row(self) -> None:
        campaign = make_campaign()
        for day in (10, 11, 12):
            spend(campaign, day, f"2026-11-{day} 10:30")
        with patch.object(fold_module, "BATCH_DAYS", 1):
            self.assert_folds(3)

    def test_it_ends_where_another_fold_took_the_rows_that_it_saw(self) -> None:
        campaigns = [make_campaign() for _ in range(3)]
        for campaign in campaigns:
            spend(campaign, 1, NOON)
        rival = fold_module._Fold()
        with patch.object(fold_module, "PLANNED_ROWS", 1), patch.object(fold_module, "BATCH_DAYS", 1):
            planned = rival.plan(1)
            self.assertEqual(fold(), 3)
            with patch.object(fold_module._Fold, "plan", return_value=planned) as plan:
                self.assertEqual(sum(rival.batches()), 0)
        self.assertEqual(plan.call_count, 1)
        self.assert_exact()

    def test_it_plans_again_where_more_is_pending_than_one_plan_holds(self) -> None:
        for campaign in [make_campaign() for _ in range(5)]:
            spend(campaign, 1, NOON)
        for name, rows in (("PLANNED_ROWS", 2), ("BATCH_ROWS_ON_SQLITE", 1), ("BATCH_ROWS_ON_POSTGRESQL", 1)):
            self.enterContext(patch.object(fold_module, name, rows))
        self.assert_folds(5)

    def test_it_leaves_what_is_not_of_the_days_and_zones_that_it_planned_for(self) -> None:
        """A brand may move, and another row come to lie where a planned one lay."""
        campaign = make_campaign()
        spend(campaign, 1, NOON)
        folding = fold_module._Fold()
        (rows,) = folding.plan()
        another_day = replace(rows, days=range(rows.days.stop, rows.days.stop + 1))
        self.assertEqual(folding.batch(another_day), 0)
        AccountingTimeZone.objects.update(timezone="Asia/Tokyo")
        self.assertEqual(folding.batch(rows), 0)
        self.assertEqual((PendingSpend.objects.count(), totals_folded()), (1, {}))

    def test_it_folds_more_rows_than_one_batch_takes(self) -> None:
        campaign = make_campaign()
        count = 10_005 if POSTGRESQL else 2_005
        quarter = quarter_of(utc(NOON))
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO campaigns_pendingspend (brand_id, campaign_id, quarter, amount)"
                " WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)"
                " SELECT %s, %s, %s, n FROM numbers",
                [count, campaign.brand_id, campaign.pk, quarter],
            )
        self.assertEqual(fold(), count)
        self.assertEqual(PendingSpend.objects.count(), 0)
        self.assertEqual(day_of(campaign.brand, "2026-11-20") * 10**6, count * (count + 1) // 2)


class WritersNeverRest(FoldingTestCase):
    def test_it_ends_though_rows_arrive_before_each_of_its_batches(self) -> None:
        """R6: a fold that goes on while writers do would end with the check's time limit, and nothing be closed."""
        campaign = make_campaign()
        batches: list[int] = []

        def write_and_lock() -> None:
            batches.append(len(batches))
            self.assertLess(len(batches), 10)
            spend(campaign, 1, NOON)
            take_ledger_lock()

        spend(campaign, 1, NOON)
        with patch.object(fold_module, "take_ledger_lock", write_and_lock):
            self.assertEqual(fold(), 1)
        self.assertEqual(len(batches), PendingSpend.objects.count())
        self.assert_folds(len(batches))
