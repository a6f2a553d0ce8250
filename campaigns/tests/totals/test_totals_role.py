"""manage.py connector_role --totals: what a connector of reported totals may do, signed in as its role (PostgreSQL)."""

from __future__ import annotations

from typing import Any

import psycopg

from campaigns.models import CampaignLink, PlatformAccount, SpendTotal
from campaigns.services import connector_role
from campaigns.tests.support.factories import make_campaign
from campaigns.tests.support.outside import POSTGRESQL
from campaigns.tests.totals.reports import DAY, UPSERT, amounts, make_account, make_link, quick_booking, total_of

if POSTGRESQL:
    from campaigns.tests.ledger.test_connector_role import RoleTestCase, command

    ACCOUNT_UPSERT = """
        INSERT INTO campaigns_platformaccount (source, external_id, name, currency, timezone, reported_until)
        VALUES ('google_ads', '1234567890', 'Shop', 'USD', 'UTC', now())
        ON CONFLICT (source, external_id) DO UPDATE SET name = EXCLUDED.name, currency = EXCLUDED.currency,
            timezone = EXCLUDED.timezone, reported_until = EXCLUDED.reported_until
    """

    class TotalsRoleTestCase(RoleTestCase):
        def setUp(self) -> None:
            super().setUp()
            command(self.role, "--totals", "--apply")
            self.connector = self.log_in()

        def sync(self, sql: str, *params: Any) -> Any:
            return self.connector.execute(sql.encode(), params or None)

        def report(self, total: str, as_of: str = "2024-11-27T12:00Z") -> None:
            self.sync(UPSERT, "google_ads", "1234567890", "1", DAY, total, as_of)

        def assert_denied(self, sql: str) -> None:
            with self.assertRaises(psycopg.errors.InsufficientPrivilege):
                self.sync(sql)

    class AllowedTests(TotalsRoleTestCase):
        def test_it_reports_totals_that_are_booked(self) -> None:
            make_link(make_campaign(), account=make_account())
            self.report("40")
            self.report("41", "2024-11-27T13:00Z")
            self.report("39", "2024-11-27T12:30Z")
            quick_booking()
            self.assertEqual(amounts(), [41])
            self.report("45", "2024-11-27T14:00Z")
            quick_booking()
            self.assertEqual(amounts(), [41, 4])

        def test_what_it_restates_of_a_held_total_is_judged_anew(self) -> None:
            self.report("40")
            SpendTotal.objects.update(waiting=5)
            self.report("41")
            self.assertEqual(total_of().waiting, 0)

        def test_it_adds_accounts_and_links_and_sets_what_it_knows(self) -> None:
            for _ in range(2):
                self.sync(ACCOUNT_UPSERT)
            self.sync("UPDATE campaigns_platformaccount SET reported_until = now() WHERE external_id = '1234567890'")
            for name in ("Old", "New"):
                self.sync(
                    "INSERT INTO campaigns_campaignlink (account_id, external_id, name)"
                    " SELECT id, '1', %s FROM campaigns_platformaccount"
                    " ON CONFLICT (account_id, external_id) DO UPDATE SET name = EXCLUDED.name",
                    name,
                )
            self.assertEqual(CampaignLink.objects.get().name, "New")
            self.assertEqual(PlatformAccount.objects.get().currency, "USD")

        def test_it_reads_what_is_stored_to_send_only_what_differs(self) -> None:
            self.report("40")
            found = self.sync("SELECT id, source, account, campaign, day, total, as_of FROM campaigns_spendtotal")
            self.assertEqual(found.fetchall()[0][3], "1")

    class DeniedTests(TotalsRoleTestCase):
        def setUp(self) -> None:
            super().setUp()
            self.link = make_link(make_campaign(), account=make_account())
            self.report("40")

        def test_it_writes_none_of_our_columns_of_totals(self) -> None:
            for column in ("booked", "revision", "booked_campaign_id", "waiting", "problem", "rejected"):
                value = "''" if column == "problem" else "1"
                with self.subTest(column):
                    self.assert_denied(f"UPDATE campaigns_spendtotal SET {column} = {value}")
                    self.assert_denied(
                        f"INSERT INTO campaigns_spendtotal (source, account, campaign, day, total, {column})"
                        f" VALUES ('google_ads', '1', '1', '{DAY}', 1, {value})"
                    )
                    self.assert_denied(f"SELECT {column} FROM campaigns_spendtotal")
            self.assert_denied("DELETE FROM campaigns_spendtotal")
            self.assert_denied("TRUNCATE campaigns_spendtotal")

        def test_it_leads_no_campaign_s_spend_elsewhere(self) -> None:
            for change in ("campaign_id = NULL", "ignored = true", "note = ''", "account_id = 1", "external_id = '2'"):
                with self.subTest(change):
                    self.assert_denied(f"UPDATE campaigns_campaignlink SET {change}")
            self.assert_denied(
                "INSERT INTO campaigns_campaignlink (account_id, external_id, campaign_id)"
                f" VALUES ({self.link.account_id}, '2', {self.link.campaign_id})"
            )
            for change in ("brand_id = NULL", "interval_hours = 9", "external_id = '2'", "source = 'other'"):
                with self.subTest(change):
                    self.assert_denied(f"UPDATE campaigns_platformaccount SET {change}")
            for table in ("campaignlink", "platformaccount"):
                self.assert_denied(f"DELETE FROM campaigns_{table}")

        def test_it_writes_and_reads_nothing_of_the_ledger(self) -> None:
            campaign = make_campaign()
            row = f"VALUES ({campaign.brand_id}, {campaign.pk}, 1"
            for columns, values in (("", ""), (", total_id, revision", ", 1, 1")):
                self.assert_denied(
                    f"INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount{columns}) {row}{values})"
                )
            self.assert_denied("SELECT id FROM campaigns_spendrecord")

        def test_it_takes_no_other_way_round_triggers_and_guards(self) -> None:
            for table in ("spendtotal", "campaignlink", "platformaccount", "spendrecord"):
                for sql in (
                    f"TRUNCATE campaigns_{table}",
                    f"DO $$ BEGIN LOCK TABLE campaigns_{table} IN SHARE MODE; END $$",
                    f"DO $$ BEGIN LOCK TABLE campaigns_{table} IN ACCESS EXCLUSIVE MODE; END $$",
                    f"ALTER TABLE campaigns_{table} DISABLE TRIGGER ALL",
                    f"ALTER TABLE campaigns_{table} ADD COLUMN own integer",
                    f"DROP TABLE campaigns_{table}",
                    f"COPY campaigns_{table} FROM STDIN",
                    f"COPY campaigns_{table} TO STDOUT",
                    f"CREATE INDEX ON campaigns_{table} (id)",
                ):
                    with self.subTest(sql):
                        self.assert_denied(sql)
            for sql in (
                "COPY campaigns_spendtotal (source, account, campaign, day, total, booked) FROM STDIN",
                "SET session_replication_role = replica",
                "CREATE TEMP TABLE campaigns_spendtotal (id integer)",
                "CREATE FUNCTION own() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
                "COPY campaigns_spendtotal (source) TO PROGRAM 'true'",
                "COPY campaigns_spendtotal (source) FROM '/etc/passwd'",
                "SELECT pg_read_file('/etc/passwd')",
            ):
                with self.subTest(sql):
                    self.assert_denied(sql)

        def test_it_touches_no_other_table(self) -> None:
            for table in ("campaigns_brand", "campaigns_campaign", "campaigns_pendingspend", "auth_user"):
                for sql in (f"SELECT 1 FROM {table}", f"DELETE FROM {table}", f"INSERT INTO {table} DEFAULT VALUES"):
                    with self.subTest(sql):
                        self.assert_denied(sql)

        def test_a_role_for_records_writes_no_column_of_totals(self) -> None:
            command(self.role, "--apply")
            campaign = make_campaign()
            self.assert_denied(
                "INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, total_id, revision)"
                f" VALUES ({campaign.brand_id}, {campaign.pk}, 1, 1, 1)"
            )
            self.assert_denied("SELECT id FROM campaigns_spendtotal")

    class CommandTests(RoleTestCase):
        def test_it_says_what_it_did_and_a_second_run_leaves_the_same(self) -> None:
            for _ in range(2):
                printed = command(self.role, "--totals", "--apply", "--reader")
                self.assertIn("can INSERT and UPDATE source, account, campaign, day, total, as_of", printed)
                self.assertEqual(
                    connector_role.rights(self.role), connector_role.expected_rights(reader=True, totals=True)
                )

        def test_what_it_prints_does_what_it_applies(self) -> None:
            self.run_sql(command(self.role, "--totals"))
            self.assertEqual(
                connector_role.rights(self.role), connector_role.expected_rights(reader=False, totals=True)
            )
