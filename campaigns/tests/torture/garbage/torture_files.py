"""Garbage at import_spend: a long file with every kind of broken line, a line of 100 MB, and odd files.

Only valid rows count, every refusal names its line, and memory stays flat: what the process takes at its peak is
measured, and is the same however long the file or its lines are.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from django.core.management import CommandError, call_command
from django.db.models import Sum

from campaigns.models import SpendRecord
from campaigns.services.jobs.full_check import full_check
from campaigns.services.ledger.verify import verify
from campaigns.tests.intake.test_import_spend import database_url
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, utc
from campaigns.tests.support.ledger import totals_counted, totals_of_records
from campaigns.tests.support.processes import BASE_DIR, GOOD_KEY, environment
from campaigns.tests.torture.extent import extent
from campaigns.tests.torture.garbage.files import ODD_FILES, LongFile, Odd, Written

MEGABYTE = 2**20
# By so much may the peak of a long file lie above that of a short one: batches differ in what they hold.
ALLOWED = 40 * MEGABYTE

# The peak is asked of a small process in between: a child's begins with what its parent had in memory.
MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
sys.exit(code)
"""


class Run(NamedTuple):
    code: int
    said: str
    peak: int


class FileCase(CommittedTestCase):
    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "spend.csv"
        self.errors = Path(folder.name) / "errors.csv"
        make_campaign(make_brand(name="Acme"), name="Spring")
        make_campaign(name="Foreign")

    def imported(self) -> tuple[int, Decimal]:
        found = SpendRecord.objects.aggregate(total=Sum("amount"))["total"] or Decimal(0)
        return SpendRecord.objects.count(), Decimal(found)

    def assert_totals_are_right(self) -> None:
        self.assertEqual(verify(), [])
        full_check("test", clock=lambda: utc("2026-11-20 13:00"))
        self.assertEqual(verify(), [])


class LongFiles(FileCase):
    def run_it(self, *options: str) -> Run:
        """Run the command as people do, and measure it."""
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, sys.executable, "manage.py", "import_spend", str(self.file), *options],
            cwd=BASE_DIR,
            env=environment(DATABASE_URL=database_url(), DEBUG="True", SECRET_KEY=GOOD_KEY),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=3_000,
        )
        said, _, peak = done.stdout.decode().rstrip().rpartition("\n")
        return Run(done.returncode, said + done.stderr.decode(), int(peak))

    def write(self, lines: int, *, seed: int, longest: int = 0) -> Written:
        return LongFile(brand="Acme", campaign="Spring", seed=seed).write(self.file, lines, longest=longest)

    def test_only_valid_rows_count_and_every_refusal_names_its_line(self) -> None:
        small = self.peak_of(lines=extent(short=15_000, full=100_000))
        large = self.peak_of(lines=extent(short=40_000, full=1_000_000), longest=extent(short=5, full=100) * 1_000_000)
        self.assertLess(large, small + ALLOWED, f"{large:,} bytes at the peak of the long file, {small:,} of the other")

    def peak_of(self, lines: int, longest: int = 0) -> int:
        """Import a file as a whole, which must fail and leave nothing, then without its broken lines."""
        SpendRecord.objects.all().delete()
        written = self.write(lines, seed=lines, longest=longest)
        whole = self.run_it()
        self.assertEqual(whole.code, 1, whole.said)
        self.assertIn(f"{len(written.refused):,} rows were refused, so nothing was imported", whole.said)
        self.assertIn(f"line {min(written.refused)}: ", whole.said)
        self.assertEqual(self.imported(), (0, 0))
        skipping = self.run_it("--skip-errors", "--errors", str(self.errors))
        self.assertEqual(skipping.code, 0, skipping.said)
        self.assertIn(
            f"{written.valid:,} rows imported, {written.repeated:,} repeated and skipped,"
            f" {len(written.refused):,} refused.",
            skipping.said,
        )
        self.assert_named(written)
        self.assertEqual(self.imported()[0], written.valid)
        self.assertEqual(set(totals_counted().values()), {written.amount})
        self.assert_totals_are_right()
        return max(whole.peak, skipping.peak)

    def assert_named(self, written: Written) -> None:
        """Compare the file of --errors with the lines that were broken, each by its own words."""
        csv.field_size_limit(MEGABYTE)
        with self.errors.open(encoding="utf-8", newline="") as file:
            reasons = {int(row["line"]): row["reason"] for row in csv.DictReader(file)}
        self.assertEqual(sorted(reasons), sorted(written.refused))
        wrong = [(line, why, reasons[line]) for line, why in written.refused.items() if why not in reasons[line]]
        self.assertEqual(wrong[:5], [])


class OddFiles(FileCase):
    def test_each_is_read_or_refused_by_a_sentence(self) -> None:
        for name, odd in ODD_FILES.items():
            with self.subTest(name):
                self.file.write_bytes(odd.data)
                self.assert_imports(odd, odd.strict)
                self.assert_imports(odd, odd.skipping, "--skip-errors", "--errors", str(self.errors))
        self.assertEqual(totals_counted(), totals_of_records())
        self.assert_totals_are_right()

    def assert_imports(self, odd: Odd, rows: int, *options: str) -> None:
        SpendRecord.objects.all().delete()
        said = io.StringIO()
        try:
            call_command("import_spend", str(self.file), "--again", *options, stdout=said, stderr=said)
        except CommandError as error:
            said.write(str(error))
            self.assertEqual(error.returncode, 1)
        self.assertIn(odd.said, said.getvalue())
        self.assertEqual(self.imported(), (rows, rows))
