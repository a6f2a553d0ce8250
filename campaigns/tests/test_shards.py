"""A full check in shards ends as one check would, whoever runs which shard, in which order and how often."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.test import TestCase

from campaigns.models import BrandPeriod, Campaign, CheckShard, JobRun, StatusChange
from campaigns.services.jobs import CHECK_BUDGETS
from campaigns.services.shards import begin_check, run_shard
from campaigns.tests.checking import check_at
from campaigns.tests.factories import make_brand, make_campaign, spend, utc

NOON = utc("2026-11-20 12:00")


class ShardTestCase(TestCase):
    def setUp(self) -> None:
        self.campaigns = []
        for number in range(7):
            brand = make_brand(daily_budget=20, enabled=number != 5, created_at=NOON - timedelta(days=1))
            for _ in range(2):
                self.campaigns.append(make_campaign(brand, daily_spend_limit=10))
            if number:
                spend(self.campaigns[-1], 5 * number, NOON)

    def begin(self, of: int = 3) -> UUID:
        return begin_check(CHECK_BUDGETS, of=of, clock=lambda: NOON)

    def run_shard(self, check: UUID, number: int) -> bool:
        return run_shard(check, number, clock=lambda: NOON) is not None

    def state(self) -> list[tuple[int, int]]:
        return list(Campaign.objects.order_by("pk").values_list("pause_reasons", "next_change_minute"))

    def succeeded(self) -> bool:
        return JobRun.objects.get(name=CHECK_BUDGETS).succeeded_at is not None


class AllShardsAreOneCheck(ShardTestCase):
    def test_it_ends_with_the_last_shard_and_leaves_nothing_to_do(self) -> None:
        check = self.begin()
        self.assertEqual([self.run_shard(check, number) for number in (2, 0, 1)], [False, False, True])
        self.assertTrue(self.succeeded())
        self.assertEqual(BrandPeriod.objects.filter(kind="day", closed_at__isnull=False).count(), 7)
        lines, state = StatusChange.objects.count(), self.state()
        self.assertGreater(lines, 5)
        self.assertEqual(check_at(NOON).enforcement.changed, 0)
        self.assertEqual((StatusChange.objects.count(), self.state()), (lines, state))

    def test_it_tells_what_all_shards_did(self) -> None:
        check = self.begin()
        for number in range(3):
            self.run_shard(check, number)
        paused = Campaign.objects.filter(pause_reasons__gt=0).count()
        self.assertIn(f"{paused} paused, 0 resumed", JobRun.objects.get(name=CHECK_BUDGETS).summary)

    def test_each_brand_is_in_one_shard(self) -> None:
        check = self.begin()
        self.run_shard(check, 0)
        changed = set(StatusChange.objects.values_list("campaign__brand_id", flat=True))
        self.assertTrue(changed)
        self.assertEqual({brand % 3 for brand in changed}, {0})


class WhatGoesWrong(ShardTestCase):
    def test_a_shard_that_is_delivered_twice_changes_nothing(self) -> None:
        check = self.begin()
        self.assertFalse(self.run_shard(check, 0))
        self.assertFalse(self.run_shard(check, 0))
        self.run_shard(check, 1)
        self.assertTrue(self.run_shard(check, 2))
        lines = StatusChange.objects.count()
        self.assertTrue(self.run_shard(check, 2))
        self.assertEqual(StatusChange.objects.count(), lines)

    def test_a_check_that_lost_a_shard_is_no_success_and_the_next_one_is_whole(self) -> None:
        lost = self.begin()
        self.run_shard(lost, 0)
        self.assertFalse(self.succeeded())
        check = self.begin(of=2)
        self.run_shard(check, 0)
        self.assertTrue(self.run_shard(check, 1))
        self.assertTrue(self.succeeded())
        self.assertEqual(check_at(NOON).enforcement.changed, 0)

    def test_two_checks_at_once_both_end(self) -> None:
        first, second = self.begin(), self.begin()
        done = [self.run_shard(check, number) for number in range(3) for check in (first, second)]
        self.assertEqual(done, [False] * 4 + [True, True])

    def test_a_shard_of_a_check_that_is_long_over_does_nothing(self) -> None:
        check = self.begin()
        CheckShard.objects.update(begun_at=NOON - timedelta(hours=2))
        self.begin()
        self.assertFalse(self.run_shard(check, 0))
        self.assertEqual(StatusChange.objects.count(), 0)

    def test_a_shard_is_in_its_check_once(self) -> None:
        check = self.begin()
        again = CheckShard(check_id=check, job=CHECK_BUDGETS, number=0, of=3, begun_at=NOON)
        with self.assertRaises(IntegrityError), transaction.atomic():
            again.save(force_insert=True)
