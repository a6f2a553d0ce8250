"""The preview of a spend file agrees with its import, in bounded memory, and survives lost workers."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import User
from django.test import TestCase

from campaigns.models import Brand, Campaign, SpendRecord, SpendUpload, SpendUploadPart
from campaigns.services.intake import importer as spend_import
from campaigns.services.intake import preview as spend_preview
from campaigns.services.intake import upload_preview
from campaigns.services.intake.csv_reader import BadRow, read_spend_csv
from campaigns.services.intake.importer import import_spend
from campaigns.services.intake.placement import Counts
from campaigns.services.intake.preview import Preview, preview_spend
from campaigns.services.intake.upload_files import keep_upload
from campaigns.services.intake.upload_preview import (
    EXPIRES_AFTER,
    NotConfirmed,
    cancel_expired,
    cancel_upload,
    confirm_upload,
    due_previews,
    make_preview,
)
from campaigns.services.intake.uploads import ATTEMPTS, LOST_AFTER
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

NOW = utc("2026-11-28 12:00")
HEADER = "timestamp,brand,campaign,amount,external_id,currency"
State = SpendUpload.State
TOGETHER = (
    "2026-11-26 12:00,Acme,Display,1,a,",
    "2026-11-26 12:00,Acme,Display,1,a,USD",
    "2026-11-26 12:00,Acme,Display,2,a,",
    "2026-11-26 12:00,acme,display,1.0,a,",
    "2026-11-26 12:00,Acme,Display,7,there,",
    "2026-11-26 12:00,Acme,Display,8,there,",
    "2026-11-26 12:00,Acme,Display,0,there,",
    "2026-11-26 12:00,Acme,Display,0,a,",
    "2026-11-26 12:00,Acme,Display,0,elsewhere,",
    "2026-11-26 12:00,Acme,Display,5,,",
    "2026-11-26 12:00,Acme,Display,5,,EUR",
    "2026-11-26 12:00,New,One,1,a,EUR",
    "2026-11-26 12:00,NEW,one,1,a,EUR",
    "2026-11-26 12:00,New,Two,1.0000000001,a,EUR",
    "2026-11-26 12:00,New,Two,1,b,USD",
    "2026-11-26 12:00,Newer,One,0,b,USD",
    "2026-11-26 12:00,Newest,One,1,,dollars",
    "x,Acme,Display,1,,",
    ",,,9,,",
)


def lines(*texts: str) -> Any:
    return read_spend_csv(io.BytesIO("\n".join((HEADER, *texts)).encode()))


class Agreement(TestCase):
    def setUp(self) -> None:
        self.campaign = make_campaign(make_brand(name="Acme", timezone="America/New_York"), name="Display")
        spend(self.campaign, "7", "2026-11-26 17:00", "there")

    def both(self, *texts: str, create: bool = True) -> tuple[tuple[Counts, list[BadRow]], tuple[Counts, list[BadRow]]]:
        """Return counts and refused lines of the preview and of the import."""
        message: tuple[list[BadRow], list[BadRow]] = [], []
        before = SpendRecord.objects.count(), Brand.objects.count(), Campaign.objects.count()
        preview = preview_spend(lines(*texts), create=create, on_refused=message[0].append)
        self.assertEqual(before, (SpendRecord.objects.count(), Brand.objects.count(), Campaign.objects.count()))
        counts = import_spend(
            lines(*texts), clock=lambda: NOW, create=create, skip_errors=True, on_refused=message[1].append
        )
        return (preview.counts, message[0]), (counts, message[1])

    def test_it_counts_and_refuses_as_the_import_does(self) -> None:
        for create in (True, False):
            with self.subTest(create=create):
                foreseen, done = self.both(*TOGETHER, create=create)
                self.assertEqual(foreseen, done)
        self.assertEqual(done[0].imported, 1)

    def test_it_does_so_over_several_batches(self) -> None:
        with patch.object(spend_import, "BATCH", 2):
            foreseen, done = self.both(*TOGETHER)
        self.assertEqual(foreseen, done)

    def test_a_brand_is_created_in_the_currency_of_its_first_row(self) -> None:
        self.both("2026-11-26 12:00,New,One,1,a,EUR", "2026-11-26 12:00,Newest,One,1,,dollars")
        self.assertEqual(Brand.objects.get(name="New").currency, "EUR")
        self.assertFalse(Brand.objects.filter(name="Newest").exists())

    def test_nothing_is_created_for_a_row_that_contradicts_its_brand(self) -> None:
        self.both("2026-11-26 12:00,Acme,Search,1,a,EUR")
        self.assertFalse(Campaign.objects.filter(name="Search").exists())

    def test_days_beyond_a_bound_are_summed_together(self) -> None:
        with patch.object(spend_preview, "MAX_DAYS", 2):
            preview = preview_spend(lines(*[f"2026-11-{day:02},Acme,Display,{day},," for day in (3, 4, 5, 3, 6)]))
        self.assertEqual([(day.day.day, day.rows, day.amount) for day in preview.days], [(3, 2, 6), (4, 1, 4)])
        self.assertEqual((preview.other_rows, preview.counts.imported, preview.totals), (2, 5, {"USD": 21}))
        self.assertEqual(Preview.from_json(preview.to_json()), preview)


class Uploads(TestCase):
    def setUp(self) -> None:
        make_campaign(make_brand(name="Acme"), name="Display")
        self.person = User.objects.create(username="amara", is_superuser=True)
        self.now = NOW

    def clock(self) -> datetime:
        return self.now

    def keep(self, *texts: str, name: str = "spend.csv") -> SpendUpload:
        data = "\n".join((HEADER, *(texts or ("2026-11-26,Acme,Display,1,,",)))).encode()
        about: dict[str, Any] = {"zone": "", "create": False, "skip_errors": False, "state": State.CHECKING}
        return keep_upload([data], name=name, person=self.person, now=self.now, **about)

    def read(self, upload: SpendUpload, task_id: str = "a") -> str:
        make_preview(upload.pk, task_id=task_id, clock=self.clock)
        upload.refresh_from_db()
        return upload.state

    def kill(self, upload: SpendUpload, task_id: str = "a") -> None:
        """Let a worker die in the middle of a preview."""
        with patch.object(upload_preview, "preview_spend", side_effect=KeyboardInterrupt):
            self.assertRaises(KeyboardInterrupt, make_preview, upload.pk, task_id=task_id, clock=self.clock)

    def test_a_lost_preview_is_made_again(self) -> None:
        upload = self.keep()
        self.assertEqual(due_previews(now=self.now), [upload.pk])
        self.kill(upload)
        self.assertEqual((due_previews(now=self.now), self.read(upload, "b")), ([], "checking"))
        self.now += LOST_AFTER + timedelta(seconds=1)
        self.assertEqual((due_previews(now=self.now), self.read(upload, "b")), ([upload.pk], "ready"))
        self.assertEqual((due_previews(now=self.now), upload.attempt, upload.seen_at), ([], 0, None))

    def test_the_same_message_again_makes_it_at_once(self) -> None:
        upload = self.keep()
        self.kill(upload)
        self.assertEqual(self.read(upload), "ready")

    def test_what_kills_every_worker_is_given_up(self) -> None:
        upload = self.keep()
        for _ in range(ATTEMPTS):
            self.kill(upload)
        self.assertEqual(self.read(upload), "failed")
        self.assertIn("The worker stopped 5 times while reading the file. Nothing was imported.", upload.problem)
        self.assertFalse(SpendUploadPart.objects.exists())

    def test_an_upload_that_is_cancelled_while_it_is_read_stays_so(self) -> None:
        upload = self.keep(*["2026-11-26,Acme,Display,1,,"] * 5)

        def clock() -> datetime:
            self.now += timedelta(seconds=2)
            cancel_upload(upload.pk, now=self.now)
            return self.now

        SpendUpload.objects.filter(pk=upload.pk).update(task_id="a", seen_at=NOW)
        with patch.object(spend_import, "BATCH", 2), patch.object(self, "clock", clock):
            self.read(upload)
        self.assertEqual((upload.state, upload.preview), ("cancelled", None))

    def test_nothing_is_imported_before_it_is_confirmed(self) -> None:
        upload = self.keep()
        for again in (True, False):
            self.assertRaises(NotConfirmed, confirm_upload, upload.pk, skip_errors=again, again=again)
        self.read(upload)
        self.assertEqual(confirm_upload(upload.pk, skip_errors=False, again=False).state, State.WAITING)
        self.assertRaises(NotConfirmed, confirm_upload, upload.pk, skip_errors=True, again=True)
        self.assertFalse(cancel_upload(upload.pk, now=self.now))

    def test_what_nobody_confirms_goes_after_a_week(self) -> None:
        upload = self.keep()
        self.read(upload)
        cancel_expired(now=NOW + EXPIRES_AFTER)
        upload.refresh_from_db()
        self.assertEqual(upload.state, "ready")
        cancel_expired(now=NOW + EXPIRES_AFTER + timedelta(seconds=1))
        upload.refresh_from_db()
        self.assertEqual((upload.state, SpendUploadPart.objects.count()), ("cancelled", 0))
        self.assertEqual(upload.problem, "The import wasn't confirmed within 7 days. Nothing was imported.")

    def test_refused_lines_that_are_kept_are_bounded(self) -> None:
        with patch.object(upload_preview, "MAX_NAMED", 2):
            upload = self.keep(*["x,Acme,Display,1,,"] * 5)
            self.read(upload)
        self.assertEqual((len(upload.refusals.splitlines()), upload.refused), (2, 5))
