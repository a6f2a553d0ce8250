"""From a downloaded file to a paused campaign, to import_spend --format, and to a simulation."""

from __future__ import annotations

import io
import tempfile
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from campaigns.models import Campaign, CampaignLink, PlatformAccount, SpendRecord, SpendTotal
from campaigns.rules.reasons import PauseReason
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.services.platform_files.answers import Answers
from campaigns.services.platform_files.dates import DateOrder
from campaigns.services.simulation import SimulationError
from campaigns.services.simulation.downloads import ASSUMED
from campaigns.services.simulation.history import History, read_history
from campaigns.tests.platform_files import files
from campaigns.tests.platform_files.test_import import ImportCase
from campaigns.tests.support.factories import make_brand, make_campaign


class PauseTests(ImportCase):
    def test_imported_spend_pauses_what_it_should(self) -> None:
        brand = make_brand(name="Acme", currency="USD", timezone="UTC", daily_budget=30)
        make_campaign(brand, name="Display")
        self.now = timezone.now()
        today = self.now.date()
        text = files.MICROSOFT.replace("11/27/2026", f"{today:%m/%d/%Y}").replace("11/26/2026", f"{today:%m/%d/%Y}")
        text = text.replace('"80.00"', '"0.80"')
        self.import_file(text)
        run_quick_check(clock=self.clock)
        campaign = Campaign.objects.get()
        self.assertTrue(campaign.pause_reasons & PauseReason.BRAND_DAILY_BUDGET.value)
        self.assertEqual([record.amount for record in SpendRecord.objects.all()], [Decimal(36)])
        # The same file books nothing more.
        self.import_file(text)
        run_quick_check(clock=self.clock)
        self.assertEqual(SpendRecord.objects.count(), 1)

    def test_what_waited_unassigned_is_booked_once_it_is_linked(self) -> None:
        self.now = timezone.now()
        self.import_file(files.MICROSOFT)
        run_quick_check(clock=self.clock)
        self.assertEqual(SpendRecord.objects.count(), 0)
        make_campaign(make_brand(name="Acme", currency="USD", timezone="UTC"), name="Display")
        self.now += timedelta(minutes=1)
        self.import_file(files.MICROSOFT)
        run_quick_check(clock=self.clock)
        self.assertEqual(sum(SpendRecord.objects.values_list("amount", flat=True)), Decimal("115.20"))


class CommandTests(ImportCase):
    def run_command(self, text: str, *options: str) -> str:
        out = io.StringIO()
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            file.write(text.encode())
            file.flush()
            call_command("import_spend", file.name, *options, stdout=out)
        return out.getvalue()

    def test_a_file_in_a_remembered_format(self) -> None:
        self.now = timezone.now() - timedelta(hours=1)
        self.import_file(files.MICROSOFT)
        newer = files.MICROSOFT.replace("11/28/2026 10:15", "11/28/2026 11:15").replace("80.00", "90.00")
        self.assertIn(
            "1 changed, 1 unchanged", self.run_command(newer, "--format", "Microsoft Advertising", "--dry-run")
        )
        self.assertEqual(SpendTotal.objects.get(day="2026-11-27").total, 80)
        out = self.run_command(newer, "--format", "Microsoft Advertising")
        self.assertIn("2026-11-27  Unassigned  90.00 USD", out)
        self.assertIn("Left out: 1 note of the file.", out)
        self.assertIn("1 total imported, 1 unchanged. Unassigned campaigns: 1; link them in the admin.", out)
        self.assertEqual(SpendTotal.objects.get(day="2026-11-27").total, 90)

    def assert_refused(self, sentence: str, text: str, *options: str) -> None:
        before = SpendTotal.objects.count()
        with self.assertRaisesMessage(CommandError, sentence):
            self.run_command(text, *options)
        self.assertEqual(SpendTotal.objects.count(), before)

    def test_refusals(self) -> None:
        self.now = timezone.now() - timedelta(hours=1)
        self.import_file(files.MICROSOFT)
        self.import_file(files.GOOGLE_FR, Answers(account="77"))
        self.assert_refused("Unknown format “Nothing”", files.MICROSOFT, "--format", "Nothing")
        self.assert_refused("headings aren’t those of the format", files.DV360, "--format", "Microsoft Advertising")
        other = files.GOOGLE_FR.replace("Suche", "Autre")
        self.assert_refused("Which account of the platform", other, "--format", "Google Ads")
        self.assert_refused("Give --account.", other, "--format", "Google Ads")
        self.assert_refused("can't be combined with --create", other, "--format", "Google Ads", "--create")
        broken = files.GOOGLE_FR.replace("26/11/2026;Suche", "hello;Suche")
        self.assert_refused("isn’t a day", broken, "--format", "Google Ads", "--account", "77")

    def test_an_account_that_is_given(self) -> None:
        self.now = timezone.now() - timedelta(hours=1)
        self.import_file(files.GOOGLE_FR, Answers(account="77"))
        self.run_command(files.GOOGLE_FR, "--format", "Google Ads", "--account", "78")
        self.assertEqual(set(PlatformAccount.objects.values_list("external_id", flat=True)), {"77", "78"})
        self.assertEqual(CampaignLink.objects.count(), 2)


class SimulationTests(ImportCase):
    def history(self, data: bytes, **answers: Any) -> History:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.csv"
            path.write_bytes(data)
            return read_history(path, ZoneInfo("Europe/Berlin"), replace(ASSUMED, **answers))

    def test_days_are_spent_evenly(self) -> None:
        history = self.history(files.GOOGLE_EXCEL.encode("utf-16"))
        self.assertEqual((history.lines, len(history.rows), history.zeros), (1, 288, 1))
        self.assertEqual(sum(row.amount for row in history.rows), Decimal("1234.50"))
        self.assertEqual(history.brands, ["Google Ads"])
        self.assertEqual([str(day) for day in history.days], ["2026-11-26"])

    def test_brands_are_the_accounts(self) -> None:
        self.assertEqual(self.history(files.DV360.encode()).brands, ["Acme"])

    def test_a_day_of_23_hours(self) -> None:
        text = files.META_FR.replace("2026-11-26", "2026-03-29")
        history = self.history(text.encode())
        self.assertEqual(len(history.rows), 23 * 12)
        self.assertEqual(len(history.days), 1)

    def test_a_question_names_its_option(self) -> None:
        text = files.META_FR.replace("2026-11-26", "05/11/2026").encode()
        with self.assertRaisesMessage(SimulationError, "Which day is “05/11/2026”? Please give --date-order: dmy"):
            self.history(text)
        self.assertEqual([str(day) for day in self.history(text, order=DateOrder.DAY_FIRST).days], ["2026-11-05"])

    def test_a_report_without_days(self) -> None:
        with self.assertRaisesMessage(SimulationError, "no column for the day"):
            self.history(b"Campaign,Campaign ID,Currency code,Cost\nA,1,EUR,5\n")

    def test_a_file_that_is_neither(self) -> None:
        with self.assertRaisesMessage(SimulationError, "names no column"):
            self.history(b"hello,world\n1,2\n")
