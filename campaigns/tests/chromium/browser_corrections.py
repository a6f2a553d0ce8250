"""Somebody corrects a wrong spend record, takes an import back, and exports the records that came of it."""

from __future__ import annotations

from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import SpendRecord, SpendUpload
from campaigns.services.intake.upload_files import keep_upload
from campaigns.services.intake.uploads import run_upload
from campaigns.services.jobs.full_check import run_full_check
from campaigns.tests.chromium.case import PHONE, BrowserTestCase, in_all_colours
from campaigns.tests.support.factories import make_brand, make_campaign, spend
from campaigns.tests.support.pages import page


@in_all_colours
class Corrections(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="Alpine", currency="EUR", daily_budget=100)
        self.search = make_campaign(self.brand, name="Search")

    def tool(self, name: str) -> None:
        """Follow a link of the page's tools, which a phone keeps in a menu."""
        if self.viewport == PHONE:
            self.page.get_by_role("link", name="More").click()
        self.follow(self.page.get_by_role("link", name=name, exact=True))

    def test_a_record_is_corrected(self) -> None:
        record = spend(self.search, 1250)
        run_full_check("check_budgets", clock=timezone.now)
        self.open(page(SpendRecord, "change", record.pk))
        self.look()
        self.tool("Correct")
        self.look()
        amount = self.page.get_by_label("Right amount")
        expect(amount).to_have_value("1,250.00")
        amount.fill("lots")
        self.proceed("Preview")
        expect(self.page.get_by_text("Enter a number.")).to_be_visible()
        self.look()
        amount.fill("12.50")
        self.page.get_by_label("Note").fill("Wrong click price")
        self.proceed("Preview")
        expect(self.page.get_by_text("Nothing has been changed yet.")).to_be_visible()
        expect(self.page.get_by_role("region", name="Correction", exact=True).first).to_contain_text("-1,237.50 EUR")
        expect(self.page.get_by_text("campaign resumes")).to_be_visible()
        self.look()
        self.proceed("Correct record")
        expect(self.page.get_by_text(f"Corrected record {record.pk} to 12.50 EUR.")).to_be_visible()
        expect(self.page.get_by_role("region", name="Corrections").first).to_contain_text("Wrong click price")
        self.look()
        self.follow(self.page.get_by_role("link", name=f"(record {record.pk + 1})"))
        expect(self.page.get_by_text("This record corrects")).to_be_visible()
        self.look()

    def test_an_import_is_reversed_and_exported(self) -> None:
        now = timezone.now()
        lines = f"timestamp,brand,campaign,amount,external_id\n{now:%Y-%m-%dT%H:%M:%SZ},Alpine,Search,150,a\n".encode()
        upload = keep_upload(
            [lines],
            name="spend.csv",
            person=self.user,
            now=now,
            zone="",
            create=False,
            skip_errors=False,
        )
        run_upload(upload.pk, task_id="a", clock=timezone.now)
        run_full_check("check_budgets", clock=timezone.now)
        self.open(page(SpendUpload, "change", upload.pk))
        self.follow(self.page.get_by_role("link", name="Reverse this import"))
        expect(self.page.get_by_role("row", name="Alpine").first).to_contain_text("-150.00 EUR")
        self.look()
        self.proceed("Reverse import")
        expect(self.page.get_by_text("Reversed by amara")).to_be_visible()
        self.look()
        self.open(page(SpendRecord, "changelist"))
        self.look()
        with self.page.expect_download() as download:
            self.page.get_by_role("link", name="Export XLSX").click()
        self.assertTrue(download.value.suggested_filename.endswith(".xlsx"))
