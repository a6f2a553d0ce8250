"""R6: enforcement is idempotent and level-triggered: it looks only at facts."""

from __future__ import annotations

from datetime import date
from typing import Any
from unittest.mock import patch

import time_machine
from django.test import TestCase

from campaigns.models import BrandPeriod, Campaign, JobRun, PendingSpend, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement import enforce as enforcement
from campaigns.services.enforcement.enforce import Change, enforce
from campaigns.services.scope import Scope
from campaigns.tasks import check_budgets, reset_daily_spend
from campaigns.tests.support.checking import ACTIVE, check_at, enforce_at, history, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend, utc

NOON = "2026-11-20 12:00"


def make_world() -> list[Campaign]:
    """Make campaigns whose reasons change again and again over a week."""
    brand = make_brand(daily_budget=20, monthly_budget=70, created_at=utc("2026-11-16 00:00"))
    spender, dated, windowed = make_campaign(brand), make_campaign(brand, ends_on=date(2026, 11, 18)), make_campaign()
    make_window(windowed, start="09:00", end="17:00")
    for day in range(16, 24):
        spend(spender, 10 + day % 3 * 10, f"2026-11-{day} 11:00")
    return [spender, dated, windowed]


class RunTwiceItEndsInTheSameState(TestCase):
    """R6."""

    def test_it_changes_nothing_the_second_time(self) -> None:
        make_world()
        self.assertGreater(enforce_at("2026-11-20 20:00").changed, 0)
        lines = StatusChange.objects.count()
        again = enforce_at("2026-11-20 20:00")
        self.assertEqual((again.changed, again.paused, again.resumed), (0, 0, 0))
        self.assertEqual(StatusChange.objects.count(), lines)

    def test_it_closes_nothing_the_second_time(self) -> None:
        make_world()
        self.assertGreater(check_at("2026-11-23 12:00").closed, 0)
        before = list(BrandPeriod.objects.order_by("id").values())
        again = check_at("2026-11-23 12:30")
        self.assertEqual((again.closed, again.folded, again.zone_changes), (0, 0, 0))
        self.assertEqual(list(BrandPeriod.objects.order_by("id").values()), before)

    def test_it_counts_what_it_changed(self) -> None:
        paused, resumed = make_campaign(enabled=False), make_campaign()
        other = make_campaign(enabled=False)
        Campaign.objects.filter(pk=resumed.pk).update(pause_reasons=int(PauseReason.ENDED))
        Campaign.objects.filter(pk=other.pk).update(pause_reasons=int(PauseReason.ENDED))
        result = enforce_at(NOON)
        self.assertEqual((result.changed, result.paused, result.resumed), (3, 1, 1))
        self.assertEqual(reasons_of(paused), PauseReason.CAMPAIGN_DISABLED)


class LateItEndsInTheSameState(TestCase):
    """R6: what ran or didn't run before makes no difference."""

    def test_it_ends_after_a_week_of_downtime_as_if_it_had_run_all_the_time(self) -> None:
        always, never = make_world(), make_world()
        for day in range(16, 24):
            for hour in ("00:00", "11:05", "17:00"):
                for campaign in always:
                    enforce_at(f"2026-11-{day} {hour}", Scope.of_campaigns([campaign.pk]))
        check_at("2026-11-23 18:00")
        self.assertEqual([reasons_of(campaign) for campaign in always], [reasons_of(campaign) for campaign in never])
        self.assertGreater(len(history(always[0])), len(history(never[0])))

    def test_it_puts_everything_right_with_one_check(self) -> None:
        spender, dated, windowed = make_world()
        check_at("2026-11-23 12:00")
        self.assertEqual(
            [reasons_of(spender), reasons_of(dated), reasons_of(windowed)],
            [
                PauseReason.BRAND_DAILY_BUDGET | PauseReason.BRAND_MONTHLY_BUDGET,
                PauseReason.ENDED | PauseReason.BRAND_DAILY_BUDGET | PauseReason.BRAND_MONTHLY_BUDGET,
                ACTIVE,
            ],
        )

    def test_it_closes_every_day_that_it_missed_once(self) -> None:
        brand = make_world()[0].brand
        check_at("2026-11-23 12:00")
        closed = BrandPeriod.objects.filter(brand=brand, kind="day", closed_at__isnull=False).order_by("starts_on")
        self.assertEqual(
            [(row.starts_on.day, row.spend_at_close, row.budget_at_close) for row in closed],
            [(16, 20, 20), (17, 30, 20), (18, 10, 20), (19, 20, 20), (20, 30, 20), (21, 10, 20), (22, 20, 20)],
        )

    def test_it_makes_no_difference_which_job_comes_first(self) -> None:
        spender = make_world()[0]
        with time_machine.travel(utc("2026-11-23 10:00"), tick=False):
            reset_daily_spend()
            first = reasons_of(spender)
            check_budgets()
        both = PauseReason.BRAND_DAILY_BUDGET | PauseReason.BRAND_MONTHLY_BUDGET
        self.assertEqual((first, reasons_of(spender)), (both, both))

    def test_it_may_be_told_an_earlier_instant_than_before(self) -> None:
        campaign = make_campaign(ends_on=date(2026, 11, 20))
        enforce_at("2026-11-21 00:00")
        self.assertEqual(reasons_of(campaign), PauseReason.ENDED)
        enforce_at("2026-11-20 23:59")
        self.assertEqual(reasons_of(campaign), ACTIVE)


