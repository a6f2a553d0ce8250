"""Who waits for whom: writers for nobody, jobs for no writer, and nobody in a circle; most of it on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from django.db import OperationalError, connection, transaction

from campaigns.database.connection import LEDGER_LOCK, execute, fetch_all, take_ledger_lock
from campaigns.models import Brand, BrandPeriod, Campaign, PendingSpend, SpendRecord, StatusChange
from campaigns.models.clocks import segments_param
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement import enforce as enforcement
from campaigns.services.enforcement.saving import begin_change, finish_change
from campaigns.services.intake.csv_reader import Row
from campaigns.services.intake.importer import import_spend
from campaigns.services.jobs.full_check import full_check
from campaigns.services.ledger import verify as verify_module
from campaigns.services.ledger.change_time_zone import apply_zone_changes
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.fold import fold
from campaigns.services.ledger.locks import lock_brands
from campaigns.services.ledger.verify import TotalsRange, repair, verify
from campaigns.services.scope import Scope
from campaigns.tests.support.checking import ACTIVE, check_at, enforce_at, history, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.ledger import totals_folded, totals_of_records
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase
from campaigns.tests.support.together import (
    ConcurrencyTestCase,
    Crew,
    at_once,
    let_in,
    meanwhile,
    wait_until_somebody_waits,
)

NOON = utc("2026-11-20 12:00")

if POSTGRESQL:

    def empty_in_sql() -> None:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE campaigns_spendrecord")

    class NobodyWaitsForTheWrongOne(OutsideTestCase):
        """The connector's statements, with a second of patience, beside locks that are held."""

        def setUp(self) -> None:
            super().setUp()
            self.campaign = make_campaign(make_brand(daily_budget=5))
            self.run_sql("SET lock_timeout = '1s'")
            self.run_sql("SET statement_timeout = '5s'")

        def insert(self) -> None:
            self.insert_spend(self.campaign, "5", timestamp="2026-11-20 12:00:00+00")

        def test_it_inserts_while_a_batch_holds_the_brands(self) -> None:
            with transaction.atomic():
                lock_brands([self.campaign.brand_id])
                self.insert()
            self.assertEqual(SpendRecord.objects.count(), 1)

        def test_it_folds_into_new_totals_while_a_batch_holds_the_brands(self) -> None:
            self.insert()
            folded: list[int] = []
            with transaction.atomic():
                lock_brands([self.campaign.brand_id])
                meanwhile(lambda: folded.append(fold()))
            self.assertEqual(folded, [1])

        def test_a_holder_of_locks_that_says_nothing_for_a_minute_loses_them(self) -> None:
            def patience() -> object:
                return fetch_all("SHOW idle_in_transaction_session_timeout")[0][0]

            with transaction.atomic():
                lock_brands([self.campaign.brand_id])
                self.assertEqual(patience(), "1min")
            self.assertEqual(patience(), "0")
            with transaction.atomic():
                take_ledger_lock()
                self.assertEqual(patience(), "1min")

        def test_it_inserts_while_a_check_has_written_statuses(self) -> None:
            Campaign.objects.update(enabled=False)
            with transaction.atomic():
                self.assertEqual(enforce_at(NOON).changed, 1)
                self.insert()

        def test_it_inserts_while_a_person_saves_budgets(self) -> None:
            with transaction.atomic():
                begin_change([self.campaign.brand_id], clock=lambda: NOON)
                Brand.objects.update(daily_budget=9, enabled=False)
                finish_change(Scope.everything(), clock=lambda: NOON, actor="amara")
                self.insert()

        def test_it_inserts_while_a_person_renames_a_campaign_and_its_brand(self) -> None:
            """A plain unique index would make the name part of a key, and a new name lock the row against inserts."""
            with transaction.atomic():
                begin_change([self.campaign.brand_id], clock=lambda: NOON)
                Brand.objects.update(name="Renamed")
                Campaign.objects.update(name="Renamed")
                self.insert()

        def test_it_inserts_while_a_fold_or_a_repair_is_not_committed(self) -> None:
            self.insert()
            with transaction.atomic():
                self.assertEqual(fold(), 1)
                self.insert()
            with transaction.atomic():
                repair(TotalsRange())
                self.insert()
            self.assertEqual(PendingSpend.objects.count(), 2)

        def test_it_folds_and_checks_beside_a_writer_that_does_not_commit(self) -> None:
            """What commits after later rows were folded is counted then: there is no high-water mark to fall below."""
            self.run_sql("BEGIN")
            self.insert()
            spend(self.campaign, 2, NOON)
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '1s'")
            self.addCleanup(connection.close)
            self.assertEqual(check_at(NOON).folded, 1)
            self.assertEqual(reasons_of(self.campaign), ACTIVE)
            self.run_sql("COMMIT")
            self.assertEqual(check_at(NOON).folded, 1)
            self.assertEqual(reasons_of(self.campaign), PauseReason.BRAND_DAILY_BUDGET)
            self.assertEqual(totals_folded(), totals_of_records())

        def test_it_counts_in_a_decision_what_commits_a_moment_before_it(self) -> None:
            with let_in(enforcement, "write_changes", self.insert):
                Campaign.objects.update(enabled=False)
                enforce_at(NOON)
            both = PauseReason.CAMPAIGN_DISABLED | PauseReason.BRAND_DAILY_BUDGET
            self.assertEqual(reasons_of(self.campaign), both)

    class NoDeadlock(ConcurrencyTestCase):
        def setUp(self) -> None:
            super().setUp()
            self.brand = make_brand(created_at=NOON)
            self.campaign = make_campaign(self.brand)
            check_at(NOON)

        def test_it_lets_a_person_rename_and_move_a_brand_beside_a_fold(self) -> None:
            """A new name takes a stronger lock on the brand. The fold's new total needs it, the move the ledger."""
            spend(self.campaign, 5, NOON)
            crew = Crew()
            with transaction.atomic():
                begin_change([self.brand.pk], clock=lambda: NOON)
                Brand.objects.update(name="Renamed", timezone="Asia/Tokyo")
                folding = crew.start(fold)
                wait_until_somebody_waits()
                finish_change(Scope.of_brands([self.brand.pk]), clock=lambda: NOON, actor="amara")
            crew.finish([folding])
            self.assert_exact()

        def test_it_lets_two_people_and_a_check_change_the_same_brands(self) -> None:
            brands = [make_brand(daily_budget=5) for _ in range(6)]
            for brand in brands:
                spend(make_campaign(brand), 3, NOON)
            ids = [brand.pk for brand in brands]

            def person(order: list[int], budget: int) -> None:
                for turn in range(6):
                    with transaction.atomic():
                        begin_change(order, clock=lambda: NOON)
                        for pk in order:
                            Brand.objects.filter(pk=pk).update(daily_budget=budget + turn % 2)
                        finish_change(Scope.of_brands(order), clock=lambda: NOON, actor="amara")

            def check() -> None:
                for _ in range(6):
                    full_check("test", clock=lambda: NOON)

            at_once(lambda: person(ids, 2), lambda: person(ids[::-1], 3), check)
            self.assertEqual(enforce_at(NOON).changed, 0)

        def test_a_person_who_waits_for_a_brand_holds_none_that_comes_after_it(self) -> None:
            """Everybody locks in order of id: a check that holds the first brand can have the second one."""
            second, crew = make_brand(), Crew()

            def save_both() -> None:
                with transaction.atomic():
                    begin_change([second.pk, self.brand.pk], clock=lambda: NOON)

            with transaction.atomic():
                lock_brands([self.brand.pk])
                saving = crew.start(save_both)
                wait_until_somebody_waits()
                lock_brands([second.pk])
            crew.finish([saving])

        def test_it_lets_the_ledger_be_emptied_beside_a_repair(self) -> None:
            """TRUNCATE locks everybody out of the rows and wants the ledger lock then; a repair reads rows under it."""
            for read in (SpendRecord.objects.count, verify, lambda: repair(TotalsRange())):
                spend(self.campaign, 5, NOON)
                crew = Crew()
                with transaction.atomic():
                    take_ledger_lock()
                    emptying = crew.start(empty_in_sql)
                    wait_until_somebody_waits()
                    read()
                crew.finish([emptying])
                self.assertEqual(SpendRecord.objects.count(), 0)
                self.assert_exact()

    class ACheckWaitsForAPerson(ConcurrencyTestCase):
        def test_it_ends_off_when_the_check_comes_while_a_person_switches_off(self) -> None:
            """The check decides on what the person has committed, not on what it saw while it waited."""
            brand = make_brand()
            campaign = make_campaign(brand, pause_reasons=int(PauseReason.ENDED))  # the check has something to write
            crew = Crew()
            with transaction.atomic():
                begin_change([brand.pk], clock=lambda: NOON)
                Brand.objects.update(enabled=False)
                finish_change(Scope.of_brands([brand.pk]), clock=lambda: NOON, actor="amara")
                checking = crew.start(lambda: enforce_at(NOON))
                wait_until_somebody_waits()
            crew.finish([checking])
            self.assertEqual(reasons_of(campaign), PauseReason.BRAND_DISABLED)
            self.assertEqual(history(campaign), [(PauseReason.ENDED, PauseReason.BRAND_DISABLED)])

    class EveryoneWaitsForTheLedger(OutsideTestCase):
        """Everything that moves totals waits while another transaction holds the ledger lock."""

        def setUp(self) -> None:
            super().setUp()
            self.brand = make_brand(daily_budget=5, created_at=NOON)
            self.campaign = make_campaign(self.brand)
            check_at(NOON)
            self.run_sql("BEGIN")
            self.run_sql("SELECT pg_advisory_xact_lock(%s)", LEDGER_LOCK)

        def assert_waits(self, work: Callable[[], object]) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '50ms'")
            self.addCleanup(connection.close)
            with self.assertRaisesMessage(OperationalError, "lock timeout"), transaction.atomic():
                work()

        def test_a_fold_does(self) -> None:
            spend(self.campaign, 5, NOON)
            self.assert_waits(fold)

        def test_a_closing_does(self) -> None:
            self.assert_waits(lambda: close_periods(now=NOON + timedelta(days=1)))

        def test_a_repair_does(self) -> None:
            self.assert_waits(lambda: repair(TotalsRange()))

        def test_a_re_booking_does(self) -> None:
            Brand.objects.update(timezone="Asia/Tokyo")
            self.assert_waits(lambda: apply_zone_changes(clock=lambda: NOON))

        def test_a_re_booking_holds_no_total_while_it_waits(self) -> None:
            """A fold holds the ledger and wants totals: they would wait for each other."""
            BrandPeriod.objects.create(brand=self.brand, kind="day", starts_on="2026-11-20")
            Brand.objects.update(timezone="Asia/Tokyo")
            crew = Crew()
            moving = crew.start(lambda: apply_zone_changes(clock=lambda: NOON))
            wait_until_somebody_waits()
            self.run_sql("SET LOCAL lock_timeout = '100ms'")
            self.run_sql("UPDATE campaigns_brandperiod SET spend = spend")
            self.run_sql("ROLLBACK")
            crew.finish([moving])

        def test_an_emptying_of_the_ledger_does(self) -> None:
            self.assert_waits(lambda: execute("TRUNCATE campaigns_spendrecord"))

        def test_a_closing_of_nothing_and_a_decision_do_not(self) -> None:
            self.assertEqual(close_periods(now=NOON), 0)
            Campaign.objects.update(enabled=False)
            self.assertEqual(enforce_at(NOON).changed, 1)

    class OrderOfLocks(OutsideTestCase):
        """Several locks are taken in one order, whatever the order of the rows, so no deadlock arises."""

        def test_it_holds_no_later_external_id_while_it_waits_for_an_earlier_one(self) -> None:
            campaign = make_campaign(make_brand(name="Acme"), name="Spring")
            rows = [Row(n, NOON, "Acme", "Spring", Decimal(n), key) for n, key in ((2, "z"), (3, "a"))]
            self.run_sql("BEGIN")
            self.insert_spend(campaign, "3", timestamp="2026-11-20 12:00:00+00", external_id="a")
            crew = Crew()
            importing = crew.start(lambda: import_spend(rows, clock=lambda: NOON))
            wait_until_somebody_waits()
            self.run_sql("SET LOCAL lock_timeout = '100ms'")
            self.insert_spend(campaign, "2", timestamp="2026-11-20 12:00:00+00", external_id="z")
            self.run_sql("COMMIT")
            crew.finish([importing])
            self.assertEqual(SpendRecord.objects.count(), 2)

        def test_it_holds_no_later_brand_while_it_waits_for_an_earlier_one(self) -> None:
            first, second = make_brand(), make_brand()
            Brand.objects.filter(pk=first.pk).update(currency="EUR")  # now its row lies behind the other's
            self.run_sql("BEGIN")
            self.run_sql("SELECT id FROM campaigns_brand WHERE id = %s FOR UPDATE", first.pk)
            crew = Crew()
            waiting = crew.start(lambda: lock_both([first.pk, second.pk]))
            wait_until_somebody_waits()
            self.run_sql("SELECT id FROM campaigns_brand WHERE id = %s FOR UPDATE NOWAIT", second.pk)
            self.run_sql("ROLLBACK")
            crew.finish([waiting])

        def test_a_re_booking_changes_no_brand_that_is_locked(self) -> None:
            brand = make_brand(created_at=NOON)
            Brand.objects.update(timezone="Asia/Tokyo")
            self.run_sql("BEGIN")
            self.run_sql("SELECT id FROM campaigns_brand WHERE id = %s FOR NO KEY UPDATE", brand.pk)
            self.assertEqual(apply_zone_changes(clock=lambda: NOON).locked, {brand.pk})
            self.run_sql("ROLLBACK")
            self.assertEqual(apply_zone_changes(clock=lambda: NOON).count, 1)

        def test_it_is_held_by_one_at_a_time(self) -> None:
            brand = make_brand()
            self.run_sql("SET lock_timeout = '50ms'")
            with transaction.atomic():
                lock_brands([brand.pk])
                lock = "SELECT id FROM campaigns_brand FOR NO KEY UPDATE"
                self.assert_refused("lock timeout", lock)

    def lock_both(brands: list[int]) -> None:
        with transaction.atomic():
            lock_brands(brands)


