"""The pages of import and export: who may, what they ask and hand on, and what they never do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.test import TestCase
from django.urls import reverse
from openpyxl.workbook.workbook import Workbook

from campaigns.admin.exchange import mixin as exchange
from campaigns.models import Brand, BrandAssignment, Campaign, ImportDraft
from campaigns.services.exchange.files import MAX_BYTES
from campaigns.services.exchange.read import read_table
from campaigns.tests.support.browser import AdminTestCase, ShownForm, confirm
from campaigns.tests.support.exchanging import csv_of
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, recorded_changes
from campaigns.tests.support.pages import page
from campaigns.tests.support.workbooks import saved, workbook


class ExchangePageTestCase(AdminTestCase):
    def download(self, model: type[Model], what: str, extension: str = "csv", query: str = "") -> Any:
        return self.client.post(f"{page(model, 'export')}{query}", {"what": what, "format": extension})

    def names(self, answer: Any, column: str = "name") -> list[str]:
        return [line.cells[column] for line in read_table("a.csv", answer.content).lines]

    def upload(self, model: type[Model], data: bytes, name: str = "a.csv") -> Any:
        return self.client.post(page(model, "import"), {"file": SimpleUploadedFile(name, data)})


class Exports(ExchangePageTestCase):
    def setUp(self) -> None:
        super().setUp()
        for name in ("Alpine", "Boreal"):
            make_window(make_campaign(make_brand(name=name), name=f"{name} search"), 31, "09:00", "18:00")

    def test_the_list_leads_to_the_export_of_what_it_shows(self) -> None:
        listed = self.client.get(f"{page(Campaign, 'changelist')}?q=Alpine")
        address = f"{page(Campaign, 'export')}?q=Alpine"
        self.assertContains(listed, f'href="{address}"')
        self.assertContains(self.client.get(address), "Export 1 campaign")
        self.assertEqual(self.names(self.download(Campaign, "campaigns", query="?q=Alpine")), ["Alpine search"])

    def test_every_kind_is_exported_in_every_format(self) -> None:
        for model, what, column in (
            (Brand, "brands", "name"),
            (Campaign, "campaigns", "brand"),
            (Campaign, "schedules", "brand"),
        ):
            for extension in ("csv", "xlsx"):
                answer = self.download(model, what, extension)
                self.assertRegex(
                    answer["Content-Disposition"], rf'^attachment; filename="{what}-[-0-9]+\.{extension}"$'
                )
                table = read_table(f"a.{extension}", answer.content)
                self.assertEqual([line.cells[column] for line in table.lines], ["Alpine", "Boreal"])

    def test_what_is_no_choice_is_refused(self) -> None:
        for what, extension in (("brands", "csv"), ("campaigns", "yaml"), ("../x", "csv")):
            answer = self.download(Campaign, what, extension)
            self.assertContains(answer, "Select a valid choice.")
        self.assertRedirects(self.client.get(f"{page(Campaign, 'export')}?id=x"), page(Campaign, "changelist"))

    def test_too_many_rows_are_refused_in_a_sentence(self) -> None:
        with patch.object(exchange, "MAX_ROWS", 1):
            answer = self.client.get(page(Campaign, "export"), follow=True)
            self.assertContains(answer, "The list has more than 1 rows. Narrow it by search or filters")

    def test_a_limited_person_exports_their_brands_only(self) -> None:
        nadia = User.objects.create(username="nadia", is_staff=True)
        nadia.user_permissions.set(
            Permission.objects.filter(codename__in=("only_assigned_brands", "view_brand", "view_campaign"))
        )
        BrandAssignment.objects.create(user=nadia, brand=Brand.objects.get(name="Boreal"))
        self.client.force_login(nadia)
        self.assertEqual(self.names(self.download(Brand, "brands")), ["Boreal"])
        self.assertEqual(self.names(self.download(Campaign, "campaigns")), ["Boreal search"])
        self.assertEqual(self.names(self.download(Campaign, "schedules"), "campaign"), ["Boreal search"])
        self.assertNotContains(self.client.get(page(Campaign, "changelist")), page(Campaign, "import"))


class Imports(ExchangePageTestCase):
    def test_an_export_is_changed_and_imported(self) -> None:
        make_campaign(name="Search", daily_spend_limit=100)
        exported = self.download(Campaign, "campaigns").content
        nothing = self.upload(Campaign, exported)
        self.assertContains(nothing, "Nothing would change.")
        self.assertContains(nothing, "These columns are calculated and ignored: status, reasons,")
        preview = self.upload(Campaign, exported.replace(b",100,", b",0,"))
        self.assertContains(preview, "<del>100.00 USD</del>", html=True)
        self.assertContains(preview, "daily spend limit reached")
        self.assertEqual(Campaign.objects.get().daily_spend_limit, 100)
        done = confirm(self.client, preview)
        self.assertContains(done, "Changed 1 campaign. 1 campaign paused: ")
        self.assertEqual(Campaign.objects.get().daily_spend_limit, 0)
        self.assertFalse(ImportDraft.objects.exists())

    def test_new_rows_are_shown_as_new(self) -> None:
        preview = self.upload(Brand, csv_of(("name", "currency"), ("Alpine", "EUR")))
        self.assertContains(preview, "campaigns-chip-note")
        self.assertContains(confirm(self.client, preview), "Added 1 brand.")

    def test_an_amount_that_changes_with_its_currency_is_shown_in_the_new_one(self) -> None:
        make_brand(name="Alpine", currency="EUR", daily_budget=500)
        preview = self.upload(Brand, csv_of(("name", "currency", "daily_budget"), ("Alpine", "jpy", "60000")))
        self.assertContains(preview, "<del>500.00 EUR</del>", html=True)
        self.assertContains(preview, "<ins>60,000 JPY</ins>", html=True)
        confirm(self.client, preview)
        self.assertIn("Alpine: daily budget, 500.00 EUR → 60,000 JPY", recorded_changes(channel="import"))

    def test_a_wrong_line_is_named_and_nothing_can_be_confirmed(self) -> None:
        preview = self.upload(Brand, csv_of(("name", "currency"), ("Alpine", "EUR"), ("Boreal", "DEM")))
        self.assertContains(preview, "“DEM” isn&#x27;t a currency we know")
        self.assertContains(preview, "The file is imported completely or not at all")
        self.assertIs(confirm(self.client, preview), preview)

    def test_what_is_rounded_or_left_out_is_told_before_it_is_confirmed(self) -> None:
        make_brand(name="Alpine", currency="EUR", daily_budget=10)
        book = Workbook()
        for row in (["name", "daily_budget"], ["Alpine", 57.48849999999999]):
            book.worksheets[0].append(row)
        book.create_sheet("Notes").append(["to be read by people"])
        preview = self.upload(Brand, saved(book), "a.xlsx")
        self.assertContains(preview, "<ins>57.4885 EUR</ins>", html=True)
        self.assertContains(preview, "Amounts are rounded to 6 decimals: 57.48849999999999 to 57.4885 (line 2).")
        self.assertContains(preview, "Only the first sheet is read, “Sheet”; there are 1 more.")
        confirm(self.client, preview)
        self.assertEqual(Brand.objects.get().daily_budget, Decimal("57.4885"))

    def test_a_cell_without_a_value_is_named_in_the_form(self) -> None:
        make_brand(name="Alpine", daily_budget=10)
        preview = self.upload(Brand, workbook(["name", "daily_budget"], ["Alpine", "=5*2"]), "a.xlsx")
        self.assertContains(preview, "saved value is missing or 0")
        self.assertContains(preview, "B2")
        self.assertFalse(ImportDraft.objects.exists())

    def test_a_file_that_can_not_be_read_is_refused_in_the_form(self) -> None:
        for name, data, sentence in (
            ("a.csv", b"nonsense\nx\n", "Unknown column “nonsense”"),
            ("a.xls", b"x", "isn’t a CSV or XLSX file"),
            ("a.csv", b"", "The file is empty. Choose another one."),
            ("a.csv", b"x" * (MAX_BYTES + 1), "The file is larger than 5 MB"),
        ):
            self.assertContains(self.upload(Brand, data, name), sentence)
        self.assertContains(self.client.post(page(Brand, "import")), "Choose a file.")
        self.assertFalse(ImportDraft.objects.exists())

    def test_somebody_elses_change_shows_the_preview_anew(self) -> None:
        make_brand(name="Alpine", daily_budget=10)
        preview = self.upload(Brand, csv_of(("name", "daily_budget"), ("Alpine", "20")))
        Brand.objects.update(daily_budget=15)
        again = confirm(self.client, preview)
        self.assertContains(again, "“Alpine” (line 2) changed after the preview: someone else edited it.")
        self.assertContains(again, "Nothing was imported. The preview below shows what the file would change now.")
        self.assertContains(again, "<del>15.00 USD</del>", html=True)
        confirm(self.client, again)
        self.assertEqual(Brand.objects.get().daily_budget, 20)


class WhatIsPosted(ExchangePageTestCase):
    """The browser posts the number of the file that it previewed: its own or none."""

    def post(self, draft: str, model: type[Model] = Brand) -> Any:
        return self.client.post(page(model, "import_confirm"), {"draft": draft}, follow=True)

    def test_numbers_that_are_none_are_refused(self) -> None:
        for draft in ("", "0", "-1", "x", "../../etc/passwd", "/etc/passwd", "9" * 30, "1.0", "１", "\0"):
            self.assertContains(self.post(draft), "Nothing was imported: the preview has expired.")

    def test_somebody_elses_file_is_refused(self) -> None:
        preview = self.upload(Brand, csv_of(("name",), ("Alpine",)))
        (draft,) = ShownForm(preview.content.decode(), "import_confirm").values["draft"]
        self.client.force_login(User.objects.create(username="bo", is_staff=True, is_superuser=True))
        self.assertContains(self.post(draft), "Nothing was imported")
        self.client.force_login(self.user)
        self.assertContains(self.post(draft, Campaign), "Nothing was imported")
        self.assertFalse(Brand.objects.exists())
        self.post(draft)
        self.assertTrue(Brand.objects.exists())

    def test_asking_for_the_confirmation_leads_to_the_upload(self) -> None:
        self.assertRedirects(self.client.get(page(Brand, "import_confirm")), page(Brand, "import"))


class WhoMay(TestCase):
    def test_each_page_needs_its_permission(self) -> None:
        person = User.objects.create(username="nadia", is_staff=True)
        self.client.force_login(person)
        for codename, statuses in (
            (None, (403, 403, 403)),
            ("view_brand", (200, 403, 403)),
            ("change_brand", (200, 200, 302)),
            ("add_brand", (403, 200, 302)),
        ):
            person.user_permissions.set(Permission.objects.filter(codename=codename))
            answers = [self.client.get(page(Brand, name)) for name in ("export", "import", "import_confirm")]
            self.assertEqual(tuple(answer.status_code for answer in answers), statuses, codename)

    def test_who_is_not_signed_in_is_asked_to(self) -> None:
        for name in ("export", "import", "import_confirm", "bulk"):
            address = reverse(f"admin:campaigns_campaign_{name}")
            self.assertRedirects(
                self.client.post(address), f"/admin/login/?next={address}", fetch_redirect_response=False
            )
