from __future__ import annotations

import csv
import errno
import io
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from django.test import SimpleTestCase, TestCase, override_settings

from campaigns.database.connection import execute, fetch_all
from campaigns.models import Brand, Campaign, PendingSpend, SpendRecord, SpendUpload, StatusChange
from campaigns.rules.csv_guard import FORMULA_STARTS
from campaigns.services.intake import importer as spend_import
from campaigns.services.intake.csv_reader import Line, Row, read_spend_csv
from campaigns.services.intake.importer import ImportRefused, import_spend
from campaigns.services.intake.placement import Counts
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.outside import POSTGRESQL
from campaigns.tests.support.processes import BASE_DIR, GOOD_KEY, environment

HEADER = "timestamp,brand,campaign,amount,external_id"
NOON = "2026-03-01T12:00:00Z"


@contextmanager
def broken_off() -> Iterator[None]:
    """Let the disk fail where the file ends."""

    def read(*args: Any, **options: Any) -> Iterator[Line]:
        yield from read_spend_csv(*args, **options)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with patch("campaigns.services.intake.command_run.read_spend_csv", read):
        yield


class ImportCase(SimpleTestCase):
    databases = {"default"}

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.file = self.folder / "spend.csv"

    def write(self, *lines: str, header: str = HEADER) -> None:
        self.file.write_text("\n".join((header, *lines)), encoding="utf-8")

    def run_it(self, *options: str) -> str:
        """Run the command and return all that it says."""
        said = io.StringIO()
        call_command("import_spend", str(self.file), *options, stdout=said, stderr=said)
        return said.getvalue()

    def refusal(self, *options: str) -> str:
        with self.assertRaises(CommandError) as caught:
            self.run_it(*options)
        self.assertEqual(caught.exception.returncode, 1)
        return str(caught.exception)

    def assert_said(self, text: str, *parts: str) -> None:
        for part in parts:
            self.assertIn(part, text)

    def amounts(self) -> list[Decimal]:
        return list(SpendRecord.objects.order_by("amount").values_list("amount", flat=True))


