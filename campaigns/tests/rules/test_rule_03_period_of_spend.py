"""R3: spend belongs to the period of its timestamp, not to the moment it arrives."""

from __future__ import annotations

from decimal import Decimal

from django.test import TestCase

from campaigns.models import Brand, Campaign, CampaignDay
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement.enforce import preview
from campaigns.services.ledger.fold import fold
from campaigns.services.scope import Scope
from campaigns.tests.support.checking import (
    ACTIVE,
    Spent,
    brand_spent,
    campaign_spent,
    check_at,
    enforce_at,
    period,
    reasons_at,
    reasons_of,
)
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

NOW = "2026-11-20 12:00"


def spent(day: str | int, month: str | int) -> Spent:
    return Spent(Decimal(day), Decimal(month))


class ALateRowChangesItsOwnPeriods(TestCase):
    """R3. The rows arrive now; only their timestamps lie elsewhere."""

    def setUp(self) -> None:
        self.brand = make_brand(daily_budget=10)
        self.campaign = make_campaign(self.brand, daily_spend_limit=10)

    def test_it_changes_yesterday_and_this_month_but_not_today(self) -> None:
        spend(self.campaign, 10, "2026-11-19 23:59:59.999999")
        self.assertEqual(brand_spent(self.brand, NOW), spent(0, 10))
        self.assertEqual(brand_spent(self.brand, "2026-11-19 12:00"), spent(10, 10))
        self.assertEqual(campaign_spent(self.campaign, NOW), 0)
        self.assertEqual(reasons_at(self.campaign, NOW), ACTIVE)

    def test_it_does_the_same_after_folding(self) -> None:
        spend(self.campaign, 10, "2026-11-19 23:59:59.999999")
        self.assertEqual(fold(), 1)
        self.assertEqual(brand_spent(self.brand, NOW), spent(0, 10))
        self.assertEqual(brand_spent(self.brand, "2026-11-19 12:00"), spent(10, 10))
        self.assertEqual(campaign_spent(self.campaign, "2026-11-19 12:00"), 10)
        self.assertEqual(reasons_at(self.campaign, NOW), ACTIVE)

    def test_it_changes_last_month_only_when_it_is_of_last_month(self) -> None:
        spend(self.campaign, 10, "2026-10-31 23:59:59.999999")
        self.assertEqual(brand_spent(self.brand, NOW), spent(0, 0))
        self.assertEqual(brand_spent(self.brand, "2026-10-31 00:00"), spent(10, 10))

    def test_it_reaches_the_monthly_budget_with_spend_of_yesterday(self) -> None:
        Brand.objects.update(monthly_budget=10)
        spend(self.campaign, 10, "2026-11-01 00:00")
        self.assertEqual(reasons_at(self.campaign, NOW), PauseReason.BRAND_MONTHLY_BUDGET)

    def test_it_counts_today_from_midnight_on(self) -> None:
        spend(self.campaign, 10, "2026-11-20 00:00")
        self.assertEqual(brand_spent(self.brand, NOW), spent(10, 10))
        self.assertEqual(
            reasons_at(self.campaign, NOW), PauseReason.CAMPAIGN_DAILY_LIMIT | PauseReason.BRAND_DAILY_BUDGET
        )

    def test_it_changes_a_closed_period_and_leaves_what_was_kept_of_it(self) -> None:
        spend(self.campaign, 4, "2026-11-19 12:00")
        check_at(NOW)
        spend(self.campaign, 3, "2026-11-19 13:00")
        check_at(NOW)
        day = period(self.brand, "day", "2026-11-19")
        self.assertEqual((day.spend, day.spend_at_close, day.adjustment), (7, 4, 3))


