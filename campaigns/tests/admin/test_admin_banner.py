"""The banner on every page of the admin while the check is late."""

from __future__ import annotations

from datetime import datetime, timedelta

import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import JobRun
from campaigns.services.jobs.full_check import CHECK_BUDGETS
from campaigns.services.jobs.processes import note_heartbeat
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_campaign, utc

NOW = utc("2026-11-23 14:30")
BANNER = 'role="alert"'
PAGES = ("index", "password_change", "campaigns_brand_changelist", "campaigns_brand_add", "auth_user_changelist")


@time_machine.travel(NOW, tick=False)
class Banner(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        MigrationRecorder.Migration.objects.filter(app="campaigns").update(applied=utc("2026-11-01"))

    def succeeded(self, at: datetime) -> None:
        JobRun.objects.update_or_create(name=CHECK_BUDGETS, defaults={"succeeded_at": at})

    def page(self, name: str = "index", *args: object) -> str:
        response = self.client.get(reverse(f"admin:{name}", args=args))
        self.assertEqual(response.status_code, 200)
        return response.text

    def test_nothing_is_shown_while_the_check_succeeds(self) -> None:
        self.succeeded(utc("2026-11-23 14:25:01"))
        for name in PAGES:
            self.assertNotIn(BANNER, self.page(name))

    def test_every_page_shows_that_it_is_late(self) -> None:
        self.succeeded(utc("2026-11-23 14:05"))
        campaign = make_campaign()
        for page in (
            *map(self.page, PAGES),
            self.page("campaigns_campaign_change", campaign.pk),
            self.page("campaigns_brand_history", campaign.brand_id),
            self.page("campaigns_campaign_delete", campaign.pk),
        ):
            self.assertEqual(page.count(BANNER), 1)
            self.assertIn("Budgets were last checked 25 minutes ago, at 2026-11-23 14:05 UTC.", page)
            self.assertIn("Campaigns won’t pause or resume until the check runs again", page)

    def test_a_stopped_worker_is_told_before_the_check_is_late(self) -> None:
        self.succeeded(utc("2026-11-23 14:29"))
        note_heartbeat("beat", "one", now=NOW)
        campaign = make_campaign()
        pages = (("campaigns_brand_change", campaign.brand_id), ("campaigns_campaign_change", campaign.pk))
        for minutes, banners in ((2, 0), (3, 1)):
            note_heartbeat("worker", "one", now=NOW - timedelta(minutes=minutes))
            for page in pages:
                self.assertEqual(self.page(*page).count(BANNER), banners, (page, minutes))
        shown = self.page(*pages[0])
        self.assertIn("The worker stopped: last seen 3 minutes ago, at 2026-11-23 14:27 UTC.", shown)
        self.assertIn("Start it again: see", shown)
        # Home has a part of its own for them.
        self.assertNotIn(BANNER, self.page())
        note_heartbeat("worker", "two", now=NOW)
        self.assertNotIn(BANNER, self.page(*pages[0]))

    def test_the_time_is_the_applications(self) -> None:
        self.succeeded(utc("2026-11-23 14:05"))
        with override_settings(TIME_ZONE="Asia/Kolkata"):
            self.assertIn("at 2026-11-23 19:35 IST.", self.page())

    def test_it_says_that_there_never_was_a_check(self) -> None:
        self.assertIn("Budgets have never been checked.", self.page())

    def test_a_fresh_installation_shows_nothing(self) -> None:
        MigrationRecorder.Migration.objects.filter(app="campaigns").update(applied=NOW - timedelta(minutes=5))
        self.assertNotIn(BANNER, self.page())

    def test_who_may_see_jobs_is_shown_the_way_and_others_whom_to_tell(self) -> None:
        jobs = reverse("admin:campaigns_jobrun_changelist")
        self.assertIn(f'see <a class="underline" href="{jobs}">Jobs</a>', self.page())
        self.client.force_login(User.objects.create(username="bola", is_staff=True))
        self.assertIn("Please tell an administrator.", self.page())

    def test_strangers_are_told_nothing(self) -> None:
        self.client.logout()
        self.assertNotIn(BANNER, self.page("login"))

    def test_it_costs_a_page_two_queries_and_three_while_the_check_is_late(self) -> None:
        self.assertEqual(self.queries(late=True) - self.queries(late=False), 1)

    def queries(self, *, late: bool) -> int:
        self.succeeded(NOW - timedelta(minutes=25 if late else 1))
        self.page("password_change")
        with CaptureQueriesContext(connection) as captured:
            self.page("password_change")
        return len(captured)