class VerifyBesideAFold(ConcurrencyTestCase):
    def test_it_finds_no_difference_when_spend_of_a_new_day_is_folded_meanwhile(self) -> None:
        campaign = make_campaign()
        spend(campaign, 1, NOON)
        fold()

        def next_day() -> None:
            spend(campaign, 2, NOON + timedelta(days=2))
            fold()

        with let_in(verify_module, "segments_param", next_day, after=True):
            self.assertEqual(verify(), [])
        self.assertEqual(verify(), [])


if POSTGRESQL:

    class VerifyBesideATruncation(ConcurrencyTestCase):
        def test_it_finds_no_difference_when_the_ledger_is_emptied_meanwhile(self) -> None:
            """A snapshot shows the totals of before, and a truncated table as it is."""
            spend(make_campaign(), 1, NOON)
            fold()
            crew = Crew()

            def begin_to_empty(days: Any) -> str:
                if not crew.threads:
                    crew.start(empty_in_sql)
                    wait_until_somebody_waits()
                return segments_param(days)

            with patch.object(verify_module, "segments_param", begin_to_empty):
                self.assertEqual(verify(), [])
            crew.finish()
            self.assertEqual(SpendRecord.objects.count(), 0)
            self.assert_exact()

    class SqlInTheWayOfABatch(ConcurrencyTestCase):
        """R6: what goes wrong with one batch stops none of the others."""

        def setUp(self) -> None:
            super().setUp()
            self.enterContext(patch.object(enforcement, "BATCH_CAMPAIGNS", 1))
            self.campaigns = [make_campaign(make_brand(enabled=False)) for _ in range(3)]

        def test_it_goes_on_though_a_campaign_is_deleted_while_its_line_of_history_is_written(self) -> None:
            first, *others = self.campaigns
            crew, changed = Crew(), []
            with transaction.atomic():
                Campaign.objects.filter(pk=first.pk).delete()
                crew.start(lambda: changed.append(enforce_at(NOON).changed))
                meanwhile(wait_until_somebody_waits)
            crew.finish()
            self.assertEqual(changed, [2])
            for campaign in others:
                self.assertEqual(history(campaign), [(ACTIVE, PauseReason.BRAND_DISABLED)])
            self.assertEqual(StatusChange.objects.count(), 2)
