"""The quick check decides on brands with spend and campaigns whose next change is due, and on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from typing import Any
from unittest.mock import patch

from django.db import DatabaseError, connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import Brand, BrandPeriod, DaypartingSchedule, DueBrand, JobRun, PendingSpend, StatusChange
from campaigns.rules.money import DAY_TOTAL_LIMIT, MICROS
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement import enforce as enforcement
from campaigns.services.enforcement.status_changes import ChangeCounts
from campaigns.services.jobs import quick_check as quick
from campaigns.services.jobs.full_check import full_check
from campaigns.services.jobs.quick_check import JOB, quick_check, run_quick_check
from campaigns.services.ledger import fold as fold_module
from campaigns.services.ledger.fold import fold
from campaigns.tasks import quick_check as task
from campaigns.tests.ledger.test_overflow import flood
from campaigns.tests.support.checking import ACTIVE, check_at, enforce_at, history, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend, utc
from campaigns.tests.support.ledger import totals_folded, totals_of_records
from campaigns.tests.support.outside import SQLITE, quarter_at
from campaigns.tests.support.passing import change, next_change, pass_at
from campaigns.tests.support.together import ConcurrencyTestCase, at_once, let_in

NOON = "2026-11-20 12:00"
REACHED = PauseReason.BRAND_DAILY_BUDGET


def run_at(at: str) -> str:
    """Run the job at an instant; return what it noted."""
    run_quick_check(clock=lambda: utc(at))
    return JobRun.objects.get(name=JOB).summary


class Spend(TestCase):
    def setUp(self) -> None:
        self.campaign = make_campaign(make_brand(daily_budget=10))
        check_at(NOON)

    def test_it_pauses_and_resumes_by_what_was_spent_and_refunded(self) -> None:
        spend(self.campaign, "9.999999", NOON)
        pass_at(NOON)
        self.assertEqual(reasons_of(self.campaign), ACTIVE)
        spend(self.campaign, "0.000001", NOON)
        pass_at(NOON)
        self.assertEqual(reasons_of(self.campaign), REACHED)
        spend(self.campaign, "-0.000001", NOON)
        pass_at(NOON)
        self.assertEqual(history(self.campaign), [(ACTIVE, REACHED), (REACHED, ACTIVE)])
        self.assertEqual(set(StatusChange.objects.values_list("actor", flat=True)), {"quick_check"})

    def test_all_campaigns_of_the_brand_pause(self) -> None:
        other = make_campaign(self.campaign.brand)
        check_at(NOON)
        spend(other, 10, NOON)
        pass_at(NOON)
        self.assertEqual((reasons_of(self.campaign), reasons_of(other)), (REACHED, REACHED))

    def test_what_somebody_else_has_folded_is_enforced_too(self) -> None:
        spend(self.campaign, 10, NOON)
        fold()
        pass_at(NOON)
        self.assertEqual(reasons_of(self.campaign), REACHED)

    def test_spend_dated_ahead_takes_effect_at_its_midnight(self) -> None:
        spend(self.campaign, 10, "2026-11-22 18:00")
        for at, reasons in (
            (NOON, ACTIVE),
            ("2026-11-21 23:59:59.999999", ACTIVE),
            ("2026-11-22 00:00", REACHED),
            ("2026-11-22 23:59:59.999999", REACHED),
            ("2026-11-23 00:00", ACTIVE),
        ):
            pass_at(at)
            self.assertEqual(reasons_of(self.campaign), reasons, at)

    def test_late_spend_of_yesterday_pauses_nothing_today(self) -> None:
        spend(self.campaign, 10, "2026-11-19 12:00")
        self.assertEqual(pass_at(NOON).changed, 0)

    def test_a_check_forgets_the_marks_that_it_has_decided_on(self) -> None:
        spend(self.campaign, 10, NOON)
        fold()
        spend(self.campaign, 10, "2026-11-21 12:00")
        fold()
        check_at(NOON)
        self.assertEqual(DueBrand.objects.get().due_quarter, quarter_at("2026-11-21 00:00"))
        self.assertEqual(run_at(NOON), "nothing was due")

    def test_a_check_with_a_moved_clock_forgets_none(self) -> None:
        spend(self.campaign, 10, "2026-11-21 12:00")
        fold()
        full_check("test", clock=lambda: utc("2026-11-22 12:00"), closing_clock=lambda: utc(NOON))
        check_at(NOON)
        pass_at("2026-11-21 00:00")
        self.assertEqual(reasons_of(self.campaign), REACHED)


class Time(TestCase):
    def test_it_opens_and_closes_windows_to_the_minute(self) -> None:
        campaign = make_campaign()
        make_window(campaign, start="22:00", end="02:00")
        check_at(NOON)
        outside = PauseReason.OUTSIDE_SCHEDULE
        for at, reasons in (
            ("2026-11-20 21:59:59.999999", outside),
            ("2026-11-20 22:00", ACTIVE),
            ("2026-11-21 00:00", ACTIVE),
            ("2026-11-21 01:59:59.999999", ACTIVE),
            ("2026-11-21 02:00", outside),
        ):
            pass_at(at)
            self.assertEqual(reasons_of(campaign), reasons, at)

    def test_it_writes_the_next_minute_also_where_nothing_changes(self) -> None:
        campaign = make_campaign()
        make_window(campaign)
        check_at(NOON)
        self.assertEqual(next_change(campaign), utc("2026-11-21 00:00"))
        self.assertEqual(pass_at("2026-11-25 12:00").campaigns, 1)
        self.assertEqual(next_change(campaign), utc("2026-11-26 00:00"))
        self.assertEqual(history(campaign), [])

    def test_those_that_are_left_over_come_with_the_next_pass(self) -> None:
        campaigns = [make_campaign(enabled=False) for _ in range(3)]
        with patch.object(quick, "MAX_CAMPAIGNS", 2):
            self.assertEqual([pass_at(NOON).changed for _ in range(3)], [2, 1, 0])
        self.assertEqual({reasons_of(campaign) for campaign in campaigns}, {PauseReason.CAMPAIGN_DISABLED})


class TheRun(TestCase):
    def test_it_costs_two_statements_where_nothing_is_due(self) -> None:
        """One asks what is due, one notes the run."""
        for _ in range(3):
            campaign = make_campaign(make_brand(daily_budget=10))
            spend(campaign, 1, "2026-11-21 12:00")
        check_at(NOON)
        with self.assertNumQueries(2):
            run_quick_check(clock=lambda: utc(NOON))

    def test_it_takes_no_more_statements_for_more_brands(self) -> None:
        counts = []
        for brands in (1, 30):
            campaigns = [make_campaign(make_brand(daily_budget=10)) for _ in range(brands)]
            check_at(NOON)
            for campaign in campaigns:
                spend(campaign, 10, NOON)
            with CaptureQueriesContext(connection) as asked:
                run_quick_check(clock=lambda: utc(NOON))
            counts.append(len(asked))
        self.assertEqual(counts[0], counts[1])

    def test_it_notes_what_it_did(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=10))
        make_window(make_campaign(), start="18:00", end="20:00")
        check_at(NOON)
        spend(campaign, 10, NOON)
        self.assertEqual(
            run_at("2026-11-20 18:00"),
            "1 paused, 1 resumed, 2 changed; checked 1 brands with spend and 1 campaigns with a change due, processed 1"
            " new spend rows",
        )
        self.assertEqual(run_at("2026-11-20 18:00"), "nothing was due")
        run = JobRun.objects.get(name=JOB)
        self.assertEqual((run.started_at, run.succeeded_at, run.problem), (*[utc("2026-11-20 18:00")] * 2, ""))

    def test_the_task_reads_the_clock_and_logs_each_pause_and_resume(self) -> None:
        campaign = make_campaign(make_brand(name="Acme", daily_budget=10, currency="EUR"), name="Spring sale")
        task()
        spend(campaign, "10.02")
        with self.assertLogs("campaigns", "INFO") as logs:
            task()
        told = "INFO:campaigns.tasks:"
        reached = 'paused  "Spring sale" (Acme): brand\'s daily budget reached: 10.02 of 10.00 EUR'
        self.assertEqual(logs.output, [told + reached])
        spend(campaign, "-0.03")
        with self.assertLogs("campaigns", "INFO") as logs:
            task()
        resumed = 'resumed "Spring sale" (Acme): brand\'s daily budget no longer reached: 9.99 of 10.00 EUR'
        self.assertEqual(logs.output, [told + resumed])

    def test_ids_that_were_used_up_or_pruned_hide_no_line(self) -> None:
        campaign = make_campaign(make_brand(name="Acme", daily_budget=10), name="Spring sale")
        nothing = {"campaign_spend": 0, "brand_day_spend": 0, "brand_month_spend": 0}
        StatusChange.objects.create(
            pk=1_000_000,
            campaign=campaign,
            at=timezone.now(),
            reasons_before=0,
            reasons_after=1,
            actor="gone",
            **nothing,
        )
        StatusChange.objects.all().delete()
        if connection.vendor == "postgresql":  # SQLite has counted the row
            with connection.cursor() as cursor:
                cursor.execute("SELECT setval(pg_get_serial_sequence('campaigns_statuschange', 'id'), 1000000)")
        spend(campaign, "10.02")
        with self.assertLogs("campaigns", "INFO") as logs:
            task()
        self.assertIn('paused  "Spring sale" (Acme)', logs.output[0])

    def test_the_task_logs_nothing_where_nothing_pauses_or_resumes(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=10))
        with self.assertNoLogs("campaigns", "INFO"):
            task()
            spend(campaign, "9")
            task()

    def test_the_task_logs_the_first_twenty_and_counts_the_others(self) -> None:
        brands = [make_brand(daily_budget=10) for _ in range(2)]
        for number in range(22):
            make_campaign(brands[number % 2])
        for brand in brands:
            spend(brand.campaigns.all()[0], 10)
        with self.assertLogs("campaigns", "INFO") as logs:
            task()
        self.assertEqual(StatusChange.objects.count(), 22)
        self.assertEqual(len(set(logs.output)), 21)
        self.assertTrue(all(":paused  " in line for line in logs.output[:20]))
        self.assertTrue(logs.output[20].endswith(":and 2 more paused or resumed"))

    def test_the_task_logs_no_lines_of_others(self) -> None:
        """Nor of changes that leave the campaign paused."""
        off = make_campaign(make_brand(daily_budget=10), enabled=False)
        run_quick_check(clock=timezone.now, actor="someone else")
        spend(off, 10)
        with self.assertNoLogs("campaigns", "INFO"):
            task()
        self.assertEqual(reasons_of(off), REACHED | PauseReason.CAMPAIGN_DISABLED)


class BadRows(TestCase):
    """R6: one of them stops nothing for the others."""

    def test_a_zone_that_nobody_knows(self) -> None:
        lost, other = make_brand(timezone="Mars/Olympus", daily_budget=10), make_brand(daily_budget=10)
        campaigns = [make_campaign(brand) for brand in (lost, other)]
        for campaign in campaigns:
            spend(campaign, 10, NOON)
        for _ in range(2):
            pass_at(NOON)
            self.assertEqual([reasons_of(campaign) for campaign in campaigns], [ACTIVE, REACHED])
        self.assertEqual(PendingSpend.objects.get().brand_id, lost.pk)

    def test_spend_that_is_too_large_for_its_totals(self) -> None:
        large, other = make_campaign(make_brand(daily_budget=10)), make_campaign(make_brand(daily_budget=10))
        flood(large)
        spend(other, 10, NOON)
        for at in (NOON, "2026-11-20 12:10"):
            pass_at(at)
            self.assertEqual((reasons_of(large), reasons_of(other)), (REACHED, REACHED))


class ALongBacklog(TestCase):
    """One row is a batch, and a pass folds two."""

    def setUp(self) -> None:
        rows = "BATCH_ROWS_ON_SQLITE" if SQLITE else "BATCH_ROWS_ON_POSTGRESQL"
        self.enterContext(patch.object(fold_module, rows, 1))
        self.enterContext(patch.object(quick, "MAX_BATCHES", 2))

    def test_it_pauses_whatever_is_left_to_fold(self) -> None:
        campaigns = [make_campaign(make_brand(daily_budget=10)) for _ in range(5)]
        check_at(NOON)
        for campaign in campaigns:
            spend(campaign, 10, NOON)
        done = [pass_at(NOON) for _ in range(3)]
        self.assertEqual([(each.changed, each.folded) for each in done], [(5, 2), (0, 2), (0, 1)])
        self.assertEqual(totals_folded(), totals_of_records())

    def test_it_pauses_todays_overspend_behind_late_rows_of_others(self) -> None:
        late, today = make_campaign(), make_campaign(make_brand(daily_budget=10))
        check_at(NOON)
        for minute in range(10):
            spend(late, 1, f"2026-11-19 12:{minute:02}")
        spend(today, 10, NOON)
        self.assertEqual(pass_at(NOON).changed, 1)
        self.assertEqual(reasons_of(today), REACHED)

    def test_it_resumes_on_a_refund_behind_a_backlog(self) -> None:
        campaign = make_campaign(make_brand(monthly_budget=10))
        spend(campaign, 10, "2026-11-01 00:00")
        check_at(NOON)
        for minute in range(10):
            spend(make_campaign(), 1, f"2026-10-31 23:{minute:02}")
        spend(campaign, -1, "2026-11-02 12:00")
        self.assertEqual(pass_at(NOON).resumed, 1)

    def test_a_decision_and_a_fold_leave_no_mark_but_for_days_ahead(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=10))
        check_at(NOON)
        spend(campaign, 1, NOON)
        spend(campaign, 10, "2026-11-22 08:00")
        self.assertEqual(pass_at(NOON).folded, 2)
        self.assertEqual(DueBrand.objects.get().due_quarter, quarter_at("2026-11-22 00:00"))

    def test_the_day_that_begins_with_the_next_quarter_hour_is_marked(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=10))
        check_at("2026-11-20 23:59")
        spend(campaign, 10, "2026-11-21 00:00")
        self.assertEqual((pass_at("2026-11-20 23:59").folded, reasons_of(campaign)), (1, ACTIVE))
        pass_at("2026-11-21 00:00")
        self.assertEqual(reasons_of(campaign), REACHED)

    def test_a_brand_that_is_too_large_makes_no_pass_longer(self) -> None:
        large = make_campaign()
        most = DAY_TOTAL_LIMIT // MICROS
        BrandPeriod.objects.create(brand=large.brand, kind="day", starts_on="2026-11-20", spend=most)
        spend(large, 1, NOON)
        for minute in range(4):
            spend(make_campaign(), 1, f"2026-11-20 12:{minute:02}")
        self.assertEqual(pass_at(NOON).folded, 2)


class BesideOthers(ConcurrencyTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(daily_budget=10)
        self.campaign = make_campaign(self.brand)
        check_at(NOON)
        spend(self.campaign, 10, NOON)

    def run_pass(self) -> None:
        quick_check(JOB, clock=lambda: utc(NOON))

    def test_it_takes_few_statements(self) -> None:
        """Each takes a round trip; deciding, writing and folding are the work among them."""
        seen: list[str] = []

        def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
            seen.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(note):
            run_quick_check(clock=lambda: utc(NOON))
        self.assertEqual(reasons_of(self.campaign), REACHED)
        # Eight are the alert that fires, after the decisions have committed.
        self.assertEqual(len(seen), 43 if SQLITE else 27, seen)

    def test_marks_outlive_an_error_while_enforcing(self) -> None:
        with patch.object(enforcement, "count_changes", side_effect=DatabaseError), self.assertRaises(DatabaseError):
            self.run_pass()
        self.assertEqual((reasons_of(self.campaign), DueBrand.objects.count()), (ACTIVE, 1))
        pass_at(NOON)
        self.assertEqual((reasons_of(self.campaign), DueBrand.objects.count()), (REACHED, 0))

    def test_an_error_while_folding_comes_after_the_decisions(self) -> None:
        with patch.object(fold_module._Fold, "move", side_effect=DatabaseError), self.assertRaises(DatabaseError):
            self.run_pass()
        self.assertEqual((reasons_of(self.campaign), PendingSpend.objects.count()), (REACHED, 1))

    def test_an_error_with_brands_does_not_keep_waiting_what_time_has_reached(self) -> None:
        late = make_campaign(enabled=False)
        wrong = [DatabaseError, ChangeCounts(1, 1, 0)]
        with patch.object(enforcement, "count_changes", side_effect=wrong), self.assertRaises(DatabaseError):
            self.run_pass()
        self.assertEqual(reasons_of(late), PauseReason.CAMPAIGN_DISABLED)

    def test_a_mark_that_is_appended_meanwhile_stays(self) -> None:
        """Its spend came after the decision."""

        def refund() -> None:
            spend(self.campaign, -1, NOON)
            fold()

        with let_in(quick, "clear_due", refund):
            self.run_pass()
        self.assertEqual((reasons_of(self.campaign), DueBrand.objects.count()), (REACHED, 1))
        pass_at(NOON)
        self.assertEqual((reasons_of(self.campaign), DueBrand.objects.count()), (ACTIVE, 0))

    def test_a_person_who_saves_in_the_middle_has_the_last_word(self) -> None:
        def raise_budget() -> None:
            change(self.brand.pk, NOON, lambda: Brand.objects.update(daily_budget=20))

        with let_in(enforcement, "brands_to_write", raise_budget, after=True):
            self.run_pass()
        self.assertEqual((reasons_of(self.campaign), history(self.campaign)), (ACTIVE, []))

    def test_a_window_that_a_person_moves_in_the_middle_counts(self) -> None:
        make_window(self.campaign, start="11:00", end="20:00")
        enforce_at(NOON)

        def move() -> None:
            change(self.brand.pk, NOON, lambda: DaypartingSchedule.objects.update(end_time=time(15)))

        with let_in(enforcement, "brands_to_write", move, after=True):
            quick_check(JOB, clock=lambda: utc("2026-11-20 14:00"))
        self.assertEqual(next_change(self.campaign), utc("2026-11-20 15:00"))

    def test_a_check_in_its_middle_writes_no_second_line(self) -> None:
        with let_in(enforcement, "brands_to_write", lambda: check_at(NOON), after=True):
            self.run_pass()
        self.assertEqual(history(self.campaign), [(ACTIVE, REACHED)])

    def test_it_in_the_middle_of_a_check_writes_no_second_line(self) -> None:
        with let_in(enforcement, "brands_to_write", self.run_pass, after=True):
            check_at(NOON)
        self.assertEqual(history(self.campaign), [(ACTIVE, REACHED)])

    def test_passes_and_checks_at_once_end_as_one_after_the_other(self) -> None:
        others = [make_campaign(make_brand(daily_budget=10)) for _ in range(5)]
        for campaign in others:
            spend(campaign, 10, NOON)
        at_once(self.run_pass, self.run_pass, lambda: check_at(NOON))
        pass_at(NOON)
        for campaign in (self.campaign, *others):
            self.assertEqual(history(campaign), [(ACTIVE, REACHED)])
        self.assert_exact()

    def test_spend_that_comes_after_its_fold_is_left_to_the_next(self) -> None:
        with let_in(quick, "clear_due", lambda: spend(self.campaign, -1, NOON)):
            self.run_pass()
        pass_at(NOON)
        self.assertEqual(history(self.campaign), [(ACTIVE, REACHED), (REACHED, ACTIVE)])