class ARowDatedAheadCountsWhenItsDayComes(TestCase):
    """R3."""

    def setUp(self) -> None:
        self.campaign = make_campaign(daily_spend_limit=10)
        self.brand = self.campaign.brand

    def test_it_counts_from_the_midnight_of_its_day(self) -> None:
        spend(self.campaign, 10, "2026-11-21 18:00")
        self.assertEqual(reasons_at(self.campaign, "2026-11-20 23:59:59.999999"), ACTIVE)
        self.assertEqual(reasons_at(self.campaign, "2026-11-21 00:00"), PauseReason.CAMPAIGN_DAILY_LIMIT)
        self.assertEqual(reasons_at(self.campaign, "2026-11-22 00:00"), ACTIVE)

    def test_it_counts_for_its_month_when_its_day_comes(self) -> None:
        spend(self.campaign, 10, "2026-11-30 23:59")
        self.assertEqual(brand_spent(self.brand, NOW), spent(0, 0))
        fold()
        self.assertEqual(brand_spent(self.brand, NOW), spent(0, 0))
        self.assertEqual(brand_spent(self.brand, "2026-11-29 23:59:59.999999"), spent(0, 0))
        self.assertEqual(brand_spent(self.brand, "2026-11-30 00:00"), spent(10, 10))
        spend(self.campaign, 5, "2026-12-01 00:00")
        self.assertEqual(brand_spent(self.brand, "2026-11-30 00:00"), spent(10, 10))
        self.assertEqual(brand_spent(self.brand, "2026-12-01 00:00"), spent(5, 5))

    def test_it_reaches_no_budget_before_its_day_comes(self) -> None:
        Brand.objects.update(daily_budget=5, monthly_budget=5)
        spend(self.campaign, 5, "2026-12-01 00:00")
        self.assertEqual(reasons_at(self.campaign, "2026-11-30 23:59:59.999999"), ACTIVE)
        self.assertEqual(
            reasons_at(self.campaign, "2026-12-01 00:00"),
            PauseReason.BRAND_DAILY_BUDGET | PauseReason.BRAND_MONTHLY_BUDGET,
        )

    def test_it_counts_on_its_day_when_it_was_folded_before(self) -> None:
        spend(self.campaign, 10, "2026-11-21 18:00")
        check_at(NOW)
        self.assertEqual(CampaignDay.objects.get().spend, 10)
        self.assertEqual(reasons_at(self.campaign, "2026-11-21 00:00"), PauseReason.CAMPAIGN_DAILY_LIMIT)


class ARowDatedInTheNextMonth(TestCase):
    """R3. It is none of this month's, so it is not taken off this month's spend either."""

    def test_it_leaves_a_monthly_budget_reached(self) -> None:
        brand = make_brand(monthly_budget=10)
        campaign = make_campaign(brand)
        spend(campaign, 10, NOW)
        for at in ("2026-12-01 00:00", "2026-12-31 23:59", "2027-01-01 00:00"):
            spend(campaign, 3, at)
            self.assertEqual(brand_spent(brand, NOW), spent(10, 10))
            fold()
            self.assertEqual(brand_spent(brand, NOW), spent(10, 10))
            self.assertEqual(reasons_at(campaign, NOW), PauseReason.BRAND_MONTHLY_BUDGET)


class ARowOfThePeriodBeforeReachesNothing(TestCase):
    """R3: the other side of each beginning, pending and folded."""

    def test_it_reaches_no_budget_after_its_period_has_ended(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=5, monthly_budget=5), daily_spend_limit=5)
        spend(campaign, 5, "2026-11-30 23:59:59.999999")
        every_limit = (
            PauseReason.CAMPAIGN_DAILY_LIMIT | PauseReason.BRAND_DAILY_BUDGET | PauseReason.BRAND_MONTHLY_BUDGET
        )
        for _ in range(2):
            self.assertEqual(reasons_at(campaign, "2026-11-30 00:00"), every_limit)
            self.assertEqual(reasons_at(campaign, "2026-12-01 00:00"), ACTIVE)
            fold()


