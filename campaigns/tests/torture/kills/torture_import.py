"""Kill -9 of the importer half way: without --skip-errors nothing is there, with it whole batches are.

Importing the same file again brings exactly the rest.
"""

from __future__ import annotations

import csv
import random
import time
from decimal import Decimal
from pathlib import Path

from campaigns.services.intake.importer import BATCH
from campaigns.tests.torture.extent import extent
from campaigns.tests.torture.kills.case import KillsTestCase
from campaigns.tests.torture.kills.many import partly_written
from campaigns.tests.torture.kills.processes import Killable

KILLS = extent(short=1, full=5)
ROWS = 2 * BATCH + 1234
TABLES = ("campaigns_brand", "campaigns_campaign", "campaigns_spendrecord", "campaigns_statuschange")


class Importer(KillsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.runs = 0

    def test_a_killed_import_leaves_nothing(self) -> None:
        for _ in range(KILLS):
            before = self.counts()
            file = self.write_file()
            importer = self.start(file)
            self.catch_writing(importer, file)
            importer.kill()
            self.assertEqual(self.counts(), before)
            self.assert_sound()
            self.import_again(file, f"{ROWS:,} rows imported, 0 repeated and skipped, 0 refused.")

    def test_a_killed_import_that_skips_errors_leaves_whole_batches_from_the_start_of_the_file(self) -> None:
        for _ in range(KILLS):
            file = self.write_file()
            importer = self.start(file, "--skip-errors")
            self.wait_for_rows(file)
            importer.kill()
            there = self.there(file)
            self.assertEqual((there % BATCH, there < ROWS), (0, True), self.services.said())
            self.assertEqual(self.last_there(file), there)
            self.assert_sound()
            self.import_again(file, f"{ROWS - there:,} rows imported, {there:,} repeated and skipped, 0 refused.")

    def write_file(self) -> Path:
        """Write a file whose brands, campaigns and ids are its own; its line n has the id FILE:n."""
        self.runs += 1
        file = self.services.directory / f"spend{self.runs}.csv"
        with file.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(("timestamp", "brand", "campaign", "amount", "external_id"))
            for n in range(1, ROWS + 1):
                brand, campaign = f"{file.stem} {n % 40}", f"Campaign {n % 400}"
                writer.writerow(("2026-03-02T12:00:00", brand, campaign, "0.000001", f"{file.stem}:{n:06d}"))
        return file

    def start(self, file: Path, *options: str) -> Killable:
        return self.services.manage(f"{file.stem}-killed", "import_spend", str(file), "--create", *options)

    def catch_writing(self, importer: Killable, file: Path) -> None:
        """Freeze the importer at a random moment after it has written its first batch, which is more than a third."""
        half = file.stat().st_size / 2

        def is_there() -> bool:  # it reads the file once before, for its digest, and writes nothing then
            return importer.has_read(file) > half and self.is_writing()

        self.wait_until("it imports the second half of the file", is_there, every=0.001)
        time.sleep(random.uniform(0, 0.2))
        importer.freeze()
        self.assertTrue(importer.is_running() and self.is_writing(), self.services.said())

    def wait_for_rows(self, file: Path) -> None:
        self.wait_until("the first batch is committed", lambda: self.there(file) > 0, every=0.001)

    def import_again(self, file: Path, says: str) -> None:
        again = self.services.manage(f"{file.stem}-again", "import_spend", str(file), "--create")
        self.wait_until("the import ends", lambda: not again.is_running())
        self.assertIn(says, again.said())
        self.assertEqual((self.there(file), self.spent(file)), (ROWS, ROWS * Decimal("0.000001")))
        self.assert_sound()

    def there(self, file: Path) -> int:
        return int(self.value(f"SELECT COUNT(*) {OF_FILE}", f"{file.stem}:%"))

    def last_there(self, file: Path) -> int:
        """Return the number of the file's last row that is there."""
        return int(str(self.value(f"SELECT MAX(external_id) {OF_FILE}", f"{file.stem}:%")).partition(":")[2])

    def spent(self, file: Path) -> Decimal:
        return Decimal(str(self.value(f"SELECT ROUND(SUM(amount), 6) {OF_FILE}", f"{file.stem}:%")))

    def counts(self) -> list[int]:
        return [int(self.value(f"SELECT COUNT(*) FROM {table}")) for table in TABLES]

    def assert_sound(self) -> None:
        self.assertEqual(partly_written(self.run_sql), {})
        self.assert_verified()


OF_FILE = "FROM campaigns_spendrecord WHERE external_id LIKE %s"
