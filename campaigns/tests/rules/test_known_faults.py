"""What comparable systems get wrong: a test for each of the fourteen."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import time_machine
from django.db import connection
from django.test import TestCase
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from campaigns.models import Brand, Campaign, PendingSpend, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement import enforce as enforcement
from campaigns.services.jobs.periodic_tasks import ensure_periodic_tasks
from campaigns.tasks import (
    check_budgets,
    deliver,
    quick_check,
    reset_daily_spend,
    reset_monthly_spend,
    send_alerts,
)
from campaigns.tests.support.browser import AdminTestCase, confirm, open_form
from campaigns.tests.support.checking import (
    ACTIVE,
    Spent,
    brand_spent,
    campaign_spent,
    check_at,
    enforce_at,
    history,
    reasons_at,
    reasons_of,
)
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend, utc
from campaigns.tests.support.outside import OutsideTestCase, open_client, utc_text

NOON = "2026-11-20 12:00"  # a Friday
FRIDAY = 1 << 4


class Fault01AddingACampaignEndsInAServerError(AdminTestCase):
    def test_it_adds_an_active_campaign(self) -> None:
        address = reverse("admin:campaigns_campaign_add")
        form = open_form(self.client, address, "campaign_form") | {"brand": str(make_brand().pk), "name": "Search"}
        self.assertEqual(self.client.post(address, form).status_code, 302)
        self.assertEqual(Campaign.objects.get().status, "active")


class Fault02APausedCampaignIsActiveAgain(AdminTestCase):
    """A campaign that staff paused stays paused: after the reset, after dayparting, after an action of the admin."""

    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign(make_brand(daily_budget=10), enabled=False)
        make_window(self.campaign, FRIDAY, "12:00", "13:00")
        check_at("2026-11-19 12:00")

    def assert_still_paused(self) -> None:
        self.campaign.refresh_from_db()
        self.assertEqual((self.campaign.enabled, self.campaign.status), (False, "paused"))

    def test_it_stays_paused_after_the_resets(self) -> None:
        for job in (reset_daily_spend, reset_monthly_spend):
            with time_machine.travel(utc("2026-12-01 00:00"), tick=False):
                job()
            self.assert_still_paused()

    def test_it_stays_paused_when_its_window_opens(self) -> None:
        self.assertEqual(reasons_at(self.campaign, NOON), PauseReason.CAMPAIGN_DISABLED)
        self.assert_still_paused()

    def test_it_stays_paused_when_its_brand_is_switched_off_and_on(self) -> None:
        address = reverse("admin:campaigns_brand_changelist")
        for action, done in (("switch_off", "Paused 1 brand"), ("switch_on", "Resumed 1 brand")):
            chosen = {"action": action, "_selected_action": [self.campaign.brand_id]}
            self.assertContains(confirm(self.client, self.client.post(address, chosen)), done)
            self.assert_still_paused()


class Fault03ACampaignPausedByABudgetNeverComesBack(TestCase):
    """Neither its status nor a schedule decides whether the new day looks at it."""

    def test_it_comes_back_with_and_without_a_schedule(self) -> None:
        brand = make_brand(daily_budget=10)
        plain, scheduled = make_campaign(brand), make_campaign(brand)
        make_window(scheduled)
        spend(plain, 10, NOON)
        for at, reasons in ((NOON, PauseReason.BRAND_DAILY_BUDGET), ("2026-11-21 00:00", ACTIVE)):
            enforce_at(at)
            self.assertEqual((reasons_of(plain), reasons_of(scheduled)), (reasons, reasons))


class Fault04ARowFromOutsideIsNeverSeen(OutsideTestCase):
    def test_it_counts_a_row_that_was_inserted_by_plain_sql(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=10))
        self.insert_spend(campaign, "10", timestamp=utc_text("2026-11-20 11:00:00"))
        self.assertEqual(campaign_spent(campaign, NOON), 10)
        self.assertEqual(reasons_at(campaign, NOON), PauseReason.BRAND_DAILY_BUDGET)

    def test_it_counts_rows_that_were_changed_and_deleted_by_plain_sql(self) -> None:
        campaign = make_campaign()
        self.insert_spend(campaign, "10", timestamp=utc_text("2026-11-20 11:00:00"))
        self.run_sql("UPDATE campaigns_spendrecord SET amount = 7")
        self.assertEqual(campaign_spent(campaign, NOON), 7)
        self.run_sql("DELETE FROM campaigns_spendrecord")
        self.assertEqual(campaign_spent(campaign, NOON), 0)


class Fault05AnotherDaysSpendCountsToday(TestCase):
    def test_it_leaves_yesterday_out_of_today(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=10))
        spend(campaign, 10, "2026-11-19 12:00")
        self.assertEqual(reasons_at(campaign, NOON), ACTIVE)

    def test_it_leaves_the_same_day_of_other_months_and_years_out_of_today(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=10, monthly_budget=10))
        for at in ("2026-10-20 12:00", "2026-12-20 12:00", "2025-11-20 12:00", "2027-11-20 12:00"):
            spend(campaign, 10, at)
        self.assertEqual(brand_spent(campaign.brand, NOON), Spent(Decimal(0), Decimal(0)))
        self.assertEqual(reasons_at(campaign, NOON), ACTIVE)


class Fault06TheMonthlyBudgetIsNeverChecked(TestCase):
    def test_it_pauses_at_the_monthly_budget(self) -> None:
        campaign = make_campaign(make_brand(monthly_budget=1000))
        for day in range(1, 11):
            spend(campaign, 100, f"2026-11-{day:02} 12:00")
        self.assertEqual(reasons_at(campaign, NOON), PauseReason.BRAND_MONTHLY_BUDGET)

    def test_it_keeps_spend_above_the_budget_as_it_is(self) -> None:
        campaign = make_campaign(make_brand(monthly_budget=1000))
        spend(campaign, 900, "2026-11-01 12:00")
        check_at(NOON)
        spend(campaign, 180, NOON)
        check_at(NOON)
        self.assertEqual(brand_spent(campaign.brand, NOON), Spent(Decimal(180), Decimal(1080)))


class Fault07EachCampaignIsComparedAlone(TestCase):
    def test_it_compares_the_sum_of_three_campaigns_of_60_with_a_budget_of_100(self) -> None:
        brand = make_brand(daily_budget=100)
        campaigns = [make_campaign(brand) for _ in range(3)]
        for campaign in campaigns:
            spend(campaign, 60, NOON)
        enforce_at(NOON)
        self.assertEqual({reasons_of(campaign) for campaign in campaigns}, {PauseReason.BRAND_DAILY_BUDGET})
        self.assertEqual(brand_spent(brand, NOON).day, 180)


class Fault08SpendOfAPausedCampaignIsRefused(OutsideTestCase):
    def test_it_counts_spend_of_a_paused_campaign(self) -> None:
        campaign = make_campaign(enabled=False)
        self.assertEqual(reasons_at(campaign, NOON), PauseReason.CAMPAIGN_DISABLED)
        self.insert_spend(campaign, "3", timestamp=utc_text("2026-11-20 11:00:00"))
        self.assertEqual(campaign_spent(campaign, NOON), 3)


class Fault09AWindowPastMidnightIsRefusedOrClosed(TestCase):
    def test_it_is_open_on_saturday_at_half_past_one(self) -> None:
        campaign = make_campaign()
        make_window(campaign, FRIDAY, "22:00", "02:00").full_clean()
        self.assertEqual(reasons_at(campaign, "2026-11-21 01:30"), ACTIVE)
        self.assertEqual(reasons_at(campaign, "2026-11-20 01:30"), PauseReason.OUTSIDE_SCHEDULE)

    def test_it_holds_seven_days(self) -> None:
        campaign = make_campaign()
        window = make_window(campaign, 127, "09:00", "10:00")
        window.full_clean()
        window.refresh_from_db()
        self.assertEqual(window.days_of_week, 127)
        for day in range(16, 23):
            self.assertEqual(reasons_at(campaign, f"2026-11-{day} 09:00"), ACTIVE)


class Fault10AStaleRowBringsBackYesterdaysCounter(AdminTestCase):
    """A row read before the reset and saved after it."""

    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign(make_brand(daily_budget=10), name="Search")
        spend(self.campaign, 10, NOON)
        check_at(NOON)

    def test_it_has_no_counter_to_bring_back(self) -> None:
        stale = Brand.objects.get()
        check_at("2026-11-21 00:00")
        stale.save()
        self.assertEqual(brand_spent(stale, "2026-11-21 00:05"), Spent(Decimal(0), Decimal(10)))
        self.assertEqual(reasons_at(self.campaign, "2026-11-21 00:05"), ACTIVE)

    def test_it_puts_right_a_stale_status_at_the_next_check(self) -> None:
        stale = Campaign.objects.get()
        check_at("2026-11-21 00:00")
        stale.save()
        self.assertEqual(reasons_at(self.campaign, "2026-11-21 00:05"), ACTIVE)

    def test_it_saves_a_form_that_was_opened_before_midnight(self) -> None:
        address = reverse("admin:campaigns_campaign_change", args=[self.campaign.pk])
        with time_machine.travel(utc("2026-11-20 23:59"), tick=False):
            form = open_form(self.client, address, "campaign_form")
            check_budgets()
        with time_machine.travel(utc("2026-11-21 00:01"), tick=False):
            check_budgets()
            self.assertEqual(self.client.post(address, form | {"name": "Find"}).status_code, 302)
        self.assertEqual((Campaign.objects.get().name, reasons_of(self.campaign)), ("Find", ACTIVE))
        self.assertEqual(campaign_spent(self.campaign, "2026-11-21 00:01"), 0)


class Fault11AMissedMidnightIsNeverCaughtUp(TestCase):
    def test_it_is_caught_up_by_the_next_check_alone(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=10, monthly_budget=10))
        spend(campaign, 10, "2026-10-31 12:00")
        check_at("2026-10-31 12:05")
        with time_machine.travel(utc("2026-11-01 03:05"), tick=False):
            check_budgets()
        self.assertEqual(reasons_of(campaign), ACTIVE)

    def test_it_fires_at_midnight_and_on_the_first_not_at_intervals(self) -> None:
        ensure_periodic_tasks("default")
        for name, cron in (
            ("check_budgets", ("*/5", "*", "*", "*", "*")),
            ("reset_daily_spend", ("0", "0", "*", "*", "*")),
            ("reset_monthly_spend", ("0", "0", "1", "*", "*")),
        ):
            task = PeriodicTask.objects.get(task=f"campaigns.tasks.{name}")
            crontab: Any = task.crontab
            fields = (crontab.minute, crontab.hour, crontab.day_of_month, crontab.month_of_year, crontab.day_of_week)
            self.assertEqual((fields, task.interval, task.enabled), (cron, None, True))


class Fault12SpendOfSeveralThreadsIsLost(OutsideTestCase):
    def test_it_counts_200_units_of_4_threads_as_200(self) -> None:
        brand = make_brand(daily_budget=200)
        campaigns = [make_campaign(brand), make_campaign(brand)]
        threads = [threading.Thread(target=self.spend_50, args=[campaigns]) for _ in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            check_at(NOON)
        for thread in threads:
            thread.join()
        check_at(NOON)
        self.assertEqual([campaign_spent(campaign, NOON) for campaign in campaigns], [100, 100])
        self.assertEqual((brand_spent(brand, NOON).day, PendingSpend.objects.count()), (200, 0))
        self.assertEqual(reasons_of(campaigns[0]), PauseReason.BRAND_DAILY_BUDGET)

    def spend_50(self, campaigns: list[Campaign]) -> None:
        """Insert 25 rows of 1 into each campaign over a connection of this thread's own."""
        client: Any = open_client()
        place = "?" if connection.vendor == "sqlite" else "%s"
        columns = "brand_id, campaign_id, amount, timestamp"
        sql = f"INSERT INTO campaigns_spendrecord ({columns}) VALUES ({place}, {place}, 1, {place})"
        for number in range(50):
            campaign = campaigns[number % 2]
            client.execute(sql, (campaign.brand_id, campaign.pk, utc_text("2026-11-20 11:00:00")))
        client.close()


