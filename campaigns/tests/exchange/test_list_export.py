"""The lists of statements, status history and spend records as files: what is filtered, with numbers and times."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import time_machine
from django.contrib.auth.models import User
from django.db import models
from openpyxl.reader.excel import load_workbook

from campaigns.admin.exchange import list_export
from campaigns.models import BrandPeriod, SpendRecord, StatusChange
from campaigns.services.jobs.full_check import run_full_check
from campaigns.tests.admin.test_access import make_brand_manager
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend
from campaigns.tests.support.pages import page

LISTS: tuple[type[models.Model], ...] = (SpendRecord, StatusChange, BrandPeriod)


def address(model: type[models.Model], form: str = "csv", **query: Any) -> str:
    return f"{page(model, 'export', form)}{f'?{urlencode(query)}' if query else ''}"


@time_machine.travel(datetime(2026, 3, 11, 15, 0, tzinfo=UTC), tick=False)
class ListExportTests(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="Alpine", currency="USD", timezone="America/New_York", daily_budget=100)
        self.search = make_campaign(self.brand, name="=Search")
        self.other = make_campaign(make_brand(name="Boreal", currency="EUR"), name="Social")
        spend(self.search, "120.000001", "2026-03-11 04:30:09", "=id")
        spend(self.search, "-3", "2026-03-09 12:00")
        spend(self.other, 5, "2026-03-10 12:00")
        run_full_check("check_budgets", clock=lambda: datetime.now(UTC))

    def file(self, model: type[models.Model], form: str, **query: Any) -> bytes:
        answer = self.client.get(address(model, form, **query))
        self.assertEqual(answer.status_code, 200)
        self.assertIn("attachment", answer["Content-Disposition"])
        return bytes(answer.content)

    def workbook(self, model: type[models.Model], **query: Any) -> list[dict[str, Any]]:
        head, *rows = load_workbook(io.BytesIO(self.file(model, "xlsx", **query))).worksheets[0].values
        return [dict(zip(map(str, head), row, strict=True)) for row in rows]

    def lines(self, model: type[models.Model], **query: Any) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.file(model, "csv", **query).decode("utf-8-sig"))))

    def test_history_is_exported_of_one_brand(self) -> None:
        self.search.enabled = self.other.enabled = False
        self.search.save()
        self.other.save()
        run_full_check("check_budgets", clock=lambda: datetime.now(UTC))
        shown = self.lines(StatusChange, campaign__brand__id__exact=self.other.brand_id)
        self.assertEqual({(row["brand"], row["campaign"]) for row in shown}, {("Boreal", "Social")})

    def test_records_have_numbers_and_times_in_named_zones(self) -> None:
        _, credit, row = self.workbook(SpendRecord)
        self.assertEqual((row["brand"], row["campaign"], row["external id"]), ("Alpine", "=Search", "=id"))
        self.assertEqual((row["amount"], row["currency"], credit["amount"]), (120.000001, "USD", -3))
        self.assertEqual(str(row["spent (UTC)"]), "2026-03-11 04:30:09")
        self.assertEqual(str(row["spent (brand time)"]), "2026-03-11 00:30:09")
        self.assertEqual(row["brand time zone"], "America/New_York")
        line = self.lines(SpendRecord)[2]
        self.assertEqual((line["campaign"], line["external id"]), ("'=Search", "'=id"))
        self.assertEqual((Decimal(line["amount"]), line["spent (UTC)"]), (Decimal("120.000001"), "2026-03-11 04:30:09"))

    def test_only_what_is_filtered_is_exported(self) -> None:
        (row,) = self.workbook(SpendRecord, campaign__id__exact=self.other.pk)
        self.assertEqual((row["brand"], row["amount"]), ("Boreal", 5))
        (row,) = self.workbook(SpendRecord, q="=id")
        self.assertEqual(row["amount"], 120.000001)
        self.assertEqual(
            {row["brand"] for row in self.workbook(BrandPeriod, brand__id__exact=self.brand.pk)}, {"Alpine"}
        )

    def test_statements_have_the_figures_of_the_page(self) -> None:
        spend(self.search, 1, "2026-03-09 12:00")
        run_full_check("check_budgets", clock=lambda: datetime.now(UTC))
        # Not folded yet, and shown at once.
        spend(self.search, 7, "2026-03-11 12:00")
        rows = {(row["kind"], row["first day"].day): row for row in self.workbook(BrandPeriod, q="Alpine")}
        today, late = rows["day", 11], rows["day", 9]
        self.assertEqual((today["spend"], today["budget"], today["overspend"]), (127.000001, 100, 27.000001))
        self.assertEqual((today["status"], today["closed (UTC)"], today["late adjustments"]), ("open", None, None))
        self.assertEqual((late["status"], late["spend"], late["late adjustments"]), ("final", -2, 1))
        self.assertEqual(str(late["closed (UTC)"]), "2026-03-11 15:00:00")
        self.assertIsNone(rows["month", 1]["budget"])
        self.assertIsInstance(late["first day"], date)
        self.assertEqual(len(self.lines(BrandPeriod, kind__exact="month")), 2)

    def test_status_history_has_reasons_and_amounts(self) -> None:
        (row,) = self.workbook(StatusChange, campaign__id__exact=self.search.pk)
        self.assertEqual((row["campaign"], row["before"]), ("=Search", "active"))
        self.assertEqual((row["after"], row["by"]), ("brand's daily budget reached", "Check budgets (job)"))
        self.assertEqual((row["brand's daily budget: spend"], row["brand's daily budget: limit"]), (120.000001, 100))
        self.assertIsInstance(row["when (brand time)"], datetime)
        self.assertEqual(str(row["when (brand time)"]), "2026-03-11 11:00:00")

    def test_more_rows_than_a_statement_reads_keep_their_order(self) -> None:
        with patch.object(list_export, "PIECE", 2):
            self.assertEqual([row["id"] for row in self.lines(SpendRecord)], self.ids())

    def ids(self) -> list[str]:
        return [str(pk) for pk in SpendRecord.objects.order_by("-pk").values_list("pk", flat=True)]

    def test_too_many_rows_are_refused_with_a_sentence(self) -> None:
        with patch.object(list_export, "MAX_ROWS", 2):
            shown = self.client.get(address(SpendRecord), follow=True)
            self.assertContains(shown, "The list has more than 2 rows. Narrow it by search or filters")
            self.assertEqual(len(self.lines(SpendRecord, campaign__id__exact=self.search.pk)), 2)

    def test_each_list_has_the_buttons_with_its_filters(self) -> None:
        for model in LISTS:
            with self.subTest(model=model):
                shown = self.client.get(f"{page(model, 'changelist')}?q=Alpine")
                for form in ("csv", "xlsx"):
                    self.assertContains(shown, f'href="{address(model, form, q="Alpine")}"')
                self.assertEqual(self.client.get(address(model, no_such=1)).status_code, 302)
                self.assertEqual(self.client.get(address(model, "exe")).status_code, 302)

    def test_people_export_what_they_see(self) -> None:
        self.client.force_login(make_brand_manager(self.other.brand))
        for model in LISTS:
            with self.subTest(model=model):
                self.assertEqual({row["brand"] for row in self.lines(model)} - {"Boreal"}, set())
        self.client.force_login(User.objects.create(username="nobody", is_staff=True))
        for model in LISTS:
            self.assertEqual(self.client.get(address(model)).status_code, 403)

    def test_it_reads_in_few_statements(self) -> None:
        for model, queries in ((SpendRecord, 7), (StatusChange, 7), (BrandPeriod, 13)):
            with self.subTest(model=model), self.assertNumQueries(queries):
                self.file(model, "csv")
