"""R9: a budget that changes within a period holds for the whole of that period."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.test import TestCase

from campaigns.models import Brand, BrandPeriod, Campaign
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement.saving import begin_change, finish_change
from campaigns.services.scope import Scope
from campaigns.tests.support.checking import ACTIVE, check_at, period, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

MORNING, NOON = "2026-11-20 09:00", "2026-11-20 12:00"


def set_budgets(brand: Brand, at: str, **budgets: Any) -> None:
    """Set a brand's budgets as the admin does."""
    with transaction.atomic():
        begin_change([brand.pk], clock=lambda: utc(at))
        Brand.objects.filter(pk=brand.pk).update(**budgets)
        finish_change(Scope.of_brands([brand.pk]), clock=lambda: utc(at), actor="amara")


class ABudgetHoldsForTheWholePeriod(TestCase):
    """R9. 50 were spent in the morning, before each change."""

    def setUp(self) -> None:
        self.brand = make_brand(daily_budget=50, monthly_budget=1000)
        self.campaign = make_campaign(self.brand)
        spend(self.campaign, 50, MORNING)
        check_at(MORNING)

    def assert_after(self, reasons: PauseReason, **budgets: Any) -> None:
        set_budgets(self.brand, NOON, **budgets)
        self.assertEqual(reasons_of(self.campaign), reasons)

    def test_it_resumes_when_a_daily_budget_is_raised_above_the_spend(self) -> None:
        self.assert_after(ACTIVE, daily_budget=Decimal("50.000001"))

    def test_it_stays_paused_when_it_is_raised_to_the_spend_at_most(self) -> None:
        set_budgets(self.brand, NOON, daily_budget=40)
        self.assert_after(PauseReason.BRAND_DAILY_BUDGET, daily_budget=50)

    def test_it_pauses_when_a_daily_budget_is_lowered_to_the_spend(self) -> None:
        self.assert_after(ACTIVE, daily_budget=60)
        self.assert_after(PauseReason.BRAND_DAILY_BUDGET, daily_budget=50)

    def test_it_counts_the_whole_month_against_a_new_monthly_budget(self) -> None:
        spend(self.campaign, 100, "2026-11-01 00:00")
        self.assert_after(PauseReason.BRAND_MONTHLY_BUDGET, daily_budget=None, monthly_budget=150)
        self.assert_after(ACTIVE, monthly_budget=Decimal("150.000001"))

    def test_it_counts_the_whole_day_against_a_new_campaign_limit(self) -> None:
        set_budgets(self.brand, NOON, daily_budget=None)
        Campaign.objects.update(daily_spend_limit=50)
        check_at(NOON)
        self.assertEqual(reasons_of(self.campaign), PauseReason.CAMPAIGN_DAILY_LIMIT)
        Campaign.objects.update(daily_spend_limit=51)
        check_at(NOON)
        self.assertEqual(reasons_of(self.campaign), ACTIVE)

    def test_it_resumes_when_a_budget_is_taken_away(self) -> None:
        self.assert_after(ACTIVE, daily_budget=None)

    def test_it_keeps_the_last_budget_when_the_period_is_closed(self) -> None:
        set_budgets(self.brand, NOON, daily_budget=60)
        set_budgets(self.brand, NOON, daily_budget=70)
        check_at("2026-11-21 00:00")
        self.assertEqual(period(self.brand, "day", "2026-11-20").budget_at_close, 70)


class AnEndedPeriodKeepsItsBudget(TestCase):
    """R9 and part 4: editing a budget closes the brand's ended periods first."""

    def setUp(self) -> None:
        self.brand = make_brand(daily_budget=50, monthly_budget=500, created_at=utc("2026-11-29 08:00"))
        self.campaign = make_campaign(self.brand)
        spend(self.campaign, 30, "2026-11-29 09:00")

    def test_it_closes_them_with_the_budget_that_held(self) -> None:
        set_budgets(self.brand, "2026-12-01 12:00", daily_budget=20, monthly_budget=100)
        rows = BrandPeriod.objects.order_by("kind", "starts_on")
        self.assertEqual(
            [(str(row), row.spend_at_close, row.budget_at_close) for row in rows],
            [("2026-11-29", 30, 50), ("2026-11-30", 0, 50), ("2026-11", 30, 500)],
        )

    def test_it_closes_them_with_a_budget_that_is_taken_away(self) -> None:
        set_budgets(self.brand, "2026-11-30 00:00", daily_budget=None)
        check_at("2026-12-01 12:00")
        self.assertEqual(period(self.brand, "day", "2026-11-29").budget_at_close, 50)
        self.assertFalse(BrandPeriod.objects.filter(kind="day", starts_on="2026-11-30").exists())

    def test_it_leaves_the_period_open_that_has_not_ended(self) -> None:
        set_budgets(self.brand, "2026-11-29 23:59:59", daily_budget=20)
        self.assertFalse(BrandPeriod.objects.filter(closed_at__isnull=False).exists())
        check_at("2026-11-30 00:00")
        self.assertEqual(period(self.brand, "day", "2026-11-29").budget_at_close, 20)

    def test_it_does_not_close_again_what_is_closed(self) -> None:
        check_at("2026-11-30 00:00")
        set_budgets(self.brand, "2026-11-30 12:00", daily_budget=20)
        check_at("2026-11-30 13:00")
        day = period(self.brand, "day", "2026-11-29")
        self.assertEqual((day.budget_at_close, day.closed_at), (50, utc("2026-11-30 00:00")))
