"""Between full checks the quick check enforces brands with spend and campaigns whose next change is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from campaigns.models import Brand, Campaign, DueBrand, JobRun, StatusChange
from campaigns.rules.periods import NEVER, minute_of
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement.saving import begin_change, finish_change
from campaigns.services.jobs import quick_check as quick
from campaigns.services.jobs.quick_check import QuickCheck, quick_check, run_quick_check
from campaigns.services.ledger.change_time_zone import ZoneChanges, apply_zone_changes, brands_with_changed_zones
from campaigns.services.ledger.fold import fold
from campaigns.services.scope import Scope
from campaigns.tests.oracle.worlds import World, worlds
from campaigns.tests.support.checking import ACTIVE, check_at, reasons_of
from campaigns.tests.support.deciding import DecisionTestCase, record_new_spend, store
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend, utc
from campaigns.tests.support.runs import the_same

# A Friday.
NOON = "2026-11-20 12:00"
REACHED = PauseReason.BRAND_DAILY_BUDGET


def pass_at(at: str | datetime) -> QuickCheck:
    instant = utc(at) if isinstance(at, str) else at
    return quick_check("test", clock=lambda: instant)


class WhatHadSpend(TestCase):
    def setUp(self) -> None:
        self.campaign = make_campaign(make_brand(), daily_spend_limit=10)
        check_at(NOON)

    def test_it_pauses_at_a_limit(self) -> None:
        spend(self.campaign, 10, NOON)
        self.assertEqual(pass_at("2026-11-20 12:00:10").changed, 1)
        self.assertEqual(reasons_of(self.campaign), PauseReason.CAMPAIGN_DAILY_LIMIT)
        self.assertEqual(DueBrand.objects.count(), 0)

    def test_it_resumes_on_a_refund_and_at_midnight(self) -> None:
        spend(self.campaign, 10, NOON)
        pass_at(NOON)
        spend(self.campaign, -1, NOON)
        pass_at("2026-11-20 12:01")
        self.assertEqual(reasons_of(self.campaign), ACTIVE)
        spend(self.campaign, 1, NOON)
        pass_at("2026-11-20 12:02")
        pass_at("2026-11-20 23:59:59")
        self.assertEqual(reasons_of(self.campaign), PauseReason.CAMPAIGN_DAILY_LIMIT)
        pass_at("2026-11-21 00:00")
        self.assertEqual(reasons_of(self.campaign), ACTIVE)

    def test_it_counts_what_is_dated_ahead_from_its_midnight_on(self) -> None:
        """R3."""
        spend(self.campaign, 10, "2026-11-21 08:00")
        pass_at(NOON)
        self.assertEqual(reasons_of(self.campaign), ACTIVE)
        pass_at("2026-11-21 00:00")
        self.assertEqual(reasons_of(self.campaign), PauseReason.CAMPAIGN_DAILY_LIMIT)

    def test_it_finds_what_a_fold_of_others_has_moved(self) -> None:
        spend(self.campaign, 10, NOON)
        fold()
        self.assertEqual(pass_at(NOON).changed, 1)

    def test_it_keeps_its_marks_where_enforcing_fails(self) -> None:
        spend(self.campaign, 10, NOON)
        with patch.object(quick, "enforce", side_effect=InterruptedError), self.assertRaises(InterruptedError):
            pass_at(NOON)
        self.assertEqual(pass_at(NOON).changed, 1)

    def test_it_looks_at_no_other_brand(self) -> None:
        other = make_campaign(next_change_minute=NEVER)
        Campaign.objects.filter(pk=other.pk).update(enabled=False)
        spend(self.campaign, 1, NOON)
        pass_at(NOON)
        self.assertEqual(reasons_of(other), ACTIVE)
        check_at(NOON)
        self.assertEqual(reasons_of(other), PauseReason.CAMPAIGN_DISABLED)

    def test_a_check_leaves_it_nothing_to_do(self) -> None:
        spend(self.campaign, 10, NOON)
        fold()
        check_at(NOON)
        self.assertFalse(quick.is_anything_due(now=utc(NOON)))


class ZonesChangedBySQL(TestCase):
    def setUp(self) -> None:
        self.first, self.second, self.other = (make_campaign(make_brand(daily_budget=10)) for _ in range(3))
        check_at(NOON)
        Brand.objects.exclude(pk=self.other.brand_id).update(timezone="Asia/Tokyo")
        for campaign in (self.first, self.second, self.other):
            spend(campaign, 10, NOON)

    def test_no_other_brand_waits_for_them_to_be_re_booked(self) -> None:
        reasons = []

        def rebook(**of: Any) -> ZoneChanges:
            reasons.append(reasons_of(self.other))
            return apply_zone_changes(**of)

        with patch.object(quick, "apply_zone_changes", rebook):
            pass_at(NOON)
        self.assertEqual(reasons[0], REACHED)
        self.assertEqual((reasons_of(self.first), reasons_of(self.second)), (REACHED, REACHED))

    def test_a_pass_that_cannot_re_book_them_all_leaves_the_others_to_the_next(self) -> None:
        with patch.object(quick, "MAX_ZONE_CHANGES", 1):
            for left in (1, 0):
                done = pass_at(NOON)
                self.assertEqual((len(brands_with_changed_zones()), done.unfinished.problem), (left, ""))
        self.assertEqual((reasons_of(self.first), reasons_of(self.second)), (REACHED, REACHED))


class TheJob(TestCase):
    def test_it_asks_one_question_and_notes_the_run_where_nothing_is_due(self) -> None:
        make_campaign()
        check_at(NOON)
        with CaptureQueriesContext(connection) as queries:
            run_quick_check(clock=lambda: utc(NOON))
        asked = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
        self.assertEqual(len(asked), 2)
        self.assertEqual(JobRun.objects.get(name="quick_check").summary, "nothing was due")

    def test_it_signs_the_history(self) -> None:
        make_campaign(enabled=False)
        run_quick_check(clock=lambda: utc(NOON))
        self.assertEqual([line.actor for line in StatusChange.objects.all()], ["quick_check"])
        self.assertEqual(JobRun.objects.get(name="quick_check").succeeded_at, utc(NOON))


class WhatTimeDoesNext(TestCase):
    def assert_next(self, campaign: Campaign, at: str, expected: str | None) -> None:
        check_at(at)
        minute = Campaign.objects.get(pk=campaign.pk).next_change_minute
        self.assertEqual(minute, NEVER if expected is None else minute_of(utc(expected)))

    def test_nothing(self) -> None:
        self.assert_next(make_campaign(), NOON, None)

    def test_a_window_closes_and_opens(self) -> None:
        campaign = make_campaign()
        make_window(campaign, start="09:00", end="17:00")
        self.assert_next(campaign, "2026-11-20 08:59:59", "2026-11-20 09:00")
        self.assert_next(campaign, "2026-11-20 09:00", "2026-11-20 17:00")
        self.assert_next(campaign, "2026-11-20 17:00", "2026-11-21 00:00")

    def test_a_window_of_yesterday_closes(self) -> None:
        campaign = make_campaign()
        make_window(campaign, days=16, start="22:00", end="02:00")
        self.assert_next(campaign, NOON, "2026-11-20 22:00")
        self.assert_next(campaign, "2026-11-21 01:30", "2026-11-21 02:00")

    def test_a_day_begins_or_has_ended(self) -> None:
        brand = make_brand(timezone="Asia/Kathmandu")
        self.assert_next(make_campaign(brand, starts_on="2026-11-21"), NOON, "2026-11-20 18:15")
        self.assert_next(make_campaign(brand, ends_on="2026-11-20"), NOON, "2026-11-20 18:15")

    def test_a_far_day_is_looked_at_a_day_before(self) -> None:
        self.assert_next(make_campaign(starts_on="2026-12-01"), NOON, "2026-11-30 00:00")

    def test_a_limit_holds_until_midnight_and_a_monthly_budget_until_the_1st(self) -> None:
        daily = make_campaign(daily_spend_limit=1)
        monthly = make_campaign(make_brand(monthly_budget=1, timezone="America/New_York"))
        spend(daily, 1, NOON)
        spend(monthly, 1, NOON)
        self.assert_next(daily, NOON, "2026-11-21 00:00")
        self.assert_next(monthly, NOON, "2026-12-01 05:00")

    def test_it_looks_again_where_clocks_change(self) -> None:
        """New York's clocks go back at 06:00 UTC on 1 November 2026: 01:30 local comes twice."""
        campaign = make_campaign(make_brand(timezone="America/New_York"))
        make_window(campaign, start="01:30", end="03:00")
        self.assert_next(campaign, "2026-11-01 05:00", "2026-11-01 05:30")
        self.assert_next(campaign, "2026-11-01 05:30", "2026-11-01 06:00")
        self.assert_next(campaign, "2026-11-01 06:00", "2026-11-01 06:30")
        self.assert_next(campaign, "2026-11-01 06:30", "2026-11-01 08:00")

    def test_a_person_who_changes_windows_changes_it_at_once(self) -> None:
        campaign = make_campaign()
        check_at(NOON)
        begin_change([campaign.brand_id], clock=lambda: utc(NOON))
        make_window(campaign, start="09:00", end="17:00")
        finish_change(Scope.of_campaigns([campaign.pk]), clock=lambda: utc(NOON), actor="amara")
        self.assertEqual(Campaign.objects.get(pk=campaign.pk).next_change_minute, minute_of(utc("2026-11-20 17:00")))

    def test_a_campaign_is_due_at_once_when_it_is_new(self) -> None:
        campaign = make_campaign(enabled=False)
        pass_at(NOON)
        self.assertEqual(reasons_of(campaign), PauseReason.CAMPAIGN_DISABLED)


class PassesAloneSayWhatTheOracleSays(DecisionTestCase):
    @the_same(40)
    @given(world=worlds(), hours=st.lists(st.integers(1, 900), max_size=4))
    def test_it_needs_no_check_while_nobody_changes_facts(self, world: World, hours: list[int]) -> None:
        """Spend arrives late, ahead and negative; time passes by minutes and months; only passes run."""
        pairs = store(world)
        first = min(world.instants)
        check_at(first)
        record_new_spend(pairs)
        later = [first + timedelta(minutes=37 * sum(hours[: end + 1])) for end in range(len(hours))]
        for now in sorted([first, *world.instants, *later]):
            pass_at(now)
            self.assert_as_the_oracle_says(pairs, now)
