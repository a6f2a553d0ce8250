"""R1: a campaign is active if and only if no pause reason holds."""

from __future__ import annotations

from datetime import date

from django.test import SimpleTestCase, TestCase

from campaigns.models import Campaign
from campaigns.rules.reasons import ALL_REASONS, PauseReason
from campaigns.tests.support.checking import ACTIVE, enforce_at, reasons_at, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend

NOON = "2026-11-20 12:00"  # a Friday
FRIDAY = date(2026, 11, 20)
SATURDAY = 1 << 5


class TheReasonsAreTheOnesOfTheDesign(SimpleTestCase):
    """R1."""

    def test_it_names_them_in_order(self) -> None:
        self.assertEqual(
            ALL_REASONS.codes,
            [
                "campaign_disabled",
                "brand_disabled",
                "not_started",
                "ended",
                "outside_schedule",
                "campaign_daily_limit",
                "brand_daily_budget",
                "brand_monthly_budget",
            ],
        )


class StatusFollowsFromTheReasons(TestCase):
    """R1."""

    def test_it_is_active_without_a_reason(self) -> None:
        campaign = make_campaign()
        self.assertEqual(reasons_at(campaign, NOON), ACTIVE)
        self.assertEqual(Campaign.objects.get().status, "active")

    def test_it_is_paused_by_each_reason_alone(self) -> None:
        campaign = make_campaign()
        for reason in PauseReason:
            with self.subTest(reason.name):
                Campaign.objects.update(pause_reasons=int(reason))
                campaign.refresh_from_db()
                self.assertEqual(campaign.status, "paused")

    def test_it_is_active_again_when_the_last_reason_goes(self) -> None:
        campaign = make_campaign(make_brand(enabled=False), enabled=False)
        self.assertEqual(reasons_at(campaign, NOON), PauseReason.CAMPAIGN_DISABLED | PauseReason.BRAND_DISABLED)
        campaign.brand.enabled = True
        campaign.brand.save()
        self.assertEqual(reasons_at(campaign, NOON), PauseReason.CAMPAIGN_DISABLED)
        Campaign.objects.update(enabled=True)
        self.assertEqual(reasons_at(campaign, NOON), ACTIVE)
        self.assertEqual(Campaign.objects.get().status, "active")


class SwitchesPause(TestCase):
    """R1: campaign_disabled and brand_disabled."""

    def test_it_pauses_a_campaign_that_is_switched_off_and_no_other(self) -> None:
        brand = make_brand()
        off, on = make_campaign(brand, enabled=False), make_campaign(brand)
        enforce_at(NOON)
        self.assertEqual((reasons_of(off), reasons_of(on)), (PauseReason.CAMPAIGN_DISABLED, ACTIVE))

    def test_it_pauses_all_campaigns_of_a_brand_that_is_switched_off(self) -> None:
        brand = make_brand(enabled=False)
        one, two, other = make_campaign(brand), make_campaign(brand), make_campaign()
        enforce_at(NOON)
        self.assertEqual((reasons_of(one), reasons_of(two)), (PauseReason.BRAND_DISABLED, PauseReason.BRAND_DISABLED))
        self.assertEqual(reasons_of(other), ACTIVE)


