"""The home page: what it counts agrees with the lists that it leads to, for everybody, at any size."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import time_machine
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import Brand, BrandAssignment, Campaign, JobRun, PendingSpend, SpendRecord, StatusChange
from campaigns.services import recent_changes as lately
from campaigns.services.insight import home as overview
from campaigns.services.insight.home import brands_now
from campaigns.services.insight.risk import Risk
from campaigns.services.jobs.full_check import run_full_check
from campaigns.services.jobs.processes import note_heartbeat
from campaigns.services.recent_changes import latest_changes, recent_changes
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, make_profile, spend, utc

# Half of the day, and 49 of 60 half-days of the month, have passed in UTC.
NOW = utc("2026-11-25 12:00")


class HomeTestCase(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        traveller = time_machine.travel(NOW, tick=False)
        traveller.start()
        self.addCleanup(traveller.stop)

    def home(self) -> Any:
        response = self.client.get(reverse("admin:index"))
        self.assertEqual(response.status_code, 200)
        return response

    def spending(self, today: str | int = 0, before: str | int = 0, **fields: Any) -> Brand:
        """Make a brand with a campaign that has spent so much today and so much on the first days of the month."""
        brand = make_brand(**fields)
        campaign = make_campaign(brand)
        for amount, at in ((today, NOW - timedelta(hours=1)), (before, utc("2026-11-02 10:00"))):
            if Decimal(amount):
                spend(campaign, amount, at)
        return brand

    def check(self) -> None:
        run_full_check("check_budgets", clock=lambda: NOW)


class LinkTests(HomeTestCase):
    def test_every_number_is_that_of_the_list_behind_it(self) -> None:
        self.spending(100, 40, name="reached", daily_budget=100, currency="EUR")
        make_profile(self.spending(90, 0, name="fast", daily_budget=100, monthly_budget=100), NOW.date(), 90)
        make_profile(self.spending(1, 0, name="slow", daily_budget=100, monthly_budget=1000), NOW.date(), 1)
        self.spending(1, 0, name="off", enabled=False)
        self.spending(0, 0, name="lost", timezone="Mars/Olympus")
        make_campaign(Brand.objects.get(name="slow"), enabled=False)
        self.check()
        Brand.objects.filter(name="reached").update(daily_budget=200)
        self.check()
        links = re.findall(r'<a class="home-number[^"]*" href="([^"]+)"><strong>([0-9,]+)</strong>', self.home().text)
        self.assertGreater(len(links), 15)
        for address, number in links:
            page = self.client.get(address.replace("&amp;", "&"))
            self.assertEqual(page.status_code, 200, address)
            self.assertEqual(len(page.context["cl"].result_list), int(number), address)
            if query := parse_qs(urlsplit(address).query):
                self.assertTrue(page.context["cl"].has_active_filters, query)

    def test_the_list_behind_a_number_says_what_it_is_filtered_by(self) -> None:
        self.spending(100, name="reached", daily_budget=100)
        brands = reverse("admin:campaigns_brand_changelist")
        self.assertContains(self.client.get(brands, {"risk": "reached_today"}), "risk: daily budget reached</span>")
        self.assertNotContains(self.client.get(brands, {"risk": "nonsense"}), "risk: ")
        history = reverse("admin:campaigns_statuschange_changelist")
        page = self.client.get(history, {"since": "24-hours", "change": "resumed"})
        self.assertContains(page, "change: resumed</span>")
        self.assertContains(page, "time: the last 24 hours</span>")


class UnderPacingTests(HomeTestCase):
    """“Needs attention” begins with a line for the brands that have a list of their own further down."""

    def slow(self, name: str, budget: int, currency: str) -> None:
        brand = self.spending(1, 0, name=name, daily_budget=None, monthly_budget=budget, currency=currency)
        make_profile(brand, NOW.date(), 10)

    def test_a_line_names_the_one_that_misses_the_largest_share_and_links_to_both_lists(self) -> None:
        self.slow("Half", 200, "EUR")
        self.slow("Far", 1_000, "JPY")
        page = self.home().text
        line = page[page.index('class="home-under"') : page.index("Show below")]
        self.assertLess(page.index("Needs attention"), page.index('class="home-under"'))
        self.assertIn("?risk=under_pacing", line)
        self.assertIn("<strong>2</strong> <span>brands</span>", line)
        self.assertIn(">Far</a>", line)
        self.assertIn("<strong>944 JPY</strong> (94 %)", line)
        self.assertNotIn("Half", line)
        self.assertIn('href="#home-under-pacing"', page)
        self.assertIn('id="home-under-pacing"', page)

    def test_without_any_there_is_no_line(self) -> None:
        self.spending(100, name="reached", daily_budget=100)
        self.assertNotContains(self.home(), "home-under")


class ChangeTests(HomeTestCase):
    def change(self, before: int, after: int, at: datetime) -> None:
        StatusChange.objects.create(
            campaign=self.campaign,
            at=at,
            reasons_before=before,
            reasons_after=after,
            actor="test",
            campaign_spend=Decimal(0),
            brand_day_spend=Decimal(0),
            brand_month_spend=Decimal(0),
        )

    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign()

    def test_it_counts_the_last_24_hours(self) -> None:
        self.change(0, 32, NOW - timedelta(hours=24, microseconds=1))
        self.change(0, 32 + 64, NOW - timedelta(hours=24))
        self.change(96, 64, NOW - timedelta(hours=2))
        self.change(64, 0, NOW)
        found = recent_changes(self.user, now=NOW)
        self.assertEqual((found.paused, found.resumed, found.other, found.is_capped), (1, 1, 1, False))
        self.assertEqual({reason.value: count for reason, count in found.paused_for.items() if count}, {32: 1, 64: 1})

    def test_the_latest_changes_lead_to_the_whole_history(self) -> None:
        self.change(0, 32, NOW - timedelta(days=3))
        address = reverse("admin:campaigns_statuschange_changelist")
        self.assertContains(self.home(), f'<a class="text-link" href="{address}">View all status changes</a>')

    def test_it_counts_among_the_newest_lines_and_says_so(self) -> None:
        for _ in range(3):
            self.change(0, 32, NOW - timedelta(hours=1))
        for lines, paused, is_capped in ((2, 2, True), (3, 3, False)):
            with patch.object(lately, "MAX_CHANGES", lines):
                found = recent_changes(self.user, now=NOW)
            self.assertEqual((found.paused, found.is_capped), (paused, is_capped))
        with patch.object(lately, "MAX_CHANGES", 2):
            self.assertContains(self.home(), "<strong>more than 2</strong>")

    def test_old_lines_beyond_the_newest_are_no_reason_to_doubt(self) -> None:
        self.change(0, 32, NOW - timedelta(hours=30))
        self.change(32, 0, NOW - timedelta(hours=1))
        with patch.object(lately, "MAX_CHANGES", 1):
            self.assertFalse(recent_changes(self.user, now=NOW).is_capped)


class SizeTests(HomeTestCase):
    MOST = 24

    def queries(self) -> int:
        self.home()
        with CaptureQueriesContext(connection) as captured:
            self.home()
        return len(captured)

    def make(self, count: int) -> None:
        brands = Brand.objects.bulk_create(
            Brand(
                name=f"{number} of {count}",
                daily_budget=number % 7,
                currency="EUR" if number % 2 else "USD",
                timezone="UTC",
            )
            for number in range(count)
        )
        campaigns = Campaign.objects.bulk_create(Campaign(brand=brand, name="c") for brand in brands)
        SpendRecord.objects.bulk_create(
            SpendRecord(brand_id=c.brand_id, campaign=c, amount=Decimal(3), timestamp=NOW, recorded_at=NOW)
            for c in campaigns
        )
        self.check()

    def manager(self) -> User:
        manager = User.objects.create(username="manager", is_staff=True)
        manager.groups.add(Group.objects.get(name="Operators"))
        manager.user_permissions.add(Permission.objects.get(codename="only_assigned_brands"))
        return manager

    def test_it_costs_the_same_few_queries_at_every_size(self) -> None:
        manager = self.manager()
        counts = []
        for size in (0, 10, 1_000):
            self.make(size)
            for user in (self.user, manager):
                self.client.force_login(user)
                counts.append(self.queries())
        self.assertLessEqual(max(counts), self.MOST, counts)
        self.assertEqual(counts[2:4], counts[4:6])

    def test_it_costs_no_more_while_the_jobs_stand_still(self) -> None:
        manager = self.manager()
        self.make(10)
        spend(Campaign.objects.earliest("pk"), 1)
        PendingSpend.objects.update(recorded_at=NOW - timedelta(hours=3))
        JobRun.objects.update(succeeded_at=NOW - timedelta(hours=4))
        for user in (self.user, manager):
            self.client.force_login(user)
            self.assertLessEqual(self.queries(), self.MOST)
            self.assertContains(self.home(), "Pending spend waits 3 hours for a check to fold it.")


class PeopleTests(HomeTestCase):
    def person(self, *permissions: str) -> User:
        user = User.objects.create(username="bola", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        self.client.force_login(user)
        return user

    def test_without_any_brand_it_says_what_to_do_first(self) -> None:
        self.assertContains(self.home(), f'href="{reverse("admin:campaigns_brand_add")}">Add the first brand')
        self.person("view_brand")
        self.assertContains(self.home(), "A campaign manager can add the first brand")

    def test_who_was_given_no_brand_is_told_whom_to_ask(self) -> None:
        make_brand()
        self.person("view_brand", "only_assigned_brands")
        self.assertContains(self.home(), "You don’t have any brands yet")

    def test_who_sees_only_some_brands_has_numbers_of_these(self) -> None:
        mine = self.spending(100, 0, name="Mine", daily_budget=100)
        self.spending(100, 0, name="Theirs", daily_budget=100, currency="CHF")
        self.check()
        user = self.person("view_brand", "view_campaign", "view_statuschange", "only_assigned_brands")
        BrandAssignment.objects.create(user=user, brand=mine)
        page = self.home()
        self.assertContains(page, "Mine")
        self.assertNotContains(page, "Theirs")
        self.assertNotContains(page, "CHF")
        found = brands_now(user, now=NOW)
        self.assertEqual((found.count, found.at[Risk.REACHED_TODAY]), (1, 1))
        self.assertEqual(overview.campaigns_now(user).count, 1)
        self.assertEqual(recent_changes(user, now=NOW).paused, 1)
        self.assertEqual(len(latest_changes(user, 8)), 1)

    def test_who_sees_only_some_brands_finds_their_lines_behind_those_of_others(self) -> None:
        mine = make_brand()
        make_campaign(mine, enabled=False)
        self.check()
        for _ in range(2):
            make_campaign(enabled=False)
        self.check()
        user = self.person("view_statuschange", "only_assigned_brands")
        BrandAssignment.objects.create(user=user, brand=mine)
        with patch.object(lately, "MAX_CHANGES", 1):
            found = recent_changes(user, now=NOW)
            self.assertEqual((found.paused, found.is_capped), (1, False))
            self.assertEqual(len(latest_changes(user, 8)), 1)

    def test_a_person_sees_the_parts_that_they_may_look_at(self) -> None:
        self.spending(1)
        self.check()
        parts = {
            "view_brand": "Brands by risk",
            "view_campaign": "Pause reasons",
            "view_statuschange": "Last 24 hours",
            "view_jobrun": "All jobs",
        }
        make_campaign(enabled=False)
        self.check()
        user = self.person()
        for permission, heading in parts.items():
            user.user_permissions.set(Permission.objects.filter(codename=permission))
            page = self.home()
            for each in parts.values():
                self.assertEqual(each in page.text, each == heading, (permission, each))

    def test_who_may_look_at_nothing_is_told_whom_to_ask(self) -> None:
        make_brand()
        self.person()
        self.assertContains(self.home(), "Ask an administrator")

    def test_a_stopped_check_is_told_under_jobs(self) -> None:
        self.check()
        with time_machine.travel(NOW + timedelta(hours=3), tick=False):
            self.client.force_login(self.user)
            self.assertContains(self.home(), "check_budgets last succeeded 3 hours ago")


class ProcessTests(HomeTestCase):
    """Without a worker and beat nothing is well, and the page begins with them."""

    def setUp(self) -> None:
        super().setUp()
        make_brand()
        self.check()

    def test_a_fresh_installation_says_that_none_has_run_and_how_to_start_it(self) -> None:
        page = self.home().content.decode()
        self.assertNotIn("All systems normal", page)
        self.assertIn("Start it with <code>celery -A budget_manager worker</code>", page)
        self.assertIn("<code>celery -A budget_manager beat --scheduler", page)
        self.assertEqual(page.count("has never run."), 2)
        self.assertLess(page.index("Not running"), page.index("Brands by risk"))

    def test_a_dead_one_comes_first_with_its_time(self) -> None:
        note_heartbeat("worker", "one", now=NOW - timedelta(minutes=25))
        note_heartbeat("beat", "one", now=NOW)
        page = self.home().content.decode()
        self.assertIn('last seen <time datetime="2026-11-25T11:35:00+00:00">25 minutes ago</time>', page)
        self.assertNotIn("budget_manager beat", page)
        self.assertLess(page.index("Not running"), page.index("Brands by risk"))
        running = page[page.index('class="home-jobs"') :]
        self.assertLess(running.index("<strong>worker</strong>"), running.index("<strong>beat</strong>"))
        self.assertIn("0 running, last seen: 25 minutes ago", running)

    def test_with_both_nothing_is_missing(self) -> None:
        for kind in ("beat", "worker"):
            note_heartbeat(kind, "one", now=NOW)
        self.assertNotContains(self.home(), "Not running")
