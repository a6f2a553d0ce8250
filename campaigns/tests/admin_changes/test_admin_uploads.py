"""The pages of spend imports: the upload, its bounds, how far it is, and who sees it."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError

from campaigns import tasks
from campaigns.admin.ledger import upload_page, uploads
from campaigns.models import Brand, BrandAssignment, SpendRecord, SpendUpload, SpendUploadPart
from campaigns.services.intake.uploads import run_upload
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.support.pages import page

DATA = b"timestamp,brand,campaign,amount\n2026-11-20T10:00:00Z,Alpine,Search,5\n"


class UploadPageTestCase(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        make_campaign(make_brand(name="Alpine"), name="Search")
        self.sent = self.enterContext(patch.object(tasks.import_spend_upload, "apply_async"))

    def upload(self, data: bytes = DATA, **options: Any) -> Any:
        about = {"file": SimpleUploadedFile("spend.csv", data), "timezone": "UTC"} | options
        return self.client.post(page(SpendUpload, "add"), about, follow=True)

    def confirm(self, upload: SpendUpload, **ticked: str) -> Any:
        address = reverse("admin:campaigns_spendupload_confirm", args=[upload.pk])
        return self.client.post(address, ticked, follow=True)

    def cancel(self, upload: SpendUpload) -> Any:
        return self.client.post(reverse("admin:campaigns_spendupload_cancel", args=[upload.pk]), follow=True)

    def import_it(self, data: bytes = DATA, **ticked: str) -> SpendUpload:
        """Upload a file, confirm it, and let a worker import it."""
        self.upload(data)
        upload = SpendUpload.objects.latest("pk")
        self.confirm(upload, **ticked)
        run_upload(upload.pk, task_id="a", clock=timezone.now)
        upload.refresh_from_db()
        return upload

    def progress(self, upload: SpendUpload) -> Any:
        return self.client.get(reverse("admin:campaigns_spendupload_progress", args=[upload.pk]))


class Uploading(UploadPageTestCase):
    def test_a_file_is_kept_sent_for_and_told_of_until_it_is_done(self) -> None:
        preview = self.upload(skip_errors="on")
        upload = SpendUpload.objects.get()
        self.assertContains(preview, "Nothing has been imported yet.")
        self.assertNotContains(preview, "campaigns/upload.js")
        self.sent.assert_not_called()
        waiting = self.confirm(upload)
        self.assertContains(waiting, "Waiting for a worker")
        self.assertContains(waiting, "campaigns/upload.js")
        self.sent.assert_called_once_with((upload.pk,), retry=False)
        self.assertEqual((upload.user, upload.size, upload.skip_errors), (self.user, len(DATA), True))
        told = self.progress(upload).json()
        self.assertEqual((told["state"], told["over"], told["percent"]), ("waiting", False, 0))
        run_upload(upload.pk, task_id="a", clock=timezone.now)
        self.assertEqual(SpendRecord.objects.get().amount, 5)
        told = self.progress(upload).json()
        self.assertEqual((told["state"], told["over"], told["percent"]), ("done", True, 100))
        done = self.client.get(page(SpendUpload, "change", upload.pk))
        self.assertContains(done, "Done: 1 row imported, 0 duplicates skipped, 0 refused.")
        self.assertContains(done, "1 imported row had no external_id")
        self.assertNotContains(done, "campaigns/upload.js")
        self.assertContains(self.client.get(page(SpendUpload, "changelist")), "spend.csv")

    def test_refused_lines_are_shown_as_text(self) -> None:
        preview = self.upload(DATA.replace(b"Alpine", b"<b>x</b>"))
        self.assertContains(preview, "The file has no new rows to import.")
        self.assertContains(preview, "Unknown brand “&lt;b&gt;x&lt;/b&gt;”")

    def test_without_a_broker_it_waits_and_says_so(self) -> None:
        self.sent.side_effect = OperationalError("gone")
        self.upload()
        with self.assertLogs("campaigns.admin.ledger.uploads", "WARNING"):
            self.assertContains(self.confirm(SpendUpload.objects.get()), "The message broker can’t be reached")
        self.assertEqual(SpendUpload.objects.get().state, "waiting")

    def test_what_is_wrong_is_said_in_the_form(self) -> None:
        for options, sentence in (
            ({"file": ""}, "Choose a file."),
            ({"data": b""}, "The file is empty. Choose another one."),
            ({"timezone": "Mars"}, "“Mars” isn’t a time zone we know"),
        ):
            self.assertContains(self.upload(**options), sentence)
        self.assertFalse(SpendUpload.objects.exists())

    @override_settings(SPEND_UPLOAD_MEGABYTES=1)
    def test_what_is_too_large_is_dropped_as_it_arrives(self) -> None:
        for size in (1024**2 + 1, 3 * 1024**2):
            self.assertContains(self.upload(b"x" * size), "The file is larger than 1 MB. Import it in several files.")
        self.assertFalse(SpendUpload.objects.exists())

    def test_the_next_check_sends_for_what_waits(self) -> None:
        self.upload()
        self.confirm(SpendUpload.objects.get())
        with patch.object(tasks.import_spend_upload, "delay") as sent:
            tasks.check_budgets()
        sent.assert_called_once_with(SpendUpload.objects.get().pk)


class Previewing(UploadPageTestCase):
    def test_money_is_shown_by_brand_and_local_day_before_anything_is_written(self) -> None:
        make_campaign(make_brand(name="Acme", timezone="America/New_York"), name="Display")
        make_campaign(make_brand(name="Kyoto Tea", timezone="Asia/Tokyo", currency="JPY"), name="検索")
        lines = (
            "2026-11-01 00:00,Acme,Display,35.20",
            "2026-11-01 23:00,Acme,Display,1E-05",
            "2026-10-31T15:30:00Z,Kyoto Tea,検索,1500",
            "2026-11-02,Kyoto Tea,検索,0",
        )
        preview = self.upload("\n".join(("timestamp,brand,campaign,amount", *lines)).encode(), timezone="")
        row = "<tr><td>{}</td><td>{}</td><td class='campaigns-number'>{}</td><td class='campaigns-number'>{}</td></tr>"
        self.assertContains(preview, row.format("Acme", "2026-11-01", 2, "35.20001 USD"), html=True)
        self.assertContains(preview, "2026-11-01", 2)
        self.assertContains(preview, "Skipped: 1 row without spend (0, -- or empty).")
        self.assertFalse(SpendRecord.objects.exists())

    def test_a_preview_that_a_change_of_zone_or_currency_makes_untrue_is_made_anew(self) -> None:
        data = b"timestamp,brand,campaign,amount\n2026-11-20 03:00,Alpine,Search,5\n"
        self.upload(data, timezone="paris")
        upload = SpendUpload.objects.get()
        for change, shown in (
            ({"timezone": "America/New_York"}, ("2026-11-19", "5.00 USD")),
            ({"currency": "JPY"}, ("2026-11-19", "5 JPY")),
        ):
            Brand.objects.update(**change)
            again = self.confirm(upload)
            self.assertContains(again, "the time zone or currency of “Alpine” changed after the preview")
            for text in shown:
                self.assertContains(again, f"<td>{text}</td>" if "-" in text else f">{text}</td>")
            self.sent.assert_not_called()
        self.assertContains(self.confirm(upload), "Waiting for a worker")
        self.sent.assert_called_once()

    def test_an_unknown_name_is_refused_without_an_option_of_the_command(self) -> None:
        preview = self.upload(DATA.replace(b"Alpine", b"Boreal"))
        self.assertContains(preview, "Unknown brand “Boreal”: correct the name, create it in the admin, or let")
        self.assertNotContains(preview, "--create")

    def test_a_large_file_whose_preview_is_out_of_date_is_read_by_a_worker_again(self) -> None:
        self.upload()
        upload = SpendUpload.objects.get()
        Brand.objects.update(timezone="Asia/Tokyo")
        with (
            patch.object(uploads, "MAX_INLINE_BYTES", 10),
            patch.object(tasks.preview_spend_upload, "apply_async") as sent,
        ):
            self.assertContains(self.confirm(upload), "The file is being read")
        sent.assert_called_once_with((upload.pk,), retry=False)
        tasks.preview_upload(upload.pk, "a")
        upload.refresh_from_db()
        self.assertEqual(upload.state, SpendUpload.State.READY)

    def test_a_large_file_is_read_by_a_worker(self) -> None:
        with (
            patch.object(uploads, "MAX_INLINE_BYTES", 10),
            patch.object(tasks.preview_spend_upload, "apply_async") as sent,
        ):
            reading = self.upload()
        upload = SpendUpload.objects.get()
        sent.assert_called_once_with((upload.pk,), retry=False)
        self.assertContains(reading, "The file is being read")
        self.assertContains(reading, "campaigns/upload.js")
        tasks.preview_upload(upload.pk, "a")
        told = self.progress(upload).json()
        self.assertEqual((told["state"], told["over"]), ("ready", True))

    def test_refused_rows_are_left_out_only_if_that_is_ticked(self) -> None:
        self.upload(DATA + b"2026-11-20T10:00:00Z,Boreal,X,5\n")
        upload = SpendUpload.objects.get()
        self.assertContains(
            self.client.get(page(SpendUpload, "change", upload.pk)), "Skip the refused row and import the others"
        )
        self.assertContains(self.confirm(upload), "Some rows are refused")
        self.assertContains(self.confirm(upload, skip_errors="on"), "Waiting for a worker")
        run_upload(upload.pk, task_id="a", clock=timezone.now)
        upload.refresh_from_db()
        self.assertEqual((upload.imported, upload.refused), (1, 1))

    def test_the_same_bytes_are_noticed_and_have_to_be_confirmed(self) -> None:
        self.import_it()
        again = self.upload()
        self.assertContains(again, f"by {self.user.username} as “spend.csv”: 1 row.")
        self.assertContains(again, "1 row without external_id will count twice.")
        upload = SpendUpload.objects.latest("pk")
        self.assertContains(self.confirm(upload), "This file was imported before")
        self.assertContains(self.confirm(upload, again="on"), "Waiting for a worker")
        self.assertNotContains(self.upload(DATA + b"\n"), "The same file")

    def test_of_two_that_are_uploaded_before_one_is_confirmed_the_second_is_noticed(self) -> None:
        self.upload()
        self.upload()
        first, second = SpendUpload.objects.order_by("pk")
        self.confirm(first)
        self.assertContains(self.confirm(second), "is being imported.")
        second.refresh_from_db()
        self.assertEqual(second.state, "ready")

    def test_rows_with_an_external_id_count_once_anyway(self) -> None:
        data = b"timestamp,brand,campaign,amount,external_id\n2026-11-20T10:00:00Z,Alpine,Search,5,x\n"
        self.assertEqual(self.import_it(data).imported, 1)
        again = self.upload(data)
        self.assertContains(again, "Rows with an existing external_id are skipped: 1.")
        self.assertContains(again, "The file has no new rows to import.")
        self.assertNotContains(again, "The same file")
        self.assertContains(self.confirm(SpendUpload.objects.latest("pk")), "The file has no new rows to import.")

    def test_somebody_else_is_not_named_to_a_limited_person(self) -> None:
        self.import_it()
        nadia = User.objects.create(username="nadia", is_staff=True)
        nadia.user_permissions.set(
            Permission.objects.filter(codename__in=("only_assigned_brands", "add_spendupload", "view_spendupload"))
        )
        BrandAssignment.objects.create(user=nadia, brand=Brand.objects.get())
        self.client.force_login(nadia)
        again = self.upload()
        self.assertContains(again, "by somebody else")
        self.assertNotContains(again, f"by {self.user.username}")

    def test_a_cancelled_file_goes(self) -> None:
        self.upload()
        upload = SpendUpload.objects.get()
        self.assertContains(self.cancel(upload), "Cancelled. Nothing from “spend.csv” was imported.")
        upload.refresh_from_db()
        self.assertEqual(upload.state, "cancelled")
        self.assertFalse(SpendUploadPart.objects.exists())
        self.assertContains(self.confirm(upload), "is no longer waiting for confirmation.")
        self.assertContains(self.client.get(page(SpendUpload, "change", upload.pk)), "Nothing was imported.")

    def test_a_broken_file_fails_with_its_preview(self) -> None:
        self.assertContains(self.upload(b"PK\x03\x04"), "The file is a ZIP archive or a workbook")
        self.assertEqual(SpendUpload.objects.get().state, "failed")
        self.assertFalse(SpendUploadPart.objects.exists())

    def test_the_decimal_separator_can_be_told(self) -> None:
        data = b"timestamp;brand;campaign;amount\n2026-11-20T10:00:00Z;Alpine;Search;1.250\n"
        self.assertContains(self.upload(data), "could mean")
        self.assertContains(self.upload(data, decimal="comma"), "1,250.00 USD")

    def test_days_beyond_the_shown_ones_are_counted(self) -> None:
        lines = b"".join(
            b"2026-%02d-%02d,Alpine,Search,1\n" % (month, day) for month in (1, 2, 3) for day in range(1, 29)
        )
        with patch.object(upload_page, "SHOWN", 80):
            self.assertContains(self.upload(b"timestamp,brand,campaign,amount\n" + lines), "and 4 more days")


class WhoMay(UploadPageTestCase):
    def test_a_limited_person_sees_their_own_and_is_not_asked_to_create(self) -> None:
        self.upload()
        theirs = SpendUpload.objects.get()
        nadia = User.objects.create(username="nadia", is_staff=True)
        nadia.user_permissions.set(
            Permission.objects.filter(codename__in=("only_assigned_brands", "add_spendupload", "view_spendupload"))
        )
        self.client.force_login(nadia)
        self.assertNotContains(self.client.get(page(SpendUpload, "add")), "create_missing")
        self.upload(create_missing="on")
        own = SpendUpload.objects.get(user=nadia)
        self.assertFalse(own.create_missing)
        self.assertEqual(self.progress(own).json()["state"], "ready")
        self.assertTrue(self.progress(theirs).json()["gone"])
        self.assertRedirects(self.client.get(page(SpendUpload, "change", theirs.pk)), page(SpendUpload, "changelist"))

    def test_each_page_needs_its_permission_and_nothing_is_changed(self) -> None:
        self.upload()
        upload = SpendUpload.objects.get()
        self.assertEqual(self.client.post(page(SpendUpload, "change", upload.pk), {"who": "x"}).status_code, 403)
        self.client.force_login(User.objects.create(username="bo", is_staff=True))
        for address in (page(SpendUpload, "add"), page(SpendUpload, "change", upload.pk)):
            self.assertEqual(self.client.get(address).status_code, 403)
        self.assertEqual((self.confirm(upload).status_code, self.cancel(upload).status_code), (403, 403))
        upload.refresh_from_db()
        self.assertEqual(upload.state, "ready")
        self.assertEqual(self.progress(upload).status_code, 403)