class DatesAreTheBrandsAndInclusive(TestCase):
    """R1: not_started and ended. New York is five hours behind UTC in November."""

    def test_it_starts_with_the_local_midnight_of_its_first_day(self) -> None:
        campaign = make_campaign(make_brand(timezone="America/New_York"), starts_on=FRIDAY)
        self.assertEqual(reasons_at(campaign, "2026-11-20 04:59:59.999999"), PauseReason.NOT_STARTED)
        self.assertEqual(reasons_at(campaign, "2026-11-20 05:00"), ACTIVE)

    def test_it_ends_after_the_last_instant_of_its_last_day(self) -> None:
        campaign = make_campaign(make_brand(timezone="America/New_York"), ends_on=FRIDAY)
        self.assertEqual(reasons_at(campaign, "2026-11-21 04:59:59.999999"), ACTIVE)
        self.assertEqual(reasons_at(campaign, "2026-11-21 05:00"), PauseReason.ENDED)

    def test_it_runs_for_a_day_that_is_both_first_and_last(self) -> None:
        campaign = make_campaign(make_brand(timezone="Asia/Kathmandu"), starts_on=FRIDAY, ends_on=FRIDAY)
        self.assertEqual(reasons_at(campaign, "2026-11-19 18:14:59"), PauseReason.NOT_STARTED)
        self.assertEqual(reasons_at(campaign, "2026-11-19 18:15"), ACTIVE)
        self.assertEqual(reasons_at(campaign, "2026-11-20 18:14:59"), ACTIVE)
        self.assertEqual(reasons_at(campaign, "2026-11-20 18:15"), PauseReason.ENDED)

    def test_it_knows_the_29th_of_february(self) -> None:
        campaign = make_campaign(starts_on=date(2028, 2, 29), ends_on=date(2028, 2, 29))
        self.assertEqual(reasons_at(campaign, "2028-02-28 23:59"), PauseReason.NOT_STARTED)
        self.assertEqual(reasons_at(campaign, "2028-02-29 12:00"), ACTIVE)
        self.assertEqual(reasons_at(campaign, "2028-03-01 00:00"), PauseReason.ENDED)

    def test_it_runs_at_any_date_without_dates(self) -> None:
        campaign = make_campaign()
        self.assertEqual(reasons_at(campaign, "2012-01-02 00:00"), ACTIVE)
        self.assertEqual(reasons_at(campaign, "2099-12-30 00:00"), ACTIVE)


class ScheduleAndBudgetsPause(TestCase):
    """R1: outside_schedule and the three limits; R7 and R2 say exactly when."""

    def test_it_pauses_outside_its_windows_only(self) -> None:
        campaign = make_campaign()
        make_window(campaign, days=SATURDAY)
        self.assertEqual(reasons_at(campaign, "2026-11-20 23:59"), PauseReason.OUTSIDE_SCHEDULE)
        self.assertEqual(reasons_at(campaign, "2026-11-21 00:00"), ACTIVE)

    def test_it_pauses_the_campaign_alone_at_its_own_limit(self) -> None:
        brand = make_brand()
        limited, sibling = make_campaign(brand, daily_spend_limit=5), make_campaign(brand)
        spend(limited, 5, NOON)
        enforce_at(NOON)
        self.assertEqual((reasons_of(limited), reasons_of(sibling)), (PauseReason.CAMPAIGN_DAILY_LIMIT, ACTIVE))

    def test_it_pauses_every_campaign_at_a_budget_of_the_brand(self) -> None:
        for budget, reason in (
            ("daily_budget", PauseReason.BRAND_DAILY_BUDGET),
            ("monthly_budget", PauseReason.BRAND_MONTHLY_BUDGET),
        ):
            with self.subTest(budget):
                brand = make_brand(**{budget: 5})
                spender, sibling = make_campaign(brand), make_campaign(brand)
                spend(spender, 5, NOON)
                enforce_at(NOON)
                self.assertEqual((reasons_of(spender), reasons_of(sibling)), (reason, reason))


class EveryReasonIsKept(TestCase):
    """R1: every reason that holds now, not only the first."""

    def test_it_keeps_all_that_can_hold_at_once(self) -> None:
        brand = make_brand(enabled=False, daily_budget=1, monthly_budget=1)
        early = make_campaign(brand, enabled=False, daily_spend_limit=1, starts_on=date(2026, 11, 21))
        late = make_campaign(brand, enabled=False, daily_spend_limit=1, ends_on=date(2026, 11, 19))
        for campaign in (early, late):
            make_window(campaign, days=SATURDAY)
            spend(campaign, 1, NOON)
        enforce_at(NOON)
        self.assertEqual(reasons_of(early), ALL_REASONS ^ PauseReason.ENDED)
        self.assertEqual(reasons_of(late), ALL_REASONS ^ PauseReason.NOT_STARTED)
