"""SQLite has one lock for all writers: who can't have it in time is told so in words, and nothing of theirs is lost."""

from __future__ import annotations

import io
from tempfile import NamedTemporaryFile
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from campaigns import tasks
from campaigns.database.connection import execute
from campaigns.models import Brand, SpendRecord, SpendUpload
from campaigns.tests.support.browser import open_form
from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.support.outside import SQLITE, OutsideTestCase
from campaigns.tests.support.pages import page

DATA = b"timestamp,brand,campaign,amount\n2026-11-20T10:00:00Z,Alpine,Search,5\n"

if SQLITE:

    class BesideAWriter(OutsideTestCase):
        """Somebody's transaction, like a large import, holds the lock for longer than we wait."""

        def setUp(self) -> None:
            super().setUp()
            self.campaign = make_campaign(make_brand(name="Alpine"), name="Search")
            self.client = Client()
            self.client.force_login(User.objects.create_superuser("amara"))
            self.enterContext(patch.object(tasks.import_spend_upload, "apply_async"))
            self.addCleanup(connection.close)

        def lock(self) -> None:
            execute("PRAGMA busy_timeout = 50")
            self.run_sql("BEGIN IMMEDIATE")
            self.addCleanup(self.run_sql, "ROLLBACK")

        def post_file(self, address: str, data: bytes) -> Any:
            return self.client.post(address, {"file": SimpleUploadedFile("a.csv", data), "timezone": ""}, follow=True)

        def test_an_upload_its_confirmation_and_its_end_say_try_again(self) -> None:
            self.post_file(page(SpendUpload, "add"), DATA)
            upload = SpendUpload.objects.get()
            self.lock()
            addresses = [reverse(f"admin:campaigns_spendupload_{do}", args=[upload.pk]) for do in ("confirm", "cancel")]
            for address in (page(SpendUpload, "add"), *addresses):
                self.assertContains(self.post_file(address, DATA), "Try again", status_code=503)
            upload.refresh_from_db()
            self.assertEqual((upload.state, SpendUpload.objects.count()), (SpendUpload.State.READY, 1))

        def test_a_file_that_is_kept_but_cannot_be_read_yet_is_left_to_a_worker(self) -> None:
            with patch("campaigns.admin.ledger.uploads.log_rows", lambda *about: self.lock()):
                self.assertContains(self.post_file(page(SpendUpload, "add"), DATA), "The file is being read")

        def test_a_save_and_a_list_are_refused_in_words(self) -> None:
            address = page(Brand, "change", self.campaign.brand_id)
            form = open_form(self.client, address, "brand_form") | {"daily_budget": "7"}
            self.lock()
            saved = self.client.post(address, form, follow=True)
            listed = self.post_file(page(Brand, "import"), b"name,daily_budget\nAlpine,7\n")
            for response in (saved, listed):
                self.assertContains(response, "Nothing was saved: another change or import is using the same brand")

        def test_the_command_says_so_and_imports_nothing(self) -> None:
            self.lock()
            with NamedTemporaryFile(suffix=".csv") as file:
                file.write(DATA)
                file.flush()
                with self.assertRaisesMessage(CommandError, "Another process was writing the same rows"):
                    call_command("import_spend", file.name, stdout=io.StringIO())
            self.assertFalse(SpendRecord.objects.exists())
