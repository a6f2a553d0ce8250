"""R2: reached means limit = 0 or spend >= limit, for all three limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.test import TestCase

from campaigns.models import Campaign
from campaigns.rules.reasons import PauseReason
from campaigns.tests.support.checking import ACTIVE, reasons_at
from campaigns.tests.support.factories import make_brand, make_campaign, spend

NOON = "2026-11-20 12:00"

LIMITED: dict[PauseReason, Callable[[Any], Campaign]] = {
    PauseReason.CAMPAIGN_DAILY_LIMIT: lambda limit: make_campaign(daily_spend_limit=limit),
    PauseReason.BRAND_DAILY_BUDGET: lambda limit: make_campaign(make_brand(daily_budget=limit)),
    PauseReason.BRAND_MONTHLY_BUDGET: lambda limit: make_campaign(make_brand(monthly_budget=limit)),
}


class LimitTestCase(TestCase):
    def assert_reached(self, limit: str | int | None, *amounts: str, reached: bool) -> None:
        """Spend the amounts under each of the three limits in turn, and look whether just that one pauses."""
        for reason, limited in LIMITED.items():
            with self.subTest(reason.name):
                campaign = limited(limit)
                for amount in amounts:
                    spend(campaign, amount, NOON)
                self.assertEqual(reasons_at(campaign, NOON), reason if reached else ACTIVE)


class ReachedMeansAtOrAbove(LimitTestCase):
    """R2."""

    def test_it_is_not_reached_a_millionth_below(self) -> None:
        self.assert_reached("10", "9.999999", reached=False)

    def test_it_is_reached_exactly_at_the_limit(self) -> None:
        self.assert_reached("10", "9.999999", "0.000001", reached=True)

    def test_it_is_reached_above(self) -> None:
        self.assert_reached("10", "10.000001", reached=True)

    def test_it_is_not_reached_without_spend(self) -> None:
        self.assert_reached("0.000001", reached=False)

    def test_it_is_reached_by_the_smallest_amount_at_the_smallest_limit(self) -> None:
        self.assert_reached("0.000001", "0.000001", reached=True)


class ZeroMeansThatNothingMayBeSpent(LimitTestCase):
    """R2."""

    def test_it_is_reached_without_spend(self) -> None:
        self.assert_reached(0, reached=True)

    def test_it_is_reached_by_any_spend(self) -> None:
        self.assert_reached(0, "0.000001", reached=True)

    def test_it_is_not_opened_by_a_refund(self) -> None:
        self.assert_reached(0, "-5", reached=True)

    def test_it_is_not_opened_by_spend_that_was_refunded(self) -> None:
        self.assert_reached(0, "5", "-5", reached=True)


class EmptyMeansNoLimit(LimitTestCase):
    """R2."""

    def test_it_is_never_reached(self) -> None:
        self.assert_reached(None, "999999999.999999", reached=False)

    def test_it_is_not_reached_by_a_refund(self) -> None:
        self.assert_reached(None, "-5", reached=False)


class ARefundOpensALimitAboveZero(LimitTestCase):
    """R2 with R10."""

    def test_it_is_not_reached_when_a_refund_brings_spend_below_it(self) -> None:
        self.assert_reached("10", "10", "-0.000001", reached=False)

    def test_it_is_reached_when_a_refund_brings_spend_down_to_it(self) -> None:
        self.assert_reached("10", "12", "-2", reached=True)

    def test_it_is_not_reached_by_a_sum_below_zero(self) -> None:
        self.assert_reached("10", "-20", reached=False)
