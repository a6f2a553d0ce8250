"""Booking goes in batches, newest day first, and one bad total is in nobody's way (R16)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from unittest.mock import patch

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from campaigns.database.connection import execute, fetch_all
from campaigns.models import JobRun, PendingSpend, SpendRecord, SpendTotal, Waiting
from campaigns.rules.reasons import PauseReason
from campaigns.services.jobs.full_check import FullCheck, full_check
from campaigns.services.jobs.quick_check import QuickCheck, run_quick_check
from campaigns.services.totals import book as book_module
from campaigns.services.totals.book import ANY_TO_BOOK, book_totals
from campaigns.tests.support.checking import reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.outside import SQLITE
from campaigns.tests.totals.reports import (
    DAY,
    NOON,
    YESTERDAY,
    amounts,
    full_booking,
    linked_campaign,
    make_account,
    make_link,
    quick_booking,
    report,
    total_of,
    unbalanced,
)


def book(seconds: float = 60) -> book_module.Booked:
    return book_totals(clock=lambda: utc(NOON), seconds=seconds)


class BatchTests(TestCase):
    def setUp(self) -> None:
        make_account()
        self.campaign = linked_campaign()
        for name in ("BATCH_ON_POSTGRESQL", "BATCH_ON_SQLITE"):
            self.enterContext(patch.object(book_module, name, 3))
        for name in ("FIRST_DAYS", "DAYS"):
            self.enterContext(patch.object(book_module, name, 4))
        for number in range(10):
            report(number + 1, day=f"{datetime(2024, 11, 27, tzinfo=UTC) - timedelta(days=number):%Y-%m-%d}")

    def test_it_books_all_batches(self) -> None:
        self.assertEqual(book().records, 10)
        self.assertEqual(sum(amounts()), 55)
        self.assertEqual(unbalanced(), [])

    def test_it_books_the_newest_day_first_and_ends_when_the_time_is_over(self) -> None:
        done = book(seconds=0)
        self.assertEqual((done.records, done.unfinished), (3, True))
        self.assertEqual(sorted(amounts()), [1, 2, 3])
        self.assertEqual(book().records, 7)

    def test_a_booking_whose_time_is_over_when_nothing_is_left_is_finished(self) -> None:
        found = [book(seconds=0) for _ in range(5)]
        # Four days are read at a time, and three totals are a batch.
        self.assertEqual([done.records for done in found], [3, 1, 3, 1, 2])
        self.assertEqual([done.unfinished for done in found], [True, True, True, True, False])

    def test_what_cannot_be_booked_is_left_behind_and_not_met_again(self) -> None:
        for number in range(10):
            report(1, f"unlinked{number}")
        done = book()
        self.assertEqual((done.records, done.waiting), (10, 10))
        self.assertEqual(fetch_all(f"SELECT {ANY_TO_BOOK}"), [(0 if SQLITE else False,)])


class AccountsTests(TestCase):
    """More accounts on a day than are looked through at a time."""

    def setUp(self) -> None:
        for name in ("FIRST_DAYS", "DAYS"):
            self.enterContext(patch.object(book_module, name, 3))
        campaign = make_campaign()
        for number in range(7):
            make_link(campaign, account=make_account(external_id=f"a{number}"))
            for day in (YESTERDAY, DAY):
                report(1, day=day, account=f"a{number}")

    def test_each_is_booked_once(self) -> None:
        self.assertEqual((book().records, book().records), (14, 0))
        self.assertEqual(unbalanced(), [])
        days = [str(day) for day in SpendRecord.objects.order_by("pk").values_list("total__day", flat=True)]
        self.assertEqual(days, [DAY] * 7 + [YESTERDAY] * 7)

    def test_all_of_a_day_comes_before_the_day_before(self) -> None:
        for expected in (3, 6, 9, 12, 14):  # the third time it is one of the newer day, and two of the day before
            book(seconds=0)
            days = SpendTotal.objects.filter(booked__gt=0).values_list("day", flat=True)
            self.assertEqual(sum(day == date.fromisoformat(DAY) for day in days), min(expected, 7))
            self.assertEqual(len(days), expected)


class BrandsOfAnAccountTests(TestCase):
    """An account's campaigns may be of brands in several currencies; only those in its own are booked."""

    def test_the_currency_of_each_campaigns_own_brand_counts(self) -> None:
        for account, first, second in (("first", "USD", "EUR"), ("second", "EUR", "USD"), ("third", "", "USD")):
            with self.subTest(account):
                linked = make_account(external_id=account)
                for external_id, currency in (("1", first), ("2", second)):
                    campaign = make_campaign(make_brand(currency=currency)) if currency else None
                    make_link(campaign, external_id, account=linked)
                    report(5, external_id, account=account)
                book()
                totals = SpendTotal.objects.filter(account=account).order_by("campaign")
                expected = {"USD": Waiting.NO, "EUR": Waiting.CURRENCY, "": Waiting.UNLINKED}
                self.assertEqual([total.waiting for total in totals], [expected[first], expected[second]])
                self.assertEqual([total.booked > 0 for total in totals], [first == "USD", second == "USD"])


