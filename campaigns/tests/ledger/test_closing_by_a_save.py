"""A person's save closes ended periods first (part 4): their statements are right at once, before any check."""

from __future__ import annotations

from django.test import TestCase

from campaigns.models import PendingSpend
from campaigns.services.ledger.fold import fold
from campaigns.tests.support.checking import check_at, period
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.ledger import change_brand


class ASaveJustAfterMidnight(TestCase):
    """A day with a budget of 100, of which 60 is folded and 70 still pending when somebody raises the budget."""

    def setUp(self) -> None:
        self.brand = make_brand(daily_budget=100, created_at=utc("2026-11-19"))
        self.campaign = make_campaign(self.brand)
        spend(self.campaign, 60, "2026-11-19 12:00")
        check_at("2026-11-19 23:55")
        spend(self.campaign, 70, "2026-11-19 23:58")
        change_brand(self.brand, "2026-11-20 00:01", daily_budget=500)

    def test_it_closes_the_day_with_all_its_spend_and_the_budget_that_held(self) -> None:
        day = period(self.brand, "day", "2026-11-19")
        self.assertEqual((day.spend, day.spend_at_close, day.budget_at_close), (130, 130, 100))
        self.assertEqual((day.overspend, day.adjustment), (30, 0))

    def test_it_leaves_the_pending_spend_of_other_brands_to_the_next_check(self) -> None:
        other = make_campaign()
        spend(other, 5, "2026-11-19 23:58")
        change_brand(self.brand, "2026-11-21 00:01", daily_budget=600)
        self.assertEqual(PendingSpend.objects.get().campaign_id, other.pk)

    def test_it_counts_nothing_twice_at_the_next_fold(self) -> None:
        fold()
        self.assertEqual(period(self.brand, "day", "2026-11-19").adjustment, 0)