class ImportTest(ImportCase, TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign(make_brand(name="Acme"), name="Spring")

    def test_it_imports_rows_by_the_names_of_brand_and_campaign(self) -> None:
        namesake = make_campaign(make_brand(name="Bolt"), name="Spring")
        self.write(f"{NOON},Acme,Spring,1.25,a-1", f"{NOON},Bolt,Spring,-0.000001,")
        self.assert_said(self.run_it(), "2 rows imported, 0 repeated and skipped, 0 refused.")
        rows = SpendRecord.objects.order_by("id").values_list("brand", "campaign", "amount", "timestamp", "external_id")
        self.assertCountEqual(
            rows,
            [
                (self.campaign.brand_id, self.campaign.pk, Decimal("1.25"), utc("2026-03-01T12:00"), "a-1"),
                (namesake.brand_id, namesake.pk, Decimal("-0.000001"), utc("2026-03-01T12:00"), None),
            ],
        )

    def test_it_counts_what_it_imports_exactly(self) -> None:
        self.write(*[f"{NOON},Acme,Spring,0.1,{number}" for number in range(10)])
        self.run_it()
        self.assertEqual(sum(PendingSpend.objects.values_list("amount", flat=True)), Decimal(1))

    def test_it_keeps_large_amounts_exact_and_knows_them_again(self) -> None:
        self.write(f"{NOON},Acme,Spring,999999999.999999,a", f"{NOON},Acme,Spring,123456789.123457,b")
        self.run_it()
        self.assertEqual(self.amounts(), [Decimal("123456789.123457"), Decimal("999999999.999999")])
        self.assert_said(self.run_it(), "0 rows imported, 2 repeated")

    def test_it_says_which_rows_would_count_twice(self) -> None:
        self.write(f"{NOON},Acme,Spring,1,", f"{NOON},Acme,Spring,1,")
        self.assert_said(self.run_it(), "2 imported rows had no external_id", "counts them twice")
        self.assertEqual(self.amounts(), [1, 1])
        self.write(f"{NOON},Acme,Spring,1,a")
        self.assertNotIn("twice", self.run_it())

    def test_it_keeps_external_ids_with_any_character(self) -> None:
        names = ["tab\there", r"back\slash", r"\N", "“é”", "花", "{}", "%s"]
        self.write(*[f"{NOON},Acme,Spring,1,{name}" for name in names])
        self.run_it()
        self.assertCountEqual(SpendRecord.objects.values_list("external_id", flat=True), names)
        self.assert_said(self.run_it(), "0 rows imported, 7 repeated")

    def test_it_takes_names_for_text_even_where_they_look_like_something_else(self) -> None:
        self.write(f"{NOON},007,null,1,a", f"{NOON},7,1e3,2,a")
        self.run_it("--create")
        self.assertEqual(
            set(Campaign.objects.values_list("brand__name", "name")) - {("Acme", "Spring")},
            {("007", "null"), ("7", "1e3")},
        )
        self.assert_said(self.run_it(), "2 repeated")

    def test_it_imports_a_header_alone(self) -> None:
        self.write()
        self.assert_said(self.run_it(), "0 rows imported")

    @override_settings(TIME_ZONE="Asia/Tokyo")
    def test_it_takes_the_time_zone_of_the_brand_or_the_one_given(self) -> None:
        for zone in ("America/New_York", "Asia/Kolkata"):
            make_campaign(make_brand(name=zone, timezone=zone), name="Display")
        self.write("2026-11-01 00:00,America/New_York,Display,1,a", "2026-11-01 00:00,Asia/Kolkata,Display,1,b")
        self.run_it()
        self.write("2026-11-01 00:00,America/New_York,Display,1,c")
        self.run_it("--time-zone", "berlin")
        self.assertEqual(
            dict(SpendRecord.objects.values_list("external_id", "timestamp")),
            {"a": utc("2026-11-01T04:00"), "b": utc("2026-10-31T18:30"), "c": utc("2026-10-31T23:00")},
        )

    def test_a_day_without_a_time_is_the_brands_day_whatever_zone_is_given(self) -> None:
        make_campaign(make_brand(name="Kyoto Tea", timezone="Asia/Tokyo"), name="Display")
        self.write("2026-11-26,Kyoto Tea,Display,1,a")
        self.run_it("--time-zone", "America/New_York")
        self.assertEqual(SpendRecord.objects.get().timestamp, utc("2026-11-26T03:00"))

    def test_it_refuses_a_local_time_of_a_brand_whose_zone_is_unknown(self) -> None:
        make_campaign(make_brand(name="Lost"), name="Display")
        Brand.objects.filter(name="Lost").update(timezone="Mars/Phobos")
        self.write("2026-11-26T12:00,Lost,Display,1,a")
        self.assert_said(self.refusal(), "The brand “Lost” has the unknown time zone “Mars/Phobos”", "offset")
        self.run_it("--time-zone", "UTC")
        self.assertEqual(self.amounts(), [1])

    def test_it_refuses_an_unknown_time_zone(self) -> None:
        self.write(f"{NOON},Acme,Spring,1,a")
        self.assert_said(self.refusal("--time-zone", "Mars/Phobos"), "“Mars/Phobos”", "Europe/Paris")

    def test_it_leaves_enforcement_of_what_was_there_to_the_check(self) -> None:
        Campaign.objects.update(daily_spend_limit=1)
        self.write(f"{datetime.now(UTC).isoformat()},Acme,Spring,1,a")
        self.run_it()
        self.assertFalse(StatusChange.objects.exists())


class RepeatTest(ImportCase, TestCase):
    """R11: the same row twice counts once."""

    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign(make_brand(name="Acme"), name="Spring")

    def test_it_changes_nothing_when_a_file_comes_again(self) -> None:
        self.write(*[f"{NOON},Acme,Spring,{number},{number}" for number in range(1, 6)])
        self.run_it()
        before = list(SpendRecord.objects.order_by("id").values())
        self.assert_said(self.run_it(), "0 rows imported, 5 repeated and skipped, 0 refused.")
        self.assertEqual(list(SpendRecord.objects.order_by("id").values()), before)

    def test_it_skips_what_says_the_same_in_other_words(self) -> None:
        spend(self.campaign, "0.1", NOON, "a")
        self.write("2026-03-01T13:00:00.000+01:00,Acme,Spring,+0.1000000, a ")
        self.assert_said(self.run_it(), "0 rows imported, 1 repeated")

    def test_it_knows_a_row_of_the_connector_again(self) -> None:
        self.insert_by_sql("2026-03-01 12:00:00.500")
        self.write("2026-03-01T12:00:00.5Z,Acme,Spring,0.1,a")
        self.assert_said(self.run_it(), "0 rows imported, 1 repeated")

    def insert_by_sql(self, timestamp: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp, external_id)"
                f" VALUES ({self.campaign.brand_id}, {self.campaign.pk}, 0.1, '{timestamp}', 'a')"
            )

    def test_it_refuses_another_amount_and_names_both(self) -> None:
        spend(self.campaign, "5", NOON, "a")
        self.write(f"{NOON},Acme,Spring,5.000001,a")
        self.assert_said(self.refusal(), "line 2", "“a”", "5.000000 at 2026-03-01 12:00:00+00:00", "says 5.000001")
        self.assertEqual(self.amounts(), [5])

    def test_it_refuses_another_timestamp_and_names_both(self) -> None:
        spend(self.campaign, "5", NOON, "a")
        self.write("2026-03-01T12:00:01Z,Acme,Spring,5,a")
        self.assert_said(self.refusal(), "line 2", "2026-03-01 12:00:00+00:00", "2026-03-01 12:00:01+00:00")

    def test_it_counts_repetitions_within_a_batch(self) -> None:
        self.write(f"{NOON},Acme,Spring,2,a", f"{NOON},Acme,Spring,2,a", f"{NOON},Acme,Spring,3,a")
        said = self.run_it("--skip-errors")
        self.assert_said(said, "1 row imported, 1 repeated and skipped, 1 refused.", "line 4", "2.000000", "says 3")
        self.assertEqual(self.amounts(), [2])

    def test_it_counts_repetitions_across_batches_alike(self) -> None:
        self.write(f"{NOON},Acme,Spring,2,a", f"{NOON},Acme,Spring,2,a", f"{NOON},Acme,Spring,3,a")
        with patch.object(spend_import, "BATCH", 1):
            said = self.run_it("--skip-errors")
        self.assert_said(said, "1 row imported, 1 repeated and skipped, 1 refused.", "line 4", "2.000000", "says 3")

    def test_it_writes_rows_in_the_order_of_their_ids(self) -> None:
        """Whatever their order in the file: two imports that met in opposite orders would wait for each other."""
        self.write(*(f"{NOON},Acme,Spring,1,{name}" for name in "cadb"))
        self.run_it()
        self.assertEqual(list(SpendRecord.objects.order_by("id").values_list("external_id", flat=True)), list("abcd"))

    def test_it_takes_one_external_id_in_two_campaigns_for_two_rows(self) -> None:
        make_campaign(self.campaign.brand, name="Summer")
        self.write(f"{NOON},Acme,Spring,2,a", f"{NOON},Acme,Summer,3,a")
        self.assert_said(self.run_it(), "2 rows imported")


