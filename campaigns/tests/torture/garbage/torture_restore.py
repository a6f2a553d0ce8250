"""pg_dump and restores: nothing is lost, nothing is counted twice, or it is found and mended."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from campaigns.tests.intake.test_import_spend import database_url
from campaigns.tests.support.checking import check_at
from campaigns.tests.support.factories import make_brand, make_campaign, spend
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase
from campaigns.tests.support.processes import manage
from campaigns.tests.totals.world import make_reported_world

if POSTGRESQL:
    BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
    PG_DUMP = shutil.which("pg_dump") or (BIN and str(BIN / "pg_dump"))
    TABLES = (
        *("brandperiod", "campaignday", "pendingspend", "accountingtimezone", "spendrecord"),
        *(
            "spendtotal",
            "platformaccount",
            "campaignlink",
            "earlierlink",
            "linkedcampaign",
            "reportimport",
            "restatedtotal",
        ),
    )

    class RestoresOnPostgresql(OutsideTestCase):
        def setUp(self) -> None:
            super().setUp()
            self.odd = make_campaign(make_brand(name="Odd", timezone="America/New_York"), daily_spend_limit=5)
            spend(self.odd, 5, "2026-11-20 12:00")
            check_at("2026-11-20 12:00")
            spend(self.odd, "0.1", "2026-10-31 23:59")
            with transaction.atomic():
                make_reported_world(self.odd)
            self.copy = f"{connection.settings_dict['NAME']}_restored"
            self.run_sql(f"DROP DATABASE IF EXISTS {self.copy}")
            self.run_sql(f"CREATE DATABASE {self.copy}")
            self.addCleanup(self.run_sql, f"DROP DATABASE IF EXISTS {self.copy}")

        def postgresql(self, program: str, *arguments: str, given: str | None = None, code: int = 0) -> str:
            """Run one of PostgreSQL's own programs on a database."""
            assert PG_DUMP, "pg_dump isn't here: install PostgreSQL's client programs"
            settings = connection.settings_dict
            done = subprocess.run(
                [str(Path(PG_DUMP).parent / program), *arguments],
                env={
                    "PGHOST": str(settings["HOST"]),
                    "PGPORT": str(settings["PORT"]),
                    "PGUSER": str(settings["USER"]),
                    "PGPASSWORD": str(settings["PASSWORD"]),
                },
                input=given,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            self.assertEqual(done.returncode, code, done.stderr)
            return done.stdout + done.stderr if code else done.stdout

        def manage_copy(self, *arguments: str) -> Any:
            url = database_url().rpartition("/")[0] + f"/{self.copy}"
            return manage(*arguments, DATABASE_URL=url, DEBUG="True")

        def totals_of_copy(self) -> list[str]:
            return [self.dumped(self.copy, table) for table in TABLES]

        def totals_here(self) -> list[str]:
            return [self.dumped(str(connection.settings_dict["NAME"]), table) for table in TABLES]

        def dumped(self, database: str, table: str) -> str:
            return self.postgresql(
                "psql", "-At", "-d", database, "-c", f"SELECT * FROM campaigns_{table} ORDER BY 1, 2, 3"
            )

        def test_a_whole_dump_brings_the_totals_as_they_were(self) -> None:
            """The triggers come after the rows, so that nothing is counted again."""
            name = str(connection.settings_dict["NAME"])
            self.postgresql("psql", "-q", "-d", self.copy, given=self.postgresql("pg_dump", name))
            self.assertEqual(self.totals_of_copy(), self.totals_here())
            done = self.manage_copy("verify_spend")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            columns, values = "brand_id, campaign_id, amount", f"{self.odd.brand_id}, {self.odd.pk}, 1"
            insert = f"INSERT INTO campaigns_spendrecord ({columns}) VALUES ({values})"
            self.postgresql("psql", "-q", "-d", self.copy, "-c", insert)
            self.assertEqual(self.manage_copy("verify_spend").returncode, 0)

        def test_data_alone_restored_with_triggers_switched_off(self) -> None:
            data = self.dump_data("--disable-triggers")
            self.postgresql("psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.copy, given=data)
            self.assertEqual(self.totals_of_copy(), self.totals_here())
            self.assertEqual(self.manage_copy("verify_spend").returncode, 0)

        def test_data_alone_restored_with_triggers_on_is_refused(self) -> None:
            """The dump brings totals and time zones, and so do its brands: nothing is counted twice."""
            data = self.dump_data()
            said = self.postgresql("psql", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-d", self.copy, given=data, code=3)
            self.assertIn("duplicate key value violates unique constraint", said)
            self.assertEqual(self.totals_of_copy(), [""] * len(TABLES))

        def test_what_such_a_restore_leaves_behind_stops_nothing(self) -> None:
            """Without a stop at the first error: totals and pending spend of brands that aren't there."""
            self.postgresql("psql", "-q", "-d", self.copy, given=self.dump_data())
            self.assertEqual(self.dumped(self.copy, "spendrecord"), "")
            self.assertNotEqual(self.dumped(self.copy, "pendingspend"), "")
            found = self.manage_copy("verify_spend")
            self.assertIn("150.25 is booked, and its records come to 0", found.stdout + found.stderr)
            for command in (["verify_spend", "--repair"], ["verify_spend"], ["enforce"]):
                done = self.manage_copy(*command)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(self.dumped(self.copy, "pendingspend"), "")

        def dump_data(self, *options: str) -> str:
            """Make the copy's tables, and return the rows of ours."""
            name = str(connection.settings_dict["NAME"])
            done = self.manage_copy("migrate", "-v0")
            self.assertEqual(done.returncode, 0, done.stderr)
            # But for what migrate has filled.
            filled = ("campaigns_jobzone", "campaigns_alertrule")
            ours = ("--table=campaigns_*", *(f"--exclude-table={table}" for table in filled))
            return self.postgresql("pg_dump", "--data-only", *ours, *options, name)
