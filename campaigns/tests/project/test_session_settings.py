"""What our sessions on PostgreSQL are set to, whatever the database says; behind PgBouncer: test_pooler."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any
from unittest.mock import patch

from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client, TestCase

from budget_manager.command_line import database_sentence
from budget_manager.health import prepared_transactions_warning
from campaigns.database import session_settings
from campaigns.database.connection import execute, fetch_all
from campaigns.models import Brand
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand
from campaigns.tests.support.outside import POSTGRESQL, open_client
from campaigns.tests.support.processes import manage

HOSTILE = {
    "DateStyle": "German, DMY",
    "IntervalStyle": "sql_standard",
    "standard_conforming_strings": "off",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "default_transaction_isolation": "repeatable read",
    "statement_timeout": "1s",
    "idle_in_transaction_session_timeout": "1s",
    "idle_session_timeout": "1s",
}


@contextmanager
def database_with(**settings: str) -> Iterator[None]:
    """Let sessions of the test database begin with these, our own too."""
    name = connection.settings_dict["NAME"]
    with open_client() as client:
        try:
            for setting, value in settings.items():
                client.execute(f"ALTER DATABASE \"{name}\" SET {setting} = '{value}'")
            connection.close()
            yield
        finally:
            client.execute(f'ALTER DATABASE "{name}" RESET ALL')
            client.execute(f'ALTER ROLE SESSION_USER IN DATABASE "{name}" RESET ALL')
            connection.close()


def shown(*names: str) -> list[str]:
    return [fetch_all(f"SHOW {name}")[0][0] for name in names]


if POSTGRESQL:

    class Sessions(CommittedTestCase):
        def test_they_are_set_as_we_need_them_whatever_the_database_says(self) -> None:
            with database_with(**HOSTILE):
                connection.ensure_connection()
                found = {name: value.partition(",")[0] for name, value in zip(HOSTILE, shown(*HOSTILE), strict=True)}
                self.assertEqual(found, {name: session_settings.OURS[name] for name in HOSTILE})

        def test_a_statement_reads_what_was_committed_before_it(self) -> None:
            """Under repeatable read the update would fail: another transaction has changed the row meanwhile."""
            brand = make_brand()
            hostile = database_with(default_transaction_isolation="repeatable read")
            with hostile, open_client() as other, transaction.atomic():
                Brand.objects.get(pk=brand.pk)
                other.execute("UPDATE campaigns_brand SET name = 'Theirs' WHERE id = %s", [brand.pk])
                self.assertEqual(Brand.objects.get(pk=brand.pk).name, "Theirs")
                Brand.objects.filter(pk=brand.pk).update(name="Ours")
            self.assertEqual(Brand.objects.get(pk=brand.pk).name, "Ours")

        def test_each_transaction_says_how_isolated_it_is(self) -> None:
            """However a pooler's next server connection is set."""
            execute("SET default_transaction_isolation = 'serializable'")
            self.addCleanup(connection.close)
            with transaction.atomic():
                self.assertEqual(shown("transaction_isolation"), ["read committed"])

        def test_pages_and_commands_work_in_a_database_of_other_habits(self) -> None:
            make_brand()
            with database_with(**HOSTILE):
                call_command("enforce", stdout=StringIO())
                call_command("verify_spend", stdout=StringIO())
                self.assertEqual(Client().get("/health/jobs").json()["jobs"]["check_budgets"]["age_seconds"], None)

        def test_what_is_set_for_this_process_stays(self) -> None:
            with database_with(statement_timeout="1s"), patch.dict(os.environ, PGOPTIONS="-c statement-timeout=77s"):
                self.assertEqual(shown("statement_timeout"), ["77s"])
                self.assertEqual(session_settings.make_defaults(connection), [])

        def test_no_cursor_stays_open_on_a_server_connection(self) -> None:
            self.assertTrue(connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"])

    class Defaults(CommittedTestCase):
        def test_migrate_leaves_them_alone_where_they_are_right(self) -> None:
            connection.ensure_connection()
            self.assertEqual(session_settings.make_defaults(connection), [])

        def test_migrate_sets_them_for_our_role_in_this_database(self) -> None:
            with database_with(**HOSTILE):
                out = StringIO()
                call_command("migrate", "campaigns", stdout=out)
                self.assertIn(
                    "  default_transaction_isolation is repeatable read instead of read committed: set right for new"
                    " sessions of our role in this database; let a pooler reconnect.",
                    out.getvalue(),
                )
                connection.close()
                connection.ensure_connection()
                self.assertEqual(session_settings.make_defaults(connection), [])
                with open_client() as other:
                    for name in HOSTILE:
                        ((value,),) = other.execute(f"SHOW {name}").fetchall()
                        self.assertEqual(value.partition(",")[0], session_settings.OURS[name], name)

        def test_health_names_triggers_that_do_not_run(self) -> None:
            def problems() -> Any:
                return Client().get("/health/jobs").json()["problems"]

            sentence = (
                "The triggers that count spend don't run (session_replication_role is replica instead of origin):"
                " reset it for the role and database."
            )
            self.assertNotIn(sentence, problems())
            with database_with(session_replication_role="replica"):
                self.assertIn(sentence, problems())

    class Schemas(CommittedTestCase):
        """migrate makes its tables once, where they are found."""

        def test_it_refuses_a_search_path_that_hides_our_tables(self) -> None:
            name = connection.settings_dict["NAME"]
            execute("CREATE SCHEMA other")
            self.addCleanup(execute, "DROP SCHEMA other CASCADE")
            sentence = (
                "search_path is other, but our tables are in the schema public: name another with ALTER ROLE …"
                f" IN DATABASE {name} SET search_path = …, or with ?currentSchema=… at the end of DATABASE_URL."
            )
            with database_with(search_path="other"):
                with self.assertRaisesMessage(CommandError, sentence):
                    call_command("migrate", stdout=StringIO())
                self.assertEqual(fetch_all("SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'other'"), [(0,)])
                ready = Client().get("/health/ready").json()["checks"]["database"]
                self.assertEqual(ready, "The database isn't set up yet: run `python manage.py migrate`.")

        def test_it_refuses_a_search_path_without_a_schema(self) -> None:
            sentence = "search_path is nowhere, and there is no such schema"
            with database_with(search_path="nowhere"), self.assertRaisesMessage(CommandError, sentence):
                call_command("migrate", stdout=StringIO())

        def test_it_takes_the_schema_that_is_named_for_this_process(self) -> None:
            execute("CREATE SCHEMA other")
            self.addCleanup(execute, "DROP SCHEMA other CASCADE")
            with patch.dict(os.environ, PGOPTIONS="-c search_path=other"):
                connection.close()
                self.addCleanup(connection.close)
                self.assertEqual(session_settings.schema_problem(connection), "")

    class Sentences(CommittedTestCase):
        """Commands say in a line what the database refuses."""

        def url(self, **options: str) -> str:
            database = connection.settings_dict
            given = "&".join(f"options=-c%20{name}={value}" for name, value in options.items())
            server = "{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
            return f"postgres://{server}?{given}"

        def test_a_statement_that_takes_longer_than_is_allowed(self) -> None:
            with transaction.atomic():
                execute("LOCK TABLE campaigns_spendrecord")
                for setting, words in (
                    ("statement_timeout", "canceled a statement"),
                    ("lock_timeout", "is locked by another transaction"),
                ):
                    with self.subTest(setting):
                        result = manage("verify_spend", DEBUG="True", DATABASE_URL=self.url(**{setting: "200ms"}))
                        self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1), result.stderr)
                        self.assertIn(words, result.stderr)

        def test_a_database_that_takes_no_changes(self) -> None:
            command = "createsuperuser", "--noinput", "--username=a", "--email=a@example.com"
            result = manage(*command, DEBUG="True", DATABASE_URL=self.url(default_transaction_read_only="on"))
            self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1), result.stderr)
            self.assertIn("is read-only", result.stderr)

        def test_connections_that_are_used_up(self) -> None:
            role = f"crowded_{os.getpid()}"
            execute(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0")
            self.addCleanup(execute, f"DROP ROLE {role}")
            with patch.dict(connection.settings_dict, USER=role):
                url = self.url()
            result = manage("migrate", DEBUG="True", DATABASE_URL=url.rstrip("?"))
            self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1), result.stderr)
            self.assertIn("too many connections", result.stderr)
            self.assertIn("raise the server's max_connections (or the pooler's limits), or start fewer", result.stderr)

        def test_a_disk_that_is_full(self) -> None:
            """As a server with a full disk says it, which other commands could trip over more slowly."""
            with self.assertRaises(DatabaseError) as caught:
                execute("DO $$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$")
            self.assertEqual(
                database_sentence(caught.exception, connection.settings_dict),
                f"The database {connection.settings_dict['NAME']} has no space left (could not extend file):"
                " free some space on the server's disk, and try again.",
            )

    class Prepared(CommittedTestCase):
        """Two-phase commits that nobody ends."""

        def test_health_names_them(self) -> None:
            brand = make_brand()
            self.assertEqual(prepared_transactions_warning(timedelta(0)), "")
            with open_client() as other:
                other.execute("BEGIN")
                other.execute("UPDATE campaigns_brand SET name = 'x' WHERE id = %s", [brand.pk])
                other.execute("PREPARE TRANSACTION 'forgotten'")
                self.addCleanup(execute, "ROLLBACK PREPARED 'forgotten'")
            self.assertEqual(prepared_transactions_warning(), "")
            self.assertEqual(
                prepared_transactions_warning(timedelta(0)),
                "1 prepared transaction has held locks for more than 5 minutes: end each in pg_prepared_xacts"
                " with COMMIT PREPARED or ROLLBACK PREPARED.",
            )


else:

    class FullDisk(TestCase):
        def test_it_is_named(self) -> None:
            self.addCleanup(execute, "PRAGMA max_page_count = 1073741823")
            ((pages,),) = fetch_all("PRAGMA page_count")
            execute(f"PRAGMA max_page_count = {pages}")
            with self.assertRaises(DatabaseError) as caught, transaction.atomic():
                make_brand(name="x" * 5_000_000)
            self.assertEqual(
                database_sentence(caught.exception, connection.settings_dict),
                f"The database {connection.settings_dict['NAME']} can't be used (database or disk is full):"
                " free some space on its disk, and try again.",
            )
