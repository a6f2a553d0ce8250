"""A full check in shards ends where one check ends: in any order, delivered twice, and beside others."""

from __future__ import annotations

from datetime import datetime, timedelta
from unittest.mock import patch
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, transaction
from django.test import TestCase
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from campaigns.models import Campaign, CheckShard, JobRun, PendingSpend, SpendRecord
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement import enforce as enforcement
from campaigns.services.enforcement.enforce import preview
from campaigns.services.jobs import shards
from campaigns.services.jobs.full_check import CHECK_BUDGETS, RESET_DAILY_SPEND, FullCheck
from campaigns.services.jobs.quick_check import quick_check
from campaigns.services.jobs.shards import begin_check, run_shard
from campaigns.services.ledger.verify import verify
from campaigns.services.scope import Scope
from campaigns.services.totals import book
from campaigns.tests.oracle.worlds import World, worlds
from campaigns.tests.support.checking import ACTIVE, check_at, history, period, reasons_of
from campaigns.tests.support.deciding import DecisionTestCase, record_new_spend, store
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.passing import change
from campaigns.tests.support.runs import the_same
from campaigns.tests.support.together import ConcurrencyTestCase, at_once, let_in
from campaigns.tests.totals.reports import YESTERDAY, linked_campaign, make_account, report, total_of

NOON = "2026-11-20 12:00"
REACHED = PauseReason.BRAND_DAILY_BUDGET


def begin(of: int, at: str | datetime = NOON, job: str = CHECK_BUDGETS) -> UUID:
    instant = utc(at) if isinstance(at, str) else at
    return begin_check(job, of=of, clock=lambda: instant)


def run(check: UUID, number: int, at: str | datetime = NOON) -> FullCheck | None:
    instant = utc(at) if isinstance(at, str) else at
    return run_shard(check, number, clock=lambda: instant)


def is_succeeded(job: str = CHECK_BUDGETS) -> bool:
    return JobRun.objects.filter(name=job, succeeded_at__isnull=False).exists()


class OfAnyWorld(DecisionTestCase):
    @the_same(40)
    @given(world=worlds(), data=st.data(), of=st.integers(2, 4), again=st.booleans())
    def test_it_decides_folds_and_closes_as_one_check(
        self, world: World, data: st.DataObject, of: int, again: bool
    ) -> None:
        pairs, now = store(world), world.instants[0]
        record_new_spend(pairs)
        check = begin(of, now)
        numbers = data.draw(st.permutations([*range(of)] * (1 + again)))
        self.assertIsNotNone([run(check, number, now) for number in numbers][-1])
        self.assert_as_the_oracle_says(pairs, now)
        self.assertEqual((PendingSpend.objects.count(), verify()), (0, []))
        for brand in world.brands:
            self.assert_books_are_right(brand, now)
        self.assert_history_gives_todays_state(pairs)
        self.assertEqual(check_at(now).enforcement.changed, 0)


class NegativeKeys(TestCase):
    def test_each_brand_is_in_one_shard(self) -> None:
        """SQL may have written brands with negative ids, whose remainder is negative."""
        campaigns = [make_campaign(make_brand(pk=pk, enabled=False)) for pk in range(-4, 3)]
        check = begin(3, utc(NOON))
        ended = [run(check, number) for number in range(3)][-1]
        self.assertEqual([reasons_of(campaign) for campaign in campaigns], [PauseReason.BRAND_DISABLED] * 7)
        self.assertEqual(ended.enforcement.changed if ended else 0, 7)

    def test_the_admin_finds_them(self) -> None:
        brand = make_brand(pk=-4, daily_budget=5)
        self.client.force_login(User.objects.create_superuser("amara"))
        found = self.client.get(reverse("admin:campaigns_campaign_changelist"), {"brand__id__exact": "-4"})
        self.assertEqual(found.status_code, 200)
        page = reverse("admin:campaigns_campaign_add")
        data = {"brand": brand.pk, "name": "Spring", "enabled": "on"}
        windows = {f"windows-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL")}
        self.assertEqual(self.client.post(page, data | windows).status_code, 302)
        self.assertEqual(brand.campaigns.count(), 1)