class Fault13ALoopOverSlicesLeavesHalfOverBudget(TestCase):
    def test_it_pauses_all_of_1000_campaigns_in_many_batches(self) -> None:
        for _ in range(40):
            brand = make_brand(daily_budget=0)
            Campaign.objects.bulk_create(Campaign(brand=brand, name=str(number)) for number in range(25))
        with patch.object(enforcement, "BATCH_CAMPAIGNS", 100):
            self.assertEqual(enforce_at(NOON).paused, 1000)
        self.assertEqual(Campaign.objects.filter(status="active").count(), 0)
        self.assertEqual(StatusChange.objects.count(), 1000)


class Fault14NothingIsWrittenAndAJobIsLeftOut(TestCase):
    def test_it_writes_the_history(self) -> None:
        campaign = make_campaign(ends_on=date(2026, 11, 20))
        check_at(NOON)
        check_at("2026-11-21 00:00")
        self.assertEqual(history(campaign), [(ACTIVE, PauseReason.ENDED)])

    def test_it_schedules_all_jobs(self) -> None:
        ensure_periodic_tasks("default")
        ours = PeriodicTask.objects.filter(task__startswith="campaigns.tasks.", enabled=True)
        jobs = {check_budgets.name, reset_daily_spend.name, reset_monthly_spend.name, quick_check.name}
        others = {send_alerts.name, deliver.name}
        self.assertEqual(set(ours.values_list("task", flat=True)), jobs | others)

    def test_it_gets_beyond_the_first_row_of_dayparting(self) -> None:
        campaigns = [make_campaign() for _ in range(5)]
        for campaign in campaigns:
            make_window(campaign, FRIDAY, "22:00", "02:00")
            make_window(campaign)
        with time_machine.travel(utc(NOON), tick=False):
            check_budgets()
        self.assertEqual({reasons_of(campaign) for campaign in campaigns}, {ACTIVE})