class RefusalTest(ImportCase, TestCase):
    def setUp(self) -> None:
        super().setUp()
        make_campaign(make_brand(name="Acme"), name="Spring")

    def test_it_changes_nothing_where_one_row_is_refused(self) -> None:
        self.write(f"{NOON},Acme,Spring,1,a", f"{NOON},Acme,Spring,NaN,b", f"{NOON},New,New,1,c")
        said = self.refusal("--create")
        self.assert_said(said, "1 row was refused", "nothing was imported", "2 new, 0 repeated", "line 3: ", "“NaN”")
        self.assertFalse(SpendRecord.objects.exists())
        self.assertFalse(PendingSpend.objects.exists())
        self.assertFalse(Brand.objects.filter(name="New").exists())

    def test_it_changes_nothing_where_the_last_batch_is_refused(self) -> None:
        self.write(*[f"{NOON},Acme,Spring,1,{number}" for number in range(4)], f"{NOON},Acme,Spring,NaN,x")
        with patch.object(spend_import, "BATCH", 2):
            self.assert_said(self.refusal(), "line 6")
        self.assertFalse(SpendRecord.objects.exists())

    def test_it_names_the_first_refused_lines_and_counts_all(self) -> None:
        self.write(*[f"{NOON},Acme,Spring,NaN,{number}" for number in range(1012)])
        said = self.refusal()
        self.assert_said(said, "1,012 rows were refused", "line 2: ", "line 11: ", "and 1,002 more", "--errors")
        self.assertNotIn("line 12:", said)

    def test_it_imports_the_others_if_asked(self) -> None:
        self.write(f"{NOON},Acme,Spring,1,a", f"{NOON},Acme,Spring", f"{NOON},Acme,Spring,2,b")
        self.assert_said(self.run_it("--skip-errors"), "2 rows imported, 0 repeated and skipped, 1 refused.", "line 3")
        self.assertEqual(self.amounts(), [1, 2])

    def test_it_fails_where_every_row_is_refused(self) -> None:
        self.write(f"{NOON},Acme,Spring,NaN,a", f"{NOON},Acme,Spring,NaN,b")
        self.assert_said(self.refusal("--skip-errors"), "Every row was refused", "line 2", "line 3")

    def test_it_refuses_unknown_names(self) -> None:
        self.write(f"{NOON},Bolt,Spring,1,a", f"{NOON},Acme,Autumn,1,b", f"{NOON},Acmé,Spring,1,b")
        said = self.refusal()
        self.assert_said(said, "line 2: Unknown brand “Bolt”", "The brand “Acme” has no campaign “Autumn”")
        self.assert_said(said, "line 4: Unknown brand “Acmé”", "--create")

    def test_it_writes_the_refused_lines_to_a_file_in_order(self) -> None:
        spend(Campaign.objects.get(), "5", NOON, "z")
        lines = (f"{NOON},Acme,Spring,6,z", f'{NOON},"Bo,lt",Spring,1,a', f"{NOON},Acme,Spring,1,b", "?")
        self.write(*lines)
        errors = self.folder / "errors.csv"
        self.refusal("--errors", str(errors))
        with errors.open(encoding="utf-8", newline="") as file:
            header, *written = csv.reader(file)
        self.assertEqual(header, ["line", "reason", "text"])
        self.assertEqual([(line, text) for line, _, text in written], [("2", lines[0]), ("3", lines[1]), ("5", "?")])
        self.assertIn("“Bo,lt”", written[1][1])

    def test_it_writes_a_header_alone_where_nothing_is_refused(self) -> None:
        self.write(f"{NOON},Acme,Spring,1,a")
        self.run_it("--errors", str(self.folder / "errors.csv"))
        self.assertEqual((self.folder / "errors.csv").read_text().splitlines(), ['"line","reason","text"'])

    def test_refused_lines_hold_no_formula_wherever_a_spreadsheet_splits_them(self) -> None:
        self.write(f"{NOON},x;=1+1;y,Spring,-1,a", "=1+1", f"{NOON},a|+b,Spring,-1,b")
        errors = self.folder / "errors.csv"
        self.refusal("--errors", str(errors))
        for cell in re.split(r"[;|\t\r\n]", errors.read_text(encoding="utf-8")):
            self.assertNotIn(cell.strip(' "')[:1] or "x", FORMULA_STARTS, cell)
        with errors.open(encoding="utf-8", newline="") as file:
            texts = [text for _, _, text in csv.reader(file)]
        self.assertEqual(texts[1:], [f"{NOON},x;'=1+1;y,Spring,-1,a", "'=1+1", f"{NOON},a|'+b,Spring,-1,b"])

    def test_it_overwrites_neither_the_file_nor_writes_where_it_cannot(self) -> None:
        self.write(f"{NOON},Acme,Spring,1,a")
        self.assert_said(self.refusal("--errors", str(self.file)), "would overwrite the file to import")
        self.assert_said(self.refusal("--errors", str(self.folder)), "can't be written", "another name")
        self.assertIn("Acme", self.file.read_text())
        self.assertFalse(SpendRecord.objects.exists())


