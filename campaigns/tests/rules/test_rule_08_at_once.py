"""R8: a change that a person makes takes effect at once, in the same transaction: what the admin calls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.db import transaction
from django.test import TestCase

from campaigns.database.connection import execute
from campaigns.models import Brand, Campaign, DaypartingSchedule, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement.enforce import Enforcement
from campaigns.services.enforcement.saving import begin_change, finish_change
from campaigns.services.scope import Scope
from campaigns.tests.support.checking import ACTIVE, check_at, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend, utc

NOON = "2026-11-20 12:00"  # a Friday
SATURDAY = 1 << 5


class ChangeTestCase(TestCase):
    def setUp(self) -> None:
        self.brand = make_brand(daily_budget=10)
        self.campaign = make_campaign(self.brand)

    def change(self, write: Callable[[], Any], scope: Scope | None = None, at: str = NOON) -> Enforcement:
        """Do what a save of the admin does, in the name of amara."""
        with transaction.atomic():
            begin_change([self.brand.pk], clock=lambda: utc(at))
            write()
            return finish_change(scope or Scope.of_brands([self.brand.pk]), clock=lambda: utc(at), actor="amara")

    def assert_change(self, write: Callable[[], Any], *reasons: PauseReason) -> None:
        self.change(write)
        self.assertEqual(reasons_of(self.campaign), sum(reasons, ACTIVE))


class AChangeTakesEffectAtOnce(ChangeTestCase):
    """R8: every kind of fact that people change."""

    def test_it_pauses_what_is_switched_off_and_resumes_what_is_switched_on(self) -> None:
        self.assert_change(lambda: Campaign.objects.update(enabled=False), PauseReason.CAMPAIGN_DISABLED)
        self.assert_change(lambda: Campaign.objects.update(enabled=True))
        self.assert_change(lambda: Brand.objects.update(enabled=False), PauseReason.BRAND_DISABLED)
        self.assert_change(lambda: Brand.objects.update(enabled=True))

    def test_it_looks_at_budgets_anew(self) -> None:
        spend(self.campaign, 5, NOON)
        self.assert_change(lambda: Brand.objects.update(daily_budget=5), PauseReason.BRAND_DAILY_BUDGET)
        self.assert_change(lambda: Brand.objects.update(daily_budget=6))
        self.assert_change(lambda: Brand.objects.update(monthly_budget=5), PauseReason.BRAND_MONTHLY_BUDGET)
        self.assert_change(lambda: Brand.objects.update(monthly_budget=None))
        self.assert_change(lambda: Campaign.objects.update(daily_spend_limit=0), PauseReason.CAMPAIGN_DAILY_LIMIT)

    def test_it_looks_at_dates_and_windows_anew(self) -> None:
        self.assert_change(lambda: Campaign.objects.update(starts_on=date(2026, 11, 21)), PauseReason.NOT_STARTED)
        self.assert_change(lambda: Campaign.objects.update(starts_on=None))
        self.assert_change(lambda: make_window(self.campaign, SATURDAY), PauseReason.OUTSIDE_SCHEDULE)
        self.assert_change(lambda: DaypartingSchedule.objects.all().delete())

    def test_it_looks_at_the_day_of_a_new_zone(self) -> None:
        Campaign.objects.update(starts_on=date(2026, 11, 20))
        at = "2026-11-20 03:00"
        self.change(lambda: Brand.objects.update(timezone="America/New_York"), at=at)
        self.assertEqual(reasons_of(self.campaign), PauseReason.NOT_STARTED)
        self.change(lambda: Brand.objects.update(timezone="Europe/London"), at=at)
        self.assertEqual(reasons_of(self.campaign), ACTIVE)

    def test_it_counts_folded_spend_in_the_day_of_a_new_zone(self) -> None:
        spend(self.campaign, 10, "2026-11-20 03:00")  # the evening of the 19th in New York
        check_at(NOON)
        self.assertEqual(reasons_of(self.campaign), PauseReason.BRAND_DAILY_BUDGET)
        self.assert_change(lambda: Brand.objects.update(timezone="America/New_York"))

    def test_it_gives_a_new_campaign_its_reasons(self) -> None:
        Brand.objects.update(daily_budget=0)
        self.change(lambda: make_campaign(self.brand, name="new"), Scope.of_brands([self.brand.pk]))
        self.assertEqual(Campaign.objects.get(name="new").reasons, PauseReason.BRAND_DAILY_BUDGET)

    def test_it_changes_many_at_once(self) -> None:
        others = [make_campaign(self.brand) for _ in range(4)]
        result = self.change(lambda: Campaign.objects.update(enabled=False))
        self.assertEqual((result.changed, result.paused), (5, 5))
        self.assertEqual({reasons_of(campaign) for campaign in others}, {PauseReason.CAMPAIGN_DISABLED})

    def test_it_says_who_did_it(self) -> None:
        self.change(lambda: Campaign.objects.update(enabled=False))
        line = StatusChange.objects.get()
        self.assertEqual((line.actor, line.at), ("amara", utc(NOON)))


class AChangeEnforcesWhatItTouched(ChangeTestCase):
    """R8."""

    def test_it_leaves_other_brands_to_the_next_check(self) -> None:
        other = make_campaign(enabled=False)
        self.change(lambda: Campaign.objects.filter(pk=self.campaign.pk).update(enabled=False))
        self.assertEqual(reasons_of(other), ACTIVE)
        check_at(NOON)
        self.assertEqual(reasons_of(other), PauseReason.CAMPAIGN_DISABLED)

    def test_it_leaves_the_brands_other_campaigns_to_the_next_check(self) -> None:
        other = make_campaign(self.brand)
        self.change(lambda: Campaign.objects.update(enabled=False), Scope.of_campaigns([self.campaign.pk]))
        self.assertEqual(reasons_of(self.campaign), PauseReason.CAMPAIGN_DISABLED)
        self.assertEqual(reasons_of(other), ACTIVE)
        self.assertEqual([line.campaign for line in StatusChange.objects.all()], [self.campaign])

    def test_it_enforces_a_single_campaign_by_the_spend_of_the_whole_brand(self) -> None:
        spend(make_campaign(self.brand), 10, NOON)
        self.change(lambda: None, Scope.of_campaigns([self.campaign.pk]))
        self.assertEqual(reasons_of(self.campaign), PauseReason.BRAND_DAILY_BUDGET)


class AChangeAndItsEffectAreOneTransaction(ChangeTestCase):
    """R8."""

    def test_it_undoes_the_effect_with_the_change(self) -> None:
        with self.assertRaisesMessage(ZeroDivisionError, "later"), transaction.atomic():
            self.change(lambda: Campaign.objects.update(enabled=False))
            self.assertEqual(reasons_of(self.campaign), PauseReason.CAMPAIGN_DISABLED)
            raise ZeroDivisionError("later")
        self.campaign.refresh_from_db()
        self.assertEqual((self.campaign.enabled, self.campaign.reasons), (True, ACTIVE))
        self.assertEqual(StatusChange.objects.count(), 0)

    def test_it_undoes_the_change_when_its_effect_fails(self) -> None:
        with self.assertRaises(ValueError), transaction.atomic():
            begin_change([self.brand.pk], clock=lambda: utc(NOON))
            Campaign.objects.update(enabled=False)
            finish_change(Scope.everything(), clock=lambda: utc("no time"), actor="amara")
        self.campaign.refresh_from_db()
        self.assertEqual((self.campaign.enabled, self.campaign.reasons), (True, ACTIVE))


class WhatSqlChangesWaitsForTheNextCheck(ChangeTestCase):
    """R8."""

    def test_it_takes_effect_at_the_next_full_check(self) -> None:
        execute("UPDATE campaigns_campaign SET enabled = %s WHERE id = %s", [False, self.campaign.pk])
        self.assertEqual(reasons_of(self.campaign), ACTIVE)
        check_at(NOON)
        self.assertEqual(reasons_of(self.campaign), PauseReason.CAMPAIGN_DISABLED)
