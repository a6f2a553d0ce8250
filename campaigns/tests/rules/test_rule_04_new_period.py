"""R4: a reset is a new period, not an erasure."""

from __future__ import annotations

from decimal import Decimal

import time_machine
from django.test import TestCase

from campaigns.models import BrandPeriod, CampaignDay, SpendRecord
from campaigns.rules.reasons import PauseReason
from campaigns.services.ledger.fold import fold
from campaigns.tasks import check_budgets, reset_daily_spend, reset_monthly_spend
from campaigns.tests.support.checking import ACTIVE, Spent, brand_spent, campaign_spent, check_at, period, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

BEFORE_MIDNIGHT = "2026-11-20 23:59:59.999999"
MIDNIGHT = "2026-11-21 00:00"


class ADayBeginsWithWhatIsRecordedForIt(TestCase):
    """R4."""

    def setUp(self) -> None:
        self.brand = make_brand(daily_budget=10)
        self.campaign = make_campaign(self.brand, daily_spend_limit=10)
        spend(self.campaign, 10, "2026-11-20 12:00")
        check_at("2026-11-20 12:05")

    def test_it_resumes_at_midnight_and_not_before(self) -> None:
        check_at(BEFORE_MIDNIGHT)
        self.assertEqual(reasons_of(self.campaign), PauseReason.CAMPAIGN_DAILY_LIMIT | PauseReason.BRAND_DAILY_BUDGET)
        check_at(MIDNIGHT)
        self.assertEqual(reasons_of(self.campaign), ACTIVE)

    def test_it_begins_at_0_and_keeps_yesterdays_total(self) -> None:
        check_at(MIDNIGHT)
        self.assertEqual(brand_spent(self.brand, MIDNIGHT), Spent(Decimal(0), Decimal(10)))
        self.assertEqual(brand_spent(self.brand, BEFORE_MIDNIGHT), Spent(Decimal(10), Decimal(10)))
        self.assertEqual(campaign_spent(self.campaign, BEFORE_MIDNIGHT), 10)
        self.assertEqual(period(self.brand, "day", "2026-11-20").spend, 10)

    def test_it_keeps_a_row_recorded_between_midnight_and_the_job(self) -> None:
        spend(self.campaign, 3, "2026-11-21 00:00:00.000001")
        check_at("2026-11-21 00:03")
        self.assertEqual(campaign_spent(self.campaign, "2026-11-21 00:03"), 3)

    def test_it_stays_paused_if_the_new_day_has_reached_the_limit_already(self) -> None:
        spend(self.campaign, 10, MIDNIGHT)
        check_at("2026-11-21 00:03")
        self.assertEqual(reasons_of(self.campaign), PauseReason.CAMPAIGN_DAILY_LIMIT | PauseReason.BRAND_DAILY_BUDGET)

    def test_it_touches_no_record_and_no_total(self) -> None:
        spend(self.campaign, 3, MIDNIGHT)
        fold()
        before = self.stored()
        check_at("2026-11-21 00:03")
        self.assertEqual(self.stored(), before)

    def stored(self) -> list[object]:
        totals = BrandPeriod.objects.exclude(spend=0).order_by("id").values_list("id", "starts_on", "spend")
        return [
            list(SpendRecord.objects.order_by("id").values()),
            list(CampaignDay.objects.order_by("day").values()),
            list(totals),
        ]


class AMonthBeginsWithWhatIsRecordedForIt(TestCase):
    """R4."""

    def test_it_resumes_on_the_first_and_not_before(self) -> None:
        campaign = make_campaign(make_brand(monthly_budget=10))
        spend(campaign, 10, "2028-02-01 00:00")
        for at, reasons in (
            ("2028-02-01 00:00", PauseReason.BRAND_MONTHLY_BUDGET),
            ("2028-02-29 23:59:59.999999", PauseReason.BRAND_MONTHLY_BUDGET),
            ("2028-03-01 00:00", ACTIVE),
        ):
            with self.subTest(at):
                check_at(at)
                self.assertEqual(reasons_of(campaign), reasons)

    def test_it_begins_in_each_brands_own_zone(self) -> None:
        campaign = make_campaign(make_brand(timezone="America/New_York", monthly_budget=10))
        spend(campaign, 10, "2026-11-15 12:00")
        check_at("2026-12-01 04:59:59.999999")
        self.assertEqual(reasons_of(campaign), PauseReason.BRAND_MONTHLY_BUDGET)
        check_at("2026-12-01 05:00")
        self.assertEqual(reasons_of(campaign), ACTIVE)


class ResetsMayRunTwiceLateOrNever(TestCase):
    """R4: nothing can be zeroed twice, late or never."""

    def setUp(self) -> None:
        self.campaign = make_campaign(make_brand(monthly_budget=100), daily_spend_limit=10)
        spend(self.campaign, 10, "2026-11-30 12:00")
        check_at("2026-11-30 12:05")
        spend(self.campaign, 4, "2026-12-01 00:01")

    def assert_new_day(self) -> None:
        self.assertEqual(reasons_of(self.campaign), ACTIVE)
        self.assertEqual(campaign_spent(self.campaign, "2026-12-01 00:30"), 4)
        self.assertEqual(brand_spent(self.campaign.brand, "2026-12-01 00:30").month, 4)

    def test_it_may_run_twice(self) -> None:
        with time_machine.travel(utc("2026-12-01 00:02"), tick=False):
            for job in (reset_daily_spend, reset_monthly_spend, reset_monthly_spend, reset_daily_spend):
                job()
        self.assert_new_day()

    def test_it_may_run_late(self) -> None:
        with time_machine.travel(utc("2026-12-01 18:00"), tick=False):
            reset_daily_spend()
        self.assert_new_day()

    def test_it_may_never_run(self) -> None:
        with time_machine.travel(utc("2026-12-01 00:05"), tick=False):
            check_budgets()
        self.assert_new_day()
