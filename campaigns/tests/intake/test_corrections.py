"""Correcting a spend record: by another record, once, with a preview and at once, by those who may import."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone

from campaigns.models import BrandAssignment, BrandPeriod, SpendCorrection, SpendRecord, SpendUpload
from campaigns.services.intake.corrections import CorrectionRefused, correct_record
from campaigns.services.intake.reversal import check_brands, reverse_import
from campaigns.services.intake.reversible import ReversalRefused
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.tests.admin_changes.test_admin_uploads import UploadPageTestCase
from campaigns.tests.support.browser import AdminTestCase, confirmation
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.pages import page

NOW = utc("2026-03-11 15:00")


def total() -> Any:
    return SpendRecord.objects.aggregate(sum=Sum("amount"))["sum"]


@time_machine.travel(NOW, tick=False)
class CorrectionTests(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="Alpine", currency="USD", timezone="America/New_York", daily_budget=100)
        self.search = make_campaign(self.brand, name="Search")
        self.record = spend(self.search, "120.000001", "2026-03-11 14:00", "click-1")
        self.check()

    def check(self) -> None:
        run_full_check(CHECK_BUDGETS, clock=timezone.now)
        self.search.refresh_from_db()

    def preview(self, amount: str, note: str = "", record: SpendRecord | None = None) -> Any:
        address = page(SpendRecord, "correct", (record or self.record).pk)
        return self.client.post(address, {"amount": amount, "note": note}, follow=True)

    def press(self, preview: Any) -> Any:
        pressed = confirmation(preview.content.decode())
        assert pressed is not None, "the preview can't be confirmed"
        return self.client.post(*pressed, follow=True)

    def correct(self, amount: str, note: str = "") -> Any:
        return self.press(self.preview(amount, note))

    def differences(self) -> list[Decimal]:
        return [each.added.amount for each in SpendCorrection.objects.order_by("pk")]

    def test_the_preview_says_what_changes_and_keeps_nothing(self) -> None:
        self.assertEqual(self.search.status, "paused")
        preview = self.preview("12.50")
        for text in ("120.000001", "12.50", "-107.500001 USD", "2026-03-11", "campaign resumes", "Search"):
            self.assertContains(preview, text)
        self.assertEqual((SpendRecord.objects.count(), SpendCorrection.objects.count()), (1, 0))

    def test_the_difference_is_a_record_and_statuses_follow(self) -> None:
        done = self.correct("12.50", "Wrong click price")
        self.assertContains(done, f"Corrected record {self.record.pk} to 12.50 USD.")
        self.search.refresh_from_db()
        self.assertEqual(self.search.status, "active")
        correction = SpendCorrection.objects.get()
        added = correction.added
        self.assertEqual((added.amount, added.timestamp), (Decimal("-107.500001"), self.record.timestamp))
        self.assertEqual((added.campaign, added.external_id), (self.search, f"correction:{self.record.pk}:1"))
        self.assertEqual((correction.who, correction.note, correction.at), ("amara", "Wrong click price", NOW))
        self.record.refresh_from_db()
        self.assertEqual(self.record.amount, Decimal("120.000001"))
        self.assertIn("Corrected from 120.000001 USD to 12.50 USD", LogEntry.objects.get().change_message)
        self.check()
        self.assertEqual((self.search.status, total()), ("active", Decimal("12.5")))

    def test_both_records_show_the_correction(self) -> None:
        of_record = self.correct("12.50", "Wrong click price")
        added = SpendCorrection.objects.get().added
        for text in ("Corrections", "Wrong click price", "amara", page(SpendRecord, "change", added.pk)):
            self.assertContains(of_record, text)
        of_added = self.client.get(page(SpendRecord, "change", added.pk))
        for text in ("This record corrects", "Wrong click price", page(SpendRecord, "change", self.record.pk)):
            self.assertContains(of_added, text)

    def test_a_record_is_voided_and_restored(self) -> None:
        self.assertContains(self.correct("0"), f"Voided record {self.record.pk}.")
        self.assertEqual(total(), 0)
        self.assertContains(self.preview("0"), "The amount is already 0.00 USD.")
        self.correct("-3")
        self.assertEqual(self.differences(), [Decimal("-120.000001"), -3])
        self.correct("120.000001")
        self.assertEqual(total(), Decimal("120.000001"))

    def test_an_ambiguous_or_wrong_amount_is_refused(self) -> None:
        for amount, told in (
            ("1,2345,6", "Enter a number."),
            ("x", "Enter a number."),
            ("1.0000001", "no more than 6 decimal places"),
            ("1000000000", "less than or equal to 999999999.999999"),
            ("", "This field is required."),
            ("-999999999", "The difference must be below 1,000,000,000."),
        ):
            with self.subTest(amount):
                self.assertContains(self.preview(amount), told)
        self.assertEqual(SpendCorrection.objects.count(), 0)

    def test_it_is_in_the_change_history_of_campaign_and_brand(self) -> None:
        self.correct("12.50", "Typed twice")
        before = f"record {self.record.pk}, 120.000001 USD"
        expected = f'<span class="campaigns-quiet">{before} →</span> 12.50 USD: Typed twice'
        for row in (self.search, self.brand):
            history = self.client.get(page(type(row), "history", row.pk))
            self.assertContains(history, f"spend corrected: {expected}")
            self.assertContains(history, "amara (form)")
            exported = self.client.get(page(type(row), "history", row.pk), {"file": "csv"}).content.decode()
            values = f'"record {self.record.pk}, 120.000001 USD","12.50 USD: Typed twice"'
            self.assertIn(f'"spend","Search","spend corrected",{values}', exported)

    def test_a_record_has_no_history_beside_its_page(self) -> None:
        self.correct("12.50", "Typed twice")
        shown = page(SpendRecord, "change", self.record.pk)
        self.assertRedirects(self.client.get(page(SpendRecord, "history", self.record.pk)), shown)
        self.assertContains(self.client.get(shown), "Typed twice")
        self.assertNotContains(self.client.get(shown), page(SpendRecord, "history", self.record.pk))

    def test_the_confirmed_amount_is_exact_whatever_its_separators(self) -> None:
        self.correct("1,234")
        self.assertEqual(total(), 1_234)
        self.correct("1,234.500")
        self.assertEqual(total(), Decimal("1234.5"))
        self.correct("1.234,567")
        self.assertEqual(total(), Decimal("1234.567"))

    def test_two_clicks_and_two_people_correct_once(self) -> None:
        preview = self.preview("12.50")
        self.press(preview)
        self.assertContains(self.press(preview), "was corrected meanwhile: check its amount.")
        other = self.preview("20")
        self.correct("30")
        self.assertContains(self.press(other), "was corrected meanwhile: check its amount.")
        self.assertEqual(total(), 30)

    def test_the_database_refuses_a_second_correction_of_that_number(self) -> None:
        spend(self.search, 1, external_id=f"correction:{self.record.pk}:1")
        with self.assertRaisesMessage(CorrectionRefused, "was corrected meanwhile"):
            correct_record(self.record, Decimal(5), seen=0, note="", person=self.user, clock=timezone.now)
        self.assertEqual(SpendCorrection.objects.count(), 0)

    def test_the_database_guards_corrections(self) -> None:
        self.correct("12.50")
        made, other = SpendCorrection.objects.get(), spend(self.search, 1)
        right = {"record": self.record, "added": other, "number": 2, "at": NOW, "who": "amara"}
        for wrong in ({"number": 1}, {"number": 0}, {"who": ""}, {"added": self.record}, {"added": made.added}):
            with self.subTest(wrong), self.assertRaises(IntegrityError), transaction.atomic():
                SpendCorrection.objects.create(**right | wrong)
        SpendCorrection.objects.create(**right)

    def test_a_correction_is_not_corrected(self) -> None:
        self.correct("12.50")
        added = SpendCorrection.objects.get().added
        self.assertContains(self.preview("1", record=added), f"is a correction of record {self.record.pk}")
        shown = self.client.get(page(SpendRecord, "change", added.pk))
        self.assertNotContains(shown, page(SpendRecord, "correct", added.pk))
        self.assertEqual(SpendCorrection.objects.count(), 1)

    def test_a_final_day_gets_a_late_adjustment(self) -> None:
        # In New York it is 27 February, 23:00.
        old = spend(self.search, 50, "2026-02-28 04:00")
        self.check()
        preview = self.preview("40", record=old)
        for text in ("2026-02-27", "day and month final", "keep their figures at closing"):
            self.assertContains(preview, text)
        self.press(preview)
        self.check()
        statement = BrandPeriod.objects.get(kind="day", starts_on="2026-02-27")
        self.assertEqual((statement.spend, statement.spend_at_close), (40, 50))
        self.assertEqual(statement.adjustment, -10)

    def test_only_those_who_may_import_correct(self) -> None:
        address = page(SpendRecord, "correct", self.record.pk)
        self.assertContains(self.client.get(page(SpendRecord, "change", self.record.pk)), address)
        viewer = User.objects.create(username="viewer", is_staff=True)
        viewer.user_permissions.set(Permission.objects.filter(codename="view_spendrecord"))
        self.client.force_login(viewer)
        self.assertNotContains(self.client.get(page(SpendRecord, "change", self.record.pk)), address)
        said = {"exact": "1", "seen": "0"}
        for answer in (self.client.get(address), self.client.post(address, said)):
            self.assertEqual(answer.status_code, 403)
        viewer.user_permissions.set(Permission.objects.filter(codename="add_spendupload"))
        self.assertEqual(self.client.post(address, said).status_code, 403)
        more = Permission.objects.filter(codename__in=["view_spendrecord", "only_assigned_brands"])
        viewer.user_permissions.add(*more)
        self.assertRedirects(self.client.post(address, said), "/admin/")
        self.assertEqual(total(), Decimal("120.000001"))
        BrandAssignment.objects.create(user=viewer, brand=self.brand)
        self.client.post(address, said)
        self.assertEqual(total(), 1)

    def test_a_confirmation_that_is_not_complete_changes_nothing(self) -> None:
        address = page(SpendRecord, "correct", self.record.pk)
        for said in ({"exact": "NaN", "seen": "0"}, {"exact": "1"}, {"exact": "1", "seen": "-1"}):
            shown = self.client.post(address, said, follow=True)
            self.assertContains(shown, "complete. Enter the right amount again.")
        self.assertEqual(SpendCorrection.objects.count(), 0)


class CorrectedImportTests(UploadPageTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.upload_of_five = self.import_it()
        self.record = SpendRecord.objects.get()

    def correct(self, amount: int, seen: int = 0) -> None:
        correct_record(self.record, Decimal(amount), seen=seen, note="", person=self.user, clock=timezone.now)

    def reverse(self) -> None:
        reverse_import(self.upload_of_five, actor="amara", clock=timezone.now)

    def test_a_reversal_takes_corrections_back_too(self) -> None:
        self.correct(8)
        self.correct(2, seen=1)
        self.reverse()
        self.assertEqual((total(), SpendRecord.objects.count()), (0, 6))

    def test_a_reversed_record_and_its_reversal_are_not_corrected(self) -> None:
        self.reverse()
        with self.assertRaisesMessage(CorrectionRefused, "was reversed with its import, by record"):
            self.correct(8)
        reversal = SpendRecord.objects.get(amount=-5)
        self.assertContains(
            self.client.get(page(SpendRecord, "change", self.record.pk)), "was reversed with its import"
        )
        self.assertContains(self.client.get(page(SpendRecord, "change", reversal.pk)), "This record reverses record")
        self.record = reversal
        with self.assertRaisesMessage(CorrectionRefused, "reverses record"):
            self.correct(8)

    def test_a_record_whose_id_only_looks_like_a_reversal_is_corrected(self) -> None:
        self.record = spend(self.record.campaign, 7, external_id=f"reversal:{self.record.pk}")
        self.correct(8)
        self.assertEqual(total(), 13)

    def test_the_preview_of_a_reversal_names_final_statements(self) -> None:
        run_full_check(CHECK_BUDGETS, clock=timezone.now)
        shown = self.client.get(page(SpendUpload, "reverse", self.upload_of_five.pk))
        closed = BrandPeriod.objects.filter(closed_at__isnull=False, starts_on__in=("2026-11-20", "2026-11-01"))
        kinds = sorted(closed.values_list("kind", flat=True))  # the month, too, since it has ended
        self.assertIn("day", kinds)
        self.assertContains(shown, f'<td data-label="Statements">{" and ".join(kinds)} final</td>', html=True)

    def test_a_person_does_not_reverse_spend_of_brands_that_they_no_longer_see(self) -> None:
        manager = User.objects.create(username="manager", is_staff=True)
        wanted = ["add_spendupload", "view_spendupload", "only_assigned_brands"]
        manager.user_permissions.set(Permission.objects.filter(codename__in=wanted))
        assigned = BrandAssignment.objects.create(user=manager, brand=self.record.brand)
        SpendUpload.objects.update(user=manager)
        check_brands(self.upload_of_five, manager)
        assigned.delete()
        with self.assertRaisesMessage(ReversalRefused, "no longer assigned to you"):
            check_brands(self.upload_of_five, manager)
        self.client.force_login(manager)
        address = page(SpendUpload, "reverse", self.upload_of_five.pk)
        for shown in (self.client.get(address, follow=True), self.client.post(address, follow=True)):
            self.assertContains(shown, "no longer assigned to you")
        self.assertEqual(total(), 5)
