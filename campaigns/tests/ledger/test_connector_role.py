"""manage.py connector_role: a connector's role may write the columns that it fills and nothing else (part 7)."""

from __future__ import annotations

import os
import secrets
from io import StringIO
from typing import Any

import psycopg
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import TestCase

from campaigns.models import PendingSpend, SpendRecord
from campaigns.services import connector_role as writer_role
from campaigns.tests.support.factories import make_campaign
from campaigns.tests.support.outside import POSTGRESQL, SQLITE, OutsideTestCase, quarter_at

TEN = "2026-11-22 10:00:00+00"


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("connector_role", *arguments, stdout=out)
    return out.getvalue()


if SQLITE:

    class WithoutRolesTests(TestCase):
        def test_it_says_that_sqlite_has_none(self) -> None:
            for arguments in (["connector"], ["connector", "--apply"]):
                with self.assertRaisesMessage(CommandError, "SQLite has no roles: write access to the file"):
                    command(*arguments)
                with self.assertRaisesMessage(CommandError, "SQLite has no roles"):
                    call_command("spend_writer_role", *arguments)  # its earlier name


if POSTGRESQL:

    class RoleTestCase(OutsideTestCase):
        """The outside client is ours; the connector's own logs in as its role."""

        def setUp(self) -> None:
            super().setUp()
            self.role = f'budget test {os.getpid()} 100% "connector"; it\'s'
            self.addCleanup(self.drop, self.role)

        def drop(self, role: str) -> None:
            for sql in ("DROP OWNED BY {}", "DROP ROLE {}"):
                if self.exists(role):
                    self.on_role(sql, role)

        def on_role(self, sql: str, role: str) -> None:
            """Run a statement of ours with the role's name in it."""
            self.run_sql(psycopg.sql.SQL(sql).format(psycopg.sql.Identifier(role)).as_string())

        def exists(self, role: str) -> bool:
            return bool(self.value("SELECT COUNT(*) FROM pg_roles WHERE rolname = %s", role))

        def log_in(self) -> psycopg.Connection[tuple[Any, ...]]:
            password = secrets.token_hex(16)
            self.on_role(f"ALTER ROLE {{}} PASSWORD '{password}'", self.role)
            settings = connection.settings_dict
            client = psycopg.connect(
                dbname=settings["NAME"],
                user=self.role,
                password=password,
                host=settings["HOST"] or None,
                port=settings["PORT"] or None,
                autocommit=True,
            )
            self.addCleanup(client.close)
            return client

    class ConnectorTestCase(RoleTestCase):
        def setUp(self) -> None:
            super().setUp()
            command(self.role, "--apply")
            self.connector = self.log_in()
            self.campaign = make_campaign()

        def insert(self, amount: str = "5", **columns: Any) -> None:
            row = {"brand_id": self.campaign.brand_id, "campaign_id": self.campaign.pk, "amount": amount} | columns
            self.connector.execute(self.insert_spend_sql(row).encode(), list(row.values()))

        def assert_denied(self, sql: str) -> None:
            with self.assertRaises(psycopg.errors.InsufficientPrivilege):
                self.connector.execute(sql.encode())

    class ConnectorTests(ConnectorTestCase):
        """What it is there for."""

        def test_it_inserts_and_is_counted(self) -> None:
            self.insert("5")
            self.insert("-1.25", timestamp=TEN, external_id="row-1")
            self.assertEqual(SpendRecord.objects.count(), 2)
            self.assertEqual(sum(self.pending().values()), 3_750_000)

        def test_it_retries_without_counting_twice(self) -> None:
            for _ in range(2):
                self.connector.execute(
                    "INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, external_id)"
                    " VALUES (%s, %s, 5, 'row-1') ON CONFLICT DO NOTHING",
                    [self.campaign.brand_id, self.campaign.pk],
                )
            self.assertEqual(list(self.pending().values()), [5_000_000])

        def test_it_copies_and_is_counted(self) -> None:
            copy_rows(self.connector, [(self.campaign.brand_id, self.campaign.pk, "0.1")] * 10)
            self.assertEqual(sum(self.pending().values()), 1_000_000)

        def test_it_is_refused_by_name_like_everyone(self) -> None:
            other = make_campaign()
            with self.assertRaisesMessage(psycopg.Error, "spend_brand_is_the_campaigns_brand"):
                self.insert(brand_id=other.brand_id)

    class RefusalTests(ConnectorTestCase):
        """What it is not there for."""

        def test_it_reads_changes_and_deletes_nothing_of_the_ledger(self) -> None:
            self.insert()
            for sql in (
                "SELECT id FROM campaigns_spendrecord",
                "SELECT COUNT(*) FROM campaigns_spendrecord",
                "UPDATE campaigns_spendrecord SET amount = 1",
                "DELETE FROM campaigns_spendrecord",
                "TRUNCATE campaigns_spendrecord",
                "DO $$ BEGIN LOCK TABLE campaigns_spendrecord IN SHARE MODE; END $$",
                "ALTER TABLE campaigns_spendrecord DISABLE TRIGGER ALL",
                "DROP TABLE campaigns_spendrecord",
            ):
                with self.subTest(sql):
                    self.assert_denied(sql)

        def test_it_fills_no_other_column(self) -> None:
            for column, value in (("id", "1"), ("recorded_at", "now()")):
                with self.subTest(column):
                    self.assert_denied(
                        f"INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, {column})"
                        f" VALUES ({self.campaign.brand_id}, {self.campaign.pk}, 1, {value})"
                    )

        def test_it_learns_nothing_by_inserting(self) -> None:
            insert = (
                "INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount)"
                f" VALUES ({self.campaign.brand_id}, {self.campaign.pk}, 1)"
            )
            self.assert_denied(f"{insert} RETURNING id")
            self.assert_denied(f"{insert} ON CONFLICT (campaign_id, external_id) DO UPDATE SET amount = 0")

        def test_it_touches_no_other_table(self) -> None:
            tables = connection.introspection.table_names()
            self.assertIn("auth_user", tables)
            for table in set(tables) - {"campaigns_spendrecord"}:
                for sql in (
                    "SELECT 1 FROM {}",
                    "INSERT INTO {} DEFAULT VALUES",
                    "DELETE FROM {}",
                    "TRUNCATE {}",
                    "COPY {} TO STDOUT",
                ):
                    with self.subTest(table, sql=sql):
                        self.assert_denied(sql.format(table))

        def test_it_reads_and_moves_no_sequence(self) -> None:
            for sql in (
                "SELECT nextval('campaigns_spendrecord_id_seq')",
                "SELECT setval('campaigns_spendrecord_id_seq', 1)",
                "SELECT last_value FROM campaigns_spendrecord_id_seq",
            ):
                with self.subTest(sql):
                    self.assert_denied(sql)

        def test_it_reaches_no_file_and_no_program(self) -> None:
            for sql in (
                "COPY campaigns_spendrecord (amount) FROM PROGRAM 'echo 1'",
                "COPY campaigns_spendrecord (amount) FROM '/etc/passwd'",
                "COPY (SELECT 1) TO '/tmp/stolen'",
                "COPY (SELECT 1) TO PROGRAM 'cat'",
                "SELECT pg_read_file('/etc/passwd')",
            ):
                with self.subTest(sql):
                    self.assert_denied(sql)

        def test_it_makes_nothing(self) -> None:
            for sql in (
                "CREATE TABLE mine (id integer)",
                "CREATE TEMPORARY TABLE mine (id integer)",
                "CREATE SCHEMA mine",
                "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
                "CREATE ROLE mine",
                "CREATE DATABASE mine",
                "CREATE TRIGGER mine AFTER INSERT ON campaigns_spendrecord"
                " FOR EACH STATEMENT EXECUTE FUNCTION campaigns_spend_truncated()",
            ):
                with self.subTest(sql):
                    self.assert_denied(sql)

        def test_it_becomes_nobody_else(self) -> None:
            self.assert_denied(f'SET ROLE "{connection.settings_dict["USER"]}"')
            self.assert_denied("SET session_replication_role = replica")

    class TemporaryTableTests(ConnectorTestCase):
        """Were it allowed temporary tables again, it could still not reach around the ledger."""

        def setUp(self) -> None:
            super().setUp()
            self.on_role(f"GRANT TEMPORARY ON DATABASE {connection.ops.quote_name(self.database)} TO {{}}", self.role)

        @property
        def database(self) -> str:
            return str(connection.settings_dict["NAME"])

        def test_it_cannot_slip_in_a_pending_table_of_its_own(self) -> None:
            self.connector.execute("CREATE TEMPORARY TABLE campaigns_pendingspend (LIKE pg_class)")
            self.connector.execute("SET search_path = pg_temp, public")
            self.insert("5", timestamp=TEN)
            self.assertEqual(self.pending(), {(self.campaign.pk, quarter_at("2026-11-22 10:00:00")): 5_000_000})

        def test_it_cannot_fire_our_functions_from_a_table_of_its_own(self) -> None:
            self.insert()
            self.connector.execute(
                "CREATE TEMPORARY TABLE mine (id bigint, brand_id bigint, campaign_id bigint, timestamp timestamptz,"
                " amount numeric, timezone text)"
            )
            for event, function in (
                ("INSERT", "spend_inserted"),
                ("DELETE", "spend_deleted"),
                ("INSERT", "brand_inserted"),
                ("DELETE", "brand_deleted"),
                ("DELETE", "campaign_deleted"),
                ("TRUNCATE", "spend_truncated"),
            ):
                rows = {"INSERT": "REFERENCING NEW TABLE AS added", "DELETE": "REFERENCING OLD TABLE AS removed"}
                with self.subTest(function):
                    self.assert_denied(
                        f"CREATE TRIGGER mine AFTER {event} ON mine {rows.get(event, '')}"
                        f" FOR EACH STATEMENT EXECUTE FUNCTION campaigns_{function}()"
                    )
            self.assertEqual(PendingSpend.objects.count(), 1)

    class ReaderTests(ConnectorTestCase):
        def test_it_reads_the_public_columns_only(self) -> None:
            command(self.role, "--apply", "--reader")
            read = self.connector.execute("SELECT id FROM campaigns_campaign WHERE status = 'active'").fetchall()
            self.assertEqual(read, [(self.campaign.pk,)])
            for table, columns in writer_role.READABLE.items():
                self.connector.execute(f"SELECT {', '.join(columns)} FROM {table}".encode())
            for column in ("brand.created_at", "campaign.pause_reasons"):
                table, name = column.split(".")
                self.assert_denied(f"SELECT {name} FROM campaigns_{table}")
            self.assert_denied("UPDATE campaigns_campaign SET enabled = true")
            self.assert_denied("SELECT id FROM campaigns_spendrecord")

        def test_a_run_without_it_takes_it_away(self) -> None:
            command(self.role, "--apply", "--reader")
            command(self.role, "--apply")
            self.assert_denied("SELECT id FROM campaigns_campaign")
            self.insert()

    class CommandTests(RoleTestCase):
        def test_it_prints_and_changes_nothing(self) -> None:
            printed = command("connector of ours")
            self.assertIn('CREATE ROLE "connector of ours" LOGIN;', printed)
            self.assertIn(
                'GRANT INSERT ("brand_id", "campaign_id", "amount", "timestamp", "external_id")'
                ' ON "public"."campaigns_spendrecord" TO "connector of ours";',
                printed,
            )
            self.assertNotRegex(printed.upper(), r"\bPASSWORD\b")  # but tables may be named after it
            self.assertFalse(self.exists("connector of ours"))

        def test_what_it_prints_does_what_it_applies(self) -> None:
            self.run_sql(command(self.role))
            self.assertEqual(writer_role.rights(self.role), writer_role.expected_rights(reader=False))
            self.run_sql(command(self.role, "--reader"))
            self.assertEqual(writer_role.rights(self.role), writer_role.expected_rights(reader=True))

        def test_it_says_what_it_did(self) -> None:
            told = command(self.role, "--apply", "--reader").splitlines()
            self.assertEqual(
                told[0],
                f"{self.role} can INSERT brand_id, campaign_id, amount, timestamp, external_id into"
                " campaigns_spendrecord, and nothing else.",
            )
            self.assertIn("read the public columns of campaigns_brand, campaigns_campaign", told[1])
            self.assertIn("\\password", told[2])

        def test_a_second_run_leaves_the_same(self) -> None:
            for _ in range(2):
                command(self.role, "--apply")
                self.assertEqual(writer_role.rights(self.role), writer_role.expected_rights(reader=False))

        def test_a_role_that_had_too_much_has_no_more_than_this(self) -> None:
            self.on_role("CREATE ROLE {} LOGIN", self.role)
            for sql in (
                "GRANT ALL ON ALL TABLES IN SCHEMA public TO {}",
                "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {}",
                "GRANT ALL ON ALL FUNCTIONS IN SCHEMA public TO {}",
                "GRANT UPDATE (amount) ON campaigns_spendrecord TO {}",
                "GRANT ALL ON SCHEMA public TO {}",
                f"GRANT ALL ON DATABASE {connection.ops.quote_name(connection.settings_dict['NAME'])} TO {{}}",
            ):
                self.on_role(sql, self.role)
            self.run_sql("GRANT SELECT ON campaigns_brand TO PUBLIC")
            self.assertGreater(len(writer_role.rights(self.role)), 300)
            command(self.role, "--apply")
            self.assertEqual(writer_role.rights(self.role), writer_role.expected_rights(reader=False))

        def test_everything_of_ours_goes_on_working_without_the_rights_of_everybody(self) -> None:
            command(self.role, "--apply")
            self.run_sql("CREATE TEMPORARY TABLE ours (id integer)")
            call_command("migrate", verbosity=0)

    class RefusedRoleTests(RoleTestCase):
        def assert_refused_with(self, name: str, *sentence: str) -> None:
            for arguments in ([], ["--apply"]):
                with self.assertRaises(CommandError) as refusal:
                    command(name, *arguments)
                for words in sentence:
                    self.assertIn(words, str(refusal.exception))

        def test_it_refuses_the_role_that_it_connects_as(self) -> None:
            name = connection.settings_dict["USER"]
            self.assert_refused_with(name, f"{name} is the application's own role")

        def test_it_refuses_roles_with_powers(self) -> None:
            for power in ("SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS"):
                with self.subTest(power):
                    self.on_role(f"CREATE ROLE {{}} {power}", self.role)
                    self.assert_refused_with(self.role, f" is {power}, which REVOKE can't limit", f" NO{power}` first")
                    self.drop(self.role)

        def test_it_refuses_a_member_of_another_role(self) -> None:
            self.on_role("CREATE ROLE {}", self.role)
            self.on_role("GRANT pg_write_all_data TO {}", self.role)
            self.assert_refused_with(self.role, "is a member of pg_write_all_data and has its rights")

        def test_it_refuses_an_owner_of_ours(self) -> None:
            self.on_role("CREATE ROLE {}", self.role)
            self.on_role("ALTER TABLE campaigns_brand OWNER TO {}", self.role)
            self.addCleanup(self.run_sql, "ALTER TABLE campaigns_brand OWNER TO CURRENT_USER")
            self.assert_refused_with(self.role, "owns campaigns_brand, and REVOKE can't limit an owner")

        def test_it_refuses_names_that_can_not_be(self) -> None:
            for name in ("", "x" * 64, "ä" * 32, "a\nb", "a\0b"):
                with self.subTest(name):
                    self.assert_refused_with(name, "isn't a valid role name: use 1 to 63 printable characters")
            for name in ("pg_connector", "public", "none"):
                with self.subTest(name):
                    self.assert_refused_with(name, f"{name} is reserved by PostgreSQL")

    class WithoutRightsTests(RoleTestCase):
        """The role that we connect as is no superuser and owns nothing: it can't take away what others gave."""

        def setUp(self) -> None:
            super().setUp()
            self.weak = f"budget_test_weak_{os.getpid()}"
            self.on_role("CREATE ROLE {}", self.weak)
            self.addCleanup(self.drop, self.weak)
            self.addCleanup(self.become, None)

        def become(self, role: str | None) -> None:
            with connection.cursor() as cursor:
                cursor.execute(f"SET ROLE {role}" if role else "RESET ROLE")

        def test_it_says_that_it_may_not_make_a_role(self) -> None:
            self.become(self.weak)
            with self.assertRaisesMessage(
                CommandError, "The role of DATABASE_URL lacks the permission (permission denied"
            ):
                command(self.role, "--apply")
            self.become(None)
            self.assertFalse(self.exists(self.role))

        def test_it_says_what_it_could_not_take_away_and_changes_nothing(self) -> None:
            self.on_role("CREATE ROLE {}", self.role)
            self.on_role("GRANT DELETE ON campaigns_brand TO {}", self.role)
            rights = writer_role.rights(self.role)
            database = connection.ops.quote_name(connection.settings_dict["NAME"])
            for sql in (
                "GRANT ALL ON ALL TABLES IN SCHEMA public TO {} WITH GRANT OPTION",
                "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {} WITH GRANT OPTION",
                "GRANT ALL ON ALL FUNCTIONS IN SCHEMA public TO {} WITH GRANT OPTION",
                "GRANT ALL ON SCHEMA public TO {} WITH GRANT OPTION",
                f"GRANT ALL ON DATABASE {database} TO {{}} WITH GRANT OPTION",
            ):
                self.on_role(sql, self.weak)
            self.become(self.weak)
            with self.assertRaisesMessage(CommandError, "would still have DELETE on campaigns_brand"):
                command(self.role, "--apply")
            self.become(None)
            self.assertEqual(writer_role.rights(self.role), rights)

    class CopyTests(OutsideTestCase):
        outside: psycopg.Connection[tuple[Any, ...]]

        def test_it_counts_what_is_copied(self) -> None:
            campaign = make_campaign()
            sibling = make_campaign(campaign.brand)
            rows = [(campaign.brand_id, number, "0.000001") for number in (campaign.pk, sibling.pk) for _ in range(500)]
            copy_rows(self.outside, rows)
            totals = self.run_sql("SELECT campaign_id, SUM(amount) FROM campaigns_pendingspend GROUP BY 1 ORDER BY 1")
            self.assertEqual(totals, [(campaign.pk, 500), (sibling.pk, 500)])

        def test_it_takes_nothing_of_a_copy_with_one_bad_row(self) -> None:
            campaign = make_campaign()
            good, bad = (campaign.brand_id, campaign.pk, "1"), (campaign.brand_id, campaign.pk, "NaN")
            with self.assertRaisesMessage(psycopg.errors.CheckViolation, "spend_amount_in_range_and_not_zero"):
                copy_rows(self.outside, [good, bad, good])
            self.assertEqual(SpendRecord.objects.count(), 0)
            self.assertEqual(self.pending(), {})

    def copy_rows(client: psycopg.Connection[tuple[Any, ...]], rows: list[tuple[int, int, str]]) -> None:
        statement = "COPY campaigns_spendrecord (brand_id, campaign_id, amount) FROM STDIN"
        with client.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
