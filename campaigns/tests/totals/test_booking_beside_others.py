"""Writers, bookers and people at the same moment end as one after another (R6, R16)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any
from unittest.mock import patch

from django.db import DatabaseError, OperationalError, connection, transaction

from campaigns.database.connection import fetch_all
from campaigns.database.statements import script
from campaigns.models import CampaignLink, SpendRecord, SpendTotal, Waiting
from campaigns.services.totals import book as book_module
from campaigns.services.totals.book import book_totals
from campaigns.services.totals.links import assign
from campaigns.tests.support.factories import make_brand, make_campaign, utc
from campaigns.tests.support.outside import POSTGRESQL, SQLITE, OutsideTestCase
from campaigns.tests.support.together import ConcurrencyTestCase, Crew, at_once, meanwhile, pause
from campaigns.tests.totals.reports import (
    NOON,
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

DAYS = [f"2024-11-{day:02}" for day in range(18, 28)]


def report_at_random(seed: int, keys: list[str], statements: int = 60) -> None:
    random = Random(seed)
    for _ in range(statements):
        as_of = utc(NOON) + timedelta(seconds=random.randint(0, 10_000))
        try:
            report(random.randint(50, 99), random.choice(keys), random.choice(DAYS), f"{as_of:%Y-%m-%d %H:%M:%S}")
        except OperationalError as error:  # a deadlock or a busy database: the connector tries again
            if "deadlock" not in str(error) and "locked" not in str(error):
                raise


class WritersBesideBookers(ConcurrencyTestCase):
    def setUp(self) -> None:
        super().setUp()
        make_account()
        self.campaigns = [make_campaign(make_brand(created_at=utc("2024-11-01"))) for _ in range(4)]
        self.links = [make_link(campaign, str(number)) for number, campaign in enumerate(self.campaigns)]
        for name in ("BATCH_ON_POSTGRESQL", "BATCH_ON_SQLITE"):
            self.enterContext(patch.object(book_module, name, 7))
        for name in ("FIRST_DAYS", "DAYS"):
            self.enterContext(patch.object(book_module, name, 4))

    def run_beside_writers(self, *jobs: Callable[[], object], writers: int = 3) -> None:
        crew = Crew()
        keys = [link.external_id for link in self.links]
        writing = [crew.start(lambda n=n: report_at_random(n, keys)) for n in range(writers)]  # type: ignore[misc]

        def until_written(job: Callable[[], object]) -> None:
            while any(thread.is_alive() for thread in writing):
                job()
                pause(0.03)

        for job in jobs:
            crew.start(lambda job=job: until_written(job))  # type: ignore[misc]
        crew.finish()

    def finish(self) -> None:
        """Book what is left, also what the rule of decreases held back."""
        for _ in range(2):
            full_booking(at="2024-11-27 23:00")
        self.assertEqual(unbalanced(), [])
        self.assert_exact()

    def test_many_bookers_book_each_change_once(self) -> None:
        self.run_beside_writers(quick_booking, quick_booking, full_booking)
        self.finish()
        self.assertFalse(SpendTotal.objects.filter(waiting=0).exclude(total=0).filter(booked=0).exists())

    def test_links_that_move_meanwhile_take_everything_with_them(self) -> None:
        turns = iter(range(1000))

        def move() -> None:
            number = next(turns)
            target = self.campaigns[number % 4]
            try:
                assign({link.pk: target.pk for link in self.links[:2]})
            except OperationalError as error:
                if SQLITE and "locked" in str(error):
                    return
                raise

        self.run_beside_writers(quick_booking, full_booking, move)
        target = self.campaigns[3]
        assign({link.pk: target.pk for link in self.links[:2]})
        self.finish()
        moved = SpendTotal.objects.filter(campaign__in=("0", "1"))
        self.assertEqual(set(moved.values_list("booked_campaign_id", flat=True)), {target.pk})
        for campaign in self.campaigns:
            booked = sum(total.booked for total in SpendTotal.objects.filter(booked_campaign=campaign))
            self.assertEqual(sum(amounts(campaign)), booked)

    def test_bookers_that_die_leave_whole_batches(self) -> None:
        for number in range(4):
            for day in DAYS:
                report(number + 50, str(number), day)
        real, writes = fetch_all, count(1)

        def dies(sql: str, params: Any = ()) -> Any:
            if "campaigns_spendrecord" in sql or "RETURNING" in sql:
                found = real(sql, params)
                if next(writes) % 3 == 0:
                    raise SystemExit("killed after its records were written")
                return found
            return real(sql, params)

        deaths = 0
        with patch.object(book_module, "fetch_all", dies):
            for _ in range(8):
                try:
                    book_totals(clock=lambda: utc(NOON), seconds=60)
                except SystemExit:
                    deaths += 1
                self.assertEqual(unbalanced(), [])
        self.assertGreater(deaths, 0)
        quick_booking()
        self.assertEqual(SpendRecord.objects.count(), 40)
        self.assertEqual(unbalanced(), [])


class AtTheSameMoment(ConcurrencyTestCase):
    def test_two_bookers_book_once(self) -> None:
        make_account()
        linked_campaign()
        for day in DAYS:
            report(10, day=day)
        at_once(quick_booking, quick_booking, quick_booking)
        quick_booking()
        self.assertEqual(amounts(), [10] * 10)


if POSTGRESQL:

    class LockedRows(OutsideTestCase):
        def setUp(self) -> None:
            super().setUp()
            make_account()
            self.first, self.second = linked_campaign("1"), linked_campaign("2")

        def lock(self, table: str, pk: int) -> None:
            self.run_sql("BEGIN")
            self.addCleanup(self.run_sql, "ROLLBACK")
            self.run_sql(f"SELECT id FROM campaigns_{table} WHERE id = {pk} FOR UPDATE")

        def booked(self) -> list[int]:
            return [int(total_of(campaign).booked) for campaign in ("1", "2")]

        def test_a_campaign_that_somebody_is_deleting_holds_up_no_other(self) -> None:
            report(10, "1")
            report(20, "2")
            self.lock("campaign", self.first.pk)
            begun = datetime.now(UTC)
            self.assertEqual(quick_booking().problem, "")
            self.assertLess(datetime.now(UTC) - begun, timedelta(seconds=3))
            self.assertEqual(self.booked(), [0, 20])
            self.run_sql("COMMIT")
            quick_booking()
            self.assertEqual(self.booked(), [10, 20])

        def test_a_total_that_somebody_has_locked_holds_up_no_other(self) -> None:
            report(10, "1")
            report(20, "2")
            self.lock("spendtotal", total_of("1").pk)
            quick_booking()
            self.assertEqual(self.booked(), [0, 20])
            self.run_sql("ROLLBACK")
            quick_booking()
            self.assertEqual(self.booked(), [10, 20])

        def test_a_decrease_that_a_connector_has_locked_is_held_by_a_later_check(self) -> None:
            """Waiting for it ends in a deadlock if the connector restates another decrease next."""
            for campaign in ("1", "2"):
                report(500, campaign, day="2024-11-25")
            quick_booking()
            for campaign in ("1", "2"):
                report(1, campaign, day="2024-11-25", as_of="2024-11-27 13:00")
            quick_booking()
            first = total_of("1", day="2024-11-25")
            self.lock("spendtotal", first.pk)
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout = '3s'")
                self.assertEqual(full_booking("2024-11-27 14:00").booking_error, "")
            waiting = SpendTotal.objects.order_by("campaign").values_list("waiting", flat=True)
            self.assertEqual(list(waiting), [Waiting.DECREASE, Waiting.HELD])
            self.run_sql("COMMIT")
            full_booking("2024-11-27 14:00")
            self.assertEqual(set(waiting.all()), {Waiting.HELD})

        def test_totals_of_links_are_locked_as_connectors_restate_them(self) -> None:
            """In another order each would wait for what the other has locked."""
            links = [make_link(None, campaign) for campaign in ("4", "3")]
            for campaign in ("4", "3"):
                report(20, campaign)
            quick_booking()
            self.lock("spendtotal", total_of("3").pk)
            saving = Crew()
            saving.start(lambda: assign({link.pk: self.second.pk for link in links}))
            while not fetch_all("SELECT COUNT(*) FROM pg_locks WHERE NOT granted")[0][0]:
                pause(0.01)
            with transaction.atomic():
                list(SpendTotal.objects.filter(campaign="4").select_for_update(nowait=True))
            self.run_sql("ROLLBACK")
            saving.finish()
            self.assertFalse(SpendTotal.objects.filter(waiting__gt=0).exists())

        def test_what_is_booked_for_the_first_time_waits_while_links_are_saved(self) -> None:
            link = CampaignLink.objects.get(external_id="2")
            report(10, "1")
            quick_booking()
            report(15, "1")
            report(20, "2")
            with transaction.atomic():
                assign({link.pk: self.second.pk})
                meanwhile(quick_booking)
                self.assertEqual(self.booked(), [15, 0])
            quick_booking()
            self.assertEqual(self.booked(), [15, 20])

        def test_a_link_that_is_saved_while_others_book_moves_what_they_booked(self) -> None:
            """A total is reported and booked in the middle of the save: it goes to the new campaign all the same."""
            link = CampaignLink.objects.get(external_id="1")
            report(10, "1")

            def report_and_book() -> None:
                report(10, "1", day="2024-11-25")
                quick_booking()

            with transaction.atomic():
                assign({link.pk: self.second.pk})
                meanwhile(report_and_book)
                self.assertEqual(SpendRecord.objects.filter(campaign=self.first).count(), 0)
            quick_booking()
            self.assertEqual((amounts(self.first), amounts(self.second)), ([], [10, 10]))

        def test_a_booker_whose_session_ends_leaves_nothing_half_done(self) -> None:
            report(10, "1")
            real = script

            def ended(*args: Any, **kwargs: Any) -> Any:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_backend_pid()")
                    (pid,) = cursor.fetchone()
                self.run_sql(f"SELECT pg_terminate_backend({pid})")
                return real(*args, **kwargs)

            with patch.object(book_module, "script", ended), self.assertRaises(DatabaseError):
                book_totals(clock=lambda: utc(NOON), seconds=60)
            connection.close()
            self.assertEqual((unbalanced(), SpendRecord.objects.count()), ([], 0))
            quick_booking()
            self.assertEqual(total_of("1").booked, 10)