class FileTest(ImportCase, TestCase):
    def setUp(self) -> None:
        super().setUp()
        make_campaign(make_brand(name="Acme"), name="Spring")

    def test_it_refuses_a_file_that_is_not_there_or_is_none(self) -> None:
        self.assert_said(self.refusal(), str(self.file), "No such file")
        self.file.mkdir()
        self.assert_said(self.refusal(), str(self.file), "directory")

    def test_it_changes_nothing_where_a_line_is_no_text(self) -> None:
        self.file.write_bytes(f"{HEADER}\n{NOON},Acme,Spring,1,a\n\0".encode())
        self.assert_said(self.refusal(), "line 3: The line contains a NUL byte", "so nothing was imported")
        with patch.object(spend_import, "BATCH", 1):
            self.assert_said(self.refusal(), "line 3: The line contains a NUL byte", "so nothing was imported")
        self.assertFalse(SpendRecord.objects.exists())

    def test_it_imports_the_lines_around_one_that_is_no_text_or_too_long(self) -> None:
        lines = [f"{NOON},Acme,Spring,1,a", "\0", f"{NOON},Acme,Spring,2,b", "x" * 1_000_000, f"{NOON},Acme,Spring,3,c"]
        self.write(*lines)
        said = self.run_it("--skip-errors")
        self.assert_said(said, "3 rows imported, 0 repeated and skipped, 2 refused.", "line 3: ", "line 5: ")
        self.assertEqual(self.amounts(), [1, 2, 3])

    def test_it_cuts_batches_where_lines_are_long(self) -> None:
        rows = [Row(number, utc(NOON), "Acme", "Spring", Decimal(1), None, "x" * 1_500_000) for number in range(5)]
        self.assertEqual([(len(batch), last) for batch, last in spend_import.batches(rows)], [(3, False), (2, True)])

    def test_it_says_what_stays_where_the_file_cannot_be_read_on(self) -> None:
        """With errors skipped, the batches before the break are kept; without, nothing is."""
        self.write(f"{NOON},Acme,Spring,1,a")
        for options, kept, amounts in (
            ((), "Nothing was imported.", []),
            (("--skip-errors",), "Rows imported before that are kept. 1 row imported", [1]),
        ):
            with self.subTest(options), patch.object(spend_import, "BATCH", 1), broken_off():
                self.assert_said(self.refusal(*options), "Reading the file failed (Input/output error).", kept)
                self.assertEqual(self.amounts(), amounts)

    def test_it_refuses_a_missing_column(self) -> None:
        self.write(f"{NOON},Acme,1", header="timestamp,brand,amount")
        self.assert_said(self.refusal(), "no column “campaign”", "Nothing was imported.")


