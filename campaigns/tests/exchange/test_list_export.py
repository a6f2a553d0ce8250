"""Statements, spend records and status changes as files: what the list shows, as real numbers and dates."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from openpyxl.reader.excel import load_workbook

from campaigns.admin.exchange import list_export
from campaigns.models import BrandPeriod, SpendRecord, StatusChange
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.tests.admin.test_access import make_brand_manager
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend

LISTS = (BrandPeriod, SpendRecord, StatusChange)


class ListExportTests(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="=Alpine", currency="EUR", timezone="Asia/Tokyo", daily_budget=100)
        self.campaign = make_campaign(self.brand, name="Search")
        spend(self.campaign, "120.000001", external_id="a-1")
        run_full_check(CHECK_BUDGETS, clock=timezone.now)

    def address(self, model: Any, extension: str, **query: Any) -> str:
        name = f"admin:campaigns_{model._meta.model_name}_export"
        return reverse(name, args=[extension], query=query or None)

    def rows(self, model: Any, **query: Any) -> list[dict[str, str]]:
        answer = self.client.get(self.address(model, "csv", **query))
        self.assertEqual(answer.status_code, 200)
        return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))

    def test_statements(self) -> None:
        day = next(row for row in self.rows(BrandPeriod) if row["kind"] == "day")
        self.assertEqual(
            (Decimal(day["spend"]), Decimal(day["overspend"])), (Decimal("120.000001"), Decimal("20.000001"))
        )
        self.assertEqual((day["brand"], day["status"], day["currency"]), ("'=Alpine", "open", "EUR"))
        self.assertEqual(len(self.rows(BrandPeriod, kind__exact="month")), 1)

    def test_spend_records(self) -> None:
        (row,) = self.rows(SpendRecord)
        self.assertEqual((row["external id"], Decimal(row["amount"])), ("a-1", Decimal("120.000001")))
        self.assertTrue(row["spent"].endswith(" JST"), row["spent"])

    def test_status_changes(self) -> None:
        (row,) = self.rows(StatusChange)
        self.assertEqual((row["before"], row["by"]), ("active", "Check budgets (job)"))
        self.assertEqual(row["after"], "brand's daily budget reached")
        self.assertEqual(Decimal(row["brand's daily budget: limit"]), 100)

    def test_a_workbook_has_dates_and_numbers(self) -> None:
        answer = self.client.get(self.address(BrandPeriod, "xlsx", kind__exact="day"))
        values: Any = list(load_workbook(io.BytesIO(answer.content)).worksheets[0].values)
        self.assertIsInstance(values[1][2].date(), date)
        self.assertEqual(values[1][3], 120.000001)

    def test_each_list_has_the_buttons_with_its_filters(self) -> None:
        for model in LISTS:
            listed = reverse(f"admin:campaigns_{model._meta.model_name}_changelist")
            page = self.client.get(listed)
            for extension in ("csv", "xlsx"):
                self.assertContains(page, f'href="{self.address(model, extension)}"')

    def test_too_many_rows_are_refused_with_a_sentence(self) -> None:
        with patch.object(list_export, "MAX_ROWS", 1):
            answer = self.client.get(self.address(BrandPeriod, "csv"), follow=True)
        self.assertContains(answer, "The list has more than 1 rows. Narrow it by search or filters")

    def test_others_rows_and_pages_stay_closed(self) -> None:
        self.client.force_login(make_brand_manager(make_brand(name="Boreal")))
        self.assertEqual([self.rows(model) for model in LISTS], [[], [], []])
        self.client.force_login(User.objects.create(username="nobody", is_staff=True))
        for model in LISTS:
            self.assertEqual(self.client.get(self.address(model, "csv")).status_code, 403)
