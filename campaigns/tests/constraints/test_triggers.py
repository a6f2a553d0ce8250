"""The triggers that a database must have are there, and stay there through migrations."""

from __future__ import annotations

import re

from django.core.management import call_command
from django.db import OperationalError, connection, models
from django.db.migrations import AlterField
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.test import TestCase

from campaigns.sql.triggers import (
    CreateTriggers,
    DropTriggers,
    installed_trigger_names,
    trigger_names,
)
from campaigns.tests.support.factories import make_campaign, spend
from campaigns.tests.support.outside import POSTGRESQL, SQLITE, OutsideTestCase, quarter_at, utc_text

NEEDED = trigger_names(connection.vendor)


class InstalledTests(TestCase):
    def test_it_has_every_trigger_and_no_other(self) -> None:
        self.assertEqual(installed_trigger_names(connection), NEEDED)

    def test_it_knows_triggers_of_both_databases(self) -> None:
        for vendor in ("postgresql", "sqlite"):
            with self.subTest(vendor):
                self.assertLessEqual(
                    {"campaigns_spend_inserted", "campaigns_spend_updated", "campaigns_spend_deleted"},
                    trigger_names(vendor),
                )


class FlushTests(OutsideTestCase):
    def test_it_flushes_a_database_that_has_spend(self) -> None:
        spend(make_campaign(), 5)
        call_command("flush", interactive=False, verbosity=0)
        for table in ("brand", "campaign", "spendrecord", "pendingspend", "accountingtimezone"):
            with self.subTest(table):
                self.assertEqual(self.value(f"SELECT COUNT(*) FROM campaigns_{table}"), 0)
        self.assertEqual(installed_trigger_names(connection), NEEDED)


class MigrationTestCase(OutsideTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.migrate, CreateTriggers())
        self.state = MigrationLoader(connection).project_state()

    def migrate(self, *operations: Operation) -> None:
        for operation in operations:
            after = self.state.clone()
            operation.state_forwards("campaigns", after)
            with connection.schema_editor() as editor:
                operation.database_forwards("campaigns", editor, self.state, after)
            self.state = after

    def alter_external_id(self, max_length: int) -> AlterField:
        field = models.CharField(max_length=max_length, null=True, blank=True)
        return AlterField("spendrecord", "external_id", field)


class MigrationTests(MigrationTestCase):
    """An altered table of ours keeps its triggers between DropTriggers and CreateTriggers."""

    def test_it_keeps_them_all_when_a_table_is_rebuilt(self) -> None:
        self.migrate(DropTriggers(), self.alter_external_id(300), CreateTriggers())
        self.addCleanup(self.migrate, DropTriggers(), self.alter_external_id(255), CreateTriggers())
        self.assertEqual(installed_trigger_names(connection), NEEDED)

    def test_it_counts_and_refuses_after_a_table_is_rebuilt(self) -> None:
        self.migrate(DropTriggers(), self.alter_external_id(300), CreateTriggers())
        self.addCleanup(self.migrate, DropTriggers(), self.alter_external_id(255), CreateTriggers())
        campaign, other = make_campaign(), make_campaign()
        self.insert_spend(campaign, "5", timestamp=utc_text("2026-11-22 10:00:00"))
        self.assertEqual(self.pending(), {(campaign.pk, quarter_at("2026-11-22 10:00:00")): 5_000_000})
        self.assert_spend_refused("spend_brand_is_the_campaigns_brand", campaign, brand_id=other.brand_id)

    def test_it_drops_them_all(self) -> None:
        self.migrate(DropTriggers())
        self.assertEqual(installed_trigger_names(connection), set())

    def test_it_creates_them_over_what_is_there(self) -> None:
        self.migrate(CreateTriggers(), CreateTriggers())
        self.assertEqual(installed_trigger_names(connection), NEEDED)

    def test_it_reverses_a_drop_and_a_creation(self) -> None:
        for operation, expected in ((CreateTriggers(), set()), (DropTriggers(), NEEDED)):
            with self.subTest(operation.describe()), connection.schema_editor() as editor:
                operation.database_backwards("campaigns", editor, self.state, self.state)
                self.assertEqual(installed_trigger_names(connection), expected)


if SQLITE:

    class WithoutThePairTests(MigrationTestCase):
        def test_it_refuses_to_rebuild_a_table_without_the_pair(self) -> None:
            with self.assertRaisesMessage(OperationalError, "error in trigger"):
                self.migrate(self.alter_external_id(300))
            self.assertEqual(installed_trigger_names(connection), NEEDED)


if POSTGRESQL:

    class PendingKeyTests(OutsideTestCase):
        KEY = (
            "SELECT relreplident::text, (SELECT COUNT(*) FROM pg_index WHERE indrelid = pg_class.oid) FROM pg_class"
            " WHERE oid = 'campaigns_pendingspend'::regclass"
        )

        def test_writers_keep_no_index_of_pending_rows_and_a_publication_gets_them_whole(self) -> None:
            self.assertEqual(self.run_sql(self.KEY), [("f", 0)])

    class FunctionTests(TestCase):
        def functions(self) -> dict[str, tuple[bool, list[str] | None]]:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT proname, prosecdef, proconfig FROM pg_proc"
                    " WHERE proname LIKE 'campaigns\\_%' AND pronamespace = current_schema()::regnamespace"
                )
                return {name: (definer, config) for name, definer, config in cursor.fetchall()}

        def test_it_runs_as_its_owner_with_a_pinned_search_path(self) -> None:
            functions = self.functions()
            # Several triggers call one function.
            shared = {"campaigns_brand_renamed", "campaigns_campaign_renamed", "campaigns_history_of_settings_updated"}
            shared |= {name for name in NEEDED if re.fullmatch(r"campaigns_(total|account)_(?!delete)\w+_guard", name)}
            shared |= {"campaigns_total_to_book_inserted", "campaigns_total_to_book_updated"}
            needed = NEEDED - shared | {"campaigns_renamed", "campaigns_total_refused", "campaigns_total_to_book"}
            needed |= {f"campaigns_search_{what}" for what in ("inserted", "updated", "deleted", "truncated")}
            of_the_writer = {"campaigns_history_updated", "campaigns_renamed"}
            of_the_writer |= {"campaigns_search_text", "campaigns_search_pattern"}
            of_the_writer |= {"campaigns_total_skipped", "campaigns_total_restated", "campaigns_total_refused"}
            needed |= of_the_writer
            self.assertEqual(set(functions), needed)
            for name in sorted(needed - of_the_writer):
                with self.subTest(name):
                    self.assertEqual(functions[name], (True, ["search_path=pg_catalog, pg_temp"]))

        def test_only_its_owner_may_make_triggers_of_them(self) -> None:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
                    " AND proname LIKE 'campaigns\\_%' AND (proacl IS NULL OR EXISTS"
                    " (SELECT FROM aclexplode(proacl) AS acl WHERE acl.grantee <> proowner))"
                )
                self.assertEqual(cursor.fetchall(), [])
