"""Export, change in a file, import: with the same preview as any other change of many rows."""

from __future__ import annotations

from pathlib import Path

from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Brand, Campaign
from campaigns.services.exchange.read import read_table
from campaigns.services.exchange.write_xlsx import write_xlsx
from campaigns.services.jobs.full_check import run_full_check
from campaigns.tests.chromium.case import BrowserTestCase, on_every_screen
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend
from campaigns.tests.support.pages import page as address_of
from campaigns.tests.support.workbooks import workbook


@on_every_screen
class Exchanging(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        brand = make_brand(name="Alpine", currency="EUR", daily_budget=500)
        self.search = make_campaign(brand, name="=Search", daily_spend_limit=100)
        make_window(make_campaign(brand, name="Video"), 31, "09:00", "18:00")
        spend(self.search, 60)
        run_full_check("check_budgets", clock=timezone.now)

    def export(self, model: type[Brand] | type[Campaign], *choices: str) -> tuple[str, bytes]:
        """Follow the list's link and download what it shows; return the file's name and contents."""
        self.open(address_of(model, "changelist"))
        self.follow(self.page.locator(".campaigns-tools").get_by_role("link", name="Export"))
        self.look()
        for choice in choices:
            self.page.get_by_label(choice).check()
        with self.page.expect_download() as downloading:
            self.page.get_by_role("button", name="Download").click()
        return downloading.value.suggested_filename, Path(downloading.value.path()).read_bytes()

    def take_in(self, model: type[Brand] | type[Campaign], name: str, data: bytes) -> None:
        """Follow the list's link and upload a file."""
        self.open(address_of(model, "changelist"))
        self.follow(self.page.locator(".campaigns-tools").get_by_role("link", name="Import"))
        self.look()
        self.page.set_input_files("[name=file]", {"name": name, "mimeType": "text/csv", "buffer": data})
        self.proceed("Preview")
        self.look()

    def test_limits_are_changed_in_a_spreadsheet(self) -> None:
        name, data = self.export(Campaign)
        table = read_table(name, data)
        rows = [list((line.cells | {"daily_spend_limit": "55.5"}).values()) for line in table.lines]
        self.take_in(Campaign, name, write_xlsx(table.columns, rows))
        expect(self.page.get_by_role("link", name="=Search").first).to_be_visible()
        expect(self.page.get_by_text("campaign pauses")).to_be_visible()
        self.proceed("Import")
        expect(self.page.get_by_text("Changed 2 campaigns. 1 campaign")).to_be_visible()
        self.search.refresh_from_db()
        self.assertEqual((str(self.search.daily_spend_limit), self.search.status), ("55.500000", "paused"))

    def test_an_export_that_nobody_changed_changes_nothing(self) -> None:
        for model, *choices in ((Brand, "CSV"), (Campaign, "CSV"), (Campaign, "Schedules")):
            self.take_in(model, *self.export(model, *choices))
            expect(self.page.get_by_text("Nothing would change.")).to_be_visible()

    def test_a_workbook_says_what_it_rounds_and_which_cells_it_refuses(self) -> None:
        self.take_in(Brand, "brands.xlsx", workbook(["name", "daily_budget"], ["Alpine", 57.48849999999999]))
        expect(self.page.get_by_text("Amounts are rounded to 6 decimals")).to_be_visible()
        expect(self.page.get_by_text("57.4885 EUR")).to_be_visible()
        self.take_in(Brand, "brands.xlsx", workbook(["name", "daily_budget"], ["Alpine", "=1000*1.1"]))
        expect(self.page.get_by_text("saved value is missing or 0")).to_be_visible()

    def test_a_wrong_line_is_named(self) -> None:
        self.take_in(Brand, "brands.csv", b"name;daily_budget\nAlpine;1.250\nBoreal;5\n")
        expect(self.page.get_by_text("\u201c1.250\u201d could mean 1,250 or 1.25")).to_be_visible()
        expect(self.page.get_by_role("button", name="Import", exact=True)).to_have_count(0)
        self.page.get_by_role("link", name="Choose another file").click()
        expect(self.page.get_by_label("File", exact=False).first).to_be_attached()
