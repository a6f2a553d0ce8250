from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone

from campaigns.models import Brand, BrandPeriod
from campaigns.services.jobs.full_check import run_full_check
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend


def address(name: str, **query: Any) -> str:
    return reverse(f"admin:campaigns_{name}_changelist", query=query or None)


class StatementTests(AdminTestCase):
    def test_statements_show_what_held_and_what_came_later(self) -> None:
        brand = make_brand(daily_budget=10)
        campaign = make_campaign(brand)
        now = timezone.now()
        spend(campaign, 12, now - timedelta(days=1))
        run_full_check("check_budgets", clock=timezone.now)
        Brand.objects.update(daily_budget=99)
        spend(campaign, -1, now - timedelta(days=1))
        run_full_check("check_budgets", clock=timezone.now)
        day = BrandPeriod.objects.get(kind="day", closed_at__isnull=False, spend=11)
        for page in (
            self.client.get(address("brandperiod", brand__id__exact=brand.pk, kind__exact="day")),
            self.client.get(reverse("admin:campaigns_brand_change", args=[brand.pk])),
        ):
            self.assertContains(page, str(day.starts_on))
            self.assertContains(page, "11.00")
            self.assertContains(page, '<span class="campaigns-over">1.00</span>')
            self.assertContains(page, "-1.00")

    def test_the_current_day_counts_what_is_not_yet_folded(self) -> None:
        brand = make_brand()
        campaign = make_campaign(brand)
        spend(campaign, 1)
        run_full_check("check_budgets", clock=timezone.now)
        spend(campaign, Decimal("6.25"))
        self.assertContains(self.client.get(address("brandperiod")), "7.25")

    def test_a_brand_without_periods_shows_its_current_day(self) -> None:
        brand = make_brand(daily_budget=7)
        spend(make_campaign(brand), 3)
        page = self.client.get(reverse("admin:campaigns_brand_change", args=[brand.pk]))
        self.assertContains(page, f"{timezone.now():%Y-%m-%d}")
        self.assertContains(page, '<td class="campaigns-number">3.00</td>', html=True)

    def test_it_filters_by_status(self) -> None:
        campaign, now = make_campaign(), timezone.now()
        for at in (now, now - timedelta(days=1)):
            spend(campaign, 1, at)
        run_full_check("check_budgets", clock=timezone.now)
        today, yesterday = now.date(), now.date() - timedelta(days=1)
        for status, found in {"open": {today}, "final": {yesterday}, "nonsense": {today, yesterday}}.items():
            page = self.client.get(address("brandperiod", kind__exact="day", status=status))
            self.assertEqual({row.starts_on for row in page.context["cl"].result_list}, found, status)

    def test_the_choices_are_open_and_final(self) -> None:
        page = self.client.get(address("brandperiod", status="final"))
        self.assertContains(page, '<option value="open">Open</option>', html=True)
        self.assertContains(page, '<option value="final" selected>Final</option>', html=True)
        self.assertContains(page, "status: Final")
        self.assertNotContains(page, "Not empty")
