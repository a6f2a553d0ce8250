"""The change history of brands and campaigns: settings, statuses and notes, filtered, paged and exported."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zipfile import ZipFile

from django.contrib.auth.models import Permission, User
from django.test import SimpleTestCase
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Brand, BrandAssignment, Campaign, SettingChange, StatusChange
from campaigns.services.history.actors import actor_name, is_person, job_name
from campaigns.services.history.record import ChangedRow, Channel, Source, created_row, record_changes
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.services.notes import add_note
from campaigns.tests.support.browser import AdminTestCase, open_form
from campaigns.tests.support.factories import make_brand, make_campaign, spend


class ActorNameTests(SimpleTestCase):
    def test_people_jobs_and_commands_have_one_name_each(self) -> None:
        for actor, name in (
            ("amara", "amara"),
            ("quick_check", "Quick check (job)"),
            ("import_spend", "Spend import (job)"),
            ("manage.py enforce --at 2026-11-20", "enforce --at 2026-11-20 (command)"),
        ):
            self.assertEqual((actor_name(actor), is_person(actor)), (name, actor == "amara"))
        self.assertEqual((job_name("check_budgets"), job_name("gone")), ("Check budgets", "gone"))


class ChangeHistoryTests(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="Alpine", currency="EUR", timezone="UTC", daily_budget=100)
        self.campaign = make_campaign(self.brand, name="Search")
        spend(self.campaign, 120)
        run_full_check(CHECK_BUDGETS, clock=timezone.now)

    def address(self, row: Any, **query: Any) -> str:
        return reverse(f"admin:campaigns_{row._meta.model_name}_history", args=[row.pk], query=query or None)

    def save(self, row: Brand | Campaign, **fields: Any) -> None:
        name = row._meta.model_name
        address = reverse(f"admin:campaigns_{name}_change", args=[row.pk])
        form = open_form(self.client, address, f"{name}_form") | fields
        self.assertEqual(self.client.post(address, form).status_code, 302)

    def page(self, row: Any, **query: Any) -> str:
        return self.client.get(self.address(row, **query)).content.decode()

    def exported(self, row: Any, **query: Any) -> list[list[str]]:
        answer = self.client.get(self.address(row, file="csv", **query))
        return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))[1:]

    def test_a_setting_is_shown_with_its_old_and_new_value(self) -> None:
        self.save(self.campaign, daily_spend_limit="1,250.5")
        page = self.page(self.campaign)
        self.assertIn('daily spend limit: <span class="campaigns-quiet">no limit →</span> 1,250.50 EUR', page)
        self.assertIn("amara (form)", page)
        self.assertIn("daily spend limit", self.page(self.brand))

    def test_a_command_is_named_once(self) -> None:
        rows = [ChangedRow(self.brand.pk, None, "Alpine", {"daily_budget": (None, Decimal(7))}, "EUR", "EUR")]
        record_changes(rows, Source("manage.py demo", Channel.COMMAND), at=timezone.now())
        page = self.page(self.brand)
        self.assertIn("demo (command)", page)
        self.assertNotIn("(command) (command)", page)

    def test_settings_statuses_and_notes_stand_side_by_side(self) -> None:
        add_note(self.brand, "Client asked for a break", person=self.user)
        self.save(self.brand, daily_budget="150")
        page = self.page(self.brand)
        for text in ("Client asked for a break", "150.00 EUR", "Paused", "Resumed", "Check budgets (job)"):
            self.assertIn(text, page)
        self.assertNotIn("Client asked", self.page(self.brand, kind="settings"))
        self.assertNotIn("150.00 EUR", self.page(self.brand, kind="notes"))

    def test_raising_a_budget_and_a_new_day_are_told_apart(self) -> None:
        self.save(self.brand, daily_budget="150")
        self.assertIn("brand&#x27;s daily budget raised: 120.00 of 150.00 EUR", self.page(self.campaign))
        self.save(self.brand, daily_budget="90")
        run_full_check(CHECK_BUDGETS, clock=lambda: timezone.now() + timedelta(days=1))
        told = "new day, brand&#x27;s daily budget: 0.00 of 90.00 EUR"
        self.assertIn(told, self.page(self.campaign))
        form = self.client.get(reverse("admin:campaigns_campaign_change", args=[self.campaign.pk]))
        self.assertIn(told, form.content.decode())

    def test_still_paused_is_hidden_unless_asked_for(self) -> None:
        self.save(self.campaign, daily_spend_limit="10")
        self.assertTrue(StatusChange.objects.exclude(reasons_before=0).exclude(reasons_after=0).exists())
        self.assertNotIn("Still paused", self.page(self.campaign))
        self.assertIn("Still paused", self.page(self.campaign, still="on"))
        listed = reverse("admin:campaigns_statuschange_changelist")
        self.assertEqual(len(self.client.get(listed).context["cl"].result_list), 1)
        self.assertEqual(len(self.client.get(listed, {"change": "all"}).context["cl"].result_list), 2)

    def test_a_bulk_change_is_one_line_of_the_brand(self) -> None:
        others = [make_campaign(self.brand, name=f"Social {number}") for number in range(3)]
        rows = [
            ChangedRow(self.brand.pk, each.pk, each.name, {"daily_spend_limit": (None, Decimal(7))}, "EUR", "EUR")
            for each in (self.campaign, *others)
        ]
        record_changes(rows, Source("amara", Channel.BULK), at=timezone.now())
        page = self.client.get(self.address(self.brand, kind="settings"))
        self.assertContains(page, "daily spend limit of 4 campaigns", 1)
        self.assertContains(page, "4 campaigns</td>")
        operation = SettingChange.objects.latest("pk").operation
        self.assertContains(self.client.get(self.address(self.brand, operation=operation)), "7.00 EUR", 4)
        self.assertContains(self.client.get(self.address(others[0])), "7.00 EUR", 1)
        exported = self.exported(self.brand, kind="settings")
        self.assertCountEqual([row[2] for row in exported], [each.name for each in (self.campaign, *others)])
        self.assertEqual({row[5] for row in exported}, {"7.00 EUR"})

    def test_a_brand_that_is_created_with_its_campaigns_is_not_counted_as_one(self) -> None:
        created = [
            created_row(self.brand.pk, pk, name, {}, "EUR")
            for pk, name in ((None, "Alpine"), (1001, "Winter"), (1002, "Spring"), (1003, "Summer"))
        ]
        record_changes(created, Source("amara", Channel.IMPORT), at=timezone.now())
        page = self.client.get(self.address(self.brand, kind="settings"))
        self.assertContains(page, "3 campaigns created, for example: Winter")
        self.assertContains(page, 'created: <span class="campaigns-quiet">– →</span> Alpine')

    def test_a_campaign_that_moves_has_a_line_in_each_brand_and_one_of_its_own(self) -> None:
        campaign, other = make_campaign(self.brand, name="Video"), make_brand(name="Boreal")
        self.save(campaign, brand=str(other.pk))
        for row, setting in ((self.brand, "brand"), (other, "moved from another brand"), (campaign, "brand")):
            lines = [line[3:6] for line in self.exported(row, kind="settings") if line[3] != "created"]
            self.assertEqual(lines, [[setting, self.brand.name, other.name]])

    def test_a_moved_campaign_shows_no_brand_that_the_reader_does_not_see(self) -> None:
        campaign, other = make_campaign(self.brand, name="Video"), make_brand(name="Boreal")
        self.save(campaign, brand=str(other.pk))
        self.page(campaign)  # shows the message about the save
        reader = User.objects.create(username="nadia", is_staff=True)
        codes = ("only_assigned_brands", "view_brand", "view_campaign")
        reader.user_permissions.set(Permission.objects.filter(codename__in=codes))
        self.client.force_login(reader)
        former, later = ["Alpine", "another brand"], ["another brand", "Boreal"]
        for seen, values, rows in ((self.brand, former, [self.brand]), (other, later, [other, campaign])):
            BrandAssignment.objects.filter(user=reader).delete()
            BrandAssignment.objects.create(user=reader, brand=seen)
            for row in rows:
                self.assertEqual(self.moves(row), [values])
                with ZipFile(io.BytesIO(self.client.get(self.address(row, file="xlsx")).content)) as workbook:
                    cells = b"".join(map(workbook.read, workbook.namelist())).decode()
                for text in (self.page(row), cells):
                    for name in ("Alpine", "Boreal"):
                        self.assertEqual(name in text, name in values, name)
        BrandAssignment.objects.create(user=reader, brand=self.brand)
        self.assertEqual(self.moves(campaign), [["Alpine", "Boreal"]])

    def moves(self, row: Any) -> list[list[str]]:
        return [line[4:6] for line in self.exported(row) if line[3] in ("brand", "moved from another brand")]

    def test_a_deleted_campaign_stays_in_the_history_of_its_brand(self) -> None:
        campaign = make_campaign(self.brand, name="Video")
        address = reverse("admin:campaigns_campaign_delete", args=[campaign.pk])
        self.client.post(address, {"post": "yes"})
        self.assertFalse(Campaign.objects.filter(pk=campaign.pk).exists())
        (line,) = self.exported(self.brand, kind="settings")
        self.assertEqual(line[1:], ["setting", "Video", "deleted", "Video", "–", "amara", "form"])

    def test_it_is_filtered_by_person_and_day(self) -> None:
        self.save(self.campaign, name="Search and find")
        today = timezone.now().date()
        within = {"first": today - timedelta(days=1), "last": today + timedelta(days=1)}
        self.assertIn("Search and find", self.page(self.campaign, who="AMA", kind="settings", **within))
        for query in ({"who": "zofia"}, {"first": today + timedelta(days=1)}, {"last": today - timedelta(days=1)}):
            self.assertIn("Nothing matches", self.page(self.campaign, **query))
        self.assertIn("Paused", self.page(self.campaign, who="check budgets", kind="status"))
        self.assertIn("Nothing matches", self.page(self.campaign, who="reset daily", kind="status"))
        self.assertIn("Enter a valid date", self.page(self.campaign, first="x"))

    def test_pages_go_on_where_the_last_one_ended(self) -> None:
        for number in range(120):
            add_note(self.campaign, f"note {number:03}", person=self.user)
        address, seen = self.address(self.campaign), []
        while address:
            page = self.client.get(address)
            seen += [line for line in range(120) if f"note {line:03}" in page.content.decode()]
            older = page.context["older"]
            address = f"{self.address(self.campaign)}{older}" if older else ""
        self.assertEqual(sorted(seen), list(range(120)))

    def test_it_is_exported(self) -> None:
        self.save(self.campaign, daily_spend_limit="12.5")
        answer = self.client.get(self.address(self.campaign, file="csv", kind="settings"))
        self.assertTrue(answer.content.decode("utf-8-sig").startswith('"when (UTC)"'))
        row = next(row for row in self.exported(self.campaign, kind="settings") if row[3] == "daily spend limit")
        self.assertEqual(row[2:], ["Search", "daily spend limit", "no limit", "12.50 EUR", "amara", "form"])
        self.assertEqual(self.client.get(self.address(self.brand, file="xlsx")).status_code, 200)

    def test_without_the_permission_no_status_is_shown(self) -> None:
        viewer = User.objects.create(username="viewer", is_staff=True)
        viewer.user_permissions.set(Permission.objects.filter(codename__in=("view_brand", "view_campaign")))
        self.client.force_login(viewer)
        self.assertNotIn("Check budgets", self.page(self.campaign))
        self.assertNotIn("Check budgets", self.page(self.brand))

    def test_a_zone_that_is_unknown_shows_utc(self) -> None:
        Brand.objects.filter(pk=self.brand.pk).update(timezone="Mars/Olympus", daily_budget=Decimal(1))
        self.assertIn("Times and days in UTC", self.page(self.brand, first="2026-03-10"))