class AnEnd(TestCase):
    def setUp(self) -> None:
        self.campaigns = [make_campaign(make_brand(daily_budget=10)) for _ in range(6)]
        for campaign in self.campaigns:
            spend(campaign, 10, NOON)

    def test_the_last_shard_ends_the_check_and_notes_its_success(self) -> None:
        check = begin(3)
        run_before = JobRun.objects.get(name=CHECK_BUDGETS)
        self.assertEqual((run_before.started_at, run_before.succeeded_at), (utc(NOON), None))
        self.assertEqual([run(check, number) for number in (2, 0)], [None, None])
        self.assertFalse(is_succeeded())
        ended = run(check, 1, "2026-11-20 12:01")
        assert ended
        self.assertEqual(ended.summary, "6 paused, 0 resumed, 6 changed, 6 pending rows folded")
        noted = JobRun.objects.get(name=CHECK_BUDGETS)
        self.assertEqual((noted.succeeded_at, noted.summary), (utc("2026-11-20 12:01"), ended.summary))
        for campaign in self.campaigns:
            self.assertEqual(history(campaign), [(ACTIVE, REACHED)])
            self.assertEqual(campaign.status_changes.get().actor, CHECK_BUDGETS)

    def test_each_shard_has_its_own_brands_and_together_they_have_all(self) -> None:
        check = begin(3)
        for number in range(3):
            run(check, number)
            paused = Campaign.objects.filter(status="paused").values_list("brand_id", flat=True)
            self.assertEqual({brand % 3 for brand in paused}, set(range(number + 1)))

    def test_a_shard_that_is_delivered_twice_counts_once(self) -> None:
        check = begin(2)
        self.assertEqual([run(check, 0), run(check, 0)], [None, None])
        for _ in range(2):
            ended = run(check, 1)
            assert ended
            self.assertEqual(ended.enforcement.paused, 6)
        self.assertEqual([history(campaign) for campaign in self.campaigns], [[(ACTIVE, REACHED)]] * 6)

    def test_a_check_whose_shard_is_lost_has_no_success_and_the_next_is_whole(self) -> None:
        run(begin(2), 0)
        self.assertFalse(is_succeeded())
        check = begin(2, "2026-11-20 12:05")
        self.assertIsNone(run(check, 1, "2026-11-20 12:05"))
        self.assertIsNotNone(run(check, 0, "2026-11-20 12:05"))
        self.assertTrue(is_succeeded())
        self.assertEqual(preview(Scope.everything(), now=utc("2026-11-20 12:05")), [])

    def test_a_lost_shard_that_comes_late_ends_its_check_too(self) -> None:
        lost, check = begin(2), begin(2)
        for shard in ((lost, 0), (check, 0), (check, 1), (lost, 1)):
            run(*shard)
        self.assertEqual([history(campaign) for campaign in self.campaigns], [[(ACTIVE, REACHED)]] * 6)

    def test_a_shard_of_a_check_that_nobody_knows_does_nothing(self) -> None:
        self.assertIsNone(run(uuid4(), 0))
        self.assertIsNone(run(begin(2), 2))
        self.assertEqual(reasons_of(self.campaigns[0]), ACTIVE)

    def test_a_check_has_each_shard_once(self) -> None:
        check = begin(2)
        with self.assertRaises(IntegrityError), transaction.atomic():
            CheckShard.objects.create(check_id=check, job="bench", number=1, of=2, begun_at=utc(NOON))
        CheckShard.objects.create(check_id=uuid4(), job="bench", number=1, of=2, begun_at=utc(NOON))

    def test_a_check_is_forgotten_after_an_hour(self) -> None:
        old = begin(2)
        begin(2, utc(NOON) + timedelta(hours=1))
        self.assertEqual(CheckShard.objects.filter(check_id=old).count(), 2)
        begin(2, utc(NOON) + timedelta(hours=1, microseconds=1))
        self.assertEqual(CheckShard.objects.filter(check_id=old).count(), 0)

    def test_two_checks_at_once_both_succeed(self) -> None:
        checks = [begin(2, job=job) for job in (CHECK_BUDGETS, RESET_DAILY_SPEND)]
        for number in (0, 1):
            for check in checks:
                run(check, number)
        self.assertTrue(is_succeeded(CHECK_BUDGETS) and is_succeeded(RESET_DAILY_SPEND))
        self.assertEqual([history(campaign) for campaign in self.campaigns], [[(ACTIVE, REACHED)]] * 6)

    def test_spend_that_comes_after_its_shard_is_enforced_at_the_end(self) -> None:
        check = begin(2)
        run(check, 0)
        run_of_first = [campaign for campaign in self.campaigns if campaign.brand_id % 2 == 0]
        for campaign in run_of_first:
            spend(campaign, -1, NOON)
        run(check, 1)
        for campaign in run_of_first:
            self.assertEqual(history(campaign), [(ACTIVE, REACHED), (REACHED, ACTIVE)])

    def test_it_closes_what_has_ended_and_books_again_what_moved(self) -> None:
        brand = make_brand(created_at=utc("2026-11-10"), daily_budget=10)
        spend(make_campaign(brand), 7, "2026-11-18 12:00")
        type(brand).objects.filter(pk=brand.pk).update(timezone="Asia/Kathmandu")
        check = begin(2)
        for number in (0, 1):
            run(check, number)
        self.assertEqual(period(brand, "day", "2026-11-18").spend_at_close, 7)
        self.assertEqual(verify(), [])

    def test_it_tells_of_a_zone_that_nobody_knows(self) -> None:
        make_campaign(make_brand(timezone="Mars/Olympus"))
        check = begin(2)
        ended = [run(check, number) for number in (0, 1)][-1]
        assert ended
        self.assertIn("Unknown time zone 'Mars/Olympus'", ended.problem)
        self.assertEqual(JobRun.objects.get(name=CHECK_BUDGETS).problem, ended.problem)


