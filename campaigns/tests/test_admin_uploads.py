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
from campaigns.models import SpendRecord, SpendUpload
from campaigns.services.spend_uploads import run_upload
from campaigns.tests.browser import AdminTestCase
from campaigns.tests.factories import make_brand, make_campaign
from campaigns.tests.pages import page

DATA = b"timestamp,brand,campaign,amount\n2026-11-20T10:00:00Z,Alpine,Search,5\n"


class UploadPageTestCase(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        make_campaign(make_brand(name="Alpine"), name="Search")
        self.sent = self.enterContext(patch.object(tasks.import_spend_upload, "apply_async"))

    def upload(self, data: bytes = DATA, **options: Any) -> Any:
        about = {"file": SimpleUploadedFile("spend.csv", data), "timezone": "UTC"} | options
        return self.client.post(page(SpendUpload, "add"), about, follow=True)

    def progress(self, upload: SpendUpload) -> Any:
        return self.client.get(reverse("admin:campaigns_spendupload_progress", args=[upload.pk]))


class Uploading(UploadPageTestCase):
    def test_a_file_is_kept_sent_for_and_told_of_until_it_is_done(self) -> None:
        waiting = self.upload(skip_errors="on")
        upload = SpendUpload.objects.get()
        self.assertContains(waiting, "It waits for a worker")
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
        self.assertContains(done, "Done: 1 row imported, 0 repeated and skipped, 0 refused.")
        self.assertContains(done, "1 imported row had no external_id")
        self.assertNotContains(done, "campaigns/upload.js")
        self.assertContains(self.client.get(page(SpendUpload, "changelist")), "spend.csv")

    def test_refused_lines_are_shown_as_text(self) -> None:
        self.upload(DATA.replace(b"Alpine", b"<b>x</b>"))
        upload = SpendUpload.objects.get()
        run_upload(upload.pk, task_id="a", clock=timezone.now)
        failed = self.client.get(page(SpendUpload, "change", upload.pk))
        self.assertContains(failed, "1 line was refused, so nothing was imported.")
        self.assertContains(failed, "There is no brand “&lt;b&gt;x&lt;/b&gt;”")

    def test_without_a_broker_it_waits_and_says_so(self) -> None:
        self.sent.side_effect = OperationalError("gone")
        with self.assertLogs("campaigns.admin.uploads", "WARNING"):
            self.assertContains(self.upload(), "The broker can’t be reached")
        self.assertEqual(SpendUpload.objects.get().state, "waiting")

    def test_what_is_wrong_is_said_in_the_form(self) -> None:
        for options, sentence in (
            ({"file": ""}, "Choose a file."),
            ({"data": b""}, "The file is empty: choose another one."),
            ({"timezone": "Mars"}, "Nobody knows the time zone “Mars”"),
        ):
            self.assertContains(self.upload(**options), sentence)
        self.assertFalse(SpendUpload.objects.exists())

    @override_settings(SPEND_UPLOAD_MEGABYTES=1)
    def test_what_is_too_large_is_dropped_as_it_arrives(self) -> None:
        for size in (1024**2 + 1, 3 * 1024**2):
            self.assertContains(self.upload(b"x" * size), "The file is larger than 1 MB: import it in several files.")
        self.assertFalse(SpendUpload.objects.exists())

    def test_the_next_check_sends_for_what_waits(self) -> None:
        self.upload()
        with patch.object(tasks.import_spend_upload, "delay") as sent:
            tasks.check_budgets()
        sent.assert_called_once_with(SpendUpload.objects.get().pk)


class WhoMay(UploadPageTestCase):
    def test_a_limited_person_sees_their_own_and_is_not_asked_to_create(self) -> None:
        self.upload()
        theirs = SpendUpload.objects.get()
        nadia = User.objects.create(username="nadia", is_staff=True)
        nadia.user_permissions.set(
            Permission.objects.filter(codename__in=("only_given_brands", "add_spendupload", "view_spendupload"))
        )
        self.client.force_login(nadia)
        self.assertNotContains(self.client.get(page(SpendUpload, "add")), "create_missing")
        self.upload(create_missing="on")
        own = SpendUpload.objects.get(user=nadia)
        self.assertFalse(own.create_missing)
        self.assertEqual(self.progress(own).json()["state"], "waiting")
        self.assertTrue(self.progress(theirs).json()["gone"])
        self.assertRedirects(self.client.get(page(SpendUpload, "change", theirs.pk)), page(SpendUpload, "changelist"))

    def test_each_page_needs_its_permission_and_nothing_is_changed(self) -> None:
        self.upload()
        upload = SpendUpload.objects.get()
        self.assertEqual(self.client.post(page(SpendUpload, "change", upload.pk), {"who": "x"}).status_code, 403)
        self.client.force_login(User.objects.create(username="bo", is_staff=True))
        for address in (page(SpendUpload, "add"), page(SpendUpload, "change", upload.pk)):
            self.assertEqual(self.client.get(address).status_code, 403)
        self.assertEqual(self.progress(upload).status_code, 403)
