"""Importing spend, as a person does it: upload, see how far it is, see what came of it."""

from __future__ import annotations

from unittest.mock import patch

from django.utils import timezone
from playwright.sync_api import expect

from campaigns import tasks
from campaigns.models import SpendRecord, SpendUpload
from campaigns.services.intake.uploads import run_upload
from campaigns.tests.chromium.case import BrowserTestCase, on_every_screen
from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.support.pages import page as address_of

LINES = b"timestamp,brand,campaign,amount\n2026-11-20 10:00,Alpine,Search,5\n2026-11-20 10:00,Boreal,X,5\n,,,10\n"


@on_every_screen
class Uploading(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        make_campaign(make_brand(name="Alpine"), name="Search")
        self.enterContext(patch.object(tasks.import_spend_upload, "apply_async"))

    def upload(self) -> SpendUpload:
        """Choose a file and send it; look at its preview."""
        self.open(address_of(SpendUpload, "add"))
        self.look()
        self.page.set_input_files("[name=file]", {"name": "spend.csv", "mimeType": "text/csv", "buffer": LINES})
        self.page.get_by_role("button", name="Upload", exact=True).click()
        expect(self.page.get_by_text("Nothing has been imported yet.")).to_be_visible()
        expect(self.page.get_by_role("row", name="Alpine 2026-11-20 1 5.00 USD")).to_be_visible()
        expect(self.page.get_by_text("Unknown brand “Boreal”")).to_be_visible()
        self.look()
        return SpendUpload.objects.latest("pk")

    def confirm(self, *ticked: str) -> None:
        """Tick what has to be ticked, and import."""
        self.page.get_by_role("button", name="Import", exact=True).click()
        expect(
            self.page.get_by_text("Nothing has been imported yet.")
        ).to_be_visible()  # the browser asks for the ticks
        for label in ticked:
            self.page.get_by_label(label).check(force=True)
        self.page.get_by_role("button", name="Import", exact=True).click()
        expect(self.page.get_by_text("Waiting for a worker")).to_be_visible()
        self.look()

    def see_the_end(self) -> None:
        expect(self.page.get_by_text("Done: 1 row imported, 0 duplicates skipped, 1 refused.")).to_be_visible()
        expect(self.page.get_by_text("Unknown brand “Boreal”")).to_be_visible()
        self.look()

    def test_the_page_follows_the_worker(self) -> None:
        upload = self.upload()
        self.confirm("Skip the refused row and import the others")
        SpendUpload.objects.update(state="running", seen_at=timezone.now(), bytes_done=upload.size // 2, imported=0)
        expect(self.page.get_by_text("Importing.", exact=True)).to_be_visible()
        SpendUpload.objects.update(state="waiting", bytes_done=0)
        run_upload(upload.pk, task_id="a", clock=timezone.now)
        self.see_the_end()
        self.assertEqual(SpendRecord.objects.count(), 1)
        self.upload()
        expect(self.page.get_by_text("The same file was imported on")).to_be_visible()
        self.confirm("Skip the refused row and import the others", "Import the same file again")

    def test_a_file_can_be_cancelled(self) -> None:
        upload = self.upload()
        self.page.get_by_role("button", name="Cancel", exact=True).click()
        expect(self.page.get_by_text("Cancelled. Nothing from “spend.csv” was imported.")).to_be_visible()
        upload.refresh_from_db()
        self.assertEqual(upload.state, "cancelled")
