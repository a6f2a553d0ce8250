"""Every decision compared with the oracle's, over worlds that are made up near every boundary.

Deterministic by default. `ORACLE=search make test ARGS=campaigns.tests.test_oracle` looks at 2,000 new worlds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from django.test import SimpleTestCase
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from campaigns.models import Brand, BrandPeriod, Campaign, DaypartingSchedule, SpendRecord, StatusChange
from campaigns.reasons import PauseReason
from campaigns.services.fold import fold
from campaigns.services.outlook import is_open
from campaigns.services.verify import verify
from campaigns.tests.checking import check_at, enforce_at
from campaigns.tests.factories import make_brand, make_campaign, utc
from campaigns.tests.oracle import (
    BrandFacts,
    CampaignFacts,
    Record,
    Window,
    period_of,
    reasons,
    spend_of_period,
    spends,
)
from campaigns.tests.worlds import World, decisions, worlds

settings.register_profile("oracle", max_examples=60, derandomize=True, database=None, deadline=None)
settings.register_profile("search", max_examples=2_000, deadline=None)
PROFILE = settings.get_profile(os.environ.get("ORACLE", "oracle"))

Pairs = list[tuple[BrandFacts, CampaignFacts, Campaign]]


class TheDecisionIsTheOracles(HypothesisTestCase):
    """R1, R2, R3, R4, R6, R7, R12 and R13, taken together."""

    @PROFILE
    @given(world=worlds(), data=st.data())
    def test_it_decides_as_the_oracle_at_every_step(self, world: World, data: st.DataObject) -> None:
        pairs = store(world)
        recorded = 0
        for step, (now, folded) in enumerate(zip(world.instants, world.folded, strict=True)):
            if step:
                data.draw(decisions(world, now))
                write_decisions(pairs)
            recorded = record_spend(pairs, recorded)
            if folded:
                fold()
            enforce_at(now)
            self.assert_as_the_oracle_says(pairs, now)
            self.assert_nothing_left_to_do(now)
        self.assert_history_gives_todays_state(pairs)

    @PROFILE
    @given(world=worlds())
    def test_it_folds_and_closes_without_changing_a_decision(self, world: World) -> None:
        pairs = store(world)
        record_spend(pairs, 0)
        now = max(world.instants)
        enforce_at(now)
        self.assertEqual(check_at(now).enforcement.changed, 0)
        self.assertEqual(verify(), [])
        self.assert_as_the_oracle_says(pairs, now)
        for brand, _, campaign in pairs:
            self.assert_books_are_right(brand, campaign.brand_id, now)

    def assert_as_the_oracle_says(self, pairs: Pairs, now: datetime) -> None:
        campaigns = {row.pk: row for row in Campaign.objects.with_spend(now)}
        brands = {row.pk: row for row in Brand.objects.with_spend(now)}
        for brand, facts, campaign in pairs:
            row, expected = campaigns[campaign.pk], spends(brand, facts, now)
            self.assertEqual(PauseReason(row.pause_reasons).codes, reasons(brand, facts, now))
            self.assertEqual(row.status, "paused" if reasons(brand, facts, now) else "active")
            self.assertEqual(row.spend_today, expected.campaign_today)
            self.assertEqual(row.brand_spend_today, expected.brand_today)
            self.assertEqual(row.brand_spend_this_month, expected.brand_this_month)
            self.assertEqual(brands[campaign.brand_id].spend_today, expected.brand_today)
            self.assertEqual(brands[campaign.brand_id].spend_this_month, expected.brand_this_month)
            self.assert_outlook_agrees(brand, campaign, row.pause_reasons, now)

    def assert_books_are_right(self, brand: BrandFacts, brand_id: int, now: datetime) -> None:
        """Every period has its records' sum, and is closed if and only if it has ended in the brand's zone."""
        rows = BrandPeriod.objects.filter(brand=brand_id)
        for row in rows:
            spent = spend_of_period(brand, row.kind, row.starts_on)
            ended = row.starts_on < period_of(row.kind, brand.wall(now).date())
            self.assertEqual((row.spend, row.spend_at_close), (spent, spent if ended else None))
            self.assertEqual(row.closed_at, now if ended else None)
        days = {brand.wall(r.timestamp).date() for campaign in brand.campaigns for r in campaign.records}
        self.assertLessEqual(days, {row.starts_on for row in rows if row.kind == "day"})

    def assert_outlook_agrees(self, brand: BrandFacts, campaign: Campaign, stored: int, now: datetime) -> None:
        """The outlook's Python and the decision's SQL say the same of R7."""
        windows = list(DaypartingSchedule.objects.filter(campaign=campaign).order_by("id"))
        closed = bool(windows) and not is_open(windows, brand.wall(now))
        self.assertEqual(closed, bool(stored & PauseReason.OUTSIDE_SCHEDULE))

    def assert_nothing_left_to_do(self, now: datetime) -> None:
        lines = StatusChange.objects.count()
        self.assertEqual(enforce_at(now).changed, 0)
        self.assertEqual(StatusChange.objects.count(), lines)

    def assert_history_gives_todays_state(self, pairs: Pairs) -> None:
        """R13: each line begins where the one before ended, and the last one tells what is true today."""
        for _, _, campaign in pairs:
            state = 0
            for line in StatusChange.objects.filter(campaign=campaign).order_by("id"):
                self.assertEqual(line.reasons_before, state)
                self.assertNotEqual(line.reasons_after, state)
                state = line.reasons_after
            self.assertEqual(Campaign.objects.get(pk=campaign.pk).pause_reasons, state)


def store(world: World) -> Pairs:
    """Write a world without its spend; return its campaigns with the facts that they were made of."""
    created_at = min(world.instants) - timedelta(days=2)
    return [pair for brand in world.brands for pair in _store_brand(brand, created_at)]


def _store_brand(facts: BrandFacts, created_at: datetime) -> Iterator[tuple[BrandFacts, CampaignFacts, Campaign]]:
    brand = make_brand(
        timezone=facts.timezone,
        enabled=facts.enabled,
        daily_budget=facts.daily_budget,
        monthly_budget=facts.monthly_budget,
        created_at=created_at,
    )
    for of_campaign in facts.campaigns:
        campaign = make_campaign(
            brand,
            enabled=of_campaign.enabled,
            daily_spend_limit=of_campaign.daily_spend_limit,
            starts_on=of_campaign.starts_on,
            ends_on=of_campaign.ends_on,
        )
        store_windows(campaign, of_campaign.windows)
        yield facts, of_campaign, campaign


def store_windows(campaign: Campaign, windows: list[Window]) -> None:
    DaypartingSchedule.objects.filter(campaign=campaign).delete()
    DaypartingSchedule.objects.bulk_create(
        DaypartingSchedule(campaign=campaign, days_of_week=row.days, start_time=row.start, end_time=row.end)
        for row in windows
    )


def write_decisions(pairs: Pairs) -> None:
    for brand, facts, campaign in pairs:
        Brand.objects.filter(pk=campaign.brand_id).update(enabled=brand.enabled, daily_budget=brand.daily_budget)
        Campaign.objects.filter(pk=campaign.pk).update(enabled=facts.enabled)
        store_windows(campaign, facts.windows)


def record_spend(pairs: Pairs, already: int) -> int:
    """Insert the records that aren't there yet in one statement; return how many there are then."""
    rows = [
        SpendRecord(
            brand_id=campaign.brand_id,
            campaign=campaign,
            amount=record.amount,
            timestamp=record.timestamp,
            external_id=str(number),
        )
        for _, facts, campaign in pairs
        for number, record in enumerate(facts.records)
    ]
    SpendRecord.objects.bulk_create(rows, ignore_conflicts=bool(already))
    return len(rows)


