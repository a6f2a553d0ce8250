"""Half-written work beside a form in a browser: a note, a correction and a chosen file ask before they are lost."""

from __future__ import annotations

from django.urls import reverse
from playwright.sync_api import Dialog, FilePayload, expect

from campaigns.models import Brand, Note
from campaigns.tests.chromium.case import PHONE, BrowserTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend


class HalfWrittenWork(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.asked: list[str] = []
        self.page.on("dialog", self._stay)

    def _stay(self, dialog: Dialog) -> None:
        self.asked.append(dialog.type)
        dialog.dismiss()

    def assert_asks(self) -> None:
        """Try to close the page, as somebody does who follows a link or closes the tab."""
        before = self.page.url
        self.page.evaluate("setTimeout(() => { window.location.href = '/admin/?left' })")
        self.page.wait_for_timeout(700)
        self.assertEqual((self.page.url, self.asked), (before, ["beforeunload"]))

    def open_brand(self) -> Brand:
        brand = make_brand(name="Alpine", currency="EUR")
        self.open(reverse("admin:campaigns_brand_change", args=[brand.pk]))
        return brand

    def test_a_note_is_asked_about(self) -> None:
        self.open_brand()
        self.page.get_by_label("New note on this brand").fill("Client asked")
        self.assert_asks()

    def test_save_takes_the_note_along(self) -> None:
        brand = self.open_brand()
        self.page.get_by_label("New note on this brand").fill("Client asked")
        self.page.get_by_role("textbox", name="Daily budget").fill("120")
        self.proceed("Save")
        self.assertEqual(self.asked, [])
        expect(self.page.get_by_text("Added the note.")).to_be_visible()
        self.assertEqual([note.text for note in Note.objects.filter(brand=brand)], ["Client asked"])

    def test_a_refused_save_keeps_the_note(self) -> None:
        self.open_brand()
        self.page.get_by_label("New note on this brand").fill("Client asked")
        self.page.get_by_role("textbox", name="Daily budget").fill("a lot")
        self.proceed("Save")
        expect(self.page.get_by_label("New note on this brand")).to_have_value("Client asked")
        self.page.get_by_role("textbox", name="Daily budget").fill("120")
        self.proceed("Save")
        self.assertEqual((Note.objects.count(), self.asked), (1, []))

    def test_add_note_keeps_an_edited_form(self) -> None:
        brand = self.open_brand()
        self.page.get_by_label("New note on this brand").fill("Client asked")
        self.proceed("Add note")
        self.assertEqual((Note.objects.count(), self.asked), (1, []))
        budget = self.page.get_by_role("textbox", name="Daily budget")
        budget.fill("120")
        for text in ("twice", "three times"):
            self.page.get_by_label("New note on this brand").fill(text)
            self.page.get_by_role("button", name="Add note").click()
            expect(self.page.locator("#notes .campaigns-note-text").first).to_have_text(text)
        expect(self.page.get_by_text("Your other changes aren’t saved yet.")).to_be_visible()
        expect(self.page.get_by_label("New note on this brand")).to_have_value("")
        expect(budget).to_have_value("120")
        self.assertEqual((Note.objects.count(), self.asked), (3, []))
        self.assert_asks()
        self.asked.clear()
        self.proceed("Save")
        brand.refresh_from_db()
        self.assertEqual((brand.daily_budget, Note.objects.count(), self.asked), (120, 3, []))

    def test_a_correction_is_asked_about(self) -> None:
        record = spend(make_campaign(make_brand()), 5)
        self.open(reverse("admin:campaigns_spendrecord_correct", args=[record.pk]))
        self.page.get_by_role("textbox", name="Right amount").fill("4")
        self.assert_asks()
        self.proceed("Preview")
        expect(self.page.get_by_text("Nothing has been changed yet.")).to_be_visible()

    def test_a_chosen_file_is_asked_about(self) -> None:
        for name in ("campaigns_brand_import", "campaigns_spendupload_add"):
            with self.subTest(name):
                self.asked.clear()
                self.open(reverse(f"admin:{name}"))
                file = FilePayload(name="a.csv", mimeType="text/csv", buffer=b"name\nAlpine\n")
                self.page.locator("input[type=file]").set_input_files(file)
                self.page.locator(".campaigns-title").click()
                self.assert_asks()
                self.page.locator("input[type=file]").set_input_files([])


class HalfWrittenWorkOnADarkPhone(HalfWrittenWork):
    viewport = PHONE
    colours = "dark"
