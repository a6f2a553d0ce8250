"""R5: people decide, the system computes: no job writes a switch, a budget or a schedule."""

from __future__ import annotations

from datetime import date
from typing import Any

import time_machine
from django.db import DatabaseError, transaction
from django.test import TestCase

from campaigns.models import Brand, Campaign, DaypartingSchedule, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.tasks import check_budgets, reset_daily_spend, reset_monthly_spend
from campaigns.tests.support.checking import check_at, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend, utc

JOBS = (check_budgets, reset_daily_spend, reset_monthly_spend)
INSTANTS = ("2026-11-20 12:00", "2026-11-21 00:00", "2026-11-30 23:59", "2026-12-01 00:00")
COMPUTED = {"pause_reasons", "status", "next_change_minute"}


def decided_by_people() -> list[list[dict[str, Any]]]:
    """Return every column of brands, campaigns and windows that isn't computed."""
    return [
        [
            {name: value for name, value in row.items() if name not in COMPUTED}
            for row in model._base_manager.order_by("pk").values()
        ]
        for model in (Brand, Campaign, DaypartingSchedule)
    ]


def make_one_of_each() -> None:
    """Make campaigns that every rule has something to say about."""
    brand = make_brand(daily_budget=10, monthly_budget=25, timezone="America/New_York")
    spender = make_campaign(brand, daily_spend_limit=5)
    make_campaign(brand, enabled=False)
    make_campaign(brand, starts_on=date(2026, 11, 21), ends_on=date(2026, 11, 21))
    make_window(make_campaign(brand), days=1 << 4, start="22:00", end="02:00")
    make_campaign(make_brand(enabled=False, daily_budget=0))
    for at in ("2026-11-20 11:00", "2026-11-21 11:00", "2026-12-01 11:00"):
        spend(spender, 12, at)


class NoJobWritesWhatPeopleDecide(TestCase):
    """R5."""

    def test_it_writes_no_switch_budget_or_schedule(self) -> None:
        make_one_of_each()
        before = decided_by_people()
        for at in INSTANTS:
            for job in JOBS:
                with self.subTest(at=at, job=job.name), time_machine.travel(utc(at), tick=False):
                    job()
                    self.assertEqual(decided_by_people(), before)
        self.assertGreater(StatusChange.objects.count(), 5)

    def test_it_never_switches_on_a_campaign_that_staff_switched_off(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=10), enabled=False)
        spend(campaign, 10, "2026-11-20 11:00")
        for at in INSTANTS:
            check_at(at)
            campaign.refresh_from_db()
            self.assertFalse(campaign.enabled)
            self.assertIn(PauseReason.CAMPAIGN_DISABLED, campaign.reasons)

    def test_it_never_switches_off_what_it_pauses(self) -> None:
        campaign = make_campaign(daily_spend_limit=10)
        spend(campaign, 10, "2026-11-20 11:00")
        check_at("2026-11-20 12:00")
        campaign.refresh_from_db()
        self.assertEqual((campaign.status, campaign.enabled), ("paused", True))


class TheSystemComputesTheStatus(TestCase):
    """R5: nobody edits a status; a status written by SQL is corrected."""

    def test_it_is_no_field_of_any_form(self) -> None:
        for name in ("pause_reasons", "status"):
            self.assertFalse(Campaign._meta.get_field(name).editable, name)

    def test_it_is_not_brought_back_by_saving_a_row_that_was_read_before(self) -> None:
        campaign = make_campaign(daily_spend_limit=10)
        stale = Campaign.objects.get(pk=campaign.pk)
        spend(campaign, 10, "2026-11-20 11:00")
        check_at("2026-11-20 12:00")
        stale.name = "Renamed"
        stale.save()
        self.assertEqual(reasons_of(campaign), PauseReason.CAMPAIGN_DAILY_LIMIT)
        self.assertEqual(Campaign.objects.get(pk=campaign.pk).name, "Renamed")

    def test_it_makes_no_row_anew_that_is_gone(self) -> None:
        campaign = make_campaign()
        Campaign.objects.all().delete()
        with self.assertRaises(DatabaseError), transaction.atomic():
            campaign.save()
        self.assertFalse(Campaign.objects.exists())

    def test_it_puts_right_what_was_written_by_hand(self) -> None:
        paused, active = make_campaign(), make_campaign(enabled=False)
        Campaign.objects.filter(pk=paused.pk).update(pause_reasons=int(PauseReason.BRAND_MONTHLY_BUDGET))
        check_at("2026-11-20 12:00")
        self.assertEqual((reasons_of(paused), reasons_of(active)), (PauseReason(0), PauseReason.CAMPAIGN_DISABLED))
