"""What the preview of a report says about statuses and budgets, before anything is saved."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from campaigns.models import Campaign, ReportImport, SpendRecord, SpendTotal
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.services.platform_files import effects
from campaigns.tests.platform_files.test_wizard import WizardCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend, zone_at_noon


def report(*rows: tuple[date, str, str, str]) -> str:
    lines = [f"{day},{account},{campaign},USD,{cost}\n" for day, account, campaign, cost in rows]
    return "Day,Account,Campaign,Currency code,Cost\n" + "".join(lines)


class StatusPreviewTests(WizardCase):
    def setUp(self) -> None:
        super().setUp()
        self.acme.daily_budget, self.acme.timezone = 100, zone_at_noon()
        self.acme.save()
        self.search = make_campaign(self.acme, name="Search")
        self.today = timezone.now().date()

    def preview(self, *rows: tuple[date, str, str, str], **answers: str) -> Any:
        page = self.upload(report(*rows))
        if "source" in page.context["form"].questions:
            page = self.post(page, source="google_ads")
        return self.post(page, **answers) if answers else page

    def test_campaigns_that_pause_and_budgets_that_are_reached(self) -> None:
        make_campaign(self.acme, name="Display")
        page = self.preview((self.today, "Acme", "Search", "120.5"), unlinked="link")
        self.assertContains(page, "<dt>campaigns pause</dt><dd>2</dd>", html=True)
        self.assertContains(page, "<dt>brand reaches a budget</dt><dd>1</dd>", html=True)
        self.assertContains(page, "Acme reaches its daily budget: 120.50 of 100.00 USD today.")
        self.assertContains(page, "Status changes: 2")
        for model in (SpendTotal, SpendRecord, ReportImport):
            self.assertFalse(model.objects.exists())
        self.assertEqual(set(Campaign.objects.values_list("status", flat=True)), {"active"})
        # What the preview said happens.
        self.post(page, **{"import": ""})
        run_quick_check(clock=timezone.now)
        self.assertEqual(set(Campaign.objects.values_list("status", flat=True)), {"paused"})
        self.assertEqual(ReportImport.objects.get().user, self.amara)

    def test_two_brands(self) -> None:
        make_campaign(
            make_brand(name="Brook", currency="USD", timezone=zone_at_noon(), monthly_budget=5), name="Search"
        )
        page = self.preview((self.today, "Acme", "Search", "100"), (self.today, "Brook", "Search", "7"))
        self.assertContains(page, "<dt>brands reach a budget</dt><dd>2</dd>", html=True)
        self.assertContains(page, "Brook reaches its monthly budget: 7.00 of 5.00 USD this month.")

    def test_a_campaign_that_the_import_creates_and_that_pauses_at_once(self) -> None:
        page = self.preview((self.today, "Acme", "New one", "200"), unlinked="create")
        self.assertContains(page, "new campaign in Acme")
        self.assertContains(page, "<dt>campaigns pause</dt><dd>2</dd>", html=True)
        self.assertEqual(Campaign.objects.count(), 1)

    def test_nothing_changes_below_the_budget_or_without_a_link(self) -> None:
        page = self.preview((self.today, "Acme", "Search", "99.99"))
        self.assertContains(page, "No campaign changes its status.")
        page = self.preview((self.today, "Acme", "Search", "500"), unlinked="leave")
        self.assertContains(page, "The spend stays unassigned, and pauses nothing")
        self.assertNotContains(page, "Status changes:")

    def test_days_of_earlier_months_do_not_count(self) -> None:
        page = self.preview((self.today - timedelta(days=70), "Acme", "Search", "500"))
        self.assertContains(page, "No campaign changes its status.")

    def test_a_decrease_is_said(self) -> None:
        page = self.preview((self.today - timedelta(days=1), "Acme", "Search", "50"))
        self.post(page, **{"import": ""})
        run_quick_check(clock=timezone.now)
        page = self.preview((self.today - timedelta(days=1), "Acme", "Search", "10"))
        self.assertContains(page, "1 total falls below what is booked.")

    def test_campaigns_that_have_records_of_another_sender_may_count_twice(self) -> None:
        sentence = "“Search” already has spend records of another sender."
        spend(self.search, 5, timezone.now() - timedelta(days=70))
        self.assertNotContains(self.preview((self.today, "Acme", "Search", "1")), sentence)
        spend(self.search, 5)
        page = self.preview((self.today, "Acme", "Search", "1"))
        self.assertContains(page, sentence)
        self.assertNotContains(self.preview((self.today, "Acme", "Other", "1"), unlinked="create"), sentence)
        # What a report has booked is no other sender's.
        SpendRecord.objects.all().delete()
        self.post(page, **{"import": ""})
        run_quick_check(clock=timezone.now)
        self.assertNotContains(self.preview((self.today, "Acme", "Search", "2")), sentence)

    def test_a_report_that_is_too_large(self) -> None:
        most, effects.MOST_TOTALS = effects.MOST_TOTALS, 1
        try:
            page = self.preview((self.today, "Acme", "Search", "1"), (self.today, "Acme", "Display", "1"))
        finally:
            effects.MOST_TOTALS = most
        self.assertContains(page, "have no preview of statuses.")