class BadTotalTests(TestCase):
    """A record that somebody has written with the next revision of a total: the database refuses ours."""

    def setUp(self) -> None:
        make_account()
        self.campaign = linked_campaign(daily_spend_limit=5)
        for number in range(1, 9):
            report(number, day=f"2024-11-{number:02}")
        report(5)
        self.bad = total_of(day="2024-11-05")
        self.forged = SpendRecord.objects.create(
            brand=self.campaign.brand, campaign=self.campaign, amount=1, total=self.bad, revision=1
        )

    def test_all_others_are_booked_and_it_waits_with_its_reason(self) -> None:
        problem = quick_booking().problem
        self.assertEqual(SpendRecord.objects.count(), 9)
        bad = total_of(day="2024-11-05")
        self.assertEqual((bad.waiting, bad.booked, bad.revision), (Waiting.FAILED, 0, 0))
        self.assertIn("spend_of_a_total_booked_once" if not SQLITE else "UNIQUE constraint failed", bad.problem)
        self.assertIn("1 reported total couldn't be booked", problem)

    def test_a_check_decides_and_folds_and_says_so(self) -> None:
        run_quick_check(clock=lambda: utc(NOON))
        self.assertEqual(reasons_of(self.campaign), PauseReason.CAMPAIGN_DAILY_LIMIT)
        self.assertFalse(PendingSpend.objects.exists())
        self.assertIn("couldn't be booked", JobRun.objects.get(name="quick_check").problem)

    def test_it_is_tried_again_by_the_full_check_and_by_a_later_report(self) -> None:
        quick_booking()
        self.forged.delete()
        quick_booking()
        self.assertEqual(total_of(day="2024-11-05").booked, 0)
        self.assertEqual(full_booking().problem, "")
        self.assertEqual((total_of(day="2024-11-05").booked, total_of(day="2024-11-05").problem), (5, ""))

    def test_a_later_report_is_tried_at_once(self) -> None:
        quick_booking()
        self.forged.delete()
        report(6, day="2024-11-05", as_of="2024-11-27 13:00")
        quick_booking()
        self.assertEqual(total_of(day="2024-11-05").booked, 6)


class FailureTests(TestCase):
    """Where booking fails as a whole, checks decide and fold."""

    def setUp(self) -> None:
        make_account()
        self.campaign = linked_campaign(daily_spend_limit=5)
        report(4)
        spend(make_campaign(), 1, NOON)
        self.enterContext(patch.object(book_module, "TO_BOOK", "no_such_column = 0"))

    def test_checks_go_on(self) -> None:
        checks: list[Callable[[], QuickCheck | FullCheck]] = [
            lambda: run_quick_check(clock=lambda: utc(NOON)),
            lambda: full_check("test", clock=lambda: utc(NOON)),
        ]
        for check in checks:
            spend(make_campaign(), 1, NOON)
            with self.assertLogs("campaigns.services.totals.checks", "ERROR"):
                done = check()
            self.assertIn("Reported totals couldn't be booked", done.unfinished.problem)
            self.assertFalse(PendingSpend.objects.exists())


class CostTests(TestCase):
    def test_a_check_with_nothing_to_book_reads_one_row_of_no_table(self) -> None:
        make_account()
        linked_campaign()
        report(5)
        run_quick_check(clock=lambda: utc(NOON))
        with CaptureQueriesContext(connection) as queries:
            run_quick_check(clock=lambda: utc("2024-11-27 12:01"))
        about = [query["sql"] for query in queries if re.search("campaigns_(spendtotal|daytobook)", query["sql"])]
        self.assertEqual(len(about), 1)

    def test_the_probe_reads_the_index_of_days_to_book(self) -> None:
        explain = "EXPLAIN QUERY PLAN" if SQLITE else "EXPLAIN"
        if not SQLITE:
            execute("SET LOCAL enable_seqscan = off")  # a small table is read as a whole
        plan = str(fetch_all(f"{explain} SELECT {ANY_TO_BOOK}"))
        self.assertIn("day_to_book_newest_first", plan)

    def test_records_of_a_closed_day_are_dated_on_that_day(self) -> None:
        make_account()
        campaign = linked_campaign()
        report(5, day=YESTERDAY)
        quick_booking()
        self.assertEqual(SpendRecord.objects.get(campaign=campaign).timestamp, utc("2024-11-26 12:00"))
