"""The list of imported reports, and reversing one: totals go back, later reports win, statuses follow."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from unittest.mock import patch

import time_machine
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign, CampaignLink, ReportImport, RestatedTotal, SpendRecord, SpendTotal
from campaigns.services.intake.report_reversal import reverse_report
from campaigns.services.intake.reversible import ReversalRefused
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.services.ledger import prune
from campaigns.services.ledger.prune import Pruned, prune_restated
from campaigns.services.platform_files.answers import Answers
from campaigns.services.totals.links import assign, unassign
from campaigns.tests.platform_files.test_import import ImportCase
from campaigns.tests.support.factories import make_brand, make_campaign, utc, zone_at_noon

GOOGLE = Answers(source="google_ads")
LIST = "admin:campaigns_reportimport_changelist"


class ReversalCase(ImportCase):
    def setUp(self) -> None:
        self.now = timezone.now()
        self.today = self.now.date()
        self.acme = make_brand(name="Acme", currency="USD", timezone=zone_at_noon(), daily_budget=30)
        self.display = make_campaign(self.acme, name="Display")
        self.amara = User.objects.create_user("amara", is_staff=True, is_superuser=True)
        self.client.force_login(self.amara)

    def report(self, *amounts: str, days_ago: int = 0) -> str:
        """Return a report of the amount of today and of days before it."""
        rows = [
            f"{self.today - timedelta(days=days_ago + n)},Acme,777,Display,11,USD,{amount}\n"
            for n, amount in enumerate(amounts)
        ]
        return "Day,Account,Account ID,Campaign,Campaign ID,Currency code,Cost\n" + "".join(rows)

    def take_in(self, *amounts: str, days_ago: int = 0) -> ReportImport:
        """Import a report a minute later than the one before it, and let the quick check book it."""
        self.now += timedelta(minutes=1)
        self.import_file(self.report(*amounts, days_ago=days_ago), GOOGLE)
        run_quick_check(clock=self.clock)
        return ReportImport.objects.latest("pk")

    def undo(self, report: ReportImport) -> int:
        restored, _ = reverse_report(report, actor="amara", clock=self.clock)
        return restored

    def booked(self) -> Any:
        return SpendRecord.objects.aggregate(sum=Sum("amount"))["sum"]

    def figure(self, days_ago: int = 0) -> Decimal:
        return SpendTotal.objects.get(day=self.today - timedelta(days=days_ago)).total


class ListTests(ReversalCase):
    def test_an_import_is_listed_with_its_file_days_and_money(self) -> None:
        self.take_in("10", "20.5")
        report = self.take_in("10", "21")
        self.assertEqual((report.written, report.unchanged, report.who), (1, 1, "amara"))
        page = self.client.get(reverse(LIST))
        self.assertContains(page, f"{self.today - timedelta(days=1)} to {self.today}")
        self.assertContains(page, "31.00 USD")
        self.assertContains(page, "Google Ads")
        page = self.client.get(reverse("admin:campaigns_reportimport_change", args=[report.pk]))
        self.assertContains(page, "Reverse this import")

    def test_an_import_that_changed_nothing_has_nothing_to_reverse(self) -> None:
        self.take_in("10")
        report = self.take_in("10")
        self.assertEqual((report.written, report.unchanged), (0, 1))
        page = self.client.get(reverse("admin:campaigns_reportimport_change", args=[report.pk]))
        self.assertNotContains(page, "Reverse this import")
        with self.assertRaisesMessage(ReversalRefused, "has changed no totals"):
            self.undo(report)

    def test_an_empty_list_says_what_to_do(self) -> None:
        self.assertContains(self.client.get(reverse(LIST)), "Import a report as downloaded from a platform.")


class ReversalTests(ReversalCase):
    def test_totals_and_statuses_go_back(self) -> None:
        self.take_in("10", "20")
        report = self.take_in("40", "20", "5")
        self.display.refresh_from_db()
        self.assertEqual(self.display.status, "paused")
        address = reverse("admin:campaigns_reportimport_reverse", args=[report.pk])
        preview = self.client.get(address)
        self.assertContains(preview, "<dt>totals to restore</dt><dd>2</dd>", html=True)
        self.assertContains(preview, "<dt>campaign resumes</dt><dd>1</dd>", html=True)
        self.assertContains(preview, "-30.00 USD")
        self.assertEqual((self.figure(), self.booked()), (40, 65))
        page = self.client.post(address, follow=True)
        self.assertContains(page, "2 totals restored.")
        self.assertContains(page, "Reversed by amara")
        self.assertEqual((self.figure(), self.figure(1), self.figure(2)), (10, 20, 0))
        self.assertEqual(self.booked(), 30)
        self.display.refresh_from_db()
        self.assertEqual(self.display.status, "active")
        with self.assertRaisesMessage(ReversalRefused, "is reversed already, by amara."):
            self.undo(ReportImport.objects.get(pk=report.pk))

    def test_it_is_in_the_change_history(self) -> None:
        report = self.take_in("25")
        self.undo(report)
        page = self.client.get(reverse("admin:campaigns_campaign_history", args=[self.display.pk]))
        self.assertContains(page, f"25.00 USD of report import {report.pk}")

    def test_a_large_decrease_of_a_finished_day_is_not_held(self) -> None:
        report = self.take_in("9000", days_ago=3)
        self.undo(report)
        self.assertEqual((self.figure(3), self.booked()), (0, 0))
        self.assertFalse(SpendTotal.objects.exclude(waiting=0).exists())

    def test_a_later_report_wins(self) -> None:
        report = self.take_in("10", "20")
        self.take_in("12")
        page = self.client.get(reverse("admin:campaigns_reportimport_reverse", args=[report.pk]))
        self.assertContains(page, "Left as later reports say: 1")
        self.assertEqual(self.undo(report), 1)
        self.assertEqual((self.figure(), self.figure(1), self.booked()), (12, 0, 12))

    def test_a_later_import_goes_on_from_the_figure_before_both(self) -> None:
        first = self.take_in("10")
        second = self.take_in("20")
        third = self.take_in("25")
        self.undo(second)
        self.assertEqual(self.figure(), 25)
        self.undo(third)
        self.assertEqual(self.figure(), 10)
        self.undo(first)
        self.assertEqual((self.figure(), self.booked()), (0, 0))

    def test_the_file_can_be_imported_again_and_an_older_report_cannot_come_back(self) -> None:
        self.take_in("10")
        wrong = self.take_in("400")
        moment = wrong.imported_at
        self.now += timedelta(hours=1)
        self.undo(wrong)
        # A file of the same time, downloaded before the reversal.
        self.now = moment
        self.import_file(self.report("15"), GOOGLE)
        self.assertEqual(self.figure(), 15)
        self.now = moment - timedelta(seconds=1)
        self.import_file(self.report("9"), GOOGLE)
        self.assertEqual(self.figure(), 15)

    def test_spend_that_was_never_booked(self) -> None:
        Campaign.objects.filter(pk=self.display.pk).update(name="Another")
        report = self.take_in("10")
        self.assertEqual(self.booked(), None)
        page = self.client.get(reverse("admin:campaigns_reportimport_reverse", args=[report.pk]))
        self.assertContains(page, "unassigned")
        self.undo(report)
        self.assertEqual((self.figure(), self.booked()), (0, None))

    def test_the_whole_ledger_still_agrees(self) -> None:
        report = self.take_in("10", "20")
        self.take_in("11")
        self.undo(report)
        for total in SpendTotal.objects.all():
            booked = SpendRecord.objects.filter(total_id=total.pk).aggregate(sum=Sum("amount"))["sum"]
            self.assertEqual((total.booked, total.total), (booked, booked))


class PermissionTests(ReversalCase):
    def test_somebody_who_may_only_look(self) -> None:
        report = self.take_in("10")
        boris = User.objects.create_user("boris", is_staff=True)
        boris.user_permissions.add(Permission.objects.get(codename="view_reportimport"))
        self.client.force_login(boris)
        page = self.client.get(reverse("admin:campaigns_reportimport_change", args=[report.pk]))
        self.assertNotContains(page, "Reverse this import")
        self.assertEqual(
            self.client.post(reverse("admin:campaigns_reportimport_reverse", args=[report.pk])).status_code, 403
        )
        self.assertEqual(self.figure(), 10)

    def test_people_with_assigned_brands_see_their_own_imports(self) -> None:
        self.take_in("10")
        boris = User.objects.create_user("boris", is_staff=True)
        names = ("view_reportimport", "add_spendupload", "only_assigned_brands")
        boris.user_permissions.set(Permission.objects.filter(codename__in=names))
        self.client.force_login(boris)
        self.assertNotContains(self.client.get(reverse(LIST)), "31.00")
        report = ReportImport.objects.get()
        page = self.client.get(reverse("admin:campaigns_reportimport_reverse", args=[report.pk]), follow=True)
        self.assertContains(page, "doesn’t exist, or you don’t have access")
        ReportImport.objects.update(user=boris)
        page = self.client.get(reverse("admin:campaigns_reportimport_reverse", args=[report.pk]), follow=True)
        self.assertContains(page, "no longer assigned to you")


class GuardTests(ReversalCase):
    def assert_refused(self, guard: str, **fields: Any) -> None:
        given: dict[str, Any] = {"who": "amara", "name": "a.csv", "format": "Google Ads", "source": "google_ads"}
        given |= {"imported_at": utc("2026-11-29 04:00"), "first_day": self.today, "last_day": self.today}
        with self.assertRaisesRegex(IntegrityError, guard), transaction.atomic():
            ReportImport.objects.create(**given | fields)

    def test_an_unknown_platform(self) -> None:
        self.assert_refused("report_import_source_known", source="somewhere")

    def test_reversed_by_nobody(self) -> None:
        self.assert_refused("report_import_reversed_by_somebody", reversed_at=self.now)
        self.assert_refused("report_import_reversed_by_somebody", reversed_by="amara")

    def test_an_import_and_a_user_that_are_not_there(self) -> None:
        report = self.take_in("10")
        for row in (report, RestatedTotal.objects.get()):
            setattr(row, "user_id" if row is report else "report_id", 10**9)
            with self.assertRaises(IntegrityError), transaction.atomic():
                row.save()
                connection.check_constraints()

    def test_a_total_once_in_an_import(self) -> None:
        self.take_in("10")
        row = RestatedTotal.objects.get()
        row.pk = None
        with self.assertRaisesRegex(IntegrityError, "restated_total_unique|restatedtotal.report_id"):
            row.save()


class LinkingTests(ReversalCase):
    def test_a_report_links_what_waits_and_leaves_the_days_of_an_earlier_campaign(self) -> None:
        self.take_in("5", "10")
        link, before = CampaignLink.objects.get(), make_campaign(self.acme, name="Before")
        assign({link.pk: before.pk})
        unassign([link.pk], first_day=self.today)
        run_quick_check(clock=self.clock)
        self.take_in("7", "10")
        booked = (
            SpendRecord.objects.values_list("campaign__name").annotate(sum=Sum("amount")).order_by("campaign__name")
        )
        self.assertEqual({name: spent for name, spent in booked if spent}, {"Before": 10, "Display": 7})


class PruningTests(ReversalCase):
    """manage.py prune_history takes what imports remember; the list and the totals stay."""

    def prune(self, before: datetime, **options: Any) -> int:
        return prune_restated(before=before, on_batch=lambda pruned: None, **options)

    def test_what_old_imports_remember_goes_and_they_cannot_be_reversed(self) -> None:
        old, new = self.take_in("10", "20"), self.take_in("12", "20")
        self.assertEqual(self.prune(new.imported_at, dry_run=True), 2)
        self.assertEqual(RestatedTotal.objects.count(), 3)
        self.assertEqual(self.prune(new.imported_at), 2)
        self.assertEqual(ReportImport.objects.count(), 2)
        page = self.client.get(reverse("admin:campaigns_reportimport_change", args=[old.pk]))
        self.assertNotContains(page, "Reverse this import")
        with self.assertRaisesMessage(ReversalRefused, "was pruned"):
            self.undo(old)
        self.assertEqual(self.undo(new), 1)
        self.assertEqual(self.figure(), 10)
        run_quick_check(clock=self.clock)
        self.assertEqual(self.booked(), 30)

    def test_an_import_that_was_pruned_in_part_is_not_reversed_in_part(self) -> None:
        """As after an interrupted run."""
        report = self.take_in("10", "20")
        with patch.object(prune, "BATCH", 1), self.assertRaises(KeyboardInterrupt):
            prune_restated(before=timezone.now() + timedelta(days=1), on_batch=interrupt)
        self.assertEqual(report.restated.count(), 1)
        with self.assertRaisesMessage(ReversalRefused, "was pruned"):
            self.undo(report)
        self.assertEqual(self.booked(), 30)

    def test_the_command_says_so(self) -> None:
        self.take_in("10", "20")
        printed = StringIO()
        with time_machine.travel(timezone.now() + timedelta(days=10)):
            call_command("prune_history", "--before", str(timezone.localdate()), stdout=printed)
        self.assertIn("2 restated totals of imported reports", printed.getvalue())
        self.assertFalse(RestatedTotal.objects.exists())


def interrupt(pruned: Pruned) -> None:
    raise KeyboardInterrupt
