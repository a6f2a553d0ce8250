"""R13: every change of a campaign's reasons leaves a line of history."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import time_machine
from django.db import DatabaseError, transaction
from django.test import TestCase
from django.utils import timezone

from campaigns.models import Brand, Campaign, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement.saving import begin_change, finish_change
from campaigns.services.scope import Scope
from campaigns.tasks import check_budgets, reset_daily_spend, reset_monthly_spend
from campaigns.tests.support.checking import ACTIVE, check_at, enforce_at, history, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

NOON = "2026-11-20 12:00"
LIMIT, DISABLED = PauseReason.CAMPAIGN_DAILY_LIMIT, PauseReason.CAMPAIGN_DISABLED


class EveryChangeLeavesALine(TestCase):
    """R13."""

    def test_it_says_when_which_campaign_and_what_changed(self) -> None:
        campaign = make_campaign(enabled=False)
        enforce_at(NOON)
        line = StatusChange.objects.get()
        self.assertEqual((line.campaign_id, line.at, line.actor), (campaign.pk, utc(NOON), "test"))
        self.assertEqual((line.reasons_before, line.reasons_after), (ACTIVE, DISABLED))

    def test_it_keeps_the_real_time_of_writing_beside_the_instant(self) -> None:
        make_campaign(enabled=False)
        enforce_at("2030-01-01 00:00")
        line = StatusChange.objects.get()
        self.assertEqual(line.at, utc("2030-01-01 00:00"))
        self.assertLess(abs(timezone.now() - line.recorded_at), timedelta(minutes=1))

    def test_it_tells_a_change_between_two_sets_of_reasons(self) -> None:
        campaign = make_campaign(enabled=False, daily_spend_limit=10)
        enforce_at(NOON)
        spend(campaign, 10, NOON)
        enforce_at(NOON)
        Campaign.objects.update(enabled=True)
        enforce_at(NOON)
        enforce_at("2026-11-21 00:00")
        steps = [ACTIVE, DISABLED, DISABLED | LIMIT, LIMIT, ACTIVE]
        self.assertEqual(history(campaign), list(pairwise(steps)))

    def test_it_writes_nothing_where_nothing_changes(self) -> None:
        make_campaign()
        make_campaign(enabled=False)
        enforce_at(NOON)
        enforce_at("2026-11-21 12:00")
        self.assertEqual(StatusChange.objects.count(), 1)

    def test_it_writes_one_line_for_each_campaign_that_changed(self) -> None:
        brand = make_brand(enabled=False)
        campaigns = [make_campaign(brand) for _ in range(3)]
        make_campaign()
        enforce_at(NOON)
        self.assertEqual([len(history(campaign)) for campaign in campaigns], [1, 1, 1])
        self.assertEqual(StatusChange.objects.count(), 3)


class ALineSaysWhatItWasDecidedOn(TestCase):
    """R13: the spend and the limits."""

    def test_it_writes_them_in_the_order_of_the_campaigns(self) -> None:
        campaigns = [make_campaign(enabled=False) for _ in range(3)]
        enforce_at(NOON)
        lines = StatusChange.objects.order_by("id").values_list("campaign", flat=True)
        self.assertEqual(list(lines), [campaign.pk for campaign in campaigns])

    def test_it_keeps_spend_and_limits_in_the_brands_day_and_month(self) -> None:
        brand = make_brand(daily_budget="30.5", monthly_budget=100)
        campaign, sibling = make_campaign(brand, daily_spend_limit=20), make_campaign(brand)
        spend(campaign, "20.000001", NOON)
        spend(sibling, 10, NOON)
        spend(sibling, 5, "2026-11-01 00:00")
        enforce_at(NOON)
        line = StatusChange.objects.get()
        self.assertEqual((line.campaign_spend, line.campaign_limit), (Decimal("20.000001"), 20))
        self.assertEqual((line.brand_day_spend, line.brand_daily_budget), (Decimal("30.000001"), Decimal("30.5")))
        self.assertEqual((line.brand_month_spend, line.brand_monthly_budget), (Decimal("35.000001"), 100))

    def test_it_keeps_no_limit_as_none_and_0_as_0(self) -> None:
        make_campaign(make_brand(daily_budget=0))
        enforce_at(NOON)
        line = StatusChange.objects.get()
        self.assertEqual((line.campaign_limit, line.brand_daily_budget, line.brand_monthly_budget), (None, 0, None))
        self.assertEqual((line.campaign_spend, line.brand_day_spend, line.brand_month_spend), (0, 0, 0))

    def test_it_keeps_what_was_true_when_it_was_written(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=10))
        spend(campaign, 10, NOON)
        check_at(NOON)
        Brand.objects.update(daily_budget=50)
        spend(campaign, 5, NOON)
        line = StatusChange.objects.get()
        self.assertEqual((line.brand_day_spend, line.brand_daily_budget), (10, 10))


class ALineSaysWhoDidIt(TestCase):
    """R13: a person or the job."""

    def test_it_names_the_job(self) -> None:
        for job, name in (
            (check_budgets, "check_budgets"),
            (reset_daily_spend, "reset_daily_spend"),
            (reset_monthly_spend, "reset_monthly_spend"),
        ):
            with self.subTest(name), time_machine.travel(utc(NOON), tick=False):
                campaign = make_campaign(enabled=False)
                job()
                self.assertEqual(StatusChange.objects.get(campaign=campaign).actor, name)

    def test_it_names_the_person(self) -> None:
        campaign = make_campaign()
        with transaction.atomic():
            begin_change([campaign.brand_id], clock=lambda: utc(NOON))
            Campaign.objects.update(enabled=False)
            finish_change(Scope.of_campaigns([campaign.pk]), clock=lambda: utc(NOON), actor="amara")
        self.assertEqual(StatusChange.objects.get().actor, "amara")


class ALineBelongsToItsChange(TestCase):
    """R13: it is written in the transaction of the change and never edited."""

    def test_it_goes_with_a_change_that_is_rolled_back(self) -> None:
        campaign = make_campaign(enabled=False)
        with transaction.atomic():
            enforce_at(NOON)
            self.assertEqual(len(history(campaign)), 1)
            transaction.set_rollback(True)
        self.assertEqual((history(campaign), reasons_of(campaign)), ([], ACTIVE))

    def test_it_is_never_edited(self) -> None:
        make_campaign(enabled=False)
        enforce_at(NOON)
        with self.assertRaisesMessage(DatabaseError, "never edited"), transaction.atomic():
            StatusChange.objects.update(actor="nobody")
        self.assertEqual(StatusChange.objects.get().actor, "test")