class TheOracleItself(SimpleTestCase):
    """The oracle is tried on examples that a person worked out."""

    def test_it_knows_a_window_past_midnight(self) -> None:
        friday_night = Window(1 << 4, utc("2026-11-20 22:00").time(), utc("2026-11-20 02:00").time())
        open_at = ["2026-11-20 22:00", "2026-11-21 01:59:59.999999"]
        closed_at = ["2026-11-20 01:30", "2026-11-20 21:59:59.999999", "2026-11-21 02:00", "2026-11-21 22:00"]
        for at in open_at + closed_at:
            self.assertEqual(friday_night.is_open(datetime.fromisoformat(at)), at in open_at, at)

    def test_it_knows_a_window_to_midnight(self) -> None:
        whole_friday = Window(1 << 4, utc("2026-11-20 00:00").time(), utc("2026-11-20 00:00").time())
        open_at = ["2026-11-20 00:00", "2026-11-20 23:59:59.999999"]
        for at in [*open_at, "2026-11-19 23:59:59.999999", "2026-11-21 00:00"]:
            self.assertEqual(whole_friday.is_open(datetime.fromisoformat(at)), at in open_at, at)

    def test_it_sums_a_brands_day_and_month_in_its_zone(self) -> None:
        campaign, sibling = CampaignFacts(), CampaignFacts()
        brand = BrandFacts("America/New_York", campaigns=[campaign, sibling])
        campaign.records = [Record(Decimal(1), utc("2026-11-20 04:59:59.999999"))]
        sibling.records = [Record(Decimal(2), utc("2026-11-20 05:00")), Record(Decimal(4), utc("2026-11-01 03:59"))]
        found = spends(brand, campaign, utc("2026-11-20 12:00"))
        self.assertEqual((found.campaign_today, found.brand_today, found.brand_this_month), (0, 2, 3))

    def test_it_names_every_reason_that_holds(self) -> None:
        campaign = CampaignFacts(enabled=False, daily_spend_limit=Decimal(0))
        brand = BrandFacts("UTC", daily_budget=Decimal(5), monthly_budget=Decimal(6), campaigns=[campaign])
        campaign.records = [Record(Decimal(5), utc("2026-11-20 12:00"))]
        self.assertEqual(
            reasons(brand, campaign, utc("2026-11-20 12:00")),
            ["campaign_disabled", "campaign_daily_limit", "brand_daily_budget"],
        )
