"""Spend files as spreadsheets and ad platforms make them, through the command and through an upload alike."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import TestCase

from campaigns.models import Brand, SpendRecord, SpendUpload
from campaigns.services.intake.preview import Preview
from campaigns.services.intake.upload_files import keep_upload
from campaigns.services.intake.upload_preview import NotConfirmed, confirm_upload, make_preview
from campaigns.services.intake.uploads import run_upload
from campaigns.tests.support.factories import make_brand, make_campaign, utc

NOW = utc("2026-11-28 12:00")
NOON = "2026-11-26T12:00:00"


class Spent(NamedTuple):
    brand: str
    local: str
    amount: str


class SpendFile(NamedTuple):
    """A file, what of it becomes spend, and what is said."""

    data: bytes
    spent: tuple[Spent, ...]
    said: str = ""


ACME = Spent("Acme", "2026-11-26 12:00", "35.200000")
MUELLER = Spent("Müller GmbH", "2026-11-26 12:00", "35.200000")

READ = {
    "a time without an offset is the brand's": SpendFile(
        b"timestamp,brand,campaign,amount\n2026-11-01 00:00,Acme,Display,35.20\n",
        (Spent("Acme", "2026-11-01 00:00", "35.200000"),),
    ),
    "a day is the brand's": SpendFile(b"timestamp,brand,campaign,amount\r\n2026-11-26,Acme,Display,35.20\r\n", (ACME,)),
    "rows of separators": SpendFile(
        b"timestamp,brand,campaign,amount,,\r\n2026-11-26T12:00:00,Acme,Display,35.20,,\r\n,,,,,\r\n,,,,,\r\n", (ACME,)
    ),
    "a float": SpendFile(
        b"timestamp,brand,campaign,amount\r\n2026-11-26T12:00:00,Acme,Display,1100.0000000000002\r\n",
        (Spent("Acme", "2026-11-26 12:00", "1100.000000"),),
        "Rounded to six decimals: 1 amount.",
    ),
    "scientific notation": SpendFile(
        b"timestamp,brand,campaign,amount\r\n2026-11-26T12:00,Acme,Display,1E-05\r\n2026-11-26T12:00,Acme,Display,3.5e2",
        (Spent("Acme", "2026-11-26 12:00", "0.000010"), Spent("Acme", "2026-11-26 12:00", "350.000000")),
    ),
    "a sign": SpendFile(b"timestamp,brand,campaign,amount\r\n2026-11-26T12:00:00,Acme,Display,$35.20\r\n", (ACME,)),
    "thousands": SpendFile(
        b'timestamp,brand,campaign,amount\r\n2026-11-26T12:00:00,Acme,Display,"1,234.50"\r\n',
        (Spent("Acme", "2026-11-26 12:00", "1234.500000"),),
    ),
    "a German file": SpendFile(
        "\ufefftimestamp;brand;campaign;amount\r\n2026-11-26T12:00:00;Müller GmbH;Suche;35,20\r\n".encode(), (MUELLER,)
    ),
    "a German file that names its separator": SpendFile(
        "\ufeffsep=;\r\ntimestamp;brand;campaign;amount\r\n2026-11-26T12:00:00;Müller GmbH;Suche;35,20\r\n".encode(),
        (MUELLER,),
    ),
    "rows without spend": SpendFile(
        b"timestamp,brand,campaign,amount,external_id\r\n2026-11-26T12:00:00,Acme,Display,35.20,d-1126\r\n"
        b"2026-11-26T12:00:00,Acme,Search,0.00,p-1126\r\n2026-11-27T12:00:00,Acme,Search,--,p-1127\r\n"
        b"2026-11-27T12:00:00,Acme,Search,,\r\n",
        (ACME,),
        "Skipped: 3 rows without spend (0, -- or empty).",
    ),
    "a platform's totals and notes": SpendFile(
        b"timestamp,brand,Advertiser ID,Advertiser Currency,campaign,Campaign ID,Impressions,amount\r\n"
        b"2026/11/26,Acme,12345,USD,Display,777,10000,35.200000\r\n2026/11/27,Acme,12345,USD,Display,777,0,0.000000\r\n"
        b",,,,,,10000,35.200000\r\n\r\nReport Time:,2026/11/28 09:00 GMT\r\n"
        b"Date Range:,2026/11/26 to 2026/11/27\r\nGroup By:,Date\r\nMetrics,They are accredited only when ...\r\n",
        (ACME,),
        "Skipped: 1 row without spend (0, -- or empty) and 5 lines of totals and notes.",
    ),
    "a name in other spellings": SpendFile(
        "timestamp,brand,campaign,amount\r\n2026-11-26T12:00:00,Mu\u0308ller GmbH,Suche,35.2\r\n"
        "2026-11-26T12:00:00,Müller\u00a0 GmbH,suche,35.2\r\n2026-11-26T12:00:00,müller gmbh,Suche,35.2\r\n".encode(),
        (MUELLER,) * 3,
    ),
}

REFUSED = {
    "the month first": SpendFile(
        b"timestamp,brand,campaign,amount\r\n11/26/2026 0:00,Acme,Display,35.20\r\n",
        (),
        "“11/26/2026 0:00” doesn't start with the year, so day and month are ambiguous",
    ),
    "another currency": SpendFile(
        "Timestamp,Brand,Campaign,Amount,Currency\r\n2026-11-26T12:00:00,Kyoto Tea,検索,1500,USD\r\n".encode(),
        (),
        "The amount is in USD, but the brand “Kyoto Tea” uses JPY",
    ),
    "Latin-1": SpendFile(
        "timestamp,brand,campaign,amount\r\n2026-11-26T12:00:00,Müller GmbH,Suche,35.20\r\n".encode("latin-1"),
        (),
        "Byte 22 of the line (0xfc) isn't valid UTF-8: save the file as UTF-8",
    ),
    "two readings": SpendFile(
        "timestamp;brand;campaign;amount\n2026-11-26T12:00;Müller GmbH;Suche;1.250".encode(), (), "1.25 or 1,250"
    ),
    "the end of a day": SpendFile(
        b"timestamp,brand,campaign,amount\n2026-11-26T24:00:00,Acme,Display,1", (), "is midnight at the end of a day"
    ),
    "a character that is invisible": SpendFile(
        "timestamp,brand,campaign,amount\n2026-11-26T12:00,Müller\u200b GmbH,Suche,1".encode(), (), "U+200B"
    ),
    "0 for what is recorded with another amount": SpendFile(
        b"timestamp,brand,campaign,amount,external_id\n2026-11-26T12:00,Acme,Display,0,there",
        (),
        "The campaign has external_id “there” already, with 7.000000",
    ),
}

BROKEN = {
    "lines that end with CR": (
        b"timestamp,brand,campaign,amount\r2026-11-26T12:00:00,Acme,Display,35.20\r",
        "Line 1: The line contains a carriage return (CR): end lines with LF or CRLF.",
    )
}


class CaseTestCase(TestCase):
    def setUp(self) -> None:
        for name, zone, currency, campaigns in (
            ("Acme", "America/New_York", "USD", ("Search", "Display")),
            ("Kyoto Tea", "Asia/Tokyo", "JPY", ("検索",)),
            ("Müller GmbH", "Europe/Berlin", "EUR", ("Suche",)),
        ):
            brand = make_brand(name=name, timezone=zone, currency=currency)
            for campaign in campaigns:
                made = make_campaign(brand, name=campaign)
                if campaign == "Display":
                    there = {"timestamp": utc("2026-11-26 17:00"), "external_id": "there"}
                    SpendRecord.objects.create(brand=brand, campaign=made, amount=Decimal(7), **there)
        self.person = User.objects.create(username="amara", is_superuser=True)

    def spent(self) -> list[Spent]:
        """Return what was imported, in the brands' local times, and forget it."""
        rows = SpendRecord.objects.exclude(external_id="there").order_by("pk").select_related("brand")
        found = [Spent(row.brand.name, _local(row.timestamp, row.brand), str(row.amount)) for row in rows]
        rows.delete()
        return found

    def by_command(self, data: bytes) -> str:
        """Import a file with the command; return all that it says."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "spend.csv")
            file.write_bytes(data)
            said = io.StringIO()
            try:
                call_command("import_spend", str(file), "--again", stdout=said, stderr=said)
            except CommandError as error:
                return f"{said.getvalue()}{error}"
            return said.getvalue()

    def by_upload(self, data: bytes) -> SpendUpload:
        """Upload a file, confirm its preview, and import it."""
        upload = keep_upload(
            [data],
            name="spend.csv",
            person=self.person,
            now=NOW,
            zone="",
            create=False,
            skip_errors=False,
            state=SpendUpload.State.CHECKING,
        )
        make_preview(upload.pk, task_id="a", clock=_now)
        try:
            confirm_upload(upload.pk, skip_errors=False, again=True)
        except NotConfirmed:
            pass
        else:
            run_upload(upload.pk, task_id="b", clock=_now)
        upload.refresh_from_db()
        return upload


class Cases(CaseTestCase):
    def test_what_can_be_read_is_read(self) -> None:
        for name, case in READ.items():
            for door in (self.by_command, self.by_upload):
                with self.subTest(name, door=door.__name__):
                    said = door(case.data)
                    self.assertEqual(self.spent(), list(case.spent), said)
                    if isinstance(said, str):
                        self.assertIn(case.said, said)

    def test_the_preview_shows_what_will_be_imported(self) -> None:
        for name, case in READ.items():
            with self.subTest(name):
                upload = self.by_upload(case.data)
                assert upload.preview
                preview = Preview.from_json(upload.preview)
                shown = {(day.brand, str(day.day)): day.amount for day in preview.days}
                expected: dict[tuple[str, str], Decimal] = {}
                for brand, local, amount in case.spent:
                    key = brand, local[:10]
                    expected[key] = expected.get(key, Decimal(0)) + Decimal(amount)
                self.assertEqual(shown, expected)
                for count in ("imported", "refused", "without_spend", "notes", "rounded", "without_external_id"):
                    self.assertEqual(getattr(preview.counts, count), getattr(upload, count), count)
                self.spent()

    def test_what_is_wrong_is_refused_in_a_sentence(self) -> None:
        doors: tuple[Callable[[bytes], str], ...] = (self.by_command, lambda data: self.by_upload(data).refusals)
        for name, case in REFUSED.items():
            for door in doors:
                with self.subTest(name):
                    self.assertIn(case.said, door(case.data))
                    self.assertEqual(self.spent(), [])

    def test_what_is_no_file_of_lines_is_refused_in_a_sentence(self) -> None:
        for name, (data, sentence) in BROKEN.items():
            with self.subTest(name):
                self.assertIn(sentence, self.by_command(data))
                self.assertIn(sentence, self.by_upload(data).problem)

    def test_no_case_makes_a_brand(self) -> None:
        for case in (*READ.values(), *REFUSED.values()):
            self.by_command(case.data)
        self.assertEqual(Brand.objects.count(), 3)


def _local(instant: datetime, brand: Brand) -> str:
    return f"{instant.astimezone(ZoneInfo(brand.timezone)):%Y-%m-%d %H:%M}"


def _now() -> datetime:
    return NOW