class ReportedTotals(TestCase):
    """They are booked before the shards begin, and the end says what couldn't be."""

    def setUp(self) -> None:
        make_account()
        self.campaign = linked_campaign()
        report(4)
        report(5, day=YESTERDAY)

    def end(self) -> FullCheck:
        check = begin(2)
        ended = [run(check, number) for number in (1, 0)][-1]
        assert ended
        self.assertEqual(JobRun.objects.get(name=CHECK_BUDGETS).problem, ended.problem)
        return ended

    def test_a_total_that_cannot_be_booked_is_a_problem_of_the_run(self) -> None:
        SpendRecord.objects.create(
            brand=self.campaign.brand, campaign=self.campaign, amount=1, total=total_of(), revision=1
        )
        ended = self.end()
        self.assertEqual(ended.booked, 1)
        self.assertIn("1 changes of reported totals booked", JobRun.objects.get(name=CHECK_BUDGETS).summary)
        self.assertIn("1 reported total couldn't be booked", ended.problem)

    def test_a_booking_that_fails_as_a_whole_is_a_problem_of_the_run_and_of_health(self) -> None:
        with (
            patch.object(book, "TO_BOOK", "no_such_column = 0"),
            self.assertLogs("campaigns.services.totals.checks", "ERROR"),
        ):
            check = begin(2)
        # The process that ends the check books what is left, and says all the same that it failed before.
        ended = [run(check, number) for number in (0, 1)][-1]
        assert ended
        self.assertIn("Reported totals couldn't be booked (", ended.problem)
        self.assertIn("no_such_column", JobRun.objects.get(name=CHECK_BUDGETS).problem)

    def test_nothing_is_said_where_all_is_booked(self) -> None:
        self.assertEqual(self.end().problem, "")


class BesideOthers(ConcurrencyTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.campaigns = [make_campaign(make_brand(daily_budget=10)) for _ in range(6)]
        for campaign in self.campaigns:
            spend(campaign, 10, NOON)

    def assert_paused_once(self) -> None:
        for campaign in self.campaigns:
            self.assertEqual(history(campaign), [(ACTIVE, REACHED)])
        self.assert_exact()

    def test_all_shards_at_once(self) -> None:
        check = begin(3)
        at_once(*(lambda number=number: run(check, number) for number in range(3)))
        self.assertTrue(is_succeeded())
        self.assert_paused_once()

    def test_two_workers_with_the_same_shard(self) -> None:
        check = begin(2)
        with let_in(shards, "enforce", lambda: run(check, 0), after=True):
            self.assertIsNone(run(check, 0))
        ended = run(check, 1)
        assert ended
        self.assertEqual(ended.enforcement.paused, 6)
        self.assert_paused_once()

    def test_a_quick_check_in_the_middle_of_a_shard(self) -> None:
        check = begin(2)
        with let_in(
            enforcement, "brands_to_write", lambda: quick_check("quick_check", clock=lambda: utc(NOON)), after=True
        ):
            run(check, 0)
        run(check, 1)
        self.assert_paused_once()

    def test_a_person_in_the_middle_of_a_shard_has_the_last_word(self) -> None:
        campaign = next(campaign for campaign in self.campaigns if campaign.brand_id % 2 == 0)
        check = begin(2)

        def switch_off() -> None:
            change(campaign.brand_id, NOON, lambda: Campaign.objects.filter(pk=campaign.pk).update(enabled=False))

        with let_in(enforcement, "brands_to_write", switch_off, after=True):
            run(check, 0)
        run(check, 1)
        self.assertEqual(reasons_of(campaign), REACHED | PauseReason.CAMPAIGN_DISABLED)

    def test_a_shard_that_breaks_off_is_not_done(self) -> None:
        check = begin(2)
        with patch.object(enforcement, "count_changes", side_effect=DatabaseError), self.assertRaises(DatabaseError):
            run(check, 0)
        self.assertIsNone(run(check, 1))
        self.assertFalse(is_succeeded())
        self.assertIsNotNone(run(check, 0))
        self.assert_paused_once()