class AgainTest(ImportCase, TestCase):
    """The same bytes again would count rows without external_id twice."""

    def setUp(self) -> None:
        super().setUp()
        make_campaign(make_brand(name="Acme"), name="Spring")

    def test_the_same_bytes_are_refused_unless_they_are_asked_for(self) -> None:
        self.write(f"{NOON},Acme,Spring,1,a", f"{NOON},Acme,Spring,2,")
        self.run_it()
        said = self.refusal()
        self.assert_said(
            said, "The same file was imported on ", "by Spend import (job) as “spend.csv”: 2 rows.", "--again"
        )
        self.assertEqual(self.amounts(), [1, 2])
        self.assert_said(self.run_it("--again"), "1 row imported, 1 repeated")
        self.assertEqual(self.amounts(), [1, 2, 2])

    def test_a_file_whose_rows_have_external_ids_may_come_again(self) -> None:
        self.write(f"{NOON},Acme,Spring,1,a")
        self.run_it()
        self.assert_said(self.run_it(), "0 rows imported, 1 repeated")

    def test_other_bytes_are_another_file(self) -> None:
        self.write(f"{NOON},Acme,Spring,2,")
        self.run_it()
        self.write(f"{NOON},Acme,Spring,2,", "")
        self.assert_said(self.run_it(), "1 row imported")

    def test_a_refused_import_leaves_no_trace(self) -> None:
        self.write(f"{NOON},Acme,Spring,2,", f"{NOON},Acme,Spring,x,")
        self.refusal()
        self.assertFalse(SpendUpload.objects.exists())
        self.run_it("--skip-errors")
        self.assertRaises(CommandError, self.run_it, "--skip-errors")

    def test_an_import_that_broke_off_is_remembered_by_what_it_wrote(self) -> None:
        self.write(*[f"{NOON},Acme,Spring,1,"] * 3)
        with patch.object(spend_import, "BATCH", 2), broken_off():
            self.refusal("--skip-errors")
        record = SpendUpload.objects.get()
        self.assertEqual((record.state, record.imported, record.who, record.user), ("failed", 2, "import_spend", None))
        self.assert_said(self.refusal("--skip-errors"), "2 rows", "--again")

    def test_an_import_is_listed(self) -> None:
        self.write(f"{NOON},Acme,Spring,1,a", f"{NOON},Acme,Spring,0,")
        self.run_it("--time-zone", "Asia/Tokyo")
        record = SpendUpload.objects.get()
        self.assertEqual((record.state, record.imported, record.without_spend, record.problem), ("done", 1, 1, ""))
        self.assertEqual(
            (record.name, record.size, record.timezone), ("spend.csv", self.file.stat().st_size, "Asia/Tokyo")
        )