class DaysAndMonthsAreTheBrands(TestCase):
    """R3: the same instant is today for one brand and yesterday for another."""

    def test_it_counts_an_instant_in_each_brands_own_day(self) -> None:
        new_york = make_campaign(make_brand(timezone="America/New_York"))
        kathmandu = make_campaign(make_brand(timezone="Asia/Kathmandu"))
        for campaign in (new_york, kathmandu):
            spend(campaign, 1, "2026-11-20 04:59:59.999999")  # the 19th in New York, 10:44 of the 20th in Kathmandu
        self.assertEqual((campaign_spent(new_york, NOW), campaign_spent(kathmandu, NOW)), (0, 1))

    def test_it_begins_a_month_at_the_local_midnight(self) -> None:
        brand = make_brand(timezone="Asia/Kathmandu")
        campaign = make_campaign(brand)
        spend(campaign, 1, "2026-10-31 18:14:59.999999")
        spend(campaign, 2, "2026-10-31 18:15")
        self.assertEqual(brand_spent(brand, "2026-10-31 18:14:59"), spent(1, 1))
        self.assertEqual(brand_spent(brand, "2026-10-31 18:15"), spent(2, 2))

    def test_it_counts_a_day_of_25_hours_whole(self) -> None:
        brand = make_brand(timezone="America/New_York")
        campaign = make_campaign(brand)
        for at in ("2026-11-01 03:59:59", "2026-11-01 04:00", "2026-11-02 04:59:59", "2026-11-02 05:00"):
            spend(campaign, 1, at)
        self.assertEqual(campaign_spent(campaign, "2026-11-01 12:00"), 2)
        fold()
        self.assertEqual(campaign_spent(campaign, "2026-11-01 12:00"), 2)

    def test_it_begins_a_day_whose_midnight_is_skipped_at_one(self) -> None:
        """In Santiago the clocks went from 24:00 of 2026-09-05 to 01:00, which was 04:00 UTC."""
        campaign = make_campaign(make_brand(timezone="America/Santiago"))
        spend(campaign, 1, "2026-09-06 03:59:59.999999")
        spend(campaign, 2, "2026-09-06 04:00")
        self.assertEqual(campaign_spent(campaign, "2026-09-06 03:59"), 1)
        self.assertEqual(campaign_spent(campaign, "2026-09-06 04:00"), 2)


class BrandsWhoseDaysDiffer(TestCase):
    """One decision for brands of which one has the last day of a month and the other the first of the next."""

    EAST, WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"

    def assert_reasons(self, *expected: PauseReason, at: str) -> None:
        """Assert what one decision says of all campaigns, pending and folded alike; enforcing would decide again."""
        for _ in range(2):
            found = {change.campaign_id: change.after for change in preview(Scope.everything(), now=utc(at))}
            campaigns = Campaign.objects.order_by("id").values_list("id", flat=True)
            self.assertEqual([found.get(campaign, ACTIVE) for campaign in campaigns], list(expected))
            fold()

    def test_it_counts_each_ones_own_day_and_month(self) -> None:
        at = "2026-12-01 06:00"
        for zone in (self.EAST, self.WEST):
            limits = {"daily_budget": 5, "monthly_budget": 5}
            spend(make_campaign(make_brand(timezone=zone, **limits), daily_spend_limit=5), 5, at)
        money = PauseReason.CAMPAIGN_DAILY_LIMIT | PauseReason.BRAND_DAILY_BUDGET | PauseReason.BRAND_MONTHLY_BUDGET
        self.assert_reasons(money, money, at=at)

    def test_it_leaves_ahead_in_the_west_what_is_today_in_the_east(self) -> None:
        spend(make_campaign(make_brand(timezone=self.WEST, monthly_budget=5)), 5, "2026-11-30 12:00")
        make_campaign(make_brand(timezone=self.EAST))
        self.assert_reasons(ACTIVE, ACTIVE, at="2026-11-29 12:00")

    def test_it_counts_no_day_or_month_that_is_only_the_others(self) -> None:
        for zone, at in ((self.EAST, "2026-11-30 09:00"), (self.WEST, "2026-12-01 12:00")):
            brand = make_brand(timezone=zone, daily_budget=5, monthly_budget=5)
            spend(make_campaign(brand, daily_spend_limit=5), 5, at)
        self.assert_reasons(ACTIVE, ACTIVE, at="2026-12-01 06:00")


class MoneySpentIsMoneySpent(TestCase):
    """R3: a paused campaign's spend still counts."""

    def test_it_counts_spend_of_a_campaign_that_is_switched_off(self) -> None:
        brand = make_brand(daily_budget=10)
        off, on = make_campaign(brand, enabled=False), make_campaign(brand)
        enforce_at(NOW)
        spend(off, 10, NOW)
        enforce_at(NOW)
        self.assertEqual(reasons_of(on), PauseReason.BRAND_DAILY_BUDGET)
        self.assertEqual(reasons_of(off), PauseReason.CAMPAIGN_DISABLED | PauseReason.BRAND_DAILY_BUDGET)

    def test_it_counts_spend_beyond_a_limit_in_full(self) -> None:
        campaign = make_campaign(daily_spend_limit=10)
        spend(campaign, 10, NOW)
        check_at(NOW)
        spend(campaign, 7, NOW)
        check_at(NOW)
        self.assertEqual(campaign_spent(campaign, NOW), 17)
