"""dumpdata and loaddata into a new database, also of the other kind: all is there, and nothing counts twice."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from campaigns.models import Brand, BrandAssignment, Campaign
from campaigns.services.jobs.full_check import run_full_check
from campaigns.services.jobs.periodic_tasks import ensure_periodic_tasks
from campaigns.services.jobs.schedule import CHECK, QUICK
from campaigns.services.ledger.change_time_zone import apply_zone_changes
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase
from campaigns.tests.support.processes import manage
from campaigns.tests.support.services_running import database_url
from campaigns.tests.totals.world import make_reported_world

EXCLUDED = ("contenttypes", "auth.permission", "sessions")
# As docs/operations.md says.
DUMP = ("dumpdata", "--natural-foreign", "--natural-primary", *(f"--exclude={label}" for label in EXCLUDED))
# When the schedule was changed last: loading it is a change.
SINCE_THEN = "django_celery_beat.periodictasks"


class DumpAndLoad(OutsideTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="budget-manager-dump-")))
        self.make_world()

    def make_world(self) -> None:
        """Make spend that is folded, pending and closed, a brand that has moved, totals, and what staff have set."""
        make_brand(name="Gone").delete()
        self.brand = make_brand(name="Odd", timezone="America/New_York", daily_budget=100)
        self.campaign = make_campaign(self.brand, daily_spend_limit=5)
        make_window(self.campaign)
        for amount, at in (("1.1", "2026-10-31 23:59"), ("2", "2026-11-20 12:00"), ("-0.000001", "2026-11-20 13:00")):
            spend(self.campaign, amount, at, external_id=f"row {amount}")
        self.insert_spend(self.campaign, 5)
        with transaction.atomic():
            make_reported_world(self.campaign)
        run_full_check("check_budgets", clock=timezone.now)
        Brand.objects.filter(pk=self.brand.pk).update(timezone="Asia/Tokyo")
        apply_zone_changes(clock=timezone.now)
        self.insert_spend(self.campaign, "0.25")
        user = User.objects.create_user("maja", password="a password of hers", is_staff=True)
        user.groups.add(Group.objects.get(name="Brand managers"))
        BrandAssignment.objects.create(user=user, brand=self.brand)
        PeriodicTask.objects.filter(task=CHECK.task).delete()
        ensure_periodic_tasks("default")  # with another id than after migrate
        PeriodicTask.objects.filter(task=QUICK.task).update(enabled=False)

    def new_database(self) -> str:
        """Return the address of a new database with our tables, of the kind that the tests run on."""
        if not POSTGRESQL:
            return self.migrated(f"sqlite:///{self.folder / 'new.sqlite3'}")
        name = f"{connection.settings_dict['NAME']}_loaded"
        self.run_sql(f"DROP DATABASE IF EXISTS {name}")
        self.run_sql(f"CREATE DATABASE {name}")
        self.addCleanup(self.run_sql, f"DROP DATABASE IF EXISTS {name}")
        return self.migrated(database_url().rpartition("/")[0] + f"/{name}")

    def migrated(self, url: str) -> str:
        self.manage(url, "migrate", "--verbosity=0")
        return url

    def manage(self, url: str, *arguments: str, code: int = 0) -> str:
        done = manage(*arguments, DATABASE_URL=url, DEBUG="True")
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def dump(self, url: str, name: str) -> str:
        file = self.folder / f"{name}.json"
        self.manage(url, *DUMP, "--output", str(file))
        return str(file)

    def rows(self, file: str) -> list[dict[str, Any]]:
        # A dump has milliseconds: an instant a few microseconds after a second is loaded as the second.
        rows: list[dict[str, Any]] = json.loads(Path(file).read_text().replace(".000Z", "Z"))
        return [row for row in rows if row["model"] != SINCE_THEN]

    def assert_loaded(self, url: str, file: str) -> None:
        """Assert that the database holds what the dump does, decides as it did, and counts what comes."""
        self.assertEqual(self.rows(self.dump(url, "again")), self.rows(file))
        self.assertIn("All totals match the spend records.", self.manage(url, "verify_spend"))
        self.assertIn("Nothing to change", self.manage(url, "enforce", "--dry-run"))
        more = self.folder / "more.csv"
        more.write_text(
            f"timestamp,brand,campaign,amount\n2026-11-20T15:00Z,{self.brand.name},{self.campaign.name},1\n"
        )
        self.manage(url, "import_spend", str(more))
        self.assertIn("All totals match the spend records.", self.manage(url, "verify_spend"))

    def test_a_new_database_holds_what_the_dump_does(self) -> None:
        file = self.dump(database_url(), "dump")
        url = self.new_database()
        self.assertNotIn("corrected", self.manage(url, "loaddata", file))
        self.assert_loaded(url, file)

    def test_records_without_their_totals_are_counted(self) -> None:
        """A dump of some tables, into a database that has none of them."""
        self.manage(
            database_url(),
            *("dumpdata", "campaigns.brand", "campaigns.campaign", "campaigns.spendrecord"),
            *("--output", str(self.folder / "part.json")),
        )
        url = self.new_database()
        self.manage(url, "loaddata", str(self.folder / "part.json"))
        self.assertIn("All totals match the spend records.", self.manage(url, "verify_spend"))
        days = json.loads(self.manage(url, "dumpdata", "campaigns.campaignday"))
        self.assertEqual(sum(float(day["fields"]["spend"]) for day in days), 703.6)

    def test_lines_of_a_history_that_is_there_are_not_overwritten(self) -> None:
        file, campaigns = self.dump(database_url(), "dump"), Campaign.objects.count()
        said = self.manage(database_url(), "loaddata", file, code=1)
        self.assertIn("a line of the status history is never edited", said)
        self.assertEqual(self.rows(self.dump(database_url(), "again")), self.rows(file))
        self.insert_spend(self.campaign, 1)
        self.assertIn("All totals match the spend records.", self.manage(database_url(), "verify_spend"))
        self.assertEqual(Campaign.objects.count(), campaigns)

    if POSTGRESQL:

        def test_from_postgresql_to_sqlite_and_back(self) -> None:
            first = self.dump(database_url(), "postgresql")
            sqlite = self.migrated(f"sqlite:///{self.folder / 'between.sqlite3'}")
            self.manage(sqlite, "loaddata", first)
            second = self.dump(sqlite, "sqlite")
            self.assertEqual(self.rows(second), self.rows(first))
            postgresql = self.new_database()
            self.manage(postgresql, "loaddata", second)
            self.assert_loaded(postgresql, first)
            self.assert_loaded(sqlite, first)