class DryRunTest(ImportCase, TestCase):
    def setUp(self) -> None:
        super().setUp()
        make_campaign(make_brand(name="Acme", timezone="America/New_York"), name="Display")

    def test_it_shows_money_by_brand_and_local_day_and_writes_nothing(self) -> None:
        self.write(
            "2026-11-01 00:00,Acme,Display,35.20,a",
            "2026-11-02T04:30Z,Acme,Display,1000,b",
            "2026-11-02,Acme,Display,--,",
            ",,,1035.2,",
        )
        said = self.run_it("--dry-run")
        self.assert_said(said, "Acme   2026-11-01     2  1,035.20 USD", "Total: 1,035.20 USD")
        self.assert_said(said, "2 rows would be imported, 0 already exist, 0 would be refused.")
        self.assert_said(said, "1 row without spend", "Totals and notes, not imported: line 5.")
        self.assertFalse(SpendRecord.objects.exists() or SpendUpload.objects.exists())

    def test_it_fails_where_the_import_would(self) -> None:
        self.write("2026-11-01 00:00,Acme,Display,35.20,a", "2026-11-01 00:00,Bolt,Display,35.20,a")
        self.assert_said(self.refusal("--dry-run"), "Nothing would be imported", "line 3: Unknown brand “Bolt”")
        self.assert_said(self.run_it("--dry-run", "--skip-errors"), "1 would be refused", "line 3: ")
        self.assert_said(self.run_it("--dry-run", "--create"), "It would create 1 brand and 1 campaign.")
        self.file.write_bytes(b"PK\x03\x04")
        self.assert_said(self.refusal("--dry-run"), "ZIP archive", "Nothing was imported.")

    def test_it_says_that_the_same_bytes_were_imported(self) -> None:
        self.write("2026-11-01 00:00,Acme,Display,35.20,")
        self.run_it()
        self.assert_said(self.run_it("--dry-run"), "The same file was imported on ", "would count twice")

    def test_the_decimal_separator_can_be_told(self) -> None:
        self.write("2026-11-01;Acme;Display;1.250;a", header=HEADER.replace(",", ";"))
        self.assert_said(self.refusal(), "could mean")
        self.run_it("--decimal", "comma")
        self.assertEqual(self.amounts(), [1250])


