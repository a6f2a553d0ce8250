"""What somebody keeps locked stops nothing for the others, and nobody waits for it without end (R6); on PostgreSQL."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from tempfile import NamedTemporaryFile
from unittest.mock import patch

from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from campaigns.database.connection import LEDGER_LOCK, execute, fetch_all
from campaigns.models import Brand, BrandPeriod, Campaign, JobRun, PendingSpend, SpendRecord
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement import enforce as enforcement
from campaigns.services.jobs import full_check as jobs
from campaigns.services.jobs import quick_check as quick
from campaigns.services.jobs import shards
from campaigns.services.ledger import change_time_zone as rebook
from campaigns.services.ledger import fold as fold_module
from campaigns.services.ledger import locks
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.due_brands import due_rows, mark_due
from campaigns.services.ledger.fold import fold
from campaigns.services.ledger.unfinished import Unfinished
from campaigns.tests.ledger.test_overflow import flood
from campaigns.tests.support.checking import ACTIVE, check_at, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.ledger import totals_folded, totals_of_records
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase
from campaigns.tests.support.together import Crew, let_in, wait_until_somebody_waits

NOON = utc("2026-11-20 12:00")
REACHED = PauseReason.BRAND_DAILY_BUDGET

if POSTGRESQL:

    class LockedCase(OutsideTestCase):
        """Two brands over their budgets; somebody's transaction stays open."""

        def setUp(self) -> None:
            super().setUp()
            for name in ("SAVE_WAIT", "JOB_WAIT", "LEDGER_WAIT"):
                self.enterContext(patch.object(locks, name, 0.1))
            self.locked, self.free = (make_campaign(make_brand(name=name, daily_budget=10)) for name in "AB")
            check_at(NOON)
            self.run_sql("BEGIN")

        def overspend(self) -> None:
            for campaign in (self.locked, self.free):
                spend(campaign, 10, NOON)

        def assert_nobody_waits(self) -> None:
            waiting = (
                "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            self.assertEqual(self.run_sql(waiting), [(0,)])

    class ALockedBrand(LockedCase):
        def setUp(self) -> None:
            super().setUp()
            self.run_sql("UPDATE campaigns_brand SET daily_budget = daily_budget WHERE id = %s", self.locked.brand_id)

        def test_a_check_serves_the_others_and_names_it(self) -> None:
            self.overspend()
            check = jobs.run_full_check(jobs.CHECK_BUDGETS, clock=lambda: NOON)
            self.assertEqual((reasons_of(self.locked), reasons_of(self.free)), (ACTIVE, REACHED))
            self.assertEqual((check.folded, totals_folded()), (2, totals_of_records()))
            run = JobRun.objects.get(name=jobs.CHECK_BUDGETS)
            self.assertIn("locks the brand “A”", run.problem)
            self.assertEqual(run.succeeded_at, NOON)
            self.assert_nobody_waits()

        def test_a_quick_check_serves_the_others_and_comes_back(self) -> None:
            self.overspend()
            quick.run_quick_check(clock=lambda: NOON)
            self.assertEqual((reasons_of(self.locked), reasons_of(self.free)), (ACTIVE, REACHED))
            self.assertIn("locks the brand “A”", JobRun.objects.get(name=quick.JOB).problem)
            quick.run_quick_check(clock=lambda: NOON)
            self.assertEqual(reasons_of(self.locked), ACTIVE)
            self.run_sql("ROLLBACK")
            quick.run_quick_check(clock=lambda: NOON)
            self.assertEqual(reasons_of(self.locked), REACHED)
            self.assertEqual(JobRun.objects.get(name=quick.JOB).problem, "")
            self.assertFalse(quick.is_anything_due(now=NOON))

        def test_a_quick_check_comes_back_after_a_check(self) -> None:
            Brand.objects.filter(pk=self.free.brand_id).update(enabled=False)
            self.overspend()
            check_at(NOON)
            self.run_sql("ROLLBACK")
            quick.run_quick_check(clock=lambda: NOON)
            self.assertEqual(reasons_of(self.locked), REACHED)

        def test_a_person_is_refused_in_words(self) -> None:
            client = Client()
            client.force_login(User.objects.create_superuser("amara"))
            page = reverse("admin:campaigns_brand_change", args=[self.locked.brand_id])
            brand = self.locked.brand
            data = {"name": brand.name, "timezone": brand.timezone, "currency": brand.currency, "daily_budget": "20"}
            response = client.post(page, data | {"enabled": "on"})
            self.assertEqual(response.status_code, 302)
            told = " ".join(str(message) for message in get_messages(response.wsgi_request))
            self.assertIn("another change or import is using the same brand or campaign right now", told)

        def test_shards_serve_the_others_and_name_it(self) -> None:
            self.overspend()
            check = shards.begin_check(jobs.CHECK_BUDGETS, of=2, clock=lambda: NOON)
            ended = [shards.run_shard(check, number, clock=lambda: NOON) for number in (0, 1)]
            self.assertEqual((reasons_of(self.locked), reasons_of(self.free)), (ACTIVE, REACHED))
            self.assertIn("locks the brand “A”", ended[1].problem if ended[1] else "")

        def test_those_that_nobody_waits_for_are_named_too(self) -> None:
            self.run_sql("UPDATE campaigns_brand SET daily_budget = daily_budget")
            self.overspend()
            with patch.object(enforcement, "MOST_WAITS", 1):
                self.assertIn("locks the brand “A”, “B”", check_at(NOON).problem)

        def test_it_is_looked_at_again_in_batches_of_the_same_size(self) -> None:
            self.run_sql("UPDATE campaigns_brand SET daily_budget = daily_budget")
            self.overspend()
            with (
                patch.object(enforcement, "BATCH_CAMPAIGNS", 1),
                patch.object(enforcement, "lock_free_brands", wraps=locks.lock_free_brands) as lock,
            ):
                check_at(NOON)
            self.assertEqual({len(call.args[0]) for call in lock.call_args_list}, {1})

        def test_a_brand_whose_zone_sql_has_changed_waits_and_keeps_its_status(self) -> None:
            """It isn't decided by the days of a zone in which its spend isn't booked yet."""
            self.run_sql("ROLLBACK")
            self.run_sql("UPDATE campaigns_brand SET timezone = 'Asia/Tokyo' WHERE id = %s", self.locked.brand_id)
            self.run_sql("BEGIN")
            self.run_sql("SELECT 1 FROM campaigns_brand WHERE id = %s FOR NO KEY UPDATE", self.locked.brand_id)
            self.overspend()
            self.assertIn("locks the brand “A”", check_at(NOON).problem)
            self.assertEqual((reasons_of(self.locked), reasons_of(self.free)), (ACTIVE, REACHED))

    class ManyLockedBrandsInChangedZones(LockedCase):
        def test_only_a_few_are_waited_for(self) -> None:
            """Each wait would take of the time that a quick check has for all brands."""
            more = [make_campaign(make_brand(name=f"More {n}")).brand_id for n in range(6)]
            self.run_sql("ROLLBACK")
            self.run_sql("UPDATE campaigns_brand SET timezone = 'Asia/Tokyo' WHERE id <> %s", self.free.brand_id)
            self.run_sql("BEGIN")
            self.run_sql("SELECT 1 FROM campaigns_brand WHERE id <> %s FOR NO KEY UPDATE", self.free.brand_id)
            with patch.object(rebook, "lock_brands", side_effect=locks.lock_brands) as waits:
                done = rebook.apply_zone_changes(clock=lambda: NOON)
            self.assertEqual(done.locked, {self.locked.brand_id, *more})
            self.assertEqual(waits.call_count, locks.MOST_WAITS)
            self.run_sql("ROLLBACK")
            self.assertEqual(rebook.apply_zone_changes(clock=lambda: NOON).count, 7)

        def test_a_repair_names_them(self) -> None:
            self.run_sql("ROLLBACK")
            self.run_sql("UPDATE campaigns_brand SET timezone = 'Asia/Tokyo'")
            self.run_sql("BEGIN")
            self.run_sql("SELECT 1 FROM campaigns_brand WHERE id = %s FOR NO KEY UPDATE", self.locked.brand_id)
            told = io.StringIO()
            with self.assertRaisesMessage(CommandError, "locks 1 brand (“A”), whose open periods weren't recomputed"):
                call_command("verify_spend", "--repair", stdout=told)
            self.assertIn("1 brand recomputed.", told.getvalue())
            self.run_sql("ROLLBACK")
            call_command("verify_spend", "--repair", stdout=told)

    class ALockedCampaign(LockedCase):
        def test_a_check_writes_the_others_of_its_brand(self) -> None:
            other = make_campaign(self.locked.brand)
            self.run_sql("UPDATE campaigns_campaign SET name = 'Held' WHERE id = %s", self.locked.pk)
            self.overspend()
            check = check_at(NOON)
            reasons = [reasons_of(campaign) for campaign in (self.locked, other, self.free)]
            self.assertEqual(reasons, [ACTIVE, REACHED, REACHED])
            self.assertIn(f"locks the campaign “{self.locked.name}”", check.problem)
            self.run_sql("COMMIT")
            quick.run_quick_check(clock=lambda: NOON)
            self.assertEqual(reasons_of(self.locked), REACHED)

        def test_a_quick_check_comes_back_to_it(self) -> None:
            self.run_sql("UPDATE campaigns_campaign SET name = 'Held' WHERE id = %s", self.locked.pk)
            self.overspend()
            quick.run_quick_check(clock=lambda: NOON)
            self.assertEqual((reasons_of(self.locked), reasons_of(self.free)), (ACTIVE, REACHED))
            self.assertEqual(PendingSpend.objects.count(), 0)
            self.run_sql("COMMIT")
            quick.run_quick_check(clock=lambda: NOON)
            self.assertEqual(reasons_of(self.locked), REACHED)

    class ALockedTable(LockedCase):
        def test_a_check_ends_and_says_so(self) -> None:
            self.run_sql("LOCK TABLE campaigns_statuschange")
            self.overspend()
            self.assertIn("locks the brand “A”, “B”", check_at(NOON).problem)
            self.run_sql("ROLLBACK")
            check_at(NOON)
            self.assertEqual((reasons_of(self.locked), reasons_of(self.free)), (REACHED, REACHED))

    class ABrandThatIsBeingDeleted(LockedCase):
        def setUp(self) -> None:
            super().setUp()
            self.overspend()
            self.run_sql("SELECT 1 FROM campaigns_brand WHERE id = %s FOR UPDATE", self.locked.brand_id)

        def test_the_spend_of_others_is_folded(self) -> None:
            left = Unfinished()
            self.assertEqual((fold(unfinished=left), left.locked_brands), (1, {self.locked.brand_id}))
            self.assertEqual(PendingSpend.objects.get().brand_id, self.locked.brand_id)

        def test_the_periods_of_others_are_closed(self) -> None:
            check = check_at(NOON + timedelta(days=1))
            closed = BrandPeriod.objects.filter(closed_at__isnull=False)
            self.assertEqual(set(closed.values_list("brand", flat=True)), {self.free.brand_id})
            self.assertIn("locks the brand “A”", check.problem)
            self.run_sql("ROLLBACK")
            check_at(NOON + timedelta(days=1))
            self.assertEqual(closed.filter(brand=self.locked.brand_id).count(), 1)

        def test_a_closing_names_it(self) -> None:
            fold()
            left = Unfinished()
            close_periods(now=NOON + timedelta(days=1), unfinished=left)
            self.assertEqual(left.locked_brands, {self.locked.brand_id})

        def test_a_brand_that_is_too_large_hinders_none_either(self) -> None:
            """Whichever of the two a fold meets first."""
            self.enterContext(patch.object(fold_module, "BATCH_DAYS", 1))
            large = make_campaign(make_brand(name="C", daily_budget=10))
            spend(self.free, 1, "2026-11-18 12:00")
            for at in ("2026-11-30 12:00", "2026-11-10 12:00"):
                with self.subTest(at):
                    flood(large, at=at)
                    spend(self.free, 1, NOON)
                    check = check_at(NOON)
                    self.assertIn("locks the brand “A”", check.problem)
                    self.assertIn("The spend of the brand “C” comes to more than a total holds", check.problem)
                    left = set(PendingSpend.objects.values_list("brand", flat=True))
                    self.assertEqual(left, {self.locked.brand_id, large.brand_id})
                    SpendRecord.objects.filter(campaign=large).delete()

        def test_spend_of_others_that_comes_after_the_decision_is_marked(self) -> None:
            with let_in(quick, "clear_due", lambda: spend(self.free, -1, NOON)):
                quick.run_quick_check(clock=lambda: NOON)
            self.assertEqual(PendingSpend.objects.get().brand_id, self.locked.brand_id)
            quick.run_quick_check(clock=lambda: NOON)
            self.assertEqual(reasons_of(self.free), ACTIVE)

    class ABrandThatCannotBeRebooked(LockedCase):
        """SQL has moved it to Tokyo, where a new day has begun, and its spend of now is booked in yesterday's still."""

        def setUp(self) -> None:
            super().setUp()
            self.now = utc("2026-11-20 19:00")
            spend(self.locked, 10, self.now)
            check_at(self.now)
            Brand.objects.filter(pk=self.locked.brand_id).update(timezone="Asia/Tokyo")
            self.run_sql("SELECT pg_advisory_xact_lock(%s)", LEDGER_LOCK)
            self.assertEqual(reasons_of(self.locked), REACHED)

        def assert_left_and_noted(self, problem: str) -> None:
            self.assertEqual(reasons_of(self.locked), REACHED)
            self.assertIn("locks the brand “A”", problem)
            self.assertIn(self.locked.brand_id, due_rows(now=self.now).brands)

        def test_a_check_leaves_it(self) -> None:
            self.assert_left_and_noted(check_at(self.now).problem)

        def test_a_quick_check_leaves_it(self) -> None:
            mark_due([self.locked.brand_id])
            quick.run_quick_check(clock=lambda: self.now)
            self.assert_left_and_noted(JobRun.objects.get(name=quick.JOB).problem)

        def test_a_repair_says_so(self) -> None:
            with self.assertRaisesMessage(CommandError, "Another transaction locks 1 brand (“A”)"):
                call_command("verify_spend", "--repair", stdout=StringIO())

        def test_shards_leave_it(self) -> None:
            check = shards.begin_check(jobs.CHECK_BUDGETS, of=2, clock=lambda: self.now)
            for number in (0, 1):
                ended = shards.run_shard(check, number, clock=lambda: self.now)
            self.assert_left_and_noted(ended.problem if ended else "")

    class ALockedLedger(LockedCase):
        def test_decisions_do_not_wait_for_it(self) -> None:
            self.run_sql("SELECT pg_advisory_xact_lock(%s)", LEDGER_LOCK)
            self.overspend()
            quick.run_quick_check(clock=lambda: NOON)
            self.assertEqual((reasons_of(self.locked), reasons_of(self.free)), (REACHED, REACHED))
            self.assertIn("couldn't be moved into the totals", check_at(NOON).problem)
            self.assertEqual(PendingSpend.objects.count(), 2)
            self.run_sql("ROLLBACK")
            self.assertEqual(check_at(NOON).problem, "")
            self.assertEqual(totals_folded(), totals_of_records())

    class ALockedTotal(LockedCase):
        def setUp(self) -> None:
            super().setUp()
            self.overspend()
            fold()
            self.overspend()

        def assert_only_the_free_brand_is_folded(self) -> None:
            check = check_at(NOON)
            self.assertEqual([row.brand_id for row in PendingSpend.objects.all()], [self.locked.brand_id])
            self.assertIn("couldn't be moved into the totals", check.problem)
            self.run_sql("ROLLBACK")
            self.assertEqual(check_at(NOON).problem, "")
            self.assertEqual(totals_folded(), totals_of_records())

        def test_of_a_brand_keeps_no_other_from_being_folded(self) -> None:
            self.run_sql("SELECT 1 FROM campaigns_brandperiod WHERE brand_id = %s FOR UPDATE", self.locked.brand_id)
            self.assert_only_the_free_brand_is_folded()

        def test_of_a_campaign_keeps_no_other_from_being_folded(self) -> None:
            self.run_sql("SELECT 1 FROM campaigns_campaignday WHERE campaign_id = %s FOR UPDATE", self.locked.pk)
            self.assert_only_the_free_brand_is_folded()

    class ALockedStatementOfAClockAhead(LockedCase):
        def test_it_keeps_no_campaign_from_being_paused(self) -> None:
            """What was closed too early is opened by a later check."""
            self.overspend()
            check_at(NOON + timedelta(days=1))
            statements = BrandPeriod.objects.filter(closed_at__isnull=False)
            self.assertTrue(statements.exists())
            self.run_sql("SELECT 1 FROM campaigns_brandperiod FOR UPDATE")
            self.assertIn("ended periods couldn't be closed", check_at(NOON).problem)
            self.assertEqual((reasons_of(self.locked), reasons_of(self.free)), (REACHED, REACHED))
            self.run_sql("ROLLBACK")
            check_at(NOON)
            self.assertFalse(statements.exists())

    class APersonBesideAWriter(LockedCase):
        """The writer's transaction holds the first row of a campaign."""

        def setUp(self) -> None:
            super().setUp()
            self.client = Client()
            self.client.force_login(User.objects.create_superuser("amara"))
            self.insert_spend(self.locked, "1", timestamp="2026-11-20 12:00:00+00")

        def post(self, page: str, data: dict[str, object], status: int = 302) -> str:
            response = self.client.post(reverse(f"admin:campaigns_campaign_{page}", args=[self.locked.pk]), data)
            self.assertEqual(response.status_code, status)
            return " ".join(str(message) for message in get_messages(response.wsgi_request))

        def assert_refused_in_words(self, told: str) -> None:
            self.assertIn("Nothing was saved: another change or import is using the same brand or campaign", told)
            self.assert_nobody_waits()
            self.run_sql("COMMIT")
            self.assertEqual((Campaign.objects.count(), SpendRecord.objects.count()), (2, 1))

        def test_a_deletion_is_refused_in_words(self) -> None:
            self.assert_refused_in_words(self.post("delete", {"post": "yes"}))

        def test_a_move_is_refused_in_words(self) -> None:
            self.assert_refused_in_words(self.move())

        def move(self, status: int = 302) -> str:
            data = {"brand": self.free.brand_id, "name": self.locked.name, "enabled": "on"}
            windows = {f"windows-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL")}
            return self.post("change", data | windows, status)

        def test_a_fold_goes_on_while_a_person_waits_who_deletes(self) -> None:
            self.assert_a_fold_goes_on_beside(lambda: self.post("delete", {"post": "yes"}))

        def test_a_fold_goes_on_while_a_person_waits_who_moves(self) -> None:
            """And is told then that spend stays with its brand."""
            self.assert_a_fold_goes_on_beside(lambda: self.move(200))

        def assert_a_fold_goes_on_beside(self, work: Callable[[], object]) -> None:
            """The ledger isn't locked before the rows that the person waits for, though a period is to be closed."""
            Brand.objects.update(created_at=utc("2026-11-18"))
            spend(self.free, 10, NOON)
            crew = Crew()
            with patch.object(locks, "SAVE_WAIT", 5):
                waiting = crew.start(work)
                wait_until_somebody_waits()
                self.assertEqual(fold(), 1)
                self.run_sql("COMMIT")
                crew.finish([waiting])
            self.assertEqual(Campaign.objects.count(), 2)

    class APreviewBesideALock(LockedCase):
        def test_a_page_that_cannot_wait_says_try_again(self) -> None:
            self.run_sql("SELECT 1 FROM campaigns_brand WHERE id = %s FOR UPDATE", self.locked.brand_id)
            client = Client()
            client.force_login(User.objects.create_superuser("amara"))
            response = client.get(reverse("admin:campaigns_brand_pause", args=[self.locked.brand_id]))
            self.assertContains(response, "Try again", status_code=503)
            self.assertEqual(response["Retry-After"], "10")

    class ALockedRun(LockedCase):
        def test_a_check_whose_beginning_it_cannot_note_decides(self) -> None:
            JobRun.objects.create(name=jobs.CHECK_BUDGETS)
            self.run_sql("SELECT 1 FROM campaigns_jobrun FOR UPDATE")
            self.overspend()
            connection.close()
            execute("SET lock_timeout = '100ms'")
            self.addCleanup(connection.close)
            with self.assertRaises(OperationalError):  # its end can't be noted either, so health says that it is late
                jobs.run_full_check(jobs.CHECK_BUDGETS, clock=lambda: NOON)
            self.assertEqual((reasons_of(self.locked), reasons_of(self.free)), (REACHED, REACHED))

    class AnyStatement(OutsideTestCase):
        def test_it_waits_for_a_lock_for_ten_seconds_at_most(self) -> None:
            connection.close()  # by the next statement the session begins anew
            self.assertEqual(fetch_all("SHOW lock_timeout"), [("10s",)])

    class AnImportBesideALock(LockedCase):
        def test_it_says_so_and_imports_nothing(self) -> None:
            """Somebody's open transaction holds the row of the same external id."""
            self.insert_spend(self.locked, "1", timestamp="2026-11-20 12:00:00+00", external_id="a")
            connection.close()
            execute("SET lock_timeout = '100ms'")
            self.addCleanup(connection.close)
            with NamedTemporaryFile("w", suffix=".csv") as file:
                file.write(
                    f"timestamp,brand,campaign,amount,external_id\n2026-11-20T12:00:00Z,A,{self.locked.name},1,a\n"
                )
                file.flush()
                with self.assertRaisesMessage(CommandError, "Another process was writing the same rows"):
                    call_command("import_spend", file.name, stdout=io.StringIO())
