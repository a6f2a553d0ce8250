"""Uploaded spend files: stored in parts, imported exactly once even if workers die, errors in sentences."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import Sum
from django.test import TestCase

from campaigns.models import Brand, BrandAssignment, Campaign, SpendRecord, SpendUpload, SpendUploadPart
from campaigns.services.intake import importer as spend_import
from campaigns.services.intake import upload_files
from campaigns.services.intake import uploads as spend_uploads
from campaigns.services.intake.upload_files import PART, keep_upload, open_parts
from campaigns.services.intake.uploads import ATTEMPTS, LOST_AFTER, claim, due_uploads, run_upload
from campaigns.tests.support.factories import make_brand, make_campaign, utc

NOON = utc("2026-11-20 12:00")
HEADER = "timestamp,brand,campaign,amount,external_id"
State = SpendUpload.State


class WorkerKilled(BaseException):
    """What a test stops a run with: nothing catches it, as nothing catches a kill."""


def line(number: int, amount: str = "1", brand: str = "Alpine", external_id: str = "") -> str:
    return f"2026-11-20T00:{number % 60:02}:00Z,{brand},Search,{amount},{external_id}"


class UploadTestCase(TestCase):
    person: User
    now: datetime

    def setUp(self) -> None:
        self.person = User.objects.create(username="amara", is_superuser=True)
        self.now = NOON
        self.campaign = make_campaign(make_brand(name="Alpine"), name="Search")

    def clock(self) -> datetime:
        return self.now

    def keep(self, *lines: str, **options: Any) -> SpendUpload:
        chunks = [f"{text}\n".encode() for text in (HEADER, *lines)]
        about: dict[str, Any] = {"name": "spend.csv", "zone": "UTC", "create": False, "skip_errors": False} | options
        return keep_upload(chunks, person=self.person, now=self.now, **about)

    def run_it(self, upload: SpendUpload, task_id: str = "a") -> SpendUpload | None:
        return run_upload(upload.pk, task_id=task_id, clock=self.clock)

    def spent(self) -> Decimal:
        return SpendRecord.objects.aggregate(total=Sum("amount"))["total"] or Decimal(0)


class Imports(UploadTestCase):
    def test_it_imports_the_file_and_forgets_it(self) -> None:
        upload = self.keep(line(1, "1.5"), line(2, "2.25", external_id="x"), line(3, "2.25", external_id="y"))
        self.assertTrue(SpendUploadPart.objects.exists())
        done = self.run_it(upload)
        assert done
        self.assertEqual((done.state, done.problem, done.ended_at), (State.DONE, "", NOON))
        self.assertEqual((done.imported, done.without_external_id, done.bytes_done), (3, 1, done.size))
        self.assertEqual((self.spent(), done.who), (Decimal(6), "amara"))
        self.assertFalse(SpendUploadPart.objects.exists())

    def test_a_refused_line_fails_the_file_and_is_named(self) -> None:
        done = self.run_it(self.keep(line(1), line(2, "x"), line(3, brand="Boreal")))
        assert done
        self.assertEqual((done.state, done.imported, done.refused), (State.FAILED, 0, 2))
        self.assertEqual(
            done.problem,
            "2 lines were refused, so nothing was imported. Correct them, or choose to skip them.",
        )
        first, second = done.refusals.splitlines()
        self.assertIn("Line 3: The amount “x” isn't a valid amount", first)
        self.assertIn("Line 4: Unknown brand “Boreal”", second)
        self.assertEqual(self.spent(), 0)

    def test_refused_lines_may_be_skipped(self) -> None:
        done = self.run_it(self.keep(line(1), line(2, "x"), line(3), skip_errors=True))
        assert done
        self.assertEqual((done.state, done.imported, done.refused, done.lines_done), (State.DONE, 2, 1, 4))
        self.assertIn("Line 3:", done.refusals)
        self.assertEqual(self.spent(), 2)

    def test_what_is_missing_may_be_created(self) -> None:
        done = self.run_it(self.keep(line(1, brand="Boreal"), create=True))
        assert done
        self.assertEqual((done.created_brands, done.created_campaigns, done.imported), (1, 1, 1))
        self.assertTrue(Campaign.objects.filter(brand__name="Boreal", name="Search").exists())

    def test_a_file_that_is_none_fails_in_a_sentence(self) -> None:
        upload = self.keep()
        SpendUploadPart.objects.update(data=b"PK\x03\x04")
        done = self.run_it(upload)
        assert done
        self.assertEqual(done.state, State.FAILED)
        self.assertIn("The file is a ZIP archive or a workbook", done.problem)
        self.assertIn("Nothing was imported.", done.problem)

    def test_a_zone_is_that_of_times_without_an_offset(self) -> None:
        upload = self.keep(f"2026-11-20T00:30:00,{self.campaign.brand.name},Search,1,", zone="Asia/Tokyo")
        self.run_it(upload)
        self.assertEqual(SpendRecord.objects.get().timestamp, utc("2026-11-19 15:30"))

    def test_refusals_are_bounded(self) -> None:
        with patch.object(spend_uploads, "MAX_NAMED", 2), patch.object(spend_uploads, "MAX_NAMED_LENGTH", 20):
            done = self.run_it(self.keep(*[line(n, "x") for n in range(9)], skip_errors=True))
        assert done
        self.assertEqual((done.refused, [len(text) for text in done.refusals.splitlines()]), (9, [20, 20]))


class SomebodyWhoSeesOnlyGivenBrands(UploadTestCase):
    def test_rows_of_other_brands_are_refused_as_those_of_none(self) -> None:
        make_campaign(make_brand(name="Theirs"), name="Search")
        self.person = User.objects.create(username="nadia")
        self.person.user_permissions.add(Permission.objects.get(codename="only_assigned_brands"))
        BrandAssignment.objects.create(user=self.person, brand=self.campaign.brand)
        lines = (line(1), line(2, brand="Theirs"), line(3, brand="Nobody's"))
        for create in (False, True):
            done = self.run_it(self.keep(*lines, skip_errors=True, create=create))
            assert done
            self.assertEqual((done.imported, done.refused), (1, 2))
            hidden, absent = (text.partition(": ")[2] for text in done.refusals.splitlines())
            self.assertEqual(hidden.replace("Theirs", "Nobody's"), absent)
        self.assertFalse(Brand.objects.filter(name="Nobody's").exists())

    def test_a_row_is_never_that_of_the_twin_that_they_do_not_see(self) -> None:
        ours = self.campaign.brand
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO campaigns_brand (name) VALUES (%s)", [ours.name.upper()])
        make_campaign(Brand.objects.get(name=ours.name.upper()), name="Search")
        self.person = User.objects.create(username="nadia")
        self.person.user_permissions.add(Permission.objects.get(codename="only_assigned_brands"))
        BrandAssignment.objects.create(user=self.person, brand=ours)
        self.run_it(self.keep(line(1, brand=ours.name.upper()), line(2, brand=ours.name.lower())))
        self.assertEqual(set(SpendRecord.objects.values_list("brand", flat=True)), {ours.pk})

    def test_of_somebody_who_is_gone_nothing_is_imported(self) -> None:
        upload = self.keep(line(1))
        User.objects.all().delete()
        done = self.run_it(upload)
        assert done
        self.assertEqual((done.state, done.imported), (State.FAILED, 0))


class TakenUpAgain(UploadTestCase):
    """Every line counts once, wherever a run ended, and whether or not it has an external_id."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(patch.object(spend_import, "BATCH", 3))

    def kill_at(self, upload: SpendUpload, batch: int, task_id: str = "a") -> None:
        """Run the upload until a batch is about to be committed."""
        real: Callable[..., Any] = spend_import._write
        calls = iter(range(100))

        def write(*args: Any, **kwargs: Any) -> Any:
            written = real(*args, **kwargs)
            if next(calls) == batch:
                raise WorkerKilled
            return written

        with patch.object(spend_import, "_write", write), self.assertRaises(WorkerKilled):
            self.run_it(upload, task_id)

    def test_it_goes_on_behind_what_was_committed(self) -> None:
        for batch in range(4):
            for skip_errors in (True, False):
                with self.subTest(batch=batch, skip_errors=skip_errors):
                    SpendRecord.objects.all().delete()
                    upload = self.keep(*[line(number) for number in range(10)], skip_errors=skip_errors)
                    self.kill_at(upload, batch)
                    self.assertEqual(self.spent(), batch * 3 if skip_errors else 0)
                    done = self.run_it(upload)
                    assert done
                    self.assertEqual((done.state, done.imported, done.attempt), (State.DONE, 10, 2))
                    self.assertEqual(self.spent(), 10)

    def test_another_message_takes_up_only_what_is_lost(self) -> None:
        upload = self.keep(*[line(number) for number in range(10)], skip_errors=True)
        self.kill_at(upload, 1)
        self.assertIsNone(self.run_it(upload, "b"))
        self.now += LOST_AFTER
        self.assertEqual(due_uploads(now=self.now), [])
        self.now += timedelta(seconds=1)
        self.assertEqual(due_uploads(now=self.now), [upload.pk])
        done = self.run_it(upload, "b")
        assert done
        self.assertEqual((done.state, self.spent()), (State.DONE, 10))

    def take_over_at(self, upload: SpendUpload, batch: int) -> None:
        """Run the upload, and let its message come again when a batch begins."""
        real: Callable[..., Any] = spend_import._write
        calls = iter(range(100))

        def write(*args: Any, **kwargs: Any) -> Any:
            if next(calls) == batch:
                self.assertTrue(claim(upload.pk, task_id="a", now=self.now))
            return real(*args, **kwargs)

        with patch.object(spend_import, "_write", write):
            self.assertIsNone(self.run_it(upload))

    def test_a_run_that_was_taken_over_commits_nothing_more(self) -> None:
        for skip_errors, kept in ((True, 3), (False, 0)):
            with self.subTest(skip_errors=skip_errors):
                SpendRecord.objects.all().delete()
                upload = self.keep(*[line(number) for number in range(10)], skip_errors=skip_errors)
                self.take_over_at(upload, 1)
                self.assertEqual(self.spent(), kept)
                done = self.run_it(upload)
                assert done
                self.assertEqual((done.state, self.spent()), (State.DONE, 10))

    def test_what_is_over_is_not_run_again(self) -> None:
        upload = self.keep(line(1))
        self.assertTrue(self.run_it(upload))
        self.assertIsNone(self.run_it(upload))
        self.assertEqual(self.spent(), 1)

    def test_what_kills_every_worker_is_given_up(self) -> None:
        upload = self.keep(*[line(number) for number in range(10)], skip_errors=True)
        for _ in range(ATTEMPTS):
            self.kill_at(upload, 0)
        done = self.run_it(upload)
        assert done
        self.assertEqual(done.problem, "The worker stopped 5 times during the import. Nothing was imported.")

    def test_one_runs_at_a_time(self) -> None:
        first, second = (self.keep(line(number), skip_errors=True) for number in range(2))
        self.assertEqual(due_uploads(now=self.now), [first.pk])
        self.kill_at(first, 0)
        self.assertEqual(due_uploads(now=self.now), [])
        self.assertIsNone(self.run_it(second, "b"))
        self.run_it(first)
        self.assertEqual(due_uploads(now=self.now), [second.pk])
        self.assertTrue(self.run_it(second, "b"))


class Parts(UploadTestCase):
    def test_a_file_is_read_as_it_was_written(self) -> None:
        upload = self.keep()
        SpendUploadPart.objects.all().delete()
        with patch.object(upload_files, "PART", 7):
            chunks = [b"0123456789" * 3, b"", b"abc", b"\n" * 8]
            self.assertEqual(upload_files.write_parts(upload.pk, chunks), 41)
            self.assertEqual({len(bytes(part.data)) <= 7 for part in SpendUploadPart.objects.all()}, {True})
            raw, stream = open_parts(upload.pk)
            self.assertEqual(stream.read(), b"".join(chunks))
            self.assertEqual(raw.position, 41)
        self.assertEqual(PART, 1024 * 1024)