class CreateTest(ImportCase, TestCase):
    @override_settings(TIME_ZONE="Asia/Tokyo")
    def test_it_creates_what_is_missing_in_the_zone_of_the_application(self) -> None:
        acme = make_brand(name="Acme", timezone="Europe/Berlin")
        make_campaign(acme, name="Spring")
        self.write(
            f"{NOON},Acme,Spring,1,a",
            f"{NOON},Acme,Summer,2,a",
            f"{NOON},Bolt,Spring,3,a",
            f"{NOON},Bolt,Spring,4,b",
        )
        self.assert_said(self.run_it("--create"), "4 rows imported", "Created 1 brand and 2 campaigns.")
        zones = dict(Brand.objects.values_list("name", "timezone"))
        self.assertEqual(zones, {"Acme": "Europe/Berlin", "Bolt": "Asia/Tokyo"})
        names = Campaign.objects.order_by("brand__name", "name").values_list("brand__name", "name")
        self.assertEqual(list(names), [("Acme", "Spring"), ("Acme", "Summer"), ("Bolt", "Spring")])

    def test_it_enforces_what_it_creates(self) -> None:
        make_brand(name="Acme", enabled=False)
        for batch_by_batch in ((), ("--skip-errors",)):
            self.write(f"{NOON},Acme,Campaign {len(batch_by_batch)},1,a")
            self.run_it("--create", *batch_by_batch)
        self.assertEqual(set(Campaign.objects.values_list("status", flat=True)), {"paused"})
        self.assertEqual(set(StatusChange.objects.values_list("actor", flat=True)), {"import_spend"})
        self.assertEqual(StatusChange.objects.count(), 2)

    def test_it_creates_each_once_across_batches(self) -> None:
        self.write(*[f"{NOON},Bolt,Spring,1,{number}" for number in range(5)])
        with patch.object(spend_import, "BATCH", 2):
            self.assert_said(self.run_it("--create"), "5 rows imported", "Created 1 brand and 1 campaign.")

    def test_it_creates_nothing_for_a_line_that_is_refused(self) -> None:
        make_campaign(make_brand(name="Acme"), name="Spring")
        self.write(f"{NOON},Bolt,Spring,NaN,a", f"{NOON},Acme,Spring,1,a")
        self.run_it("--create", "--skip-errors")
        self.assertFalse(Brand.objects.filter(name="Bolt").exists())


