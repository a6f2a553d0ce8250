"""Correcting a spend record: the difference as a record of its own, for those who may import."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from campaigns.models import SpendRecord
from campaigns.services.intake.correction import CorrectionRefused, correct_record
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend


class CorrectionTests(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign(make_brand(name="Alpine", currency="EUR", daily_budget=100), name="Search")
        self.record = spend(self.campaign, "120.5")
        run_full_check(CHECK_BUDGETS, clock=timezone.now)
        self.address = reverse("admin:campaigns_spendrecord_correct", args=[self.record.pk])
        self.page = reverse("admin:campaigns_spendrecord_change", args=[self.record.pk])

    def post(self, amount: str, **more: str) -> Any:
        return self.client.post(self.address, {"amount": amount} | more, follow=True)

    def total(self) -> Any:
        return sum(SpendRecord.objects.values_list("amount", flat=True))

    def correct(self, record: SpendRecord, amount: str) -> None:
        correct_record(record, Decimal(amount), actor="amara", clock=timezone.now)

    def test_a_preview_then_the_difference_and_the_statuses(self) -> None:
        self.assertContains(self.client.get(self.page), f'href="{self.address}"')
        preview = self.post("20.25")
        self.assertContains(preview, "A record of -100.25 EUR is added")
        self.assertContains(preview, "campaign resumes")
        self.assertEqual(SpendRecord.objects.count(), 1)
        done = self.post("20.25", confirmed="1")
        self.assertContains(done, "counts for 20.25 EUR now. 1 campaign resumed.")
        self.assertContains(done, "-100.25 EUR, record")
        added = SpendRecord.objects.latest("pk")
        self.assertEqual((added.amount, added.timestamp), (Decimal("-100.25"), self.record.timestamp))
        self.assertEqual(added.external_id, f"correction:{self.record.pk}:1")
        other = self.client.get(reverse("admin:campaigns_spendrecord_change", args=[added.pk]))
        self.assertContains(other, f'corrects record <a class="text-link" href="{self.page}">')
        self.campaign.refresh_from_db()
        self.assertEqual(self.campaign.status, "active")

    def test_it_is_set_however_often(self) -> None:
        for amount in ("20", "30.000001", "0"):
            self.correct(self.record, amount)
            self.assertEqual(self.total(), Decimal(amount))
        with self.assertRaisesMessage(CorrectionRefused, "counts for 0.00 EUR already"):
            self.correct(self.record, "0")

    def test_it_says_what_it_refuses(self) -> None:
        self.correct(self.record, "20")
        added = SpendRecord.objects.latest("pk")
        with self.assertRaisesMessage(CorrectionRefused, "This record corrects another one."):
            self.correct(added, "1")
        for amount, told in (
            ("20", "counts for 20.00 EUR already"),
            ("1,234", "could mean 1,234 or 1.234"),
            ("x", "Enter a number"),
            ("", "required"),
            ("1.0000001", "decimal"),
            ("2000000000", "too large"),
        ):
            with self.subTest(amount):
                self.assertContains(self.post(amount, confirmed="1"), told)
        self.assertEqual(self.total(), 20)

    def test_only_those_who_may_import_correct(self) -> None:
        viewer = User.objects.create(username="viewer", is_staff=True)
        viewer.user_permissions.set(Permission.objects.filter(codename="view_spendrecord"))
        self.client.force_login(viewer)
        self.assertEqual(self.post("1", confirmed="1").status_code, 403)
        self.assertNotContains(self.client.get(self.page), self.address)
        self.assertEqual(self.total(), Decimal("120.5"))
