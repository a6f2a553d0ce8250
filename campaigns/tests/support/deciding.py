"""Worlds that are stored, decided on at each of their instants, and compared with the oracle's decision."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from campaigns.models import Brand, BrandPeriod, Campaign, DaypartingSchedule, SpendRecord, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.insight.forecast import is_open
from campaigns.services.ledger.fold import fold
from campaigns.services.ledger.verify import verify
from campaigns.tests.oracle.oracle import BrandFacts, CampaignFacts, period_of, reasons, spend_of_period, spends
from campaigns.tests.oracle.worlds import World, decisions
from campaigns.tests.support.checking import check_at, enforce_at
from campaigns.tests.support.stored import spend_row, store_brand, store_campaign, store_windows

Pairs = list[tuple[BrandFacts, CampaignFacts]]


class DecisionTestCase(HypothesisTestCase):
    def decide_at_every_step(self, world: World, data: st.DataObject) -> None:
        pairs = store(world)
        for step, (now, folded) in enumerate(zip(world.instants, world.folded, strict=True)):
            if step:
                data.draw(decisions(world, now))
                write_decisions(pairs)
            record_new_spend(pairs)
            if folded:
                fold()
            enforce_at(now)
            self.assert_as_the_oracle_says(pairs, now)
            self.assert_nothing_left_to_do(now)
        self.assert_history_gives_todays_state(pairs)

    def fold_and_close(self, world: World) -> None:
        pairs = store(world)
        record_new_spend(pairs)
        now = max(world.instants)
        enforce_at(now)
        self.assertEqual(check_at(now).enforcement.changed, 0)
        self.assertEqual(verify(), [])
        self.assert_as_the_oracle_says(pairs, now)
        for brand in world.brands:
            self.assert_books_are_right(brand, now)

    def assert_as_the_oracle_says(self, pairs: Pairs, now: datetime) -> None:
        campaigns = {row.pk: row for row in Campaign.objects.with_spend(now)}
        brands = {row.pk: row for row in Brand.objects.with_spend(now)}
        for brand, campaign in pairs:
            row, expected = campaigns[campaign.pk], spends(brand, campaign, now)
            self.assertEqual(PauseReason(row.pause_reasons).codes, reasons(brand, campaign, now))
            self.assertEqual(row.status, "paused" if reasons(brand, campaign, now) else "active")
            self.assertEqual(row.spend_today, expected.campaign_today)
            self.assertEqual(row.brand_spend_today, expected.brand_today)
            self.assertEqual(row.brand_spend_this_month, expected.brand_this_month)
            self.assertEqual(brands[brand.pk].spend_today, expected.brand_today)
            self.assertEqual(brands[brand.pk].spend_this_month, expected.brand_this_month)
            self.assert_outlook_agrees(brand, campaign, row.pause_reasons, now)

    def assert_books_are_right(self, brand: BrandFacts, now: datetime) -> None:
        """Every period has its records' sum, and is closed if and only if it has ended in the brand's zone."""
        rows = BrandPeriod.objects.filter(brand=brand.pk)
        for row in rows:
            spent = spend_of_period(brand, row.kind, row.starts_on)
            ended = row.starts_on < period_of(row.kind, brand.wall(now).date())
            self.assertEqual((row.spend, row.spend_at_close), (spent, spent if ended else None))
            self.assertEqual(row.closed_at, now if ended else None)
        days = {brand.wall(r.timestamp).date() for campaign in brand.campaigns for r in campaign.records}
        self.assertLessEqual(days, {row.starts_on for row in rows if row.kind == "day"})

    def assert_outlook_agrees(self, brand: BrandFacts, campaign: CampaignFacts, stored: int, now: datetime) -> None:
        """The outlook's Python and the decision's SQL say the same of R7."""
        windows = list(DaypartingSchedule.objects.filter(campaign=campaign.pk))
        closed = bool(windows) and not is_open(windows, brand.wall(now))
        self.assertEqual(closed, bool(stored & PauseReason.OUTSIDE_SCHEDULE))

    def assert_nothing_left_to_do(self, now: datetime) -> None:
        lines = StatusChange.objects.count()
        self.assertEqual(enforce_at(now).changed, 0)
        self.assertEqual(StatusChange.objects.count(), lines)

    def assert_history_gives_todays_state(self, pairs: Pairs) -> None:
        """R13: each line begins where the one before ended, and the last one tells what is true today."""
        for _, campaign in pairs:
            state = 0
            for line in StatusChange.objects.filter(campaign=campaign.pk).order_by("id"):
                self.assertEqual(line.reasons_before, state)
                self.assertNotEqual(line.reasons_after, state)
                state = line.reasons_after
            self.assertEqual(Campaign.objects.get(pk=campaign.pk).pause_reasons, state)


def store(world: World) -> Pairs:
    """Write a world without its spend; return its campaigns, each with its brand."""
    for brand in world.brands:
        store_brand(brand, created_at=min(world.instants) - timedelta(days=2))
        for campaign in brand.campaigns:
            store_campaign(brand, campaign)
    return [(brand, campaign) for brand in world.brands for campaign in brand.campaigns]


def write_decisions(pairs: Pairs) -> None:
    for brand, campaign in pairs:
        Brand.objects.filter(pk=brand.pk).update(enabled=brand.enabled, daily_budget=brand.daily_budget)
        Campaign.objects.filter(pk=campaign.pk).update(enabled=campaign.enabled)
        store_windows(campaign, campaign.windows)


def record_new_spend(pairs: Pairs) -> None:
    """Insert the records that aren't there yet in one statement."""
    rows: list[SpendRecord] = []
    for brand, campaign in pairs:
        for number, record in enumerate(campaign.records):
            if record.external_id is None:
                record.external_id = str(number)
                rows.append(spend_row(brand, campaign, record))
    SpendRecord.objects.bulk_create(rows)