class ConcurrentImportTest(ImportCase, CommittedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign(make_brand(name="Acme"), name="Spring")

    def write_meanwhile(self, *steps: tuple[str, str]) -> threading.Thread:
        """Insert records (amount, external id) from another connection, in one slow transaction."""
        has_begun = threading.Event()

        def write() -> None:
            try:
                with transaction.atomic():
                    for amount, external_id in steps:
                        spend(self.campaign, amount, NOON, external_id)
                        has_begun.set()
                        time.sleep(0.5)
            except OperationalError:
                pass  # PostgreSQL may choose this one to end a deadlock
            finally:
                connection.close()

        thread = threading.Thread(target=write)
        thread.start()
        has_begun.wait(10)
        return thread

    def test_it_skips_what_another_writer_inserts_at_the_same_time(self) -> None:
        self.write(f"{NOON},Acme,Spring,1,a", f"{NOON},Acme,Spring,2,b")
        writer = self.write_meanwhile(("2", "b"))
        self.assert_said(self.run_it(), "1 row imported, 1 repeated")
        writer.join()
        self.assertEqual(self.amounts(), [1, 2])

    def test_it_refuses_what_another_writer_says_otherwise_at_the_same_time(self) -> None:
        self.write(f"{NOON},Acme,Spring,1,a", f"{NOON},Acme,Spring,2,b")
        writer = self.write_meanwhile(("3", "b"))
        self.assert_said(self.refusal(), "line 3", "3.000000", "says 2")
        writer.join()
        self.assertEqual(self.amounts(), [3])

    if POSTGRESQL:  # SQLite has one writer at a time

        def test_it_outlives_a_deadlock_with_another_writer(self) -> None:
            self.write(f"{NOON},Acme,Spring,1,a", f"{NOON},Acme,Spring,2,b")
            writer = self.write_meanwhile(("2", "b"), ("1", "a"))
            self.run_it()
            writer.join()
            self.assertEqual(self.amounts(), [1, 2])

        def test_it_tries_again_only_what_may_succeed_and_not_for_ever(self) -> None:
            for problem, attempts in (("deadlock_detected", spend_import.ATTEMPTS), ("disk_full", 1)):
                with self.subTest(problem):
                    self.assertEqual(self.attempts_beside(problem), attempts)

        def attempts_beside(self, problem: str) -> int:
            """Let PostgreSQL refuse every record for this problem, and return how often an import tries."""
            execute("CREATE SEQUENCE tried")
            execute(f"""CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                PERFORM nextval('tried');
                RAISE EXCEPTION '{problem}' USING ERRCODE = '{problem}';
            END $$""")
            execute("CREATE TRIGGER refuse BEFORE INSERT ON campaigns_spendrecord EXECUTE FUNCTION refuse()")
            try:
                with self.assertRaises(OperationalError):
                    import_spend([Row(2, utc(NOON), "Acme", "Spring", Decimal(1), "a")], clock=lambda: utc(NOON))
                return int(fetch_all("SELECT last_value FROM tried")[0][0])
            finally:
                execute("DROP TRIGGER refuse ON campaigns_spendrecord")
                execute("DROP FUNCTION refuse; DROP SEQUENCE tried")

    def test_it_changes_nothing_when_it_is_interrupted(self) -> None:
        def rows_until_interrupted() -> Iterator[Row]:
            yield Row(2, utc(NOON), "Acme", "Spring", Decimal(1), "a")
            raise KeyboardInterrupt

        with patch.object(spend_import, "BATCH", 1), self.assertRaises(KeyboardInterrupt):
            import_spend(rows_until_interrupted(), clock=lambda: utc(NOON))
        self.assertFalse(SpendRecord.objects.exists())

    def test_it_leaves_nothing_of_a_batch_that_breaks_off(self) -> None:
        rows = [Row(2, utc(NOON), "Acme", "Autumn", Decimal(1), "a")]
        with patch.object(spend_import, "enforce", side_effect=InterruptedError), self.assertRaises(InterruptedError):
            import_spend(rows, clock=lambda: utc(NOON), create=True, skip_errors=True)
        self.assertFalse(SpendRecord.objects.exists())
        self.assertEqual(Campaign.objects.get(), self.campaign)


class ServiceTest(TestCase):
    def test_it_tells_the_counts_after_each_batch(self) -> None:
        make_campaign(make_brand(name="Acme"), name="Spring")
        rows = [Row(line, utc(NOON), "Acme", "Spring", Decimal(line), None) for line in range(2, 7)]
        message: list[int] = []
        with patch.object(spend_import, "BATCH", 2):
            counts = import_spend(
                rows, clock=lambda: utc(NOON), on_batch=lambda counts: message.append(counts.imported)
            )
        self.assertEqual(message, [2, 4, 5])
        self.assertEqual(counts, Counts(imported=5, without_external_id=5))

    def test_it_creates_nothing_that_it_is_not_told_to(self) -> None:
        with self.assertRaises(ImportRefused):
            import_spend([Row(2, utc(NOON), "Acme", "Spring", Decimal(1), None)], clock=lambda: utc(NOON))
        self.assertFalse(Brand.objects.exists())


def database_url() -> str:
    """Return the URL of the test's own database."""
    database = connection.settings_dict
    if not POSTGRESQL:
        return f"sqlite:///{database['NAME']}"
    user = ":".join(quote(database[part], safe="") for part in ("USER", "PASSWORD") if database[part])
    return f"postgres://{user}@{quote(database['HOST'], safe='')}:{database['PORT']}/{database['NAME']}"


class CommandLineTest(ImportCase, CommittedTestCase):
    def manage(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run manage.py as a person does, on the test's own database."""
        return subprocess.run(
            [sys.executable, "manage.py", "import_spend", *arguments],
            cwd=BASE_DIR,
            env=environment(DATABASE_URL=database_url(), DEBUG="True", SECRET_KEY=GOOD_KEY),
            input=given,
            capture_output=True,
            check=False,
            timeout=60,
        )

    def test_it_reads_standard_input_without_a_progress_bar(self) -> None:
        done = self.manage("-", "--create", given=f"{HEADER}\n{NOON},Acme,Spring,1,a\n".encode())
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"1 row imported", done.stdout)
        self.assertEqual(self.amounts(), [1])

    def test_it_ends_with_1_and_a_sentence(self) -> None:
        done = self.manage(str(self.file))
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"No such file", done.stderr)
        self.assertNotIn(b"Traceback", done.stderr)
