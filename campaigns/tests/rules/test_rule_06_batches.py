"""R6: a batch that can't be written doesn't stop the others, and is reported."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

from django.db import IntegrityError, connection, transaction

from campaigns.models import Brand, Campaign, JobRun, SpendRecord, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement import enforce as enforcement
from campaigns.services.enforcement.enforce import ATTEMPTS, Change, enforce
from campaigns.services.jobs.quick_check import quick_check
from campaigns.services.jobs.shards import begin_check, run_shard
from campaigns.services.ledger.locks import lock_brands, lock_free_brands
from campaigns.services.scope import Scope
from campaigns.tests.support.checking import ACTIVE, check_at, enforce_at, history, reasons_of
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.outside import SQLITE, OutsideTestCase, by_vendor

NOON = utc("2026-11-20 12:00")
REACHED = PauseReason.BRAND_DAILY_BUDGET

REFUSE = by_vendor(
    postgresql="ALTER TABLE campaigns_statuschange ADD CONSTRAINT mean CHECK (campaign_id <> {campaign})",
    sqlite="CREATE TRIGGER mean BEFORE INSERT ON campaigns_statuschange WHEN NEW.campaign_id = {campaign}"
    " BEGIN SELECT RAISE(ABORT, 'mean'); END",
)
ADMIT = by_vendor(
    postgresql="ALTER TABLE campaigns_statuschange DROP CONSTRAINT IF EXISTS mean",
    sqlite="DROP TRIGGER IF EXISTS mean",
)


def run_sql(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


class ABatchThatCantBeWritten(CommittedTestCase):
    """Three campaigns to pause, each in a batch of its own; no line of history can be written for the first."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(patch.object(enforcement, "BATCH_CAMPAIGNS", 1))
        self.campaigns = [make_campaign(make_brand(enabled=False)) for _ in range(3)]
        run_sql(REFUSE.format(campaign=self.campaigns[0].pk))
        self.addCleanup(run_sql, ADMIT)

    def assert_enforcement_fails(self) -> list[Change]:
        """Enforce everything; return the reported changes."""
        reported: list[Change] = []
        with self.assertRaisesMessage(IntegrityError, "mean"):
            enforce(Scope.everything(), clock=lambda: NOON, actor="test", on_changes=reported.extend)
        return reported

    def test_it_stops_none_of_the_others_and_is_told_after_them(self) -> None:
        first, *others = self.campaigns
        reported = self.assert_enforcement_fails()
        self.assertEqual([change.campaign_id for change in reported], [campaign.pk for campaign in others])
        for campaign in others:
            self.assertEqual(history(campaign), [(ACTIVE, PauseReason.BRAND_DISABLED)])
        self.assertEqual((reasons_of(first), history(first)), (ACTIVE, []))

    def test_it_is_tried_several_times(self) -> None:
        with patch.object(enforcement, "lock_free_brands", wraps=lock_free_brands) as lock:
            self.assert_enforcement_fails()
        self.assertEqual(lock.call_count, ATTEMPTS + 2)

    def test_it_is_written_by_the_next_check(self) -> None:
        self.assert_enforcement_fails()
        run_sql(ADMIT)
        self.assertEqual(enforce_at(NOON).changed, 1)
        self.assertEqual(reasons_of(self.campaigns[0]), PauseReason.BRAND_DISABLED)

    def test_inside_a_transaction_of_the_callers_it_is_told_at_once(self) -> None:
        with (
            patch.object(enforcement, "lock_brands", wraps=lock_brands) as lock,
            self.assertRaisesMessage(IntegrityError, "mean"),
            transaction.atomic(),
        ):
            enforce_at(NOON)
        self.assertEqual(lock.call_count, 1)
        self.assertEqual([reasons_of(campaign) for campaign in Campaign.objects.all()], [ACTIVE] * 3)
        self.assertEqual(StatusChange.objects.count(), 0)


REFUSE_ZONE = by_vendor(
    postgresql="ALTER TABLE campaigns_accountingtimezone ADD CONSTRAINT mean CHECK (brand_id <> {brand}) NOT VALID",
    sqlite="CREATE TRIGGER mean BEFORE INSERT ON campaigns_accountingtimezone WHEN NEW.brand_id = {brand}"
    " BEGIN SELECT RAISE(ABORT, 'mean'); END",
)
ADMIT_ZONE = ADMIT.replace("statuschange", "accountingtimezone")


class ABrandThatCantBeRebooked(CommittedTestCase):
    """SQL has moved it to another zone; the other brand has reached its budget."""

    def setUp(self) -> None:
        super().setUp()
        self.moved, self.other = (make_campaign(make_brand(daily_budget=10)) for _ in range(2))
        check_at(NOON)
        run_sql(REFUSE_ZONE.format(brand=self.moved.brand_id))
        self.addCleanup(run_sql, ADMIT_ZONE)
        Brand.objects.filter(pk=self.moved.brand_id).update(timezone="Asia/Tokyo")
        for campaign in (self.moved, self.other):
            spend(campaign, 10, NOON)

    def assert_others_are_served(self, work: Callable[[], object]) -> None:
        with self.assertRaisesMessage(IntegrityError, "mean"):
            work()
        self.assertEqual((reasons_of(self.moved), reasons_of(self.other)), (ACTIVE, REACHED))
        run_sql(ADMIT_ZONE)
        quick_check("test", clock=lambda: NOON)
        self.assertEqual(reasons_of(self.moved), REACHED)

    def test_it_stops_no_other_in_a_check(self) -> None:
        self.assert_others_are_served(lambda: check_at(NOON))

    def test_it_stops_no_other_in_a_quick_check(self) -> None:
        self.assert_others_are_served(lambda: quick_check("test", clock=lambda: NOON))

    def test_it_stops_no_other_in_shards(self) -> None:
        def check_in_shards() -> None:
            check = begin_check("test", of=2, clock=lambda: NOON)
            for number in (0, 1):
                run_shard(check, number, clock=lambda: NOON)

        self.assert_others_are_served(check_in_shards)
        self.assertIsNone(JobRun.objects.get(name="test").succeeded_at)


class BetweenBatches(OutsideTestCase):
    def test_others_are_let_in(self) -> None:
        campaigns = [make_campaign(make_brand(enabled=False)) for _ in range(3)]
        place = (campaigns[0].brand_id, campaigns[0].pk)

        def write() -> None:
            self.run_sql("INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount) VALUES (%s, %s, 1)", *place)

        with (
            patch.object(enforcement, "BATCH_CAMPAIGNS", 1),
            patch.object(enforcement, "yield_to_waiting_writers", write),
        ):
            self.assertEqual(enforce_at(NOON).changed, 3)
        self.assertEqual(SpendRecord.objects.count(), 2)

    def test_a_batch_is_smaller_where_it_locks_everybody_out(self) -> None:
        batches = list(enforcement._batches([(1, 600), (2, 600), (3, 400)]))
        self.assertEqual(batches, [[1], [2, 3]] if SQLITE else [[1, 2, 3]])