class AScopeLimitsWhatIsTouched(TestCase):
    """R6: enforcing some brands or campaigns leaves the others, and decides on all facts of the brand."""

    def setUp(self) -> None:
        self.brand = make_brand(daily_budget=10)
        self.one, self.two = make_campaign(self.brand, enabled=False), make_campaign(self.brand, enabled=False)
        self.other = make_campaign(enabled=False)

    def paused(self) -> list[bool]:
        return [bool(reasons_of(campaign)) for campaign in (self.one, self.two, self.other)]

    def test_it_touches_the_campaigns_of_a_brand(self) -> None:
        self.assertEqual(enforce_at(NOON, Scope.of_brands([self.brand.pk])).changed, 2)
        self.assertEqual(self.paused(), [True, True, False])

    def test_it_touches_one_campaign(self) -> None:
        self.assertEqual(enforce_at(NOON, Scope.of_campaigns([self.two.pk])).changed, 1)
        self.assertEqual(self.paused(), [False, True, False])

    def test_it_touches_nothing_where_the_scope_is_empty(self) -> None:
        self.assertEqual(enforce_at(NOON, Scope.of_brands([])).changed, 0)
        self.assertEqual(enforce_at(NOON, Scope.of_campaigns([])).changed, 0)
        self.assertEqual(self.paused(), [False, False, False])

    def test_it_counts_the_spend_of_campaigns_outside_the_scope(self) -> None:
        spend(self.two, 10, NOON)
        enforce_at(NOON, Scope.of_campaigns([self.one.pk]))
        self.assertEqual(reasons_of(self.one), PauseReason.CAMPAIGN_DISABLED | PauseReason.BRAND_DAILY_BUDGET)
        self.assertEqual(reasons_of(self.two), ACTIVE)


class ItWritesInBatches(TestCase):
    """R6: the batches of an enforcement end where one batch would."""

    def enforce(self, batch: int) -> list[list[Change]]:
        batches: list[list[Change]] = []
        with patch.object(enforcement, "BATCH_CAMPAIGNS", batch):
            enforce(Scope.everything(), clock=lambda: utc(NOON), actor="test", on_changes=batches.append)
        return batches

    def make_paused(self, *campaigns: int) -> None:
        for count in campaigns:
            brand = make_brand(enabled=False)
            for _ in range(count):
                make_campaign(brand)

    def test_it_pauses_all_campaigns_of_all_batches(self) -> None:
        self.make_paused(1, 1, 1, 1, 1, 1, 1)
        self.assertEqual([len(batch) for batch in self.enforce(3)], [3, 3, 1])
        self.assertEqual(Campaign.objects.filter(pause_reasons=PauseReason.BRAND_DISABLED).count(), 7)
        self.assertEqual(StatusChange.objects.count(), 7)

    def test_it_keeps_a_brand_in_one_batch_however_large(self) -> None:
        self.make_paused(1, 4, 1, 2)
        self.assertEqual([len(batch) for batch in self.enforce(3)], [1, 4, 3])
        self.assertEqual(Campaign.objects.filter(status="paused").count(), 8)

    def test_it_decides_at_the_instant_at_which_it_holds_the_locks(self) -> None:
        campaign = make_campaign(daily_spend_limit=5)
        spend(campaign, 5, NOON)
        instants = iter([utc("2026-11-20 23:59:59.999999"), utc("2026-11-21 00:00")])
        result = enforce(Scope.everything(), clock=lambda: next(instants), actor="test")
        self.assertEqual((result.changed, reasons_of(campaign), history(campaign)), (0, ACTIVE, []))

    def test_it_fills_a_batch_to_the_last_campaign(self) -> None:
        self.make_paused(2, 1, 1)
        self.assertEqual([len(batch) for batch in self.enforce(3)], [3, 1])


class TheRunIsNoted(TestCase):
    """R6: health is the time of the last successful check."""

    def run_check(self, at: str) -> JobRun:
        with time_machine.travel(utc(at), tick=False):
            check_budgets()
        return JobRun.objects.get()

    def test_it_notes_when_it_ran_and_what_it_did(self) -> None:
        campaign = make_campaign(enabled=False)
        spend(campaign, 1, NOON)
        run = self.run_check(NOON)
        self.assertEqual((run.name, run.started_at, run.succeeded_at), ("check_budgets", utc(NOON), utc(NOON)))
        self.assertEqual(run.summary, "1 paused, 0 resumed, 1 changed, 1 pending rows folded")
        self.assertEqual((run.problem, PendingSpend.objects.count()), ("", 0))

    def test_it_notes_the_last_run_only(self) -> None:
        make_campaign(enabled=False)
        self.run_check(NOON)
        run: Any = self.run_check("2026-11-20 12:05")
        self.assertEqual(run.succeeded_at, utc("2026-11-20 12:05"))
        self.assertEqual(run.summary, "0 paused, 0 resumed, 0 changed")
