"""Every decision compared with the oracle's, over worlds that are made up near every boundary."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.test import SimpleTestCase
from hypothesis import given
from hypothesis import strategies as st

from campaigns.tests.oracle.oracle import BrandFacts, CampaignFacts, Record, Window, reasons, spends
from campaigns.tests.oracle.worlds import World, worlds
from campaigns.tests.support.deciding import DecisionTestCase
from campaigns.tests.support.factories import utc
from campaigns.tests.support.runs import the_same


class TheDecisionIsTheOracles(DecisionTestCase):
    """R1, R2, R3, R4, R6, R7, R12 and R13, taken together."""

    @the_same(60)
    @given(world=worlds(), data=st.data())
    def test_it_decides_as_the_oracle_at_every_step(self, world: World, data: st.DataObject) -> None:
        self.decide_at_every_step(world, data)

    @the_same(60)
    @given(world=worlds())
    def test_it_folds_and_closes_without_changing_a_decision(self, world: World) -> None:
        self.fold_and_close(world)


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
