"""Reversing an import: each record once, by those who may import, with a preview and at once."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Brand, Campaign, ImportedRecords, SpendRecord, SpendUpload
from campaigns.services.intake.reversal import reverse_import
from campaigns.services.intake.reversible import ReversalRefused
from campaigns.services.intake.uploads import run_upload
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.tests.admin_changes.test_admin_uploads import UploadPageTestCase
from campaigns.tests.support.factories import make_campaign, spend


class ReversalTests(UploadPageTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = Brand.objects.get()
        self.brand.daily_budget = Decimal(100)
        self.brand.save()
        self.search = Campaign.objects.get()
        self.now = f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}"
        self.social = make_campaign(self.brand, name="Social")

    def file(self, *amounts: str, ids: bool = True) -> bytes:
        rows = [f"{self.now},Alpine,Search,{amount},{f'id-{n}' if ids else ''}" for n, amount in enumerate(amounts)]
        return "\n".join(("timestamp,brand,campaign,amount,external_id", *rows, "")).encode()

    def check(self) -> None:
        run_full_check(CHECK_BUDGETS, clock=timezone.now)
        self.search.refresh_from_db()

    def address(self, upload: SpendUpload) -> str:
        return reverse("admin:campaigns_spendupload_reverse", args=[upload.pk])

    def total(self) -> Any:
        return SpendRecord.objects.aggregate(sum=Sum("amount"))["sum"]

    def test_each_record_gets_its_opposite_and_statuses_follow(self) -> None:
        for ids in (True, False):
            with self.subTest(ids=ids):
                before = set(SpendRecord.objects.values_list("pk", flat=True))
                upload = self.import_it(self.file("70.5", "50.000001", "-1", ids=ids))
                self.check()
                self.assertEqual(self.search.status, "paused")
                preview = self.client.get(self.address(upload))
                self.assertContains(preview, "-119.500001 USD")
                self.assertContains(preview, "campaigns resume")
                self.assertEqual(SpendRecord.objects.count(), len(before) + 3)
                page = self.client.post(self.address(upload), follow=True)
                self.assertContains(page, "Reversed by amara")
                self.assertNotContains(page, "Reverse this import")
                listed = self.client.get(reverse("admin:campaigns_spendupload_changelist"), {"q": upload.name})
                self.assertRegex(listed.content.decode(), r">\s*reversed\s*<")
                self.search.refresh_from_db()
                self.assertEqual(self.search.status, "active")
                added = SpendRecord.objects.exclude(pk__in=before).aggregate(sum=Sum("amount"))["sum"]
                self.assertEqual(added, 0)
                self.check()
                self.assertEqual(self.search.status, "active")

    def test_a_reversed_file_is_imported_again_under_new_ids_and_the_preview_says_so(self) -> None:
        data = self.file("7", "8")
        upload = self.import_it(data)
        reverse_import(upload, actor="amara", clock=timezone.now)
        self.upload(data)
        page = self.client.get(reverse("admin:campaigns_spendupload_change", args=[upload.pk + 1]))
        self.assertContains(page, "2 rows with an existing external_id were reversed with the import")
        self.assertContains(page, "give them new IDs, for example with “-2” at the end")
        self.import_it(data.replace(b",id-0", b",id-0-2").replace(b",id-1", b",id-1-2"))
        self.assertEqual(self.total(), 15)
        upload = self.import_it(self.file("7", "8", "9"))
        self.assertEqual((upload.imported, upload.repeated, self.total()), (1, 2, 24))

    def test_a_reversed_file_without_ids_is_imported_again_without_a_question(self) -> None:
        data = self.file("7", "8", ids=False)
        reverse_import(self.import_it(data), actor="amara", clock=timezone.now)
        self.import_it(data)
        self.assertEqual(self.total(), 15)
        self.assertContains(self.upload(data), "Import the same file again")

    def reversed_and_uploaded_again(self, data: bytes) -> Any:
        upload = self.import_it(data)
        reverse_import(upload, actor="amara", clock=timezone.now)
        page = self.client.get(reverse("admin:campaigns_spendupload_change", args=[upload.pk]))
        self.assertNotContains(page, "twice")
        self.assertContains(page, "Its rows now add up to 0.")
        preview = self.upload(data)
        self.assertContains(preview, "The same file was imported before, and reversed.")
        self.assertNotContains(preview, "twice")
        return preview

    def test_afterwards_rows_without_ids_count_once_again(self) -> None:
        self.reversed_and_uploaded_again(self.file("10", ids=False))
        again = SpendUpload.objects.latest("pk")
        self.assertContains(self.confirm(again), "Waiting for a worker")
        run_upload(again.pk, task_id="a", clock=timezone.now)
        self.assertEqual(self.total(), 10)

    def test_afterwards_rows_with_ids_stay_reversed(self) -> None:
        preview = self.reversed_and_uploaded_again(self.file("10"))
        self.assertContains(preview, "The file has no new rows to import.")

    def test_it_is_in_the_change_history_of_its_campaigns(self) -> None:
        upload = self.import_it(self.file("70.5", "50"))
        reverse_import(upload, actor="amara", clock=timezone.now)
        for row in (self.search, self.brand):
            page = self.client.get(reverse(f"admin:campaigns_{row._meta.model_name}_history", args=[row.pk]))
            told = f'<span class="campaigns-quiet">120.50 USD of import {upload.pk} →</span> reversed'
            self.assertContains(page, f"import of spend reversed: {told}")
            self.assertContains(page, "amara (form)")
            self.assertNotContains(page, upload.name)

    def test_others_spend_stays(self) -> None:
        spend(self.search, 5)
        upload = self.import_it(self.file("7"))
        spend(self.social, 6)
        reverse_import(upload, actor="amara", clock=timezone.now)
        self.assertEqual(self.total(), 11)

    def test_twice_is_once(self) -> None:
        upload = self.import_it(self.file("7", "8"))
        reverse_import(upload, actor="amara", clock=timezone.now)
        with self.assertRaisesMessage(ReversalRefused, "is reversed already, by amara"):
            reverse_import(upload, actor="zofia", clock=timezone.now)
        self.assertContains(self.client.post(self.address(upload), follow=True), "is reversed already, by amara")
        # A record's reversal is unique, also where the note of it is lost.
        SpendUpload.objects.filter(pk=upload.pk).update(reversed_at=None, reversed_by="")
        reverse_import(upload, actor="zofia", clock=timezone.now)
        self.assertEqual((self.total(), SpendRecord.objects.count()), (0, 4))

    def test_what_was_skipped_is_not_reversed(self) -> None:
        self.import_it(self.file("7"))
        upload = self.import_it(self.file("7", "9"))
        self.assertEqual(upload.imported, 1)
        reverse_import(upload, actor="amara", clock=timezone.now)
        self.assertEqual(self.total(), 7)

    def test_rows_that_were_skipped_as_wrong_leave_the_others_reversible(self) -> None:
        data = self.file("7", "8") + b"nonsense,Alpine,Search,1,x\n"
        upload = self.import_it(data, skip_errors="on")
        self.assertEqual((upload.imported, upload.refused), (2, 1))
        reverse_import(upload, actor="amara", clock=timezone.now)
        self.assertEqual(self.total(), 0)

    def test_an_import_by_the_command_can_be_reversed(self) -> None:
        with TemporaryDirectory() as directory:
            path = Path(directory) / "spend.csv"
            path.write_bytes(self.file("7", "8"))
            call_command("import_spend", str(path), stdout=StringIO(), stderr=StringIO())
        reverse_import(SpendUpload.objects.get(), actor="amara", clock=timezone.now)
        self.assertEqual(self.total(), 0)

    def test_it_says_why_an_import_can_not_be_reversed(self) -> None:
        upload = self.import_it(self.file("7"))
        ImportedRecords.objects.all().delete()
        for imported, told in ((1, "before reversals were possible"), (0, "nothing that could be reversed")):
            SpendUpload.objects.filter(pk=upload.pk).update(imported=imported)
            self.assertContains(self.client.get(self.address(upload), follow=True), told)
            self.assertNotContains(self.client.get(self.address(upload), follow=True), "Reverse this import")

    def test_an_external_id_that_is_taken_leaves_nothing_half_reversed(self) -> None:
        upload = self.import_it(self.file("7", "8"))
        spend(self.search, 1, external_id=f"reversal:{SpendRecord.objects.earliest('pk').pk}")
        page = self.client.post(self.address(upload), follow=True)
        self.assertContains(page, "1 record of “spend.csv” can’t be reversed")
        self.assertEqual((self.total(), SpendRecord.objects.count()), (16, 3))

    def test_only_those_who_may_import_reverse(self) -> None:
        upload = self.import_it(self.file("7"))
        viewer = User.objects.create(username="viewer", is_staff=True)
        viewer.user_permissions.set(Permission.objects.filter(codename="view_spendupload"))
        self.client.force_login(viewer)
        for method in (self.client.get, self.client.post):
            self.assertEqual(method(self.address(upload)).status_code, 403)
        self.assertEqual(self.total(), 7)

    def test_the_database_guards_what_is_noted(self) -> None:
        upload = self.import_it(self.file("7"))
        for change in ({"reversed_at": timezone.now()}, {"reversed_by": "amara"}):
            with self.assertRaises(IntegrityError), transaction.atomic():
                SpendUpload.objects.filter(pk=upload.pk).update(**change)
        noted = ImportedRecords.objects.get()
        for wrong in ({"first": noted.first, "last": noted.last}, {"first": 9, "last": 8}):
            with self.assertRaises(IntegrityError), transaction.atomic():
                ImportedRecords.objects.create(upload=upload, **wrong)
