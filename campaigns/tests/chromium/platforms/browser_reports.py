"""A newcomer imports a report as downloaded: upload, one question, preview, and the spend is on the brand's page."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import CampaignLink, FileFormat, SpendTotal
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.tests.chromium.case import PHONE, BrowserTestCase
from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.support.pages import page as address_of

HEAD = "Campaign report\nAll time\nDay,Campaign,Campaign ID,Currency code,Cost,Avg. CPC\n"


class ImportingReports(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.acme = make_brand(name="Acme", currency="USD", timezone="UTC", daily_budget=100)
        make_campaign(self.acme, name="Search")
        self.today = timezone.now().date()

    def report(self) -> bytes:
        yesterday = self.today - timedelta(days=1)
        rows = (
            f'{yesterday},Search,11,USD,"1,234.50",0.50\n{self.today},Search,11,USD,135.20,0.50\n'
            f"{self.today},Display,12,USD,20.00,0.50\n{self.today},Video,13,USD,--,--\n"
            'Total: Account,--,--,USD,"1,389.70",0.50\n'
        )
        return (HEAD + rows).encode("utf-8-sig")

    def upload(self, data: bytes) -> None:
        self.page.set_input_files("[name=file]", {"name": "google.csv", "mimeType": "text/csv", "buffer": data})
        self.proceed("Upload")

    def test_three_clicks(self) -> None:
        self.open(reverse("admin:index"))
        link = self.page.get_by_role("link", name="Import a platform’s report")
        if not link.is_visible():  # folded on a phone
            self.page.locator("summary", has_text="Spend against budgets").click()
        self.follow(link)
        self.look()
        self.upload(self.report())
        expect(self.page.get_by_text("Which account of the platform is the report of?")).to_be_visible()
        self.look()
        self.page.get_by_label("Which account of the platform is the report of?").fill("123-456-7890")
        self.page.get_by_label("Brand of the account’s campaigns").fill("Acme")
        self.proceed("Continue")
        expect(self.page.get_by_text("1,389.70 USD for")).to_be_visible()
        expect(self.page.get_by_text("Acme / Search (same name)")).to_be_visible()
        expect(self.page.get_by_text("new campaign in Acme")).to_be_visible()
        expect(self.page.get_by_text("Acme reaches its daily budget: 155.20 of 100.00 USD today.")).to_be_visible()
        self.look()
        self.proceed("Import")
        expect(self.page.get_by_text("3 totals imported, 1 campaign linked, 1 campaign created.")).to_be_visible()
        run_quick_check(clock=timezone.now)
        self.open(address_of(type(self.acme), "change", self.acme.pk))
        expect(self.page.get_by_text("155.20 of 100.00 USD").first).to_be_visible()
        self.look()
        self.assertEqual(CampaignLink.objects.filter(campaign__brand=self.acme).count(), 2)
        self.assertEqual(SpendTotal.objects.count(), 3)

    def test_the_next_file_asks_nothing(self) -> None:
        self.test_three_clicks()
        self.open(reverse("admin:campaigns_fileformat_import"))
        self.upload(self.report())
        expect(self.page.get_by_text("Read as the format “Google Ads”.")).to_be_visible()
        self.look()
        self.open(address_of(FileFormat, "changelist"))
        expect(self.page.get_by_role("link", name="Google Ads")).to_be_visible()
        self.look()

    def test_a_doubt_is_a_question(self) -> None:
        self.open(reverse("admin:campaigns_fileformat_import"))
        self.upload(b"Day,Campaign,Account ID,Cost (USD)\n05/11/2026,Search,77,\n06/11/2026,Search,77,5.20\n")
        expect(self.page.get_by_text("Which day is “05/11/2026”?")).to_be_visible()
        self.page.get_by_label("5 November 2026").check(force=True)
        self.page.get_by_label("Which platform is the report of?").select_option("Other")
        self.page.get_by_text("How the file is read").click()
        self.look()
        self.proceed("Continue")
        self.page.get_by_label("In which time zone does the account “77” count its days?").fill("Europe/Paris")
        self.proceed("Continue")
        expect(self.page.get_by_text("5.20 USD for 6 November 2026")).to_be_visible()

    def test_a_report_without_days(self) -> None:
        self.open(reverse("admin:campaigns_fileformat_import"))
        self.upload(b"Campaign,Currency code,Cost\nSearch,USD,5.20\n")
        expect(self.page.get_by_text("The report has no column for the day")).to_be_visible()
        self.look()


class ImportingReportsOnADarkPhone(ImportingReports):
    viewport = PHONE
    colours = "dark"
